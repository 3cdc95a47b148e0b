"""The benchmarks themselves, in a tiny form: what they count must be true; how long it takes is not looked at."""

from dataclasses import replace
from pathlib import Path

from click.testing import CliRunner

from connectors.sandbox.network import ALL
from tests.benchmarks import (
    inventory_query,
    order_mix,
    place_order,
    reserve_hot_sku,
    scale,
    scale_page,
    sources,
    sources_hung,
    sources_latency,
    sources_memory,
    sources_requests,
    sources_stand,
    units,
    writer,
)
from tests.benchmarks.__main__ import main
from tests.benchmarks.databases import Kind, databases
from tests.benchmarks.machine import rss_mib
from tests.benchmarks.stage import Run, Variant, at_work, sandboxes, variants
from tests.harness import run

PAGE = Path(__file__).parents[2] / "docs" / "scale.md"


def nothing() -> None:
    """Move no progress bar."""


def test_live_stock_costs_three_upstream_requests_and_none_inside_the_freshness_window(tmp_path: Path) -> None:
    async def story() -> None:
        async with inventory_query.stand(tmp_path, clients=2, kinds=[Kind.SQLITE]) as found:
            asked = await inventory_query.measure(found, rounds=1, requests=4, clients=(1,), advance=nothing)
            assert asked.wrong == ()
            upstream = {name: figures["upstream_requests_per_query"] for name, figures in asked.figures.items()}
            assert upstream == {name: 3 if " live" in name else 0 for name in upstream}
            assert upstream
            assert asked.json().startswith('{"name":"inventory_query"')

    run(story)


def test_nine_sources_are_asked_no_more_than_their_limits_make_necessary_and_one_that_hangs_takes_nothing_from_the_others(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        plan = sources.Plan(sizes=(20,), many=5, pairs=1, deadline_s=1.0)
        # Longer than a query waits for sources, so that the first one surely waits in vain.
        impatient = {sources.HUNG: {"attempt_timeout_s": 1.0, "total_timeout_s": 1.5}}
        async with sources_stand.stand(tmp_path, skus=30, deadline_s=plan.deadline_s, more=impatient) as stand:
            asked = await sources_requests.measure(stand, skus=20, many=5, advance=nothing)
            added = await sources_latency.measure(stand, skus=20, pairs=1, slow="odoo", delay_ms=50, advance=nothing)
            hanging = await sources_hung.measure(stand, sources.HUNG, clients=6, skus=5, pause_s=0.05, open_s=0.2, advance=nothing)
        kept = await sources_memory.filled(tmp_path, skus=500, locations=4)
        found = sources.report(plan, asked=[asked], added=added, hanging=hanging, kept=kept)
        assert found.wrong == []
        assert set(asked.needed) == set(ALL)
        assert found.facts["requests that 20 SKUs need"] == 20 + 8
        assert found.facts["levels kept"] == 2_000
        assert found.figures["one hung, late"]["answers"] > 0
        assert {"totals", "product page"} < found.figures.keys()

    run(story)


def test_what_a_hung_source_must_not_do_is_told() -> None:
    calm = sources_hung.Measured(
        seen=sources_hung.Seen(late_ms=[500.0]),
        opened_after_s=5,
        open_s=12,
        while_closed=8,
        while_open=3,
        to_recover=1,
        recovered_after_s=4,
    )
    assert calm.wrong("shipbob") == []
    for worse in (
        replace(calm, while_open=4),
        replace(calm, to_recover=2),
        replace(calm, seen=sources_hung.Seen(late_ms=[500.0], differing=1)),
        replace(calm, seen=sources_hung.Seen(late_ms=[500.0], lost=1)),
        replace(calm, seen=sources_hung.Seen()),
    ):
        assert len(worse.wrong("shipbob")) == 1


def test_two_workers_on_one_database_give_exactly_what_there_is_and_keep_every_order(tmp_path: Path) -> None:
    async def story() -> None:
        variant = Variant(kind=Kind.POSTGRES, workers=2)
        async with (
            sandboxes(products=40) as sources,
            databases(tmp_path, [Kind.POSTGRES]) as made,
            at_work(variant, made, sources.urls) as running,
        ):
            await sources.count("odoo", "wh-atlanta", reserve_hot_sku.SKU, 12)
            _, held, wrong = await reserve_hot_sku.measure(running, clients=8, attempts=30, stock=12, advance=nothing)
            assert (held, wrong) == ({"reserved": 12, "refused": 18, "ledger_units": 12}, [])

            _, _, wrong = await reserve_hot_sku.measure(running, clients=1, attempts=1, stock=1, advance=nothing)
            assert wrong, "the ledger holds twelve units, not one: that is told"

            await place_order.fill(sources)
            measured = await place_order.measure(running, clients=4, orders=8, advance=nothing)
            figures, placed, wrong = measured
            assert (placed, wrong) == ({"accepted": 8, "rows": 8}, [])
            assert 0 < figures["rss_before_mib"] <= rss_mib(running.server.pid) + 100
            assert _share_of_the_busiest(running) < 1

            alone = replace(variant, workers=1, batch_max=1)
            found = place_order.report({alone: [measured], replace(alone, batch_max=64): [measured]}, clients=4, orders=8)
            assert list(found.ratios.values()) == [1]

    run(story)


def _share_of_the_busiest(running: Run) -> float:
    used = running.used().gateway_s
    return max(used.values()) / sum(used.values())


def test_after_a_mixed_day_nothing_is_wrong_and_followers_heard_all_of_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with sandboxes(products=order_mix.PRODUCTS) as sources, databases(tmp_path, []) as made:
            await order_mix.fill(sources)
            found = await order_mix.measure(
                Variant(kind=Kind.SQLITE), made, sources, seconds=2, clients=4, followers=2, seed=7, advance=nothing
            )
        assert found.wrong == []
        assert found.facts["events_heard"] > 0
        assert {order_mix.Operation.PLACE, order_mix.Operation.STOCK} <= set(found.figures)

    run(story)


def test_the_writer_accepts_every_order_alone_and_in_groups_and_groups_write_fewer_rows(tmp_path: Path) -> None:
    async def story() -> None:
        async with databases(tmp_path, list(Kind)) as made:
            found = await writer.measure(made, kinds=list(Kind), rounds=1, orders=20, orders_alone=3, advance=nothing)
        assert found.wrong == []
        assert len(found.figures) == 8
        for grouped, alone in zip(*[iter(found.figures.values())] * 2, strict=True):
            assert (grouped["accepted"], alone["accepted"]) == (20, 3)
            assert grouped["rows_per_order"] < alone["rows_per_order"]
            assert grouped["transactions_per_order"] < alone["transactions_per_order"] == 1

    run(story)


def test_unit_costs_are_measured_of_everything_that_scale_is_calculated_from(tmp_path: Path) -> None:
    async def story() -> None:
        async with sandboxes(products=units.PRODUCTS) as sources, databases(tmp_path, []) as made:
            await place_order.fill(sources)
            found = await units.measure(Kind.SQLITE, made, sources, operations=4, late_ms=500, advance=nothing)
            assert found.events_per_order >= 2
            assert found.requests_per_job >= 1
            assert found.bytes_per_order["customer_order"] > 0

    run(story)


def test_more_of_anything_never_needs_less() -> None:
    known = units.kept().units
    small = scale.Merchant(orders_per_s=1, sku_locations=1_000, subscribers=1)
    assert scale.needs(replace(small, orders_per_s=0.01), known).rungs == ("one process, SQLite",)
    for larger in (
        replace(small, orders_per_s=1_000),
        replace(small, sku_locations=100_000_000),
        replace(small, subscribers=10_000),
    ):
        less, more = (scale.needs(each, {Kind.POSTGRES: known[Kind.POSTGRES]}).figures() for each in (small, larger))
        assert all(more[name] >= less[name] for name in less if name != "followers_part")
        assert more != less


def test_the_page_about_scale_shows_the_costs_that_are_kept() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert scale_page.written(page, units.kept()) == page, "python -m tests.benchmarks scale --page docs/scale.md"
    assert "placing an order of five lines" in page


def test_workers_multiply_on_postgresql_alone() -> None:
    names = [each.name for each in variants(list(Kind), [1, 2])]
    assert names == ["sqlite", "postgres", "postgres, 2 workers"]


def test_every_benchmark_is_listed_and_a_strange_number_of_workers_is_told() -> None:
    listed = CliRunner().invoke(main, ["--help"]).output
    wanted = ("inventory_query", "place_order", "reserve_hot_sku", "writer", "order_mix", "units", "scale", "sources")
    assert all(name in listed for name in wanted)
    refused = CliRunner().invoke(main, ["place_order", "--workers", "1,none"])
    assert refused.exit_code == 2
    assert "1,2,4" in refused.output
