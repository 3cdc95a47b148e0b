"""Whole stories with a warehouse that exchanges files: the connector and the mill over one folder."""

import asyncio
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.contract import (
    AuthFailed,
    Capability,
    ContractBroken,
    Sku,
    Transient,
    capabilities_of,
)
from connectors.described import NoRow, Place
from connectors.flat_file import Columns, FlatFile
from connectors.flat_file.connector import opened
from connectors.registry import Tools
from connectors.sandbox.flat_file import FlatFileSandbox
from tests.connectors.mill import (
    CHARLOTTE,
    HEADER,
    ST_LOUIS,
    Hours,
    connected,
    new_mill,
    settings_of,
    told,
)


@pytest.fixture
def mill(tmp_path: Path) -> FlatFileSandbox:
    return new_mill(tmp_path / "mill")


def test_a_read_shows_what_the_newest_file_says(mill: FlatFileSandbox) -> None:
    async def story() -> None:
        async with connected(settings_of(mill.folder)) as connector:
            asked = [Sku("SKU-0001"), Sku("SKU-0009"), Sku("nonsense")]
            batch = await connector.read_stock(asked)
            assert told(batch) == {
                ("SKU-0001", CHARLOTTE): 0,
                ("SKU-0001", ST_LOUIS): 35,
                ("SKU-0009", CHARLOTTE): 26,
                ("SKU-0009", ST_LOUIS): 0,
            }
            assert batch.unknown == {"nonsense"}
            assert set(batch.names) == {"SKU-0001", "SKU-0009"}
            mill.set_stock("mill-charlotte", "SKU-0001", 7)
            (level, _) = (await connector.read_stock([Sku("SKU-0001")])).levels
            assert (level.on_hand, level.available, level.committed, level.incoming) == (7, 7, 0, None)
            assert level.as_of is not None
            assert abs(level.as_of - datetime.now(UTC)) < timedelta(minutes=1)

    asyncio.run(story())


def test_reads_within_the_setting_look_at_the_folder_once(mill: FlatFileSandbox) -> None:
    async def story() -> None:
        async with connected(settings_of(mill.folder, list_every_s=60.0)) as connector:
            await asyncio.gather(*(connector.read_stock([Sku("SKU-0001")]) for _ in range(20)))
            mill.set_stock("mill-stlouis", "SKU-0001", 7)
            assert told(await connector.read_stock([Sku("SKU-0001")]))["SKU-0001", ST_LOUIS] == 35
            assert connector.traffic()["READ"].calls == 2  # the folder, and its newest file
            assert connector.info.visibility_delay_s >= 60

    asyncio.run(story())


def test_deltas_change_what_the_snapshot_said_and_only_that(tmp_path: Path) -> None:
    async def story() -> None:
        mill = new_mill(tmp_path, deltas=True)
        async with connected(settings_of(tmp_path, deltas="delta-*.csv")) as connector:
            before = told(await connector.read_stock([Sku("SKU-0001"), Sku("SKU-0009")]))
            mill.set_stock("mill-charlotte", "SKU-0001", 7)
            mill.set_stock("mill-charlotte", "SKU-0001", 8)
            mill.set_stock("mill-stlouis", "SKU-0009", 9)
            now = told(await connector.read_stock([Sku("SKU-0001"), Sku("SKU-0009")]))
            assert now == {**before, ("SKU-0001", CHARLOTTE): 8, ("SKU-0009", ST_LOUIS): 9}
        async with connected(settings_of(tmp_path, deltas="delta-*.csv")) as another:  # knows nothing but the files
            assert told(await another.read_stock([Sku("SKU-0001"), Sku("SKU-0009")])) == now

    asyncio.run(story())


def test_a_snapshot_with_a_bad_row_loses_no_sku_and_is_told(mill: FlatFileSandbox) -> None:
    async def story() -> None:
        async with connected(settings_of(mill.folder)) as connector:
            before = await connector.read_stock([Sku("SKU-0001"), Sku("SKU-0009")])
            bad = mill.drop(
                "stock", "stock-29990101T000000000000.csv", f"{HEADER}SKU-0001,{CHARLOTTE},5,0,5,Socks\nSKU-0009,x,1,0,many,\n"
            )
            assert await connector.read_stock([Sku("SKU-0001"), Sku("SKU-0009")]) == before
            health = await connector.health()
            assert not health.ok
            assert f"{bad.name}, line 3: available is 'many'" in health.detail
        async with connected(settings_of(mill.folder)) as another:  # the one before still lies there
            assert await another.read_stock([Sku("SKU-0001"), Sku("SKU-0009")]) == before
            bad.unlink()
            assert (await another.health()).ok

    asyncio.run(story())


def test_without_a_file_that_can_be_read_nothing_is_made_up(tmp_path: Path) -> None:
    async def story() -> None:
        async with connected(settings_of(tmp_path)) as connector:
            with pytest.raises(Transient):
                await connector.read_stock([Sku("SKU-0001")])
            (tmp_path / "stock").mkdir()
            with pytest.raises(Transient, match="no complete stock file"):
                await connector.read_stock([Sku("SKU-0001")])
            (tmp_path / "stock" / "stock-1.csv").write_text("<!DOCTYPE html><h1>Be right back</h1>")
            with pytest.raises(ContractBroken, match="no column 'item'"):
                await connector.read_stock([Sku("SKU-0001")])
            assert not (await connector.health()).ok

    asyncio.run(story())


def test_after_a_delta_that_cannot_be_read_the_next_snapshot_counts(tmp_path: Path) -> None:
    async def story() -> None:
        mill = new_mill(tmp_path, deltas=True)
        async with connected(settings_of(tmp_path, deltas="delta-*.csv")) as connector:
            before = told(await connector.read_stock([Sku("SKU-0001")]))
            now = datetime.now(UTC)
            mill.drop("stock", f"delta-{now:%Y%m%dT%H%M%S%f}.csv", f"{HEADER}SKU-0001,{CHARLOTTE}\n")
            mill.set_stock("mill-charlotte", "SKU-0001", 7)
            assert told(await connector.read_stock([Sku("SKU-0001")])) == before  # what else did the bad one say?
            assert "2 cells instead of 6" in (await connector.health()).detail
            mill.export()
            assert told(await connector.read_stock([Sku("SKU-0001")]))["SKU-0001", CHARLOTTE] == 7

    asyncio.run(story())


def test_what_is_too_old_is_unknown_and_never_zero(mill: FlatFileSandbox) -> None:
    async def story() -> None:
        clock = Hours()
        async with connected(settings_of(mill.folder, age_max_s=3_600.0), clock) as connector:
            assert connector.info.visibility_delay_s == 3_600  # nothing from before that is ever shown
            clock.passed = timedelta(minutes=59)
            assert told(await connector.read_stock([Sku("SKU-0001")]))["SKU-0001", CHARLOTTE] == 0
            clock.passed = timedelta(minutes=61)
            batch = await connector.read_stock([Sku("SKU-0001")])
            assert [(each.available, each.on_hand, each.committed) for each in batch.levels] == [(None, None, None)] * 2
            assert "too old" in (await connector.health()).detail

    asyncio.run(story())


def test_a_file_counts_once_its_writer_is_done(tmp_path: Path) -> None:
    async def story() -> None:
        mill = new_mill(tmp_path)
        (first,) = (tmp_path / "stock").iterdir()
        async with connected(settings_of(tmp_path, done_suffix=".done")) as connector:
            with pytest.raises(Transient, match="no complete stock file"):
                await connector.read_stock([Sku("SKU-0001")])
            marker = mill.drop("stock", f"{first.name}.done", "")
            assert len((await connector.read_stock([Sku("SKU-0001")])).levels) == 2
            mill.set_stock("mill-charlotte", "SKU-0001", 7)  # another file, without a marker so far
            assert told(await connector.read_stock([Sku("SKU-0001")]))["SKU-0001", CHARLOTTE] == 0
            os.utime(marker, (0, 0))  # of a file that was there before under the same name
            assert told(await connector.read_stock([Sku("SKU-0001")]))["SKU-0001", CHARLOTTE] == 0
        async with connected(settings_of(tmp_path, done_suffix=".done")) as another:
            with pytest.raises(Transient):
                await another.read_stock([Sku("SKU-0001")])

    asyncio.run(story())


def test_a_file_that_is_replaced_under_its_name_is_read_again(tmp_path: Path) -> None:
    async def story() -> None:
        (tmp_path / "stock").mkdir()
        file = tmp_path / "stock" / "stock.csv"

        def put(text: str) -> None:
            part = file.with_name("upload.part")
            part.write_text(text, encoding="cp1252")
            part.replace(file)

        columns = Columns(sku="Artikel", available="Menge", incoming="Zulauf")
        settings = settings_of(
            tmp_path,
            snapshots="stock.csv",
            columns=columns,
            places=(Place(id="HH"),),
            delimiter=";",
            encoding="cp1252",
            orders=None,
        )
        connector = opened(settings, Tools(now=lambda: datetime.now(UTC), monotonic=time.monotonic))
        put('Artikel;Menge;Zulauf;Text\r\nA-1;5;;"Größe 4; blau"\r\nB-2;;3;\r\n\r\n')
        batch = await connector.read_stock([Sku("A-1"), Sku("B-2")])
        assert [(each.sku, each.location, each.available, each.incoming) for each in batch.levels] == [
            ("A-1", "HH", 5, None),
            ("B-2", "HH", None, 3),
        ]
        begun = (await connector.stock_changes(None)).cursor
        put("Artikel;Menge;Zulauf;Text\nA-1;4,5;;\n")
        assert await connector.read_stock([Sku("A-1"), Sku("B-2")]) == batch
        assert "available is '4,5'" in (await connector.health()).detail
        put("Artikel;Menge;Zulauf;Text\nA-1;4.5;;\n")
        batch = await connector.read_stock([Sku("A-1"), Sku("B-2")])
        assert told(batch) == {("A-1", "HH"): 4}
        assert batch.unknown == {"B-2"}
        assert (await connector.stock_changes(begun)).skus == {"A-1", "B-2"}
        await connector.aclose()

    asyncio.run(story())


def test_where_what_is_sold_out_is_left_out_no_row_is_zero(mill: FlatFileSandbox) -> None:
    async def story() -> None:
        async with connected(settings_of(mill.folder, no_row=NoRow.ZERO)) as connector:
            batch = await connector.read_stock([Sku("SKU-0002"), Sku("nonsense")])
            assert told(batch) == {
                ("SKU-0002", CHARLOTTE): 71, ("SKU-0002", ST_LOUIS): 0, ("nonsense", CHARLOTTE): 0, ("nonsense", ST_LOUIS): 0
            }  # fmt: skip
            assert batch.unknown == frozenset()

    asyncio.run(story())


def test_all_skus_are_listed_page_by_page(tmp_path: Path) -> None:
    async def story() -> None:
        (tmp_path / "stock").mkdir()
        rows = "".join(f"S-{number:04d},{CHARLOTTE},1,0,1,\n" for number in range(2_500))
        (tmp_path / "stock" / "stock-1.csv").write_text(HEADER + rows)
        async with connected(settings_of(tmp_path)) as connector:
            page = await connector.skus(None)
            found = [page.skus]
            while page.next is not None:
                page = await connector.skus(page.next)
                found.append(page.skus)
            assert [len(each) for each in found] == [1_000, 1_000, 500]
            assert len({sku for each in found for sku in each}) == 2_500

    asyncio.run(story())


def test_what_moved_is_told_also_to_a_process_that_was_not_there(mill: FlatFileSandbox) -> None:
    async def story() -> None:
        async with connected(settings_of(mill.folder)) as connector:
            begun = await connector.stock_changes(None)
            assert (begun.skus, begun.more) == (frozenset(), False)
            mill.set_stock("mill-charlotte", "SKU-0001", 7)
            first = await connector.stock_changes(begun.cursor)
            mill.set_stock("mill-charlotte", "SKU-0002", 8)
            assert first.skus == {"SKU-0001"}
            assert (await connector.stock_changes(first.cursor)).skus == {"SKU-0002"}
            assert (await connector.stock_changes(begun.cursor)).skus == {"SKU-0001", "SKU-0002"}
        async with connected(settings_of(mill.folder)) as another:
            assert (await another.stock_changes(first.cursor)).skus == {"SKU-0002"}
            for file in sorted((mill.folder / "stock").iterdir())[:-1]:
                file.unlink()
            everything = (await another.stock_changes(first.cursor)).skus
            assert {"SKU-0001", "SKU-0002", "SKU-0009"} <= everything

    asyncio.run(story())


def test_only_who_says_where_orders_go_can_be_asked_to_ship(mill: FlatFileSandbox) -> None:
    async def story() -> None:
        reading = {Capability.READ_STOCK, Capability.LIST_SKUS, Capability.FEED}
        tools = Tools(now=lambda: datetime.now(UTC), monotonic=time.monotonic)
        connector = opened(settings_of(mill.folder, orders=None), tools)
        assert type(connector) is FlatFile
        assert capabilities_of(connector) == reading
        assert [place.name for place in await connector.locations()] == ["Charlotte Mill", ST_LOUIS]
        assert (await connector.health()).ok
        await connector.aclose()
        async with connected(settings_of(mill.folder)) as another:
            assert capabilities_of(another) == reading | {Capability.FULFILL, Capability.FIND_BY_KEY, Capability.CANCEL}

    asyncio.run(story())


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_that_is_not_ours_to_read_is_told_as_such(mill: FlatFileSandbox) -> None:
    async def story() -> None:
        async with connected(settings_of(mill.folder)) as connector:
            (mill.folder / "stock").chmod(0)
            with pytest.raises(AuthFailed):
                await connector.read_stock([Sku("SKU-0001")])

    asyncio.run(story())


def test_the_witness_sees_the_file_as_it_came(mill: FlatFileSandbox) -> None:
    async def story() -> None:
        seen: list[tuple[str, bytes]] = []
        tools = Tools(now=lambda: datetime.now(UTC), monotonic=time.monotonic, witness=lambda *each: seen.append(each))
        connector = opened(settings_of(mill.folder), tools)
        await connector.read_stock([Sku("SKU-0001")])
        ((asked, answered),) = seen
        assert asked.startswith("stock/stock-")
        assert answered == (mill.folder / asked).read_bytes()
        await connector.aclose()

    asyncio.run(story())
