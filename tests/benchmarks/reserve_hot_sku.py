"""Everybody wants the same thing at once: exactly as many get it as there are."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from tests.benchmarks.load import drive
from tests.benchmarks.machine import cpu_s
from tests.benchmarks.report import Figures, Report, medians
from tests.benchmarks.stage import TOKEN, Server

SKU = "SKU-0006"  # 1,000 units at wh-atlanta, none elsewhere
STOCK = 1_000

RESERVE = """mutation ($input: ReservationCreateInput!) { reservationCreate(input: $input) {
  reservation { id state } userErrors { code } } }"""


class _Hold(msgspec.Struct):
    id: str


class _UserError(msgspec.Struct):
    code: str


class _Payload(msgspec.Struct, rename="camel"):
    reservation: _Hold | None
    user_errors: list[_UserError]


class _Reserved(msgspec.Struct, rename="camel"):
    reservation_create: _Payload


class _Answer(msgspec.Struct):
    data: _Reserved


_answer = msgspec.json.Decoder(_Answer)


async def measure(
    server: Server, database: Path, *, clients: int, attempts: int, stock: int = STOCK, advance: Callable[[], object]
) -> tuple[Figures, Mapping[str, float], list[str]]:
    """One run on an empty database: its figures, its facts, and what is wrong with them."""
    outcomes: Counter[str] = Counter()

    def look(answer: bytes) -> None:
        payload = _answer.decode(answer).data.reservation_create
        outcomes["RESERVED" if payload.reservation is not None else payload.user_errors[0].code] += 1

    before_s = cpu_s(server.pid)
    load = await drive(
        server.url,
        token=TOKEN,
        clients=clients,
        requests=attempts,
        body=lambda _, number: _body(number),
        look=look,
        advance=advance,
    )
    figures = {**load.figures(), "server_cpu_ms": (cpu_s(server.pid) - before_s) * 1000 / attempts}
    facts = {"reserved": outcomes["RESERVED"], "refused": outcomes["INSUFFICIENT_STOCK"], "ledger_units": ledger_units(database)}
    due = min(stock, attempts)
    expected = {"reserved": due, "refused": attempts - due, "ledger_units": due}
    return figures, facts, [] if facts == expected else [f"{facts}, not {expected}; {dict(outcomes)}"]


def report(runs: Sequence[tuple[Figures, Mapping[str, float], list[str]]], *, clients: int, attempts: int) -> Report:
    """All runs together."""
    return Report(
        name="reserve_hot_sku",
        rounds=len(runs),
        setup=f"{attempts:,} attempts by {clients} clients at {STOCK:,} units, over HTTP, each run on a new database",
        figures={"reserve": medians([figures for figures, _, _ in runs])},
        facts=runs[-1][1],
        wrong=[each for _, _, wrong in runs for each in wrong],
    )


def ledger_units(database: Path) -> int:
    """Units that the ledger says are held."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        (units,) = connection.execute("SELECT sum(units) FROM ledger WHERE sku = ? AND bucket = 'HELD'", (SKU,)).fetchone()
    finally:
        connection.close()
    return int(units or 0)


def _body(number: int) -> bytes:
    held = {"idempotencyKey": f"hot-{number}", "lines": [{"sku": SKU, "units": 1}], "ttlSeconds": 3_600}
    return msgspec.json.encode({"query": RESERVE, "variables": {"input": held}})
