"""Everybody wants the same thing at once: exactly as many get it as there are."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import msgspec

from tests.benchmarks.load import drive
from tests.benchmarks.report import Figures, Report, medians
from tests.benchmarks.stage import TOKEN, Run

SKU = "SKU-0006"  # 1,000 units at wh-atlanta, none elsewhere
STOCK = 1_000
HELD = f"SELECT sum(units) FROM ledger WHERE sku = '{SKU}' AND bucket = 'HELD'"  # noqa: S608  # our own SKU

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


Measured = tuple[Figures, Mapping[str, float], list[str]]


async def measure(run: Run, *, clients: int, attempts: int, stock: int = STOCK, advance: Callable[[], object]) -> Measured:
    """One run on an empty database: its figures, its facts, and what is wrong with them."""
    outcomes: Counter[str] = Counter()

    def look(answer: bytes) -> None:
        payload = _answer.decode(answer).data.reservation_create
        outcomes["RESERVED" if payload.reservation is not None else payload.user_errors[0].code] += 1

    before = run.used()
    load = await drive(
        run.server.url,
        token=TOKEN,
        clients=clients,
        requests=attempts,
        body=lambda _, number: _body(number),
        look=look,
        advance=advance,
    )
    figures = {**load.figures(), **run.used().since(before).figures(attempts)}
    facts = {
        "reserved": outcomes["RESERVED"],
        "refused": outcomes["INSUFFICIENT_STOCK"],
        "ledger_units": await run.database.number(HELD),
    }
    due = min(stock, attempts)
    expected = {"reserved": due, "refused": attempts - due, "ledger_units": due}
    return figures, facts, [] if facts == expected else [f"{facts}, not {expected}; {dict(outcomes)}"]


def report(runs: Mapping[str, Sequence[Measured]], *, clients: int, attempts: int) -> Report:
    """All runs together, by what was measured."""
    return Report(
        name="reserve_hot_sku",
        rounds=min(len(each) for each in runs.values()),
        setup=f"{attempts:,} attempts by {clients} clients at {STOCK:,} units, over HTTP, each run on a new database",
        figures={name: medians([figures for figures, _, _ in each]) for name, each in runs.items()},
        facts={f"{name}: {fact}": value for name, each in runs.items() for fact, value in each[-1][1].items()},
        wrong=[f"{name}: {problem}" for name, each in runs.items() for _, _, wrong in each for problem in wrong],
    )


def _body(number: int) -> bytes:
    held = {"idempotencyKey": f"hot-{number}", "lines": [{"sku": SKU, "units": 1}], "ttlSeconds": 3_600}
    return msgspec.json.encode({"query": RESERVE, "variables": {"input": held}})
