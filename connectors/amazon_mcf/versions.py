"""The two versions of Fulfillment Outbound, each as a table of where to ask and how to read the answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, Protocol, TypeVar

from connectors.amazon_mcf import outbound_2020, outbound_2026
from connectors.amazon_mcf.settings import AmazonMcfSettings, ApiVersion
from connectors.contract import FulfillmentRequest, Quote, QuoteRequest, RemoteFulfillment, RemoteLocationId, RequestKey

CreatedReply = TypeVar("CreatedReply")
FoundReply = TypeVar("FoundReply")
PreviewReply = TypeVar("PreviewReply")


class OrderBody(Protocol):
    """How an order is written."""

    def __call__(self, request: FulfillmentRequest, *, settings: AmazonMcfSettings, at: datetime) -> dict[str, object]:
        """The body that creates it; ``at`` is now."""


class PreviewBody(Protocol):
    """How a preview is asked for."""

    def __call__(self, request: QuoteRequest, *, settings: AmazonMcfSettings) -> dict[str, object]:
        """The body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version(Generic[CreatedReply, FoundReply, PreviewReply]):
    """One version. Orders are created with POST, read with GET ``/{key}`` and canceled with PUT ``/{key}/cancel``."""

    orders_path: str
    previews_path: str
    created: type[CreatedReply]
    order: type[FoundReply]
    preview: type[PreviewReply]
    order_body: OrderBody
    preview_body: PreviewBody
    parse_created: Callable[[CreatedReply, RequestKey], RemoteFulfillment]
    parse_order: Callable[[FoundReply], RemoteFulfillment]
    parse_quotes: Callable[[PreviewReply, QuoteRequest, RemoteLocationId], list[Quote]]


_2020: Final = Version(
    orders_path="/fba/outbound/2020-07-01/fulfillmentOrders",
    previews_path="/fba/outbound/2020-07-01/fulfillmentOrders/preview",
    created=outbound_2020.Created,
    order=outbound_2020.OrderReply,
    preview=outbound_2020.PreviewReply,
    order_body=outbound_2020.order_body,
    preview_body=outbound_2020.preview_body,
    parse_created=outbound_2020.parse_created,
    parse_order=outbound_2020.parse_order,
    parse_quotes=outbound_2020.parse_quotes,
)
_2026: Final = Version(
    orders_path="/fulfillment/outbound/2026-07-04/orders",
    previews_path="/fulfillment/outbound/2026-07-04/previews",
    created=outbound_2026.Created,
    order=outbound_2026.OrderReply,
    preview=outbound_2026.PreviewReply,
    order_body=outbound_2026.order_body,
    preview_body=outbound_2026.preview_body,
    parse_created=outbound_2026.parse_created,
    parse_order=outbound_2026.parse_order,
    parse_quotes=outbound_2026.parse_quotes,
)

VERSIONS: Final[Mapping[ApiVersion, Version[Any, Any, Any]]] = {"2020-07-01": _2020, "2026-07-04": _2026}
