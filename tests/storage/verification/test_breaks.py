"""Each rule broken by hand in a database that was sound, and what is said of it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import delete, insert, update

from gateway.domain.invariants import Invariant
from gateway.domain.orders import Order, OrderStatus
from gateway.domain.reservations import ReservationState
from gateway.domain.stock import NETWORK
from gateway.domain.tasks import JobState
from gateway.storage.documents import document, micros
from gateway.storage.tables import event, job, ledger, order, order_sku, relay, reservation, shelf, work
from gateway.storage.tables import hold as held
from gateway.storage.verification import examine, verify
from tests.harness import run
from tests.samples import EAST, MUG, START, desk
from tests.storage.verification.sound import Kept, filled, findings, told, work_of
from tests.storages import Storage

MUGS_IN_THE_EAST = "MUG at east"


@dataclass(frozen=True, kw_only=True)
class Break:
    """One thing done by hand, and the differences that must come of it, no others."""

    does: Callable[[Kept], Any]
    differs: Callable[[Kept], set[tuple[Invariant, str]]]


def rewritten(table: Any, row: str, value: Any, **columns: Any) -> Any:
    return update(table).where(table.c.id == row).values(body=document(value), **columns)


def called_off(what: Order) -> Order:
    (line,) = what.lines
    return replace(what, lines=(replace(line, units=line.units - 1),))


def entry(units: int, **more: Any) -> Any:
    columns = {
        "at": micros(START),
        "sku": MUG,
        "location_id": EAST,
        "bucket": "COMMITTED",
        "units": units,
        "reason": "BY_HAND",
        "subject": "nobody",
        "shelf_version": 1,
    }
    return insert(ledger).values(**columns | more)


BREAKS: dict[str, Break] = {
    "a counter of held units": Break(
        does=lambda _: update(shelf).where(shelf.c.location_id == EAST).values(held_units=shelf.c.held_units + 1),
        differs=lambda _: {(Invariant.LEDGER, MUGS_IN_THE_EAST), (Invariant.HOLDS, MUGS_IN_THE_EAST)},
    ),
    "a counter of committed units": Break(
        does=lambda _: update(shelf).where(shelf.c.location_id == NETWORK).values(committed_units=0),
        differs=lambda _: {(Invariant.LEDGER, "MUG at the network")},
    ),
    "a shelf that is gone": Break(
        does=lambda _: delete(shelf).where(shelf.c.location_id == NETWORK),
        differs=lambda _: {(Invariant.LEDGER, "MUG at the network"), (Invariant.HOLDS, "MUG at the network")},
    ),
    "a shelf without a ledger": Break(
        does=lambda _: insert(shelf).values(
            sku="CUP", location_id=EAST, held_units=0, committed_units=4, settled_epoch=0, version=1, acknowledged=b"[]"
        ),
        differs=lambda _: {(Invariant.LEDGER, "CUP at east")},
    ),
    "a hold that is gone": Break(
        does=lambda kept: delete(held).where(held.c.reservation_id == kept.here.id),
        differs=lambda kept: {(Invariant.HOLDS, MUGS_IN_THE_EAST), (Invariant.HOLDS, kept.here.id)},
    ),
    "a hold of a reservation that is over": Break(
        does=lambda kept: rewritten(
            reservation, kept.here.id, replace(kept.here, state=ReservationState.RELEASED), state="RELEASED"
        ),
        differs=lambda kept: {(Invariant.HOLDS, kept.here.id)},
    ),
    "the state by which a reservation is found": Break(
        does=lambda kept: update(reservation).where(reservation.c.id == kept.here.id).values(state="EXPIRED"),
        differs=lambda kept: {(Invariant.COLUMNS, kept.here.id)},
    ),
    "units promised that were not there": Break(
        does=lambda _: update(ledger).where(ledger.c.bucket == "HELD", ledger.c.location_id == EAST).values(sellable_units=9),
        differs=lambda _: {(Invariant.SELLABLE, MUGS_IN_THE_EAST)},
    ),
    "two transactions that led to one version": Break(
        does=lambda _: (
            update(ledger)
            .where(ledger.c.bucket == "HELD", ledger.c.location_id == EAST)
            .values(shelf_version=1, at=ledger.c.at + 1)
        ),
        differs=lambda _: {(Invariant.VERSIONS, MUGS_IN_THE_EAST)},
    ),
    "a shelf older than its ledger": Break(
        does=lambda _: update(shelf).where(shelf.c.location_id == EAST).values(version=2),
        differs=lambda _: {(Invariant.VERSIONS, MUGS_IN_THE_EAST)},
    ),
    "a commitment because of nothing": Break(
        does=lambda _: entry(4),
        differs=lambda _: {(Invariant.LEDGER, MUGS_IN_THE_EAST), (Invariant.COMMITMENTS, "nobody")},
    ),
    "a commitment because of the wrong work": Break(
        does=lambda kept: update(ledger).where(ledger.c.subject == work_of(kept.asked).id).values(subject=work_of(kept.taken).id),
        differs=lambda kept: {(Invariant.COMMITMENTS, work_of(kept.asked).id), (Invariant.COMMITMENTS, work_of(kept.taken).id)},
    ),
    "an acknowledgment that was forgotten": Break(
        does=lambda _: update(shelf).where(shelf.c.location_id == EAST).values(acknowledged=b"[]"),
        differs=lambda kept: {(Invariant.COMMITMENTS, work_of(kept.taken).id)},
    ),
    "demand that nobody counts": Break(
        does=lambda kept: delete(ledger).where(ledger.c.subject == kept.lost.id),
        differs=lambda kept: {(Invariant.LEDGER, "MUG at the network"), (Invariant.COMMITMENTS, kept.lost.id)},
    ),
    "a job that is gone": Break(
        does=lambda kept: delete(job).where(job.c.subject == work_of(kept.asked).id),
        differs=lambda kept: {(Invariant.PROGRESS, work_of(kept.asked).id)},
    ),
    "a job that is dead": Break(
        does=lambda kept: update(job).where(job.c.subject == kept.lost.id).values(state=JobState.DEAD, error="no answer"),
        differs=lambda kept: {(Invariant.PROGRESS, kept.lost.id)},
    ),
    "a dead job that nobody was told of": Break(
        does=lambda kept: update(job).where(job.c.subject == work_of(kept.taken).id).values(state=JobState.DEAD),
        differs=lambda kept: {(Invariant.PROGRESS, work_of(kept.taken).id)},
    ),
    "a job about nothing": Break(
        does=lambda kept: update(job).where(job.c.subject == work_of(kept.taken).id).values(subject="nothing"),
        differs=lambda _: {(Invariant.PROGRESS, "nothing")},
    ),
    "a first event that is gone": Break(
        does=lambda kept: delete(event).where(event.c.order_id == kept.lost.id, event.c.version == 1),
        differs=lambda kept: {(Invariant.EVENTS, kept.lost.id), (Invariant.EVENTS, "event 4")},
    ),
    "a newest event that is gone": Break(
        does=lambda kept: delete(event).where(event.c.order_id == kept.taken.id, event.c.version == kept.taken.version),
        differs=lambda kept: {(Invariant.EVENTS, kept.taken.id), (Invariant.EVENTS, "event 7")},
    ),
    "an event from the middle that is gone": Break(
        does=lambda kept: delete(event).where(event.c.order_id == kept.lost.id, event.c.version == 2),
        differs=lambda kept: {(Invariant.EVENTS, kept.lost.id), (Invariant.EVENTS, "event 5")},
    ),
    "events of an order that is not there": Break(
        does=lambda kept: insert(event).values(
            seq=11, order_id="nobody", version=1, type="order.placed", at=micros(START), actor="hand", body=b"{}"
        ),
        differs=lambda _: {(Invariant.EVENTS, "nobody"), (Invariant.EVENTS, "relay"), (Invariant.EVENTS, "event 9")},
    ),
    "a newest event that tells of something else": Break(
        does=lambda kept: (
            update(event)
            .where(event.c.order_id == kept.asked.id, event.c.version == kept.asked.version)
            .values(body=document(called_off(kept.asked)))
        ),
        differs=lambda kept: {(Invariant.EVENTS, kept.asked.id)},
    ),
    "numbers in another order than versions": Break(
        does=lambda kept: update(event).where(event.c.order_id == kept.asked.id).values(seq=-event.c.seq),
        differs=lambda kept: {(Invariant.EVENTS, kept.asked.id), (Invariant.EVENTS, "event -1")},
    ),
    "a relay that would begin anew": Break(
        does=lambda _: update(relay).values(seq=0), differs=lambda _: {(Invariant.EVENTS, "relay")}
    ),
    "more units sent than were bought": Break(
        does=lambda kept: rewritten(order, kept.asked.id, called_off(kept.asked)),
        differs=lambda kept: {(Invariant.UNITS, kept.asked.id), (Invariant.EVENTS, kept.asked.id)},
    ),
    "a status that is not what the work makes of it": Break(
        does=lambda kept: rewritten(order, kept.asked.id, replace(kept.asked, status=OrderStatus.FULFILLED), status="FULFILLED"),
        differs=lambda kept: {(Invariant.UNITS, kept.asked.id), (Invariant.EVENTS, kept.asked.id)},
    ),
    "the status by which an order is found": Break(
        does=lambda kept: update(order).where(order.c.id == kept.asked.id).values(status="CANCELED"),
        differs=lambda kept: {(Invariant.COLUMNS, kept.asked.id)},
    ),
    "a SKU by which an order is found": Break(
        does=lambda kept: delete(order_sku).where(order_sku.c.order_id == kept.asked.id),
        differs=lambda kept: {(Invariant.COLUMNS, kept.asked.id)},
    ),
    "work that nobody follows": Break(
        does=lambda kept: update(work).where(work.c.order_id == kept.taken.id).values(is_followed=0),
        differs=lambda kept: {(Invariant.COLUMNS, kept.taken.id)},
    ),
    "work of an order that is not there": Break(
        does=lambda kept: update(work).where(work.c.order_id == kept.taken.id).values(order_id="nobody"),
        differs=lambda kept: {
            (Invariant.COLUMNS, "nobody"),
            (Invariant.COLUMNS, kept.taken.id),
        },
    ),
    "a hold of a reservation that is not there": Break(
        does=lambda kept: delete(reservation).where(reservation.c.id == kept.here.id),
        differs=lambda kept: {(Invariant.COLUMNS, kept.here.id)},
    ),
    "an order that cannot be read": Break(
        does=lambda kept: update(order).where(order.c.id == kept.asked.id).values(body=b'{"id": 7}'),
        differs=lambda kept: {(Invariant.READABLE, kept.asked.id), (Invariant.EVENTS, kept.asked.id)},
    ),
    "a reservation that cannot be read": Break(
        does=lambda kept: update(reservation).where(reservation.c.id == kept.here.id).values(body=b"{}"),
        differs=lambda kept: {(Invariant.READABLE, kept.here.id)},
    ),
    "a shelf that cannot be read": Break(
        does=lambda _: update(shelf).where(shelf.c.location_id == EAST).values(acknowledged=b"[{"),
        differs=lambda _: {(Invariant.READABLE, MUGS_IN_THE_EAST)},
    ),
}


def test_what_is_broken_by_hand_is_reported_and_nothing_else(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            kept = await filled(on)
            assert told(await verify(on.database)) == set()
            found, expected = {}, {}
            for name, each in BREAKS.items():
                async with on.database.writing.connect() as connection:
                    assert (await connection.execute(each.does(kept))).rowcount, name
                    report = await examine(findings(connection), now=START, monotonic=on.clock.monotonic)
                    await connection.rollback()
                found[name], expected[name] = told(report), each.differs(kept)
            assert found == expected
            assert {rule for differences in found.values() for rule, _ in differences} == {*Invariant} - {Invariant.EFFECTS}

    run(story)
