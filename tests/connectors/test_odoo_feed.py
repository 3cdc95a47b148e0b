"""What Odoo carries and what has moved there, page by page; and how often it is asked for an order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic

import httpx

from connectors.contract import (
    Address,
    Cursor,
    FulfillmentRequest,
    Method,
    RemoteLocationId,
    RemoteState,
    RequestKey,
    RequestLine,
    Secret,
    Sku,
    StockChanges,
)
from connectors.odoo import Odoo, OdooSettings
from connectors.odoo.catalog import ProductRow, parse_page
from connectors.registry import Tools
from connectors.sandbox.controls import app_of
from connectors.sandbox.network import seeded
from connectors.sandbox.odoo import OdooSandbox
from connectors.sandbox.servers import serving

ANN = Address(lines=("1 Main St",), city="Reno", region="NV", postal_code="89501", country_code="US", name="Ann")


@asynccontextmanager
async def warehouses(products: int) -> AsyncIterator[tuple[Odoo, OdooSandbox, httpx.AsyncClient]]:
    sandbox = OdooSandbox(seeded(products=products))
    async with serving(app_of(sandbox)) as url, httpx.AsyncClient(base_url=url) as controls:
        settings = OdooSettings(url=url, database="demo", login="gateway", api_key=Secret("odoo-sandbox-key"), protocol="json2")
        odoo = Odoo(settings, Tools(now=lambda: datetime.now(UTC), monotonic=monotonic))
        try:
            yield odoo, sandbox, controls
        finally:
            await odoo.aclose()


def asking(key: str, recipient: Address = ANN) -> FulfillmentRequest:
    return FulfillmentRequest(
        key=RequestKey(key),
        location=RemoteLocationId("4"),
        lines=(RequestLine(sku=Sku("SKU-0002"), units=1),),
        recipient=recipient,
        method=Method.SHIP,
        order_number="1001",
    )


def test_more_products_and_more_changes_than_fit_on_a_page_are_all_told() -> None:
    async def story() -> None:
        async with warehouses(1_100) as (odoo, sandbox, _):
            first = await odoo.skus(None)
            second = await odoo.skus(first.next)
            assert second.next is None
            assert sorted([*first.skus, *second.skus]) == [f"SKU-{number:04d}" for number in range(1, 1_101)]

            cursor = (await odoo.stock_changes(None)).cursor
            pages: list[StockChanges] = []
            while not pages or pages[-1].more:
                pages.append(await odoo.stock_changes(cursor))
                cursor = pages[-1].cursor
            assert len(pages) > 1
            told = frozenset[Sku]().union(*(page.skus for page in pages))
            assert told == {sku for sku in [*first.skus, *second.skus] if any(sandbox.stock(sku).values())}, "all was just written"

    asyncio.run(story())


def test_the_products_of_one_reference_are_never_torn_apart_by_a_page() -> None:
    rows = [ProductRow(id=number, default_code=code, name=code) for number, code in enumerate("AABBB", start=1)]
    items, following = parse_page(rows, limit=5)
    assert ({sku: item.product_ids for sku, item in items.items()}, following) == ({"A": (1, 2)}, "A")
    items, following = parse_page(rows[2:], limit=5)
    assert ({sku: item.product_ids for sku, item in items.items()}, following) == ({"B": (3, 4, 5)}, None)
    items, following = parse_page(rows[2:], limit=3)
    assert (list(items), following) == (["B"], Cursor("B")), "one that fills a page goes on all the same"


def test_an_order_takes_four_requests_and_a_fifth_for_a_new_recipient() -> None:
    async def story() -> None:
        async with warehouses(12) as (odoo, sandbox, controls):

            async def cost(request: FulfillmentRequest) -> list[str]:
                await controls.delete("/_sandbox/journal")
                assert (await odoo.request(request)).state is RemoteState.ACCEPTED
                return [
                    each["path"].removeprefix("/json/2/") for each in (await controls.get("/_sandbox/journal")).json()["requests"]
                ]

            await odoo.request(asking("learns everything once"))
            looked_up, made, reserved, read = "search_read", "create", "action_assign", "search_read"
            usual = [f"stock.picking/{looked_up}", f"stock.picking/{made}", f"stock.picking/{reserved}", f"stock.move/{read}"]
            assert await cost(asking("same")) == usual
            bob = replace(ANN, name="Bob")
            assert await cost(asking("other", bob)) == [usual[0], "res.partner/create", *usual[1:]]
            assert await cost(asking("same")) == [usual[0], usual[3]], "it is there already"
            assert len(sandbox.orders()) == 3

    asyncio.run(story())
