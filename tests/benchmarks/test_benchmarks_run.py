"""The benchmarks themselves, in a tiny form: what they count must be true; how long it takes is not looked at."""

from pathlib import Path

from click.testing import CliRunner

from tests.benchmarks import inventory_query, place_order, reserve_hot_sku, writer
from tests.benchmarks.__main__ import main
from tests.benchmarks.machine import rss_mib
from tests.harness import run


def nothing() -> None:
    """Move no progress bar."""


def test_live_stock_costs_three_upstream_requests_and_a_hot_shelf_or_a_deep_one_gives_exactly_what_it_has(tmp_path: Path) -> None:
    async def story() -> None:
        async with inventory_query.stand(tmp_path, clients=2) as found:
            asked = await inventory_query.measure(found, rounds=1, requests=4, clients=(1, 2), advance=nothing)
            assert asked.wrong == ()
            upstream = {name: figures["upstream_requests_per_query"] for name, figures in asked.figures.items()}
            assert upstream == {name: 3 if " live" in name else 0 for name in upstream}
            assert len(upstream) == 8
            assert asked.json().startswith('{"name":"inventory_query"')

            server, database = found.gateway, tmp_path / "dom.sqlite3"
            await found.sandboxes.count("odoo", "wh-atlanta", reserve_hot_sku.SKU, 12)
            _, held, wrong = await reserve_hot_sku.measure(server, database, clients=8, attempts=30, stock=12, advance=nothing)
            assert (held, wrong) == ({"reserved": 12, "refused": 18, "ledger_units": 12}, [])

            _, _, wrong = await reserve_hot_sku.measure(server, database, clients=1, attempts=1, stock=1, advance=nothing)
            assert wrong, "the ledger holds twelve units, not one: that is told"

            await place_order.fill(found.sandboxes)
            figures, placed, wrong = await place_order.measure(server, database, clients=4, orders=8, advance=nothing)
            assert (placed, wrong) == ({"accepted": 8, "rows": 8}, [])
            assert 0 < figures["rss_before_mib"] <= rss_mib(server.pid) + 100

    run(story)


def test_the_writer_accepts_every_order_alone_and_in_groups_and_groups_write_fewer_rows(tmp_path: Path) -> None:
    async def story() -> None:
        found = await writer.measure(tmp_path, rounds=1, orders=20, orders_alone=3, advance=nothing)
        grouped, alone = found.figures.values()
        assert (found.wrong, grouped["accepted"], alone["accepted"]) == ([], 20, 3)
        assert grouped["rows_per_order"] < alone["rows_per_order"]

    run(story)


def test_every_benchmark_is_listed() -> None:
    listed = CliRunner().invoke(main, ["--help"]).output
    assert all(name in listed for name in ("inventory_query", "place_order", "reserve_hot_sku", "writer"))
