"""Orders against what is committed, against what they are found by, and against whatever is to take them further.

Everything about one order comes beside it: several questions that are answered in the order of its id, read in step.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import exists, func, select

from gateway.domain.fulfillments import RequestStatus
from gateway.domain.invariants import Invariant, commitments, shelf_name, standing_still, units_astray
from gateway.domain.orders import Order
from gateway.domain.stock import Acknowledged
from gateway.domain.tasks import JobKind, JobState
from gateway.storage.documents import micros, read
from gateway.storage.tables import decision, hold, job, order, order_sku, reservation, shelf, work
from gateway.storage.verification.findings import Findings
from gateway.storage.verification.shelves import NOTHING_NOTED, nobodys, outstanding

ORDERS = "orders"
_INDEXED = ("number", "channel", "external_id", "status", "version", "placed_at")


class Beside:
    """Rows in the order of what they belong to, taken one owner after another. Every owner must be asked about."""

    def __init__(self, rows: AsyncIterator[Any]) -> None:
        self._rows = rows
        self._next: Any = None
        self._begun = False

    async def of(self, owner: str) -> Sequence[Any]:
        """The rows whose first column is this owner."""
        if not self._begun:
            self._begun, self._next = True, await anext(self._rows, None)
        found = []
        while self._next is not None and self._next[0] == owner:
            found.append(self._next)
            self._next = await anext(self._rows, None)
        return found


def _of_orders(table: Any, order_id: Any) -> Any:
    """The rows of that table that belong to orders, in the order of their ids."""
    return select(order.c.id.label("owner"), table).join(table, order_id == order.c.id).order_by(order.c.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Everything that is kept about one order. ``owed`` None: what is committed because of it cannot be told."""

    row: Any
    works: Sequence[Any]
    skus: Sequence[Any]
    jobs: Sequence[Any]
    owed: Sequence[Any] | None


async def check_orders(findings: Findings) -> None:
    """Every order, one after another."""
    owed = await _owed(findings)
    works = Beside(findings.rows(_of_orders(work, work.c.order_id)))
    skus = Beside(findings.rows(_of_orders(order_sku, order_sku.c.order_id)))
    jobs = Beside(findings.rows(_jobs()))
    count = await findings.count(order)
    async for row in findings.rows(select(order).order_by(order.c.id)):
        kept = Kept(
            row=row,
            works=await works.of(row.id),
            skus=await skus.of(row.id),
            jobs=await jobs.of(row.id),
            owed=await owed.of(row.id) if owed is not None else None,
        )
        await findings.done(ORDERS, count)
        try:
            known = read(row.body, Order)
        except msgspec.MsgspecError as error:
            findings.add(Invariant.READABLE, row.id, expected="an order", found=error, says="It cannot be read.")
            continue
        ready = {(JobKind(each.kind), each.subject) for each in kept.jobs if each.state == JobState.READY}
        for difference in (*units_astray(known), *standing_still(known, ready)):
            findings.take(difference)
        _check_columns(findings, kept, known)
        _check_dead_jobs(findings, kept, known)
        _check_commitments(findings, kept, known)


# ---------------------------------------------------------------------------------------------- columns
def _check_columns(findings: Findings, kept: Kept, known: Order) -> None:
    """An order, its SKUs and its work are found by what the order says."""
    row = kept.row
    indexed = {name: getattr(row, name) for name in _INDEXED}
    told = {name: getattr(known, name) for name in _INDEXED} | {"placed_at": micros(known.placed_at)}
    rows = {each.id: (each.location_id, each.source, each.remote_ref, bool(each.is_followed)) for each in kept.works}
    are = {each.id: (each.location, each.source, each.remote_ref, each.is_followed) for each in known.fulfillment_orders}
    pairs: tuple[tuple[Mapping[Any, object], Mapping[Any, object], str], ...] = (
        ({"id": known.id} | told, {"id": row.id} | indexed, "it"),
        (dict.fromkeys((line.sku for line in known.lines), ""), dict.fromkeys((each.sku for each in kept.skus), ""), "its SKUs"),
        (are, rows, "its work"),
    )
    for expected, found, what in pairs:
        if expected != found:
            says = f"The columns by which {what} can be found say something else than the order."
            findings.add(Invariant.COLUMNS, row.id, expected=_unlike(expected, found), found=_unlike(found, expected), says=says)


def _unlike(these: Mapping[Any, object], those: Mapping[Any, object]) -> str:
    """The part of these that those do not have."""
    return ", ".join(f"{key} {value}" for key, value in these.items() if those.get(key, ...) != value) or "nothing else"


# ---------------------------------------------------------------------------------------------- jobs
def _jobs() -> Any:
    """Every job, by the order that it is about, directly or through work."""
    about = func.coalesce(work.c.order_id, job.c.subject)
    with_work = job.outerjoin(work, work.c.id == job.c.subject).join(order, order.c.id == about)
    return select(order.c.id.label("order_id"), job).select_from(with_work).order_by(order.c.id)


def _check_dead_jobs(findings: Findings, kept: Kept, known: Order) -> None:
    """A job that was given up has its work wait for a person, or says why nobody has to."""
    parked = {each.id for each in known.fulfillment_orders if each.request_status is RequestStatus.NEEDS_REVIEW}
    for each in kept.jobs:
        if each.state == JobState.DEAD and each.subject not in parked and not each.error:
            says = f"A {each.kind} job was given up, and nobody was told."
            findings.add(Invariant.PROGRESS, each.subject, expected="a reason, or work that waits", found="neither", says=says)


async def check_owners(findings: Findings) -> None:
    """Everything belongs to something that there is: the database does not look after that."""
    for table, owner_id, owner in (
        (work, work.c.order_id, order),
        (order_sku, order_sku.c.order_id, order),
        (decision, decision.c.order_id, order),
        (hold, hold.c.reservation_id, reservation),
    ):
        async for (owned_by,) in findings.rows(select(owner_id).where(~exists().where(owner.c.id == owner_id))):
            says = f"A {table.name} belongs to it, and it is not there."
            findings.add(Invariant.COLUMNS, owned_by, expected=f"a {owner.name}", found="none", says=says)


async def check_jobs(findings: Findings) -> None:
    """Every job is about something that there is."""
    about = (~exists().where(each.c.id == job.c.subject) for each in (order, work))
    async for row in findings.rows(select(job).where(*about)):
        says = f"A {row.kind} job is about nothing that there is."
        findings.add(Invariant.PROGRESS, row.subject, expected="an order or its work", found="none", says=says)


# ---------------------------------------------------------------------------------------------- commitments
async def _owed(findings: Findings) -> Beside | None:
    """What is committed, by order. None: some shelf cannot be read, so nobody can tell."""
    if not await _can_be_read(findings):
        findings.unchecked.append("commitments: a shelf cannot be read")
        return None
    units = outstanding(findings.connection.dialect.name)
    async for row in findings.rows(nobodys(units, order, work)):
        says = f"Units of {shelf_name(row.sku, row.location_id)} are committed because of nothing that there is."
        findings.add(Invariant.COMMITMENTS, row.subject, expected=0, found=int(row.units), says=says)
    units = outstanding(findings.connection.dialect.name)
    about = func.coalesce(work.c.order_id, units.c.subject)
    with_order = units.outerjoin(work, work.c.id == units.c.subject).join(order, order.c.id == about)
    return Beside(findings.rows(select(order.c.id.label("order_id"), units).select_from(with_order).order_by(order.c.id)))


async def _can_be_read(findings: Findings) -> bool:
    noted = select(shelf.c.sku, shelf.c.location_id, shelf.c.acknowledged).where(shelf.c.acknowledged != NOTHING_NOTED)
    readable = True
    async for row in findings.rows(noted):
        try:
            read(row.acknowledged, tuple[Acknowledged, ...])
        except msgspec.MsgspecError as error:
            readable, about = False, shelf_name(row.sku, row.location_id)
            findings.add(Invariant.READABLE, about, expected="notes", found=error, says="What is acknowledged cannot be read.")
    return readable


def _check_commitments(findings: Findings, kept: Kept, known: Order) -> None:
    """What the ledger has committed because of this order is what it still needs."""
    if kept.owed is None:
        return
    expected = commitments(known)
    found = {(each.subject, each.sku, each.location_id): int(each.units) for each in kept.owed}
    for promise in sorted(expected.keys() | found.keys()):
        needed, committed = expected.get(promise, 0), found.get(promise, 0)
        if needed != committed:
            subject, sku, place = promise
            says = f"Other units of {shelf_name(sku, place)} are committed because of it than it needs."
            findings.add(Invariant.COMMITMENTS, subject, expected=needed, found=committed, says=says)
