"""Events against the orders that they tell of, and against the numbers that they were given."""

from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import and_, exists, func, or_, select

from gateway.domain.invariants import Invariant, as_told
from gateway.domain.orders import Order
from gateway.storage.documents import micros, read
from gateway.storage.tables import event, order, relay
from gateway.storage.upkeep import EVENTS
from gateway.storage.verification.findings import Findings

NUMBERED_WITHIN: Final = timedelta(minutes=1)


async def check_versions_told(findings: Findings) -> None:
    """Every order has an event for each of its versions; those past their retention may be gone, the oldest first."""
    kept = select(event.c.seq, event.c.at).where(event.c.seq.is_not(None)).order_by(event.c.seq).limit(1)
    oldest = (await findings.connection.execute(kept)).first()
    version = event.c.version
    figures = (func.count().label("count"), func.min(version).label("first"), func.max(version).label("last"))
    told = select(event.c.order_id, *figures).group_by(event.c.order_id).subquery()
    may_be_forgotten = order.c.placed_at <= oldest.at if oldest is not None and oldest.seq > 1 else order.c.id.is_(None)
    incomplete = or_(
        and_(told.c.count.is_(None), ~may_be_forgotten),
        told.c.last != order.c.version,
        told.c.count != told.c.last - told.c.first + 1,
        and_(told.c.first != 1, ~may_be_forgotten),
    )
    columns = select(order.c.id, order.c.version, told.c.count, told.c.first, told.c.last)
    async for row in findings.rows(columns.outerjoin(told, told.c.order_id == order.c.id).where(incomplete)):
        found = f"{row.count} from {row.first} to {row.last}" if row.count else "none"
        says = "Its versions are not all told by events."
        findings.add(Invariant.EVENTS, row.id, expected=f"1 to {row.version}", found=found, says=says)
    nobodys = select(event.c.order_id, event.c.version).where(~exists().where(order.c.id == event.c.order_id))
    async for row in findings.rows(nobodys):
        says = f"Version {row.version} of it is told, and there is no such order."
        findings.add(Invariant.EVENTS, row.order_id, expected="an order", found="none", says=says)


async def check_last_told(findings: Findings) -> None:
    """The newest event of an order tells how it is, but for what changes in silence."""
    newest = and_(event.c.order_id == order.c.id, event.c.version == order.c.version)
    unlike = select(order.c.id, order.c.body, event.c.body.label("told")).join(event, newest).where(event.c.body != order.c.body)
    async for row in findings.rows(unlike):
        if _told(row.body) != _told(row.told):
            says = "Its newest event tells of another state than it is in."
            findings.add(Invariant.EVENTS, row.id, expected="the same", found="another", says=says)


def _told(body: bytes) -> Order | bytes:
    try:
        return as_told(read(body, Order))
    except msgspec.MsgspecError:
        return body


async def check_sequence(findings: Findings, now: datetime) -> None:
    """Events are numbered without gaps, in the order of each order's versions, and soon."""
    await _check_gaps(findings)
    before = func.lag(event.c.seq).over(partition_by=event.c.order_id, order_by=event.c.version)
    numbered = select(event.c.order_id, event.c.version, event.c.seq, before.label("before")).subquery()
    async for row in findings.rows(select(numbered).where(numbered.c.before > numbered.c.seq)):
        says = f"Version {row.version} of it has a lower number than an older one."
        findings.add(Invariant.EVENTS, row.order_id, expected=f"more than {row.before}", found=row.seq, says=says)
    late = select(event.c.order_id, event.c.version).where(event.c.seq.is_(None), event.c.at < micros(now - NUMBERED_WITHIN))
    async for row in findings.rows(late):
        says = f"Version {row.version} of it has waited to be numbered for over a minute."
        findings.add(Invariant.EVENTS, row.order_id, expected="a number", found="none", says=says)


async def _check_gaps(findings: Findings) -> None:
    following = func.lead(event.c.seq).over(order_by=event.c.seq)
    numbered = select(event.c.seq, following.label("following")).where(event.c.seq.is_not(None)).subquery()
    async for row in findings.rows(select(numbered).where(numbered.c.following != numbered.c.seq + 1)):
        says = "A number is missing after it."
        findings.add(Invariant.EVENTS, f"event {row.seq}", expected=row.seq + 1, found=row.following, says=says)
    newest = select(func.coalesce(func.max(event.c.seq), 0)).scalar_subquery()
    given = select(relay.c.seq).where(relay.c.name == EVENTS).scalar_subquery()
    expected, found = _one(await findings.connection.execute(select(newest, given)))
    if expected != found:
        says = "The relay would not go on from the newest number."
        findings.add(Invariant.EVENTS, "relay", expected=expected, found=found, says=says)


def _one(result: Any) -> tuple[int, int | None]:
    newest, given = result.one()
    return newest, given
