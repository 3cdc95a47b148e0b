"""Durable orders of five lines: promised, routed and recorded, while the requests to the warehouse go out behind them."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from tests.benchmarks.load import drive
from tests.benchmarks.machine import cpu_s, rss_mib
from tests.benchmarks.report import Figures, Report, medians
from tests.benchmarks.stage import TOKEN, Sandboxes, Server

SKUS = ("SKU-0001", "SKU-0005", "SKU-0010", "SKU-0011", "SKU-0012")
DEEP_UNITS = 10_000_000

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


async def measure(
    server: Server, database: Path, *, clients: int, orders: int, advance: Callable[[], object]
) -> tuple[Figures, Mapping[str, float], list[str]]:
    """One run on an empty database: its figures, its facts, and what is wrong with them."""
    outcomes: Counter[str] = Counter()

    def look(answer: bytes) -> None:
        payload = _answer.decode(answer).data.order_place
        outcomes["ACCEPTED" if payload.order is not None else payload.user_errors[0].code] += 1

    before_s, before_mib = cpu_s(server.pid), rss_mib(server.pid)
    load = await drive(
        server.url, token=TOKEN, clients=clients, requests=orders, body=lambda _, number: _body(number), look=look, advance=advance
    )
    figures = {
        **load.figures(),
        "server_cpu_ms": (cpu_s(server.pid) - before_s) * 1000 / orders,
        "rss_before_mib": before_mib,
        "rss_after_mib": rss_mib(server.pid),
    }
    facts = {"accepted": outcomes["ACCEPTED"], "rows": rows(database)}
    expected = {"accepted": orders, "rows": orders}
    return figures, facts, [] if facts == expected else [f"{facts}, not {expected}; {dict(outcomes)}"]


def report(runs: Sequence[tuple[Figures, Mapping[str, float], list[str]]], *, clients: int, orders: int) -> Report:
    """All runs together."""
    return Report(
        name="place_order",
        rounds=len(runs),
        setup=f"{orders:,} orders of {len(SKUS)} lines by {clients} clients, over HTTP, each run on a new database",
        figures={"place": medians([figures for figures, _, _ in runs])},
        facts=runs[-1][1],
        wrong=[each for _, _, wrong in runs for each in wrong],
    )


def rows(database: Path) -> int:
    """Orders in the database."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        (found,) = connection.execute("SELECT count(*) FROM customer_order").fetchone()
    finally:
        connection.close()
    return int(found)


def _body(number: int) -> bytes:
    bought = {
        "idempotencyKey": f"order-{number}",
        "channel": "web",
        "externalId": f"web-{number}",
        "lines": [{"sku": sku, "units": 1} for sku in SKUS],
        "to": DESTINATION,
    }
    return msgspec.json.encode({"query": PLACE, "variables": {"input": bought}})
