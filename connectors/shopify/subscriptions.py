"""Which webhooks Shopify is to send us: it deletes a subscription whose deliveries have failed for some hours, and keeps quiet."""

from collections.abc import Callable, Mapping
from typing import Final

from cachetools import TTLCache

from connectors.contract import ContractBroken, SourceError
from connectors.shopify.documents import SUBSCRIPTIONS, subscribe
from connectors.shopify.rows import Done
from connectors.shopify.settings import ShopifySettings
from connectors.shopify.wire import Wire, way_on

# As many as tell all that ``parse_event`` follows; every one is known in every version of the Admin API from 2025-10 to 2026-10.
TOPICS: Final = (
    "INVENTORY_LEVELS_CONNECT",
    "INVENTORY_LEVELS_DISCONNECT",
    "INVENTORY_LEVELS_UPDATE",
    "INVENTORY_ITEMS_CREATE",
    "INVENTORY_ITEMS_DELETE",
    "INVENTORY_ITEMS_UPDATE",
    "FULFILLMENTS_CREATE",
    "FULFILLMENTS_UPDATE",
    "FULFILLMENT_ORDERS_CANCELLATION_REQUEST_ACCEPTED",
    "FULFILLMENT_ORDERS_CANCELLATION_REQUEST_REJECTED",
    "FULFILLMENT_ORDERS_CANCELLED",
    "FULFILLMENT_ORDERS_FULFILLMENT_REQUEST_ACCEPTED",
    "FULFILLMENT_ORDERS_FULFILLMENT_REQUEST_REJECTED",
    "FULFILLMENT_ORDERS_FULFILLMENT_SERVICE_FAILED_TO_COMPLETE",
    "FULFILLMENT_ORDERS_MOVED",
    "ORDERS_CANCELLED",
)
SUBSCRIPTIONS_PER_PAGE: Final = 250
PAGES_MAX: Final = 100

_TENDED: Final = "tended"
_TAKEN: Final = "already been taken"  # the only mark of a duplicate: these errors have no code


class Subscriptions:
    """Keeps every topic subscribed at ``webhook_url``; without one, asks nothing and tells nothing."""

    def __init__(self, wire: Wire, *, settings: ShopifySettings, monotonic: Callable[[], float]) -> None:
        self._wire = wire
        self._uri = settings.webhook_url
        self._lately: TTLCache[str, None] = TTLCache(1, settings.known_for_s, timer=monotonic)
        self._untold = 0

    async def report(self) -> str:
        """Tend to them, and say what a person should know: how many were missing since he was last told, and what is refused."""
        troubles = await self._tend()
        renewed, self._untold = self._untold, 0
        news = (f"webhooks that were missing and are subscribed now: {renewed}",) if renewed else ()
        return "; ".join((*news, *troubles))

    async def now_and_then(self) -> None:
        """Tend to them, if nobody has for ``known_for_s``. What goes wrong is told when somebody asks for a report."""
        if _TENDED not in self._lately:
            await self._tend()

    async def _tend(self) -> tuple[str, ...]:
        """Subscribe to what is missing. Returns what went wrong, in words for a person."""
        if self._uri is None:
            return ()
        self._lately[_TENDED] = None  # before it is over: what hangs must not hold up every poll
        try:
            there = await self._subscribed(self._uri)
            missing = [topic for topic in TOPICS if topic not in there]
            # In one request: several that fail would have the breaker keep back orders, too.
            done = await self._wire.ask(subscribe(missing), subscription={"uri": self._uri, "format": "JSON"}) if missing else {}
        except SourceError as error:
            return (f"webhooks could not be looked after: {error}",)
        self._untold += sum(1 for each in done.values() if each and not each.user_errors)
        return refusals(done)

    async def _subscribed(self, uri: str) -> frozenset[str]:
        found: frozenset[str] = frozenset()
        after: str | None = None
        for _ in range(PAGES_MAX):
            page = (await self._wire.ask(SUBSCRIPTIONS, uri=uri, first=SUBSCRIPTIONS_PER_PAGE, after=after)).webhook_subscriptions
            found |= {row.topic for row in page.nodes if row.uri == uri}
            after = way_on(page.page_info, after)
            if after is None:
                return found
        raise ContractBroken(f"the webhook subscriptions did not end after {PAGES_MAX} pages")


def refusals(done: Mapping[str, Done | None]) -> tuple[str, ...]:
    """What Shopify does not want to send, and why. That another gateway was faster is no reason."""
    refused: dict[str, list[str]] = {}
    for topic, what in done.items():
        for error in what.user_errors if what else ():
            if _TAKEN not in error.message:
                refused.setdefault(error.message, []).append(topic)
    return tuple(f"not subscribed to {', '.join(topics)}: {reason}" for reason, topics in refused.items())
