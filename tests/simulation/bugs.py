"""Mistakes that we could have made, planted in the real code for one run each: whoever does not find them finds nothing."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, func, select, update

from connectors.contract import Sku
from gateway.domain import books
from gateway.domain.books import Books, ShelfKey
from gateway.domain.fulfillments import RequestStatus
from gateway.domain.reservations import ReservationStep
from gateway.domain.sightings import Sightings
from gateway.domain.stock import NETWORK, Shelf
from gateway.domain.tasks import Job
from gateway.services import events as following
from gateway.services.dispatch import doing
from gateway.services.fulfillments import Reject
from gateway.services.fulfillments.outcomes import turned_down
from gateway.services.orders import Cancel
from gateway.services.routing import deciding, landscape
from gateway.storage import answers, claims, ledgers, upkeep, writer
from gateway.storage.database import Database
from gateway.storage.documents import document
from gateway.storage.statements import among, upsert
from gateway.storage.tables import event, job, shelf
from tests.simulation import server
from tests.simulation.loop import LIFE

Change = tuple[object, str, object]
"""Of that, the attribute with that name becomes this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """One mistake, and what it changes."""

    says: str
    changes: tuple[Change, ...]


@contextmanager
def planted(name: str | None) -> Iterator[None]:
    """Make that mistake inside. None: none."""
    changes = () if name is None else BUGS[name].changes
    before = [(target, attribute, getattr(target, attribute)) for target, attribute, _ in changes]
    try:
        for target, attribute, value in changes:
            setattr(target, attribute, value)
        yield
    finally:
        for target, attribute, value in before:
            setattr(target, attribute, value)


# ---------------------------------------------------------------------------------------------- locks
_read, _lock_shelves = server.read, ledgers._lock_shelves


def _unlocked(*tables: str) -> Callable[[str], server.Statement]:
    """Rows of these tables (of all, if none are named) are read without being locked."""

    def read(sql: str) -> server.Statement:
        statement = _read(sql)
        clause = server.FOR_UPDATE.search(sql)
        if clause is not None and (not tables or clause[1] in tables):
            return server.Statement(sql=server.FOR_UPDATE.sub("", sql), writes=False)
        return statement

    return read


async def _whatever_is_there(connection: Any, kept: Books) -> None:
    """Counters are written over what somebody else wrote."""
    rows = [
        {
            "sku": each.sku,
            "location_id": each.location,
            "held_units": each.held_units,
            "committed_units": each.committed_units,
            "settled_epoch": each.settled_epoch,
            "version": each.version + 1,
            "acknowledged": document(each.acknowledged),
        }
        for each in (kept.shelves[key] for key in sorted(kept.changed_shelves))
    ]
    if rows:
        statement = upsert(connection, shelf)
        newer = {name: statement.excluded[name] for name in rows[0] if name not in shelf.primary_key.columns}
        key = [shelf.c.sku, shelf.c.location_id]
        await connection.execute(statement.on_conflict_do_update(index_elements=key, set_=newer), rows)


async def _each_its_own_way(connection: Any, skus: Collection[Sku]) -> dict[ShelfKey, Shelf]:
    """One gateway locks forwards, the other backwards."""
    life = LIFE.get()
    found: dict[ShelfKey, Shelf] = {}
    for sku in sorted(skus, reverse=life is not None and life.name.startswith("south")):
        found |= await _lock_shelves(connection, [sku])
    return found


async def _no_row_for_the_whole(connection: Any, skus: Collection[Sku]) -> dict[ShelfKey, Shelf]:
    return await ledgers.load_shelves(connection, skus, lock=True)


# ---------------------------------------------------------------------------------------------- jobs
async def _all_are_held(_connection: Any, jobs: Sequence[Job]) -> set[claims.Claim]:
    return {claims.claim_of(each) for each in jobs}


_claim = claims.claim


async def _done_when_taken(connection: Any, *, limit: int, lease: timedelta) -> tuple[Job, ...]:
    """A job is over once somebody takes it."""
    taken = await _claim(connection, limit=limit, lease=lease)
    await connection.execute(delete(job).where(among(job.c.number, [int(each.id) for each in taken])))
    return taken


def _past_the_first(sql: str) -> server.Statement:
    """Nobody asks whether an earlier job of the lane waits."""
    return _read(sql.replace("earlier.number < job.number", "earlier.number < 0"))


async def _nothing_is_known(*_: object) -> None:
    return None


# ---------------------------------------------------------------------------------------------- answers
async def _nothing_was_answered(_connection: Any, _asked: object) -> dict[Any, Any]:
    return {}


async def _forgets(_connection: Any, _new: object) -> None:
    """No answer is kept."""


def _all_together(self: writer.GroupCommitWriter) -> list[writer.Waiting]:
    """The same key may be twice in one batch."""
    batch: list[writer.Waiting] = []
    while len(batch) < self.batch_max and (waiting := self._turns.take()) is not None:
        if not waiting.answer.done():
            batch.append(waiting)
    return batch


async def _first_of_each(connection: Any, new: Sequence[answers.Answer]) -> None:
    await _remember(connection, list({answers.key_of(each.once): each for each in new}.values()))


_remember, _transact = answers.remember, writer.GroupCommitWriter._transact
_NOT_YET: Final[list[answers.Answer]] = []


async def _later(_connection: Any, new: Sequence[answers.Answer]) -> None:
    _NOT_YET.extend(new)


async def _answers_afterwards(self: writer.GroupCommitWriter, batch: Any) -> Any:
    """Answers are kept in a transaction of their own."""
    outcome = await _transact(self, batch)
    new, _NOT_YET[:] = list(_NOT_YET), []
    async with self.database.writing.begin() as connection:
        await _remember(connection, new)
    return outcome


# ---------------------------------------------------------------------------------------------- stock
def _all_of_it(_reading: object, on: Shelf) -> Any:
    """What the source took on is in its number at once, whenever that was read."""
    return on.acknowledged


_promised = landscape.promised


def _without_network(which: str) -> Callable[[Shelf | None], int]:
    """Of what has no location, one part is forgotten."""

    def promised(on: Shelf | None) -> int:
        if on is None or on.location != NETWORK:
            return _promised(on)
        return on.committed_units if which == "holds" else on.held_units

    return promised


def _largest_line(lines: Any) -> dict[Sku, int]:
    """Two lines of one SKU are looked at one by one."""
    found: dict[Sku, int] = {}
    for line in lines:
        found[line.sku] = max(found.get(line.sku, 0), line.units)
    return found


def _never(*_: object) -> bool:
    return False


_uncommit, _end = Books.uncommit, Books.end


def _twice(self: Books, work: Any, reason: str) -> None:
    _uncommit(self, work, reason)
    if not work.in_source_books:
        _uncommit(self, work, reason)


def _nothing_expires(_self: Books) -> None:
    """Holds whose time is up go on counting."""


def _keeps_the_units(self: Books, reservation: Any, step: Any) -> Any:
    """A hold that becomes an order goes on holding its units."""
    return self.amend(reservation.after(step)) if step is ReservationStep.COMMIT else _end(self, reservation, step)


def _shows_at_once(self: Sightings, _at_s: float) -> int:
    """What was acknowledged is taken to be in every number from then on, however late the source is."""
    return self._ripening[-1][1] if self._ripening else self._shown


async def _own_clock(self: Database, _connection: Any) -> datetime:
    """Every gateway goes by its own clock."""
    return self.clock.now()


# ---------------------------------------------------------------------------------------------- events
async def _skips(self: following.Events) -> None:
    """The tail goes on from the newest number there is, not from the last that it read."""
    _, newest = await self.store.event_bounds()
    fresh = await self.store.events(after=max(self.newest, newest - 1), limit=following.PAGE)
    if fresh:
        async with self._moved:
            self._ring.extend(fresh)
            self.newest = fresh[-1].seq
            self._moved.notify_all()


async def _from_the_last_row(self: upkeep.SqlUpkeep, *, limit: int) -> int:
    """Whatever has a higher row number than the newest that was numbered is next: rows are not committed in that order."""

    async def sequence(connection: Any) -> int:
        done = select(func.max(event.c.seq), func.max(event.c.number)).where(event.c.seq.is_not(None))
        newest, last = (await connection.execute(done)).first()
        waiting = select(event.c.number).where(event.c.seq.is_(None), event.c.number > (last or 0))
        numbers = [row[0] for row in await connection.execute(waiting.order_by(event.c.number).limit(limit))]
        for place, number in enumerate(numbers, start=(newest or 0) + 1):
            await connection.execute(update(event).where(event.c.number == number).values(seq=place))
        return len(numbers)

    return await self.writer.attend(sequence)


# ---------------------------------------------------------------------------------------------- orders
_cancel = Cancel.decide


def _stops_nothing(self: Cancel, on: Books) -> Any:
    """An order is called off, and nobody tells the locations."""
    jobs = len(on.jobs)
    outcome = _cancel(self, on)
    del on.jobs[jobs:]
    return outcome


_reject = Reject.decide


def _takes_the_word(self: Reject, on: Books) -> Any:
    """Whoever says that a location does not do what waits for a person is believed, though its source can tell."""
    order = on.order(self.order)
    work = order.work(self.work)
    if work.request_status is not RequestStatus.NEEDS_REVIEW:
        return _reject(self, on)
    return turned_down(on, order, work, self.reason_code, self.by)


def _leaves_it_at_that(_self: Books, _order: object) -> None:
    """Units that lost their location are not given another."""


BUGS: Final[dict[str, Bug]] = {
    "no-locks": Bug(
        says="rows are not locked, counters not guarded",
        changes=((server, "read", _unlocked()), (ledgers, "_save_shelves", _whatever_is_there)),
    ),
    "no-row-for-the-whole": Bug(
        says="a SKU without rows is not locked as a whole", changes=((ledgers, "_lock_shelves", _no_row_for_the_whole),)
    ),
    "lock-order": Bug(says="shelves are locked in any order", changes=((ledgers, "_lock_shelves", _each_its_own_way),)),
    "no-fence": Bug(says="a lost claim counts as held", changes=((claims, "held", _all_are_held),)),
    "done-when-taken": Bug(
        says="a job is over before it has done anything",
        changes=((claims, "claim", _done_when_taken), (claims, "held", _all_are_held)),
    ),
    "two-of-a-lane": Bug(says="jobs of one lane overtake each other", changes=((server, "read", _past_the_first),)),
    "blind-retry": Bug(
        says="what became of an earlier attempt is not looked up", changes=((doing.Dispatch, "_earlier", _nothing_is_known),)
    ),
    "no-answers": Bug(
        says="idempotency keys are not kept", changes=((answers, "given", _nothing_was_answered), (answers, "remember", _forgets))
    ),
    "twice-in-a-batch": Bug(
        says="a key may be twice in one batch",
        changes=((writer.GroupCommitWriter, "_next_batch", _all_together), (answers, "remember", _first_of_each)),
    ),
    "answers-afterwards": Bug(
        says="answers are kept in a transaction of their own",
        changes=((answers, "remember", _later), (writer.GroupCommitWriter, "_transact", _answers_afterwards)),
    ),
    "count-at-ack": Bug(
        says="a commitment is taken off as soon as it is acknowledged",
        changes=((landscape, "contained_in", _all_of_it), (books, "contained_in", _all_of_it)),
    ),
    "old-readings": Bug(says="readings older than what was taken off are used", changes=((landscape, "outdated", _never),)),
    "shown-at-once": Bug(says="a source's delay is ignored", changes=((Sightings, "shown", _shows_at_once),)),
    "network-holds-forgotten": Bug(
        says="holds without a location are not subtracted", changes=((landscape, "promised", _without_network("holds")),)
    ),
    "demand-forgotten": Bug(
        says="orders without a location are not subtracted", changes=((landscape, "promised", _without_network("demand")),)
    ),
    "line-by-line": Bug(says="lines of one SKU are not added up", changes=((deciding, "tally", _largest_line),)),
    "uncommit-twice": Bug(says="what is unbound is taken off twice", changes=((Books, "uncommit", _twice),)),
    "held-for-ever": Bug(says="holds do not expire", changes=((Books, "expire_due", _nothing_expires),)),
    "held-and-bound": Bug(says="a hold goes on beside the order that it became", changes=((Books, "end", _keeps_the_units),)),
    "own-clock": Bug(says="each gateway goes by its own clock", changes=((Database, "now", _own_clock),)),
    "tail-skips": Bug(says="the tail goes on from the newest number", changes=((following.Events, "_read", _skips),)),
    "relay-by-row": Bug(
        says="the relay goes on from the newest row", changes=((upkeep.SqlUpkeep, "sequence_events", _from_the_last_row),)
    ),
    "not-stopped": Bug(says="nobody tells the locations of a canceled order", changes=((Cancel, "decide", _stops_nothing),)),
    "word-taken": Bug(says="a person is believed where the source could be asked", changes=((Reject, "decide", _takes_the_word),)),
    "not-rerouted": Bug(says="what is turned down goes nowhere", changes=((Books, "reroute", _leaves_it_at_that),)),
}
