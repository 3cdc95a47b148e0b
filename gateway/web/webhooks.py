"""What sources push: verified on the raw bytes, taken as a hint, and followed by asking. The numbers in it are never used."""

import asyncio
from dataclasses import dataclass, field

import structlog
from cachetools import LRUCache
from starlette.requests import Request
from starlette.responses import Response

from connectors.contract import BadSignature, ContractBroken, FulfillmentChanged, RawRequest, StockChanged, WebhookReceiver
from gateway.api.context import Services
from gateway.domain.identity import SourceName
from gateway.ports import Source
from gateway.web.graphql import refusal

log = structlog.get_logger(__name__)

ASKING_MAX = 64
EVENTS_KEPT_MAX = 10_000

Said = tuple[SourceName, str]


@dataclass(slots=True)
class Webhooks:
    """The door for sources. Answers at once; asks afterwards, ``ASKING_MAX`` at a time: what is dropped, polling finds.

    An event that was seen before is left alone, whoever sends it again. Should it be forgotten and come once more, it costs one
    question, and what is answered to that is as it is now: no old number can ever take the place of a newer one.
    """

    _seen: LRUCache[Said, None] = field(default_factory=lambda: LRUCache(EVENTS_KEPT_MAX))
    _asking: set[asyncio.Task[None]] = field(default_factory=set)

    async def __call__(self, request: Request) -> Response:
        """Take a hint."""
        services: Services | None = request.app.state.services
        source = None if services is None else services.sources.get(SourceName(request.path_params["source"]))
        if services is None or source is None or not isinstance(source.connector, WebhookReceiver):
            return refusal(404, "There is no such source, or it does not push.", code="NOT_FOUND")
        raw = RawRequest(headers=dict(request.headers.items()), body=await request.body(), query=dict(request.query_params))
        try:
            events = source.connector.receive(raw)
        except BadSignature as error:
            log.warning("webhook_refused", source=source.name, reason=str(error))
            return refusal(401, "The signature does not fit.", code="UNAUTHENTICATED")
        except ContractBroken as error:
            log.warning("webhook_unreadable", source=source.name, reason=str(error))
            return refusal(400, "The body cannot be read.")
        news = tuple(event for event in events if (source.name, event.event_id) not in self._seen)
        if news and len(self._asking) < ASKING_MAX:
            self._seen.update(dict.fromkeys((source.name, event.event_id) for event in news))
            task = asyncio.create_task(_follow_up(services, source, news))
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)
        return Response(status_code=204)

    async def aclose(self) -> None:
        """Stop asking."""
        for task in self._asking:
            task.cancel()
        await asyncio.gather(*self._asking, return_exceptions=True)


async def _follow_up(services: Services, source: Source, events: tuple[StockChanged | FulfillmentChanged, ...]) -> None:
    try:
        moved = {sku for event in events if isinstance(event, StockChanged) for sku in event.skus}
        if moved:
            services.feeds.moved(source.name, moved)
        refs = tuple(dict.fromkeys(event.ref for event in events if isinstance(event, FulfillmentChanged)))
        await services.tracking.look_at(source, refs)
    except Exception:  # polling finds out what this could not
        log.exception("webhook_not_followed", source=source.name)
