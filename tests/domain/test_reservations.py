from datetime import timedelta
from itertools import product

import pytest

from gateway.domain.identity import ReservationId
from gateway.domain.refusals import ReservationExpired
from gateway.domain.reservations import HeldLine, Reservation, ReservationState, ReservationStep
from gateway.services.reservations import as_of
from tests.samples import EAST, MUG, START

LIFE = {
    ReservationStep.EXTEND: ReservationState.ACTIVE,
    ReservationStep.MOVE: ReservationState.ACTIVE,
    ReservationStep.COMMIT: ReservationState.COMMITTED,
    ReservationStep.RELEASE: ReservationState.RELEASED,
    ReservationStep.EXPIRE: ReservationState.EXPIRED,
}


def reservation(state: ReservationState = ReservationState.ACTIVE) -> Reservation:
    return Reservation(
        id=ReservationId("r"),
        lines=(HeldLine(sku=MUG, units=1, location=EAST),),
        created_at=START,
        expires_at=START + timedelta(seconds=60),
        state=state,
    )


@pytest.mark.parametrize(("state", "step"), list(product(ReservationState, ReservationStep)))
def test_a_hold_lives_until_it_is_over_and_then_never_again(state: ReservationState, step: ReservationStep) -> None:
    if state is ReservationState.ACTIVE:
        assert reservation().after(step).state is LIFE[step]
    else:
        with pytest.raises(ReservationExpired) as refused:
            reservation(state).after(step)
        assert (refused.value.reservation, refused.value.state) == ("r", state)


def test_a_hold_counts_as_expired_from_the_instant_it_runs_out() -> None:
    end = reservation().expires_at
    assert as_of(reservation(), end - timedelta(microseconds=1)).state is ReservationState.ACTIVE
    assert as_of(reservation(), end).state is ReservationState.EXPIRED
    assert as_of(reservation(ReservationState.COMMITTED), end).state is ReservationState.COMMITTED
