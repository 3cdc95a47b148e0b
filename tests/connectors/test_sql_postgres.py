"""What only PostgreSQL can do, or forbid."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from connectors.contract import (
    AuthFailed,
    Sku,
    StockBatch,
    StockFeed,
)
from connectors.sandbox.sql import CHANGES, STOCK
from tests.connectors.erp import (
    COUNT,
    SALT_LAKE,
    PostgresErp,
    connected,
    filled,
    told,
)
from tests.postgres import Server


@pytest.fixture
def postgres_erp(postgres: Server) -> Iterator[PostgresErp]:
    with postgres.database(migrated=False, clocked=False) as name:
        asyncio.run(filled(postgres.url(name)))
        yield PostgresErp(url=postgres.url(name), name=name, server=postgres)


def test_whoever_may_not_read_is_told_so(postgres_erp: PostgresErp) -> None:
    postgres_erp.execute("DROP ROLE IF EXISTS clerk", "CREATE ROLE clerk LOGIN")
    url = postgres_erp.url.replace("postgres@", "clerk@")

    async def story() -> None:
        async with connected(url) as connector:
            with pytest.raises(AuthFailed, match="permission denied"):
                await connector.read_stock([Sku("SKU-0001")])
        async with connected(postgres_erp.url.replace("postgres@", "nobody@")) as connector:
            with pytest.raises(AuthFailed, match="nobody"):
                await connector.read_stock([Sku("SKU-0001")])

    asyncio.run(story())
    postgres_erp.execute("DROP ROLE clerk")


def test_an_array_is_taken_where_a_list_is_not_meant(postgres_erp: PostgresErp) -> None:
    async def story() -> None:
        array = "item.item_no = ANY(:skus) /* not: '; */ AND 'HH24:MI;' <> '' AND 1::int = 1"
        stock = f"{STOCK.replace('item.item_no IN :skus', array)}; -- and that is all"
        async with connected(postgres_erp.url, stock=stock) as connector:
            assert told(await connector.read_stock([Sku("SKU-0001"), Sku("x'y")])) == {("SKU-0001", SALT_LAKE): 0}

    asyncio.run(story())


def test_times_may_be_times_in_the_database(postgres_erp: PostgresErp) -> None:
    postgres_erp.execute(
        "ALTER TABLE stock_line ALTER changed_at TYPE timestamptz USING '2026-01-02 03:04:05+00'",
        COUNT.format(units=9, at=datetime.now(UTC).isoformat(), site=SALT_LAKE, sku="SKU-0001"),
    )

    async def story() -> None:
        changes = CHANGES.replace(":since", "CAST(:since AS timestamptz)")
        async with connected(postgres_erp.url, changes=changes) as connector:
            assert isinstance(connector, StockFeed)
            begun = await connector.stock_changes(None)
            assert (await connector.stock_changes(begun.cursor)).skus == {"SKU-0001"}
            levels = (await connector.read_stock([Sku("SKU-0005")])).levels
            assert {level.as_of for level in levels} == {datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)}

    asyncio.run(story())


def test_who_stops_waiting_harms_no_other(postgres_erp: PostgresErp) -> None:
    async def story() -> None:
        slow = STOCK.replace("WHERE", "WHERE pg_sleep(0.2) IS NOT NULL AND")
        async with connected(postgres_erp.url, stock=slow, concurrency_max=2) as connector:
            await connector.locations()
            reads = [asyncio.create_task(connector.read_stock([Sku("SKU-0001")])) for _ in range(4)]
            await asyncio.sleep(0.05)
            for each in reads[:2]:
                each.cancel()
            ended = await asyncio.gather(*reads, return_exceptions=True)
            assert [isinstance(each, StockBatch) for each in ended] == [False, False, True, True]

    asyncio.run(story())
