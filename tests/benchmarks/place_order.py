"""Durable orders of five lines: promised, routed and recorded, while the requests to the warehouse go out behind them."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import msgspec

from tests.benchmarks.load import drive
from tests.benchmarks.machine import rss_mib
from tests.benchmarks.report import Figures, Report, medians, quotient
from tests.benchmarks.stage import TOKEN, Run, Sandboxes, Variant

SKUS = ("SKU-0001", "SKU-0005", "SKU-0010", "SKU-0011", "SKU-0012")
DEEP_UNITS = 10_000_000
JOBS_DUE = "SELECT count(*) FROM job WHERE state = 'READY' AND kind IN ('SUBMIT', 'STOP')"

PLACE = """mutation ($input: OrderPlaceInput!) { orderPlace(input: $input) {
  order { id number status version fulfillmentOrders { id status location { code } lines { sku units } } }
  userErrors { code message } } }"""

DESTINATION = {"lines": ["1 Main St"], "city": "Dallas", "region": "TX", "postalCode": "75201", "countryCode": "US"}


class _Order(msgspec.Struct):
    id: str


class _UserError(msgspec.Struct):
    code: str


class _Payload(msgspec.Struct, rename="camel"):
    order: _Order | None
    user_errors: list[_UserError]


class _Placed(msgspec.Struct, rename="camel"):
    order_place: _Payload


class _Answer(msgspec.Struct):
    data: _Placed


_answer = msgspec.json.Decoder(_Answer)


async def fill(sources: Sandboxes) -> None:
    """Enough of everything in one warehouse."""
    for sku in SKUS:
        await sources.count("odoo", "wh-dallas", sku, DEEP_UNITS)


Measured = tuple[Figures, Mapping[str, float], list[str]]


async def measure(run: Run, *, clients: int, orders: int, advance: Callable[[], object]) -> Measured:
    """One run on an empty database: its figures, its facts, and what is wrong with them."""
    outcomes: Counter[str] = Counter()

    def look(answer: bytes) -> None:
        payload = _answer.decode(answer).data.order_place
        outcomes["ACCEPTED" if payload.order is not None else payload.user_errors[0].code] += 1

    before, before_mib = run.used(), rss_mib(run.server.pid)
    load = await drive(
        run.server.url,
        token=TOKEN,
        clients=clients,
        requests=orders,
        body=lambda _, number: body(number),
        look=look,
        advance=advance,
    )
    figures = {
        **load.figures(),
        **run.used().since(before).figures(orders),
        "rss_before_mib": before_mib,
        "rss_after_mib": rss_mib(run.server.pid),
    }
    figures["jobs_left"] = await run.database.number(JOBS_DUE)
    facts = {"accepted": outcomes["ACCEPTED"], "rows": await run.database.number("SELECT count(*) FROM customer_order")}
    expected = {"accepted": orders, "rows": orders}
    return figures, facts, [] if facts == expected else [f"{facts}, not {expected}; {dict(outcomes)}"]


def report(runs: Mapping[Variant, Sequence[Measured]], *, clients: int, orders: int) -> Report:
    """All runs together, and what sharing transactions is worth on each database."""
    figures = {variant: medians([found for found, _, _ in each]) for variant, each in runs.items()}
    alone = {each.kind: each for each in runs if each.batch_max == 1}
    together = {kind: next(each for each in runs if each.kind is kind and each.workers == 1) for kind in alone}
    return Report(
        name="place_order",
        rounds=min(len(each) for each in runs.values()),
        setup=f"{orders:,} orders of {len(SKUS)} lines by {clients} clients, over HTTP, each run on a new database",
        figures={variant.name: found for variant, found in figures.items()},
        ratios={
            f"{together[kind].name} / {each.name} (per_s)": quotient(figures[together[kind]], figures[each], "per_s")
            for kind, each in alone.items()
        },
        facts={f"{variant.name}: {name}": value for variant, each in runs.items() for name, value in each[-1][1].items()},
        wrong=[f"{variant.name}: {problem}" for variant, each in runs.items() for _, _, wrong in each for problem in wrong],
    )


def both(over_http: Report, through_the_writer: Report) -> Report:
    """Both in one: an answer over HTTP costs more than its share of a transaction; the writer alone shows what sharing is worth."""
    return replace(
        over_http,
        figures={**over_http.figures, **{f"writer alone, {name}": each for name, each in through_the_writer.figures.items()}},
        ratios={**over_http.ratios, **{f"writer alone, {name}": each for name, each in through_the_writer.ratios.items()}},
        wrong=[*over_http.wrong, *through_the_writer.wrong],
    )


def body(number: int) -> bytes:
    """The request of that order, which nobody else places."""
    bought = {
        "idempotencyKey": f"order-{number}",
        "channel": "web",
        "externalId": f"web-{number}",
        "lines": [{"sku": sku, "units": 1} for sku in SKUS],
        "to": DESTINATION,
    }
    return msgspec.json.encode({"query": PLACE, "variables": {"input": bought}})
