from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from gateway.system import SystemClock, spread, uuid7_maker
from tests.samples import START, HandClock


@given(st.lists(st.integers(-5_000, 5_000), min_size=1, max_size=200))
def test_ids_sort_by_time_of_making_even_when_the_clock_goes_back(steps_ms: list[int]) -> None:
    clock = HandClock()
    make = uuid7_maker(clock.now)
    made = []
    for step in steps_ms:
        clock.wait(step / 1000)
        made.append(make())
    assert made == sorted(set(made))
    assert {UUID(each).version for each in made} == {7}
    assert {UUID(each).variant for each in made} == {"specified in RFC 4122"}


def test_more_ids_than_fit_a_millisecond_borrow_from_the_next() -> None:
    make = uuid7_maker(HandClock().now)
    made = [make() for _ in range(10_000)]
    assert made == sorted(set(made))
    milliseconds = {UUID(each).int >> 80 for each in made}
    first = int(START.timestamp() * 1000)
    assert milliseconds == {first, first + 1, first + 2}


def test_two_processes_at_the_same_instant_make_different_ids() -> None:
    one, other = uuid7_maker(HandClock().now), uuid7_maker(HandClock().now)
    assert not {one() for _ in range(1000)} & {other() for _ in range(1000)}


def test_an_id_tells_when_it_was_made() -> None:
    clock = HandClock(START + timedelta(milliseconds=1234))
    made_ms = UUID(uuid7_maker(clock.now)()).int >> 80
    assert datetime.fromtimestamp(made_ms / 1000, UTC) == clock.now()


def test_the_machine_tells_time_in_utc_and_spreads_retries() -> None:
    clock = SystemClock()
    assert clock.now().tzinfo is UTC
    assert clock.monotonic() <= clock.monotonic()
    assert all(0.5 <= spread() <= 1 for _ in range(100))
