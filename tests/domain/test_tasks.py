from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.tasks import retry_delay

ATTEMPTS, SPREADS = st.integers(1, 10_000), st.floats(0.5, 1.0)


@given(ATTEMPTS, SPREADS)
def test_patience_grows_and_ends_at_five_minutes(attempt: int, spread: float) -> None:
    wait = retry_delay(attempt, spread=spread).total_seconds()
    assert 0.25 <= wait <= 300
    assert retry_delay(attempt + 1, spread=spread).total_seconds() >= wait


@given(ATTEMPTS, SPREADS, st.floats(0, 86_400))
def test_what_the_source_asks_for_is_never_undercut(attempt: int, spread: float, asked: float) -> None:
    wait, own = retry_delay(attempt, spread=spread, asked=asked), retry_delay(attempt, spread=spread)
    assert wait.total_seconds() >= asked - 1e-6
    assert wait >= own


def test_the_first_waits_double() -> None:
    assert [retry_delay(attempt, spread=1.0).total_seconds() for attempt in range(1, 6)] == [0.5, 1, 2, 4, 8]
    assert retry_delay(11, spread=1.0).total_seconds() == 300
