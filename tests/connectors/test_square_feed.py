"""What has moved at Square, and a walk whose page Square has forgotten."""

import asyncio
from datetime import UTC, datetime, timedelta

from connectors.sandbox.controls import app_of
from connectors.sandbox.network import seeded
from connectors.sandbox.servers import serving
from connectors.sandbox.square import SquareSandbox
from connectors.watermark import Watermark
from tests.connectors.test_square import square


def test_a_walk_whose_page_square_has_forgotten_begins_again() -> None:
    async def story() -> None:
        sandbox = SquareSandbox(seeded(products=40))
        async with serving(app_of(sandbox)) as url, square(url) as connector:
            begun = Watermark.read((await connector.stock_changes(None)).cursor)
            sandbox.set_stock("store-denver", "SKU-0004", 3)
            lost = Watermark(
                since=begun.newest, newest=begun.newest, reached_at=begun.reached_at, begun_at=begun.begun_at, page="forgotten"
            )
            told = await connector.stock_changes(lost.cursor())
            assert (set(told.skus), told.more) == ({"SKU-0004"}, False)

    asyncio.run(story())


def test_more_counts_than_fit_on_a_page_are_all_told_and_then_no_longer() -> None:
    async def story() -> None:
        sandbox = SquareSandbox(seeded(products=600))
        async with serving(app_of(sandbox)) as url, square(url) as connector:
            first = await connector.stock_changes((await connector.stock_changes(None)).cursor)
            second = await connector.stock_changes(first.cursor)
            assert (first.more, second.more) == (True, False)
            assert first.skus | second.skus == {product.sku for product in sandbox.shop.products.values()}
            settled = Watermark.read(second.cursor)
            longer_ago = datetime.now(UTC) - timedelta(minutes=5)
            quiet = Watermark(since=settled.since, newest=settled.newest, reached_at=longer_ago, begun_at=longer_ago)
            cursor = quiet.cursor()
            for skus_told in (True, True, False):  # a walk of two pages, and then nothing newer
                told = await connector.stock_changes(cursor)
                assert bool(told.skus) is skus_told
                cursor = told.cursor

    asyncio.run(story())
