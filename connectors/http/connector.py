"""The connector for sources that are described by configuration."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from cachetools import TTLCache

from connectors.client import Client, at_once, chunked
from connectors.contract import (
    ConnectorInfo,
    Cursor,
    Health,
    Idempotency,
    NotFound,
    Rejected,
    RemoteLocation,
    Secret,
    Sku,
    SkuPage,
    SourceError,
    StockBatch,
    Traffic,
)
from connectors.http.pages import Lists, Turn
from connectors.http.places import configured, parse_places
from connectors.http.plans import CatalogPlan, Plan
from connectors.http.settings import HttpSettings
from connectors.http.stock import Told, batch_of, parse_rows
from connectors.http.tables import Auth, AuthType, NoRow
from connectors.registry import Tools

NOBODYS: Final = Sku("dom-gateway-health")
"""A SKU that no source has: asking for it moves nothing."""


class Http:
    """One source whose stock is read as configured. It takes no requests."""

    def __init__(self, settings: HttpSettings, plan: Plan, tools: Tools) -> None:
        self.info = ConnectorInfo(
            kind=settings.kind,
            connector="http",
            stock_drop=settings.stock_drop,
            visibility_delay_s=settings.visibility_delay_s,
            idempotency=Idempotency.NONE,
            batch_skus_max=plan.stock.batch,
            fresh_for_s=settings.fresh_for_s,
            rate_per_s=settings.rate_per_s,
            concurrency_max=settings.concurrency_max,
        )
        self._plan = plan
        self._monotonic = tools.monotonic
        self._client = Client(
            base_url=settings.url,
            tools=tools,
            limits=settings.limits(),
            headers={**(settings.headers or {}), **_auth_header(plan.auth)},
        )
        self._lists = Lists(self._client, url=settings.url, denied_if=plan.denied_if, query=_auth_query(plan.auth))
        self._places: TTLCache[str, tuple[RemoteLocation, ...]] = TTLCache(1, settings.known_for_s, timer=tools.monotonic)

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._client.aclose()

    def traffic(self) -> Mapping[str, Traffic]:
        """How reads fare; there are no writes."""
        return self._client.traffic()

    async def health(self) -> Health:
        """Whether the source answers a question for stock, and takes our credential."""
        asked_at = self._monotonic()
        try:
            await self._told([NOBODYS])
        except SourceError as error:
            return Health(ok=False, detail=str(error))
        return Health(ok=True, latency_ms=1000 * (self._monotonic() - asked_at))

    async def locations(self) -> tuple[RemoteLocation, ...]:
        """The locations that are configured, or those that the source lists."""
        if self._plan.places_from is None:
            return configured(self._plan.places)
        rows = await self._lists.rows(self._plan.places_from.asking)
        self._places["all"] = found = parse_places(rows, self._plan.places_from)
        return found

    async def read_stock(self, skus: Sequence[Sku]) -> StockBatch:
        """As many requests as the source needs, at once."""
        asked = list(dict.fromkeys(skus))
        told = await at_once(self._told(some) for some in chunked(asked, self._plan.stock.batch))
        silent_at = [place.id for place in await self._known_places() if place.active] if self._needs_places else []
        return batch_of(told, plan=self._plan.stock, asked=asked, locations=silent_at)

    @property
    def _needs_places(self) -> bool:
        return self._plan.stock.no_row is NoRow.ZERO

    async def _known_places(self) -> tuple[RemoteLocation, ...]:
        return self._places.get("all") or await self.locations()

    async def _told(self, skus: Sequence[Sku]) -> Told:
        plan = self._plan.stock
        try:
            rows = await self._lists.rows(plan.asking, skus)
        except NotFound:
            if "sku" not in plan.asking.path.asks_for():
                raise
            rows = []  # where a SKU has an address of its own, that is how a source says that it has none such
        return parse_rows(rows, plan=plan, asked=frozenset(skus), places=frozenset(place.id for place in self._plan.places))


class ListingHttp(Http):
    """One that can also say what it carries."""

    def __init__(self, settings: HttpSettings, plan: Plan, tools: Tools, catalog: CatalogPlan) -> None:
        super().__init__(settings, plan, tools)
        self._catalog = catalog

    async def skus(self, after: Cursor | None) -> SkuPage:
        """One page of the list. The cursor is what asks for the page, without the credential.

        Raises:
            Rejected: It is no cursor of ours.
        """
        turn = self._lists.first(self._catalog.asking) if after is None else _turn(after)
        rows, following = await self._lists.page(self._catalog.asking, turn)
        found = (self._catalog.sku.text_of(row, around) for row, around in rows)
        return SkuPage(
            skus=tuple(dict.fromkeys(Sku(sku) for sku in found if sku)),
            next=Cursor(msgspec.json.encode(following).decode()) if following is not None else None,
        )


def open_http(settings: HttpSettings, tools: Tools) -> Http:
    """The connector for these settings, with what they make possible."""
    plan = settings.plan()
    return Http(settings, plan, tools) if plan.catalog is None else ListingHttp(settings, plan, tools, plan.catalog)


def _turn(cursor: Cursor) -> Turn:
    try:
        return msgspec.json.decode(cursor, type=Turn)
    except (msgspec.MsgspecError, UnicodeError):
        raise Rejected("not a place in the list of SKUs", reason="BAD_CURSOR", field="after") from None


def _auth_header(auth: Auth) -> dict[str, str]:
    match auth:
        case Auth(type=AuthType.HEADER, name=str(name), value=str(value)):
            return {name: f"{auth.prefix or ''}{value}"}
        case Auth(type=AuthType.BEARER, value=str(value)):
            return {"Authorization": f"Bearer {value}"}
        case Auth(type=AuthType.BASIC, user=str(user), value=str(value)):
            return {"Authorization": f"Basic {b64encode(f'{user}:{value}'.encode()).decode()}"}
        case _:
            return {}


def _auth_query(auth: Auth) -> dict[str, Secret]:
    """It stays a ``Secret``, so that the client blots it out wherever it shows what was asked."""
    return {auth.name: auth.value} if auth.type is AuthType.QUERY and auth.name and auth.value else {}
