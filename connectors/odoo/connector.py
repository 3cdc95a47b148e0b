"""One Odoo database as a source: its warehouses, their stock, and deliveries from them."""

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from connectors.contract import (
    BadSignature,
    CancelOutcome,
    ConnectorInfo,
    ContractBroken,
    Cursor,
    FulfillmentChanged,
    FulfillmentRequest,
    Health,
    Idempotency,
    RawRequest,
    Rejected,
    RemoteFulfillment,
    RemoteLocation,
    RemoteLocationId,
    RemoteRef,
    RequestKey,
    Sku,
    SkuPage,
    SourceError,
    SourceEvent,
    SourceKind,
    StockBatch,
    StockChanged,
    StockChanges,
    StockDrop,
    Traffic,
)
from connectors.odoo.catalog import Catalog
from connectors.odoo.deliveries import Deliveries
from connectors.odoo.feed import Feed
from connectors.odoo.once import Once
from connectors.odoo.places import Warehouse, read_warehouses
from connectors.odoo.settings import OdooSettings
from connectors.odoo.stock import parse_levels, read_quants
from connectors.odoo.values import Text, time_of
from connectors.odoo.wire import Wire, wire_of
from connectors.registry import ConnectorSpec, Tools


class ApiKeyRow(msgspec.Struct):
    """A row of ``res.users.apikeys``."""

    expiration_date: Text = False


class WebhookBody(msgspec.Struct):
    """What the server action "Send Webhook Notification" posts: the record, and those of its fields that somebody chose."""

    model: str = msgspec.field(name="_model")
    id: int = msgspec.field(name="_id")
    product_id: int | bool = False
    default_code: Text = False


class Odoo:
    """A warehouse system behind either of Odoo's two protocols."""

    def __init__(self, settings: OdooSettings, tools: Tools) -> None:
        self.info = ConnectorInfo(
            kind=SourceKind.WAREHOUSE,
            connector="odoo",
            stock_drop=StockDrop.ON_ACCEPT,
            visibility_delay_s=0.0,  # a delivery reserves its units in the transaction that takes it on
            idempotency=Idempotency.LOOKUP,
            batch_skus_max=settings.batch_skus_max,
            fresh_for_s=settings.fresh_for_s,
            rate_per_s=settings.rate_per_s,
            concurrency_max=settings.concurrency_max,
        )
        self._settings = settings
        self._tools = tools
        self._wire: Wire = wire_of(settings, tools)
        self._catalog = Catalog(self._wire, settings, tools.monotonic)
        self._feed = Feed(self._wire, self._catalog, settings, tools.now)
        self._deliveries = Deliveries(self._wire, self._catalog, settings, tools.monotonic)
        self._warehouses = Once(lambda: read_warehouses(self._wire))

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._warehouses.aclose()
        await self._deliveries.aclose()
        await self._wire.aclose()

    async def health(self) -> Health:
        """Whether Odoo accepts our credential now; the key that expires first stands for all keys of the user."""
        started_s = self._tools.monotonic()
        try:
            await self._wire.execute("res.users", "context_get", returns=dict[str, object])
            latency_ms = (self._tools.monotonic() - started_s) * 1_000
            version = await self._wire.version()
            expires_at = await self._credential_expires_at()
        except SourceError as error:
            return Health(ok=False, detail=str(error))
        return Health(ok=True, latency_ms=latency_ms, remote_version=version, credential_expires_at=expires_at)

    async def locations(self) -> tuple[RemoteLocation, ...]:
        """Every warehouse, asked for anew."""
        self._warehouses.forget()
        return tuple(warehouse.location for warehouse in await self._warehouses.get())

    def traffic(self) -> Mapping[str, Traffic]:
        """How reads and writes fare."""
        return self._wire.traffic()

    # ------------------------------------------------------------------------------------------ stock
    async def skus(self, after: Cursor | None) -> SkuPage:
        """The next page of products with a reference."""
        await self._warehouses.get()
        return await self._catalog.page(after)

    async def stock_changes(self, cursor: Cursor | None) -> StockChanges:
        """Products of which a quant was written since."""
        return await self._feed.changes(cursor)

    async def read_stock(self, skus: Sequence[Sku]) -> StockBatch:
        """Read all warehouses in one request; SKUs and warehouses that are not known yet are looked up first."""
        asked = list(dict.fromkeys(skus))
        warehouses = await self._warehouses.get()
        items = await self._catalog.items(asked)
        sku_of = {product_id: sku for sku, item in items.items() for product_id in item.product_ids}
        known = [warehouse.location.id for warehouse in warehouses if warehouse.location.active]
        quants = await read_quants(self._wire, list(sku_of)) if sku_of else []
        levels = parse_levels(quants, skus=sku_of, warehouses=known)
        if {level.location for level in levels} - {warehouse.location.id for warehouse in warehouses}:
            self._warehouses.forget()  # a new one has been opened
        return StockBatch(
            levels=levels,
            unknown=frozenset(asked) - items.keys(),
            names={sku: item.name for sku, item in items.items() if item.name},
        )

    # ------------------------------------------------------------------------------------------ fulfillment
    async def request(self, request: FulfillmentRequest) -> RemoteFulfillment:
        """Ask a warehouse to ship. A key that is there already is carried on with, not asked for twice."""
        return await self._deliveries.request(request, await self._warehouse(request.location))

    async def find(self, key: RequestKey) -> RemoteFulfillment | None:
        """Look up a request by our key, which is the delivery's origin."""
        return await self._deliveries.find(key)

    async def cancel(self, ref: RemoteRef) -> CancelOutcome:
        """Cancel whatever of it has not left.

        Raises:
            NotFound: There is no such delivery.
        """
        return await self._deliveries.cancel(ref)

    async def status(self, refs: Sequence[RemoteRef]) -> tuple[RemoteFulfillment, ...]:
        """How far these are, backorders included: three requests for any number."""
        return await self._deliveries.status(refs)

    # ------------------------------------------------------------------------------------------ webhooks
    def receive(self, request: RawRequest) -> tuple[SourceEvent, ...]:
        """Check the secret in the URL, then read which record moved.

        Odoo sends each notification once and without an id, so every one that arrives counts as an event of its own.
        """
        token = self._settings.webhook_token
        if token is None or not hmac.compare_digest(token.encode(), request.query.get("token", "").encode()):
            raise BadSignature("the token in the URL is not ours")
        try:
            body = msgspec.json.decode(request.body, type=WebhookBody)
        except msgspec.DecodeError as error:
            raise ContractBroken(str(error)) from error
        event_id = f"{body.model}/{body.id}/{self._tools.now().isoformat()}"
        if body.model == "stock.picking":
            return (FulfillmentChanged(event_id=event_id, ref=RemoteRef(str(body.id))),)
        sku = self._sku_in(body)
        return (StockChanged(event_id=event_id, skus=frozenset({sku})),) if sku else ()

    def _sku_in(self, body: WebhookBody) -> Sku | None:
        match body:
            case WebhookBody(model="product.product", default_code=str(code)) if code:
                return Sku(code)
            case WebhookBody(model="stock.quant" | "stock.move", product_id=product_id):
                # A product nobody has asked for yet is in no cache that would have to hear of it.
                return self._catalog.remembered_sku(int(product_id))
            case _:
                return None

    async def _warehouse(self, location: RemoteLocationId) -> Warehouse:
        for warehouse in await self._warehouses.get():
            if warehouse.location.id == location:
                return warehouse
        raise Rejected(f"Odoo has no warehouse {location}", reason="UNKNOWN_LOCATION", field="location")

    async def _credential_expires_at(self) -> datetime | None:
        domain = [["user_id.login", "=", self._settings.login]]
        try:
            keys = await self._wire.execute(
                "res.users.apikeys", "search_read", returns=list[ApiKeyRow], domain=domain, fields=["expiration_date"]
            )
            return min((at for key in keys if (at := time_of(key.expiration_date))), default=None)
        except SourceError:
            return None  # before version 18 keys did not expire, and a user may lack the right to look


def _open(settings: Any, tools: Tools) -> Odoo:
    return Odoo(settings, tools)


SPEC: Final = ConnectorSpec(id="odoo", label="Odoo", kind=SourceKind.WAREHOUSE, settings=OdooSettings, open=_open)
