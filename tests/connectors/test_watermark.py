"""How far a feed has been read: what comes late is told, what stands still is not told for ever."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import Cursor, Rejected
from connectors.watermark import Watermark

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
AHEAD = timedelta(hours=5)  # of our clock: the two are never compared
LATE, STEP = timedelta(seconds=60), timedelta(seconds=1)


@dataclass
class Source:
    """Rows with the time at which their transaction began, seen from when it ended."""

    now: datetime = NOON
    rows: list[tuple[str, datetime, datetime]] = field(default_factory=list)

    def write(self, name: str, *, took_s: float = 0.0) -> None:
        self.rows.append((name, self.now, self.now + timedelta(seconds=took_s)))

    def since(self, mark: Watermark) -> dict[str, datetime]:
        return {name: begun for name, begun, seen in self.rows if seen <= self.now and begun >= mark.since}

    def poll(self, cursor: Cursor) -> tuple[set[str], Cursor]:
        ours = self.now + AHEAD
        mark = Watermark.read(cursor).begun(ours)
        found = self.since(mark)
        return set(found), mark.arrived(found.values(), now=ours, late=LATE, step=STEP).cursor()

    def begin(self) -> Cursor:
        newest = max((begun for _, begun, seen in self.rows if seen <= self.now), default=NOON)
        return Watermark.from_now(newest, now=self.now + AHEAD, late=LATE).cursor()


def test_a_transaction_that_ends_after_a_newer_one_was_seen_is_told() -> None:
    source = Source()
    cursor = source.begin()
    source.now += timedelta(minutes=10)
    source.write("slow", took_s=50)
    source.now += timedelta(seconds=10)
    source.write("quick")
    told, cursor = source.poll(cursor)
    assert told == {"quick"}
    source.now += timedelta(seconds=45)
    told, _ = source.poll(cursor)
    assert "slow" in told


def test_what_stands_still_is_told_for_as_long_as_something_may_be_late_and_then_no_longer() -> None:
    source = Source()
    for name in ("a", "b", "c"):
        source.write(name)
    cursor = source.begin()
    heard = []
    for _ in range(12):
        source.now += timedelta(seconds=15)
        told, cursor = source.poll(cursor)
        heard.append(len(told))
    assert heard[:4] == [3, 3, 3, 3]
    assert heard[5:] == [0] * 7


@given(st.lists(st.tuples(st.floats(0, 30), st.floats(0, 59), st.booleans()), min_size=1, max_size=40))
def test_whenever_it_is_asked_nothing_is_lost(steps: list[tuple[float, float, bool]]) -> None:
    source = Source()
    cursor = source.begin()
    source.now += timedelta(seconds=1)
    heard: set[str] = set()
    for number, (waited_s, took_s, asks) in enumerate(steps):
        source.write(f"row {number}", took_s=took_s)
        source.now += timedelta(seconds=waited_s)
        if asks:
            told, cursor = source.poll(cursor)
            heard |= told
    source.now += LATE
    heard |= source.poll(cursor)[0]
    assert heard == {name for name, _, _ in source.rows}


def test_a_walk_of_many_pages_goes_back_by_as_much_as_it_took() -> None:
    mark = Watermark.from_now(NOON, now=NOON + AHEAD, late=LATE).begun(NOON + AHEAD)
    newest = NOON + timedelta(seconds=100)
    on_the_way = mark.passed([newest], page="1000", now=NOON + AHEAD)
    later = NOON + AHEAD + timedelta(seconds=30)
    assert on_the_way.begun(later).begun_at == NOON + AHEAD, "the same walk"
    arrived = on_the_way.arrived([], now=later, late=LATE, step=STEP)
    assert (arrived.since, arrived.page) == (newest - LATE - timedelta(seconds=30), "")


@pytest.mark.parametrize(
    "cursor",
    [
        "", "null", "{}", "[]", "é", '["2026-11-22T12:00:00Z"]', "\ud800",
        '["0001-01-01T00:00:00Z","0001-01-01T00:00:00Z","0001-01-01T00:00:00Z","0001-01-01T00:00:00Z",""]',
        '["2026-11-22T12:00:00","2026-11-22T12:00:00","2026-11-22T12:00:00","2026-11-22T12:00:00",""]',
    ],
)  # fmt: skip
def test_what_is_no_cursor_of_ours_is_refused(cursor: str) -> None:
    with pytest.raises(Rejected, match="not a cursor"):
        Watermark.read(Cursor(cursor))
