"""ShipBob's webhooks: Standard Webhooks over the model that the topic is about."""

from typing import Final

import msgspec
from msgspec import Struct
from standardwebhooks import Webhook, WebhookVerificationError

from connectors.contract import BadSignature, ContractBroken, FulfillmentChanged, RawRequest, RemoteRef, Secret, SourceEvent

TOPIC_HEADER: Final = "x-webhook-topic"


def verify(request: RawRequest, *, secret: Secret | None) -> None:
    """Let through what ShipBob signed in the last minutes, by the wall clock (the library takes no other).

    Raises:
        BadSignature: It did not, or there is no secret to tell by.
    """
    if secret is None:
        raise BadSignature("no webhook secret is configured")
    try:
        Webhook(secret).verify(request.body, dict(request.headers), json_parse=False)
    except (WebhookVerificationError, ValueError) as error:  # ValueError: the library trips over malformed headers and bodies
        raise BadSignature(str(error)) from error


class _Resource(Struct):
    """An order, or a shipment that names its order."""

    id: int
    order_id: int | None = None


def parse_event(request: RawRequest) -> tuple[SourceEvent, ...]:
    """The order that a webhook is about; empty for topics that are about something else.

    Raises:
        ContractBroken: It cannot be read.
    """
    if not request.headers.get(TOPIC_HEADER, "").startswith("order."):
        return ()
    try:
        said = msgspec.json.decode(request.body, type=_Resource)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ContractBroken(f"a signed webhook cannot be read: {error}") from error
    ref = RemoteRef(str(said.order_id or said.id))
    return (FulfillmentChanged(event_id=request.headers["webhook-id"], ref=ref),)
