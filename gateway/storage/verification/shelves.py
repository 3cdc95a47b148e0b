"""Shelves against their ledger, against what holds them, and against what was there when units were promised.

The database adds up; only what differs comes back.
"""

from typing import Any

from sqlalchemy import BigInteger, Text, and_, case, cast, exists, func, literal, select, union_all
from sqlalchemy.dialects.postgresql import JSONB

from gateway.domain.books import Bucket
from gateway.domain.invariants import Invariant, shelf_name
from gateway.domain.reservations import ReservationStep
from gateway.storage.documents import document
from gateway.storage.tables import hold, ledger, shelf
from gateway.storage.verification.findings import Findings

NOTHING_NOTED = document(())

_HELD = case((ledger.c.bucket == Bucket.HELD.value, ledger.c.units), else_=0)
_COMMITTED = case((ledger.c.bucket == Bucket.COMMITTED.value, ledger.c.units), else_=0)
_SAME_SHELF = and_(ledger.c.sku == shelf.c.sku, ledger.c.location_id == shelf.c.location_id)


async def check_counters(findings: Findings) -> None:
    """Counters are the sums of the ledger, and neither is there without the other."""
    posted = select(
        ledger.c.sku,
        ledger.c.location_id,
        _HELD.label("held"),
        _COMMITTED.label("committed"),
        literal(0).label("held_there"),
        literal(0).label("committed_there"),
        literal(0).label("shelves"),
    )
    counted = select(
        shelf.c.sku, shelf.c.location_id, literal(0), literal(0), shelf.c.held_units, shelf.c.committed_units, literal(1)
    )
    both = union_all(posted, counted).subquery()
    held, committed, held_there, committed_there, shelves = (func.sum(each) for each in list(both.c)[2:])
    query = (
        select(both.c.sku, both.c.location_id, held, committed, held_there, committed_there, shelves)
        .group_by(both.c.sku, both.c.location_id)
        .having((held != held_there) | (committed != committed_there) | (shelves == 0))
    )
    async for sku, place, *sums, rows in findings.rows(query):
        expected_held, expected_committed, found_held, found_committed = (int(each) for each in sums)
        findings.add(
            Invariant.LEDGER,
            shelf_name(sku, place),
            expected=f"{expected_held} held, {expected_committed} committed",
            found=f"{found_held} held, {found_committed} committed" if rows else "no shelf",
            says="Its counters are not what its ledger adds up to.",
        )


async def check_holds(findings: Findings) -> None:
    """What is held on a shelf is what holds keep there, and what the ledger says that each of them does."""
    kept = select(hold.c.sku, hold.c.location_id, hold.c.units.label("kept"), literal(0).label("counted"))
    counted = select(shelf.c.sku, shelf.c.location_id, literal(0), shelf.c.held_units)
    both = union_all(kept, counted).subquery()
    sums = (func.sum(both.c.kept), func.sum(both.c.counted))
    on_shelves = select(both.c.sku, both.c.location_id, *sums).group_by(both.c.sku, both.c.location_id).having(sums[0] != sums[1])
    async for sku, place, expected, found in findings.rows(on_shelves):
        says = "What is held there is not what active holds keep."
        findings.add(Invariant.HOLDS, shelf_name(sku, place), expected=int(expected), found=int(found), says=says)

    posted = select(ledger.c.subject, ledger.c.sku, ledger.c.location_id, ledger.c.units.label("posted"), literal(0).label("kept"))
    rows = select(hold.c.reservation_id, hold.c.sku, hold.c.location_id, literal(0), hold.c.units)
    both = union_all(posted.where(ledger.c.bucket == Bucket.HELD.value), rows).subquery()
    sums = (func.sum(both.c.kept), func.sum(both.c.posted))
    key = (both.c.subject, both.c.sku, both.c.location_id)
    async for subject, sku, place, expected, found in findings.rows(select(*key, *sums).group_by(*key).having(sums[0] != sums[1])):
        says = f"The ledger holds other units of {shelf_name(sku, place)} for it than it keeps."
        findings.add(Invariant.HOLDS, subject, expected=int(expected), found=int(found), says=says)


async def check_sellable(findings: Findings) -> None:
    """Right after units were promised, no more were held and committed than there might be.

    In the order of the shelf's versions, never of instants: a hold that ran out has an entry of then, written when somebody came.
    """
    so_far = func.sum(ledger.c.units).over(
        partition_by=(ledger.c.sku, ledger.c.location_id), order_by=(ledger.c.shelf_version, ledger.c.number), rows=(None, 0)
    )
    replayed = select(ledger, so_far.label("so_far")).subquery()
    query = select(replayed).where(replayed.c.shelf_version > 0, replayed.c.units > 0, replayed.c.sellable_units.is_not(None))
    async for row in findings.rows(query.where(replayed.c.so_far > replayed.c.sellable_units)):
        findings.add(
            Invariant.SELLABLE,
            shelf_name(row.sku, row.location_id),
            expected=f"at most {row.sellable_units}",
            found=int(row.so_far),
            says=f"When {row.units} were {row.bucket} for {row.subject}, as version {row.shelf_version}, there were not so many.",
        )


async def check_versions(findings: Findings) -> None:
    """Each version of a shelf was made by one transaction, and none is newer than the shelf."""
    key = (ledger.c.sku, ledger.c.location_id, ledger.c.shelf_version)
    instants = func.count(ledger.c.at.distinct())
    twice = (
        select(*key, instants)
        .where(ledger.c.shelf_version > 0, ledger.c.reason != ReservationStep.EXPIRE.value)  # those are of when they ran out
        .group_by(*key)
        .having(instants > 1)
    )
    async for sku, place, version, found in findings.rows(twice):
        says = f"Several transactions led to version {version}: they did not see each other."
        findings.add(Invariant.VERSIONS, shelf_name(sku, place), expected="1 transaction", found=found, says=says)

    newest = func.max(ledger.c.shelf_version)
    ahead = (
        select(shelf.c.sku, shelf.c.location_id, shelf.c.version, newest)
        .join(ledger, _SAME_SHELF)
        .group_by(shelf.c.sku, shelf.c.location_id, shelf.c.version)
        .having(newest > shelf.c.version)
    )
    async for sku, place, version, found in findings.rows(ahead):
        says = "Its ledger has entries of a version that it never came to."
        findings.add(Invariant.VERSIONS, shelf_name(sku, place), expected=f"at most {version}", found=found, says=says)


# ---------------------------------------------------------------------------------------------- commitments
def outstanding(dialect: str) -> Any:
    """Units committed because of a subject that its source does not have in its books: (subject, sku, location_id, units).

    What the ledger has committed, less what the shelves note as acknowledged; what comes to nothing is left out.
    """
    posted = select(ledger.c.subject, ledger.c.sku, ledger.c.location_id, ledger.c.units).where(
        ledger.c.bucket == Bucket.COMMITTED.value
    )
    both = union_all(posted, _noted(dialect)).subquery()
    key = (both.c.subject, both.c.sku, both.c.location_id)
    units = func.sum(both.c.units)
    return select(*key, units.label("units")).group_by(*key).having(units != 0).subquery("outstanding")


def _noted(dialect: str) -> Any:
    """A row for every note on a shelf, with its units taken off."""
    if dialect == "postgresql":
        notes = cast(func.convert_from(shelf.c.acknowledged, "UTF8"), JSONB)
        note = func.jsonb_array_elements(notes).table_valued("value", name="note")
        value = cast(note.c.value, JSONB)
        parts = (value["work"].astext, -cast(value["units"].astext, BigInteger))
    else:
        note = func.json_each(cast(shelf.c.acknowledged, Text)).table_valued("value", name="note")
        parts = (func.json_extract(note.c.value, "$.work"), -func.json_extract(note.c.value, "$.units", type_=BigInteger))
    work, units = parts
    noted = select(work, shelf.c.sku, shelf.c.location_id, units).select_from(shelf).join(note, literal(value=True))
    return noted.where(shelf.c.acknowledged != NOTHING_NOTED)


def nobodys(outstanding_units: Any, *owners: Any) -> Any:
    """Those of them that are because of nothing that there is."""
    missing = (~exists().where(owner.c.id == outstanding_units.c.subject) for owner in owners)
    return select(outstanding_units).where(*missing)
