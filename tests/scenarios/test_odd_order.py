"""Sources whose rows come in another order, and one whose answers stand still."""

import csv
import sqlite3
from pathlib import Path
from typing import Any

from connectors.sandbox.network import ALL
from tests.harness import Graph, gateway, network, run, world
from tests.scenarios.questions import STOCK, eventually

SKUS = [f"SKU-{number:04d}" for number in range(1, 41)]

Levels = dict[tuple[str, str], int | None]


async def look(graph: Graph) -> Levels:
    """What is available of each SKU at each location, every source asked anew."""
    items = (await graph(STOCK, skus=SKUS, age=0))["inventory"]
    assert all(each["complete"] for each in items)
    return {(each["sku"], level["location"]["code"]): level["available"] for each in items for level in each["levels"]}


def turn_files_around(folder: Path) -> None:
    """The newest export once more, newer still, with its rows from last to first."""
    newest = max((folder / "stock").glob("stock-*.csv"), key=lambda file: file.name)
    head, *rows = list(csv.reader(newest.read_text(encoding="utf-8").splitlines()))
    with newest.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *rows[::-1]])


def turn_tables_around(url: str) -> None:
    """The same lines, written from last to first."""
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        lines = connection.execute("SELECT * FROM stock_line ORDER BY rowid DESC").fetchall()
        connection.execute("DELETE FROM stock_line")
        connection.executemany("INSERT INTO stock_line VALUES (?, ?, ?, ?, ?, ?, ?)", lines)
    connection.close()


def test_no_source_is_misread_when_its_rows_come_in_another_order(tmp_path: Path) -> None:
    async def story() -> None:
        async with network(products=40, systems=ALL) as (addresses, controls):
            async with gateway(addresses, tmp_path / "one.sqlite3") as graph:
                expected = await look(graph)
                assert len(expected) > 300
            for each in controls.values():
                await each.fault("REORDERED")
            turn_files_around(Path(addresses["flat_file"]))
            turn_tables_around(addresses["sql"])
            # A gateway of its own: places, products and pages are read anew as well.
            async with gateway(addresses, tmp_path / "other.sqlite3") as graph:
                assert await look(graph) == expected

    run(story)


def test_an_answer_that_stands_still_is_what_its_source_said_and_nothing_else(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path) as (graph, sandboxes):
            shipbob = sandboxes["shipbob"]

            async def units() -> Any:
                return (await look(graph))["SKU-0002", "bethlehem-pa"]

            assert await units() == 40
            await shipbob.fault("STALE")
            assert await units() == 40
            await shipbob.count("3pl-bethlehem", "SKU-0002", 0)
            assert await units() == 40, "neither unknown nor less than nothing: the source says 40"
            await shipbob.heal()

            async def moved() -> bool:
                return bool(await units() == 0)

            await eventually(moved)

    run(story)
