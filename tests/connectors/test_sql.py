"""Whole stories with a merchant's database: the connector on a real SQLite file and on a real PostgreSQL."""

import asyncio
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.contract import (
    Capability,
    ContractBroken,
    Cursor,
    Sku,
    StockFeed,
    StockLister,
    Transient,
    capabilities_of,
)
from connectors.described import NoRow, Place
from connectors.registry import Tools
from connectors.sandbox.sql import SqlSandbox
from connectors.sql.connector import opened
from tests.connectors.erp import (
    COUNT,
    KANSAS_CITY,
    SALT_LAKE,
    TOOLS,
    Erp,
    PostgresErp,
    SqliteErp,
    connected,
    filled,
    network,
    settings_of,
    told,
)
from tests.postgres import Server


@pytest.fixture(params=["sqlite", "postgres"])
def erp(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Erp]:
    """The ERP, on each kind of database in turn."""
    if request.param == "sqlite":
        sandbox = SqlSandbox(network(), tmp_path / "erp.db")
        yield SqliteErp(url=sandbox.url, file=sandbox.file)
        return
    server: Server = request.getfixturevalue("postgres")
    with server.database(migrated=False, clocked=False) as name:
        asyncio.run(filled(server.url(name)))
        yield PostgresErp(url=server.url(name), name=name, server=server)


def test_a_read_is_one_statement_and_shows_what_the_tables_hold(erp: Erp) -> None:
    async def story() -> None:
        async with connected(erp.url) as connector:
            await connector.locations()
            asked = [Sku("SKU-0001"), Sku("SKU-0005"), Sku("SKU-0005"), Sku("nonsense")]
            batch = await connector.read_stock(asked)
            assert told(batch) == {("SKU-0001", SALT_LAKE): 0, ("SKU-0005", KANSAS_CITY): 63, ("SKU-0005", SALT_LAKE): 103}
            assert batch.unknown == {"nonsense"}
            assert connector.traffic()["READ"].calls == 2  # the places, and this
            level = next(each for each in batch.levels if each.location == KANSAS_CITY)
            assert (level.on_hand, level.committed, level.incoming) == (63, 0, None)
            assert level.as_of is not None
            assert datetime.now(UTC) - level.as_of < timedelta(minutes=5)
            assert set(batch.names) == {"SKU-0001", "SKU-0005"}
            assert (await connector.read_stock([])).levels == ()

    asyncio.run(story())


def test_places_come_from_the_database_with_all_that_it_says(erp: Erp) -> None:
    async def story() -> None:
        async with connected(erp.url) as connector:
            first, second = await connector.locations()
            assert (first.id, second.id, first.name, first.time_zone) == (
                KANSAS_CITY, SALT_LAKE, "Kansas City ERP", "America/Chicago"
            )  # fmt: skip
            assert first.address is not None
            assert (first.address.postal_code, first.address.latitude) == ("64116", 39.133)
            health = await connector.health()
            assert health.ok, health.detail
            assert health.remote_version

    asyncio.run(story())


def test_fractions_are_floored_lots_added_up_and_null_is_unknown(erp: Erp) -> None:
    erp.execute(
        "INSERT INTO stock_line SELECT item_id, 'ERP-SALTLAKE', 'B', 4.75, 1, 12, '2026-01-02 03:04:05' FROM item"
        " WHERE item_no = 'SKU-0001'",
    )

    async def story() -> None:
        async with connected(erp.url) as connector:
            (level,) = (await connector.read_stock([Sku("SKU-0001")])).levels
            assert (level.on_hand, level.committed, level.available, level.incoming) == (4, 1, 3, 12)
        nothing = "SELECT item_no AS sku, 'ERP-SALTLAKE' AS location, NULL AS available FROM item WHERE item_no IN (:skus)"
        async with connected(erp.url, stock=nothing) as connector:
            batch = await connector.read_stock([Sku("SKU-0001")])
            assert told(batch) == {("SKU-0001", SALT_LAKE): None}

    asyncio.run(story())


def test_more_skus_than_a_statement_takes_are_asked_for_in_parts(erp: Erp) -> None:
    async def story() -> None:
        async with connected(
            erp.url, batch_skus_max=8, no_row=NoRow.ZERO, places_statement=None, places=(Place(id=SALT_LAKE),)
        ) as connector:
            asked = [Sku(f"SKU-{number:04d}") for number in range(1, 21)]
            batch = await connector.read_stock(asked)
            assert connector.traffic()["READ"].calls == 3
            assert [level.sku for level in batch.levels if level.available == 0].count(Sku("SKU-0002")) == 1
            assert told(batch)["SKU-0005", SALT_LAKE] == 103
            assert (len(batch.levels), batch.unknown) == (20, frozenset())

    asyncio.run(story())


def test_every_sku_is_listed_once(erp: Erp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.sql.connector.SKUS_PER_PAGE", 7)

    async def story() -> None:
        async with connected(erp.url) as connector:
            assert isinstance(connector, StockLister)
            found: list[Sku] = []
            after: Cursor | None = None
            for _ in range(20):
                page = await connector.skus(after)
                found += page.skus
                if (after := page.next) is None:
                    break
            carried = {sku for place in network().places_of("sql") for sku in network().carried_at(place.key)}
            assert after is None
            assert (set(found), len(found)) == (carried, len(carried))

    asyncio.run(story())


def test_what_changed_is_told_and_told_again_for_a_while(erp: Erp) -> None:
    erp.execute("UPDATE stock_line SET changed_at = '2026-01-02T03:04:05+00:00'")

    async def begin() -> Cursor:
        async with connected(erp.url) as connector:
            assert isinstance(connector, StockFeed)
            begun = await connector.stock_changes(None)
            assert begun.skus == frozenset()
            assert (await connector.stock_changes(begun.cursor)).skus == frozenset()
            return begun.cursor

    begun = asyncio.run(begin())
    erp.execute(COUNT.format(units=9, at=datetime.now(UTC).isoformat(), site=SALT_LAKE, sku="SKU-0001"))

    async def go_on() -> None:
        async with connected(erp.url) as connector:
            assert isinstance(connector, StockFeed)
            first = await connector.stock_changes(begun)
            again = await connector.stock_changes(first.cursor)  # who commits late is not missed
            assert first.skus == again.skus == {"SKU-0001"}
            with pytest.raises(ContractBroken, match="not a cursor"):
                await connector.stock_changes(Cursor("from elsewhere"))

    asyncio.run(go_on())


def test_only_what_there_is_a_statement_for_can_be_asked(erp: Erp) -> None:
    async def story() -> None:
        everything = {Capability.READ_STOCK, Capability.LIST_SKUS, Capability.FEED}
        for more, missing in (
            ({}, set[Capability]()),
            ({"skus": None}, {Capability.LIST_SKUS}),
            ({"changes": None}, {Capability.FEED}),
            ({"skus": None, "changes": None}, {Capability.LIST_SKUS, Capability.FEED}),
        ):
            async with connected(erp.url, **more) as connector:
                assert capabilities_of(connector) == everything - missing

    asyncio.run(story())


# ---------------------------------------------------------------------------------------------- what goes wrong
def test_nothing_is_ever_written(erp: Erp) -> None:
    erp.execute("CREATE TABLE log (line VARCHAR(10))")

    async def story() -> None:
        writes = "WITH written AS (DELETE FROM stock_line RETURNING item_id) SELECT 'A' AS sku, 1 AS available WHERE 'A' IN :skus"
        async with connected(erp.url, stock=writes) as connector:
            with pytest.raises(ContractBroken):
                await connector.read_stock([Sku("A")])
        async with connected(erp.url) as connector:
            assert told(await connector.read_stock([Sku("SKU-0005")])).keys() == {
                ("SKU-0005", KANSAS_CITY), ("SKU-0005", SALT_LAKE)
            }  # fmt: skip

    asyncio.run(story())


def test_a_statement_that_takes_too_long_is_ended_by_the_database(erp: Erp) -> None:
    async def story() -> None:
        endless = """WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted)
                     SELECT item_no AS sku, (SELECT max(n) FROM counted) AS available, 'X' AS location
                     FROM item WHERE item_no IN :skus"""
        async with connected(erp.url, stock=endless, attempt_timeout_s=0.5, total_timeout_s=0.5) as connector:
            with pytest.raises(Transient):
                await connector.read_stock([Sku("SKU-0001")])
            assert await connector.locations()

    asyncio.run(story())


@pytest.mark.parametrize(
    ("stock", "said"),
    [
        ("SELECT item_no AS sku, 5 AS units FROM item WHERE item_no IN :skus", "sku, and available"),
        ("SELECT item_no AS sku, 5 AS on_hand FROM item WHERE item_no IN :skus", "sku, and available"),
        ("SELECT item_no AS sku, 5 AS available FROM item WHERE item_no IN :skus", "only one place"),
        ("SELECT item_no AS sku, 5 AS available, 6 AS available FROM item WHERE item_no IN :skus", "two columns"),
        ("SELECT item_no AS sku, 'ERP-SALTLAKE' AS location, 5 AS available FROM item, site WHERE item_no IN :skus", "two rows"),
        ("SELECT item_no AS sku, 'ERP-SALTLAKE' AS location, 'many' AS available FROM item WHERE item_no IN :skus", "'many'"),
        ("SELECT item_no AS sku, 'ERP-SALTLAKE' AS location, 1 AS available, 'x' AS as_of FROM item WHERE item_no IN :skus", "'x'"),
        ("SELECT nothing AS sku, 1 AS available FROM item WHERE item_no IN :skus", "nothing"),
        ("SELECT item_no AS sku, 1 AS available FROM items WHERE item_no IN :skus", "items"),
        ("SELECT item_no AS sku, 1 AS available, site_code AS location FROM item, site WHERE '' NOT IN :skus", "more than 60 rows"),
    ],
)  # fmt: skip
def test_a_statement_that_does_not_fit_is_told_and_never_read_as_zero(erp: Erp, stock: str, said: str) -> None:
    async def story() -> None:
        async with connected(erp.url, stock=stock, rows_max=60, no_row=NoRow.ZERO) as connector:
            with pytest.raises(ContractBroken, match=said):
                await connector.read_stock([Sku("SKU-0001")])

    asyncio.run(story())


def test_health_asks_what_was_configured(erp: Erp) -> None:
    async def story() -> None:
        async with connected(erp.url, stock="SELECT item_no AS sku, 1 AS available FROM items WHERE item_no IN :skus") as connector:
            health = await connector.health()
            assert not health.ok
            assert "items" in health.detail

    asyncio.run(story())


def test_a_list_that_does_not_go_on_is_not_read_for_ever(erp: Erp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.sql.connector.SKUS_PER_PAGE", 7)

    async def story() -> None:
        stuck = "SELECT item_no AS sku FROM item WHERE item_no >= :after ORDER BY 1 LIMIT :limit"
        async with connected(erp.url, skus=stuck) as connector:
            assert isinstance(connector, StockLister)
            first = await connector.skus(None)
            with pytest.raises(ContractBroken, match="begins with it"):
                await connector.skus(first.next)

    asyncio.run(story())


def test_the_witness_sees_the_rows(erp: Erp) -> None:
    async def story() -> None:
        seen: list[tuple[str, bytes]] = []
        tools = Tools(now=TOOLS.now, monotonic=TOOLS.monotonic, witness=lambda *each: seen.append(each))
        connector = opened(settings_of(erp.url), tools)
        await connector.read_stock([Sku("SKU-0005")])
        assert [asked.strip()[:6] for asked, _ in seen] == ["SELECT", "SELECT"]
        assert b'"sku":"SKU-0005"' in seen[1][1]
        await connector.aclose()

    asyncio.run(story())


def test_a_database_that_is_not_there_is_an_answer_and_not_made(tmp_path: Path) -> None:
    async def story() -> None:
        for url in (f"sqlite:///{tmp_path / 'typo.db'}", "postgresql://user:s3cret-word@127.0.0.1:1/erp"):
            async with connected(url) as connector:
                with pytest.raises(Transient):
                    await connector.read_stock([Sku("SKU-0001")])
                health = await connector.health()
                assert not health.ok
                assert "s3cret" not in health.detail
        assert not (tmp_path / "typo.db").exists()

    asyncio.run(story())


def test_the_statements_of_one_read_are_asked_at_once(tmp_path: Path) -> None:
    async def story() -> None:
        sandbox = SqlSandbox(network(), tmp_path / "erp.db", journal="DELETE")
        async with connected(sandbox.url, batch_skus_max=8) as connector:
            await connector.locations()
            other = sqlite3.connect(sandbox.file, isolation_level=None)
            other.execute("BEGIN EXCLUSIVE")
            read = asyncio.create_task(connector.read_stock([Sku(f"SKU-{number:04d}") for number in range(1, 21)]))
            while connector.traffic()["READ"].in_flight < 3:
                assert not read.done()
                await asyncio.sleep(0.01)
            other.execute("ROLLBACK")
            other.close()
            assert told(await read)["SKU-0005", SALT_LAKE] == 103

    asyncio.run(story())


def test_a_lock_is_waited_for_and_then_given_up(tmp_path: Path) -> None:
    async def story() -> None:
        sandbox = SqlSandbox(network(), tmp_path / "erp.db", journal="DELETE")
        async with connected(sandbox.url, attempt_timeout_s=0.2, total_timeout_s=0.2) as connector:
            await connector.locations()
            other = sqlite3.connect(sandbox.file, isolation_level=None)
            other.execute("BEGIN EXCLUSIVE")
            with pytest.raises(Transient):
                await connector.read_stock([Sku("SKU-0001")])
            other.execute("ROLLBACK")
            other.close()
            assert (await connector.read_stock([Sku("SKU-0001")])).levels

    asyncio.run(story())
