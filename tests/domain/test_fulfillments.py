from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import Method
from gateway.domain.fulfillments import (
    TRANSITIONS,
    FulfillmentAction,
    FulfillmentOrder,
    FulfillmentStatus,
    FulfillmentStep,
    Package,
    RequestStatus,
    Shipment,
    State,
    Units,
    tally,
)
from gateway.domain.identity import FulfillmentOrderId
from gateway.domain.refusals import NotAllowedInState
from tests.samples import CUP, EAST, MUG, SOURCE_OF, START, units

F, R, T = FulfillmentStatus, RequestStatus, FulfillmentStep
STATES = list(product(FulfillmentStatus, RequestStatus))
OVER = {F.INCOMPLETE, F.CLOSED, F.CANCELED}
AT_WORK = {
    (F.OPEN, R.SUBMITTED),
    (F.OPEN, R.NEEDS_REVIEW),
    (F.OPEN, R.CANCELLATION_REJECTED),
    (F.IN_PROGRESS, R.ACCEPTED),
    (F.IN_PROGRESS, R.NEEDS_REVIEW),
    (F.IN_PROGRESS, R.CANCELLATION_REJECTED),
}
STOPPING = {(F.OPEN, R.CANCELLATION_REQUESTED), (F.IN_PROGRESS, R.CANCELLATION_REQUESTED)}
NEW = {(F.OPEN, R.UNSUBMITTED)}
REVIEWED = {(F.OPEN, R.NEEDS_REVIEW), (F.IN_PROGRESS, R.NEEDS_REVIEW)}
ALLOWED = {
    T.SUBMIT: NEW,
    T.SUBMIT_AGAIN: {(F.OPEN, R.NEEDS_REVIEW)},
    T.ACCEPT: REVIEWED | {(F.OPEN, R.SUBMITTED)},
    T.REJECT: NEW | AT_WORK | STOPPING,
    T.SHIP_PART: AT_WORK | STOPPING,
    T.SHIP_REST: AT_WORK | STOPPING,
    T.REQUEST_CANCELLATION: NEW | AT_WORK,
    T.CONFIRM_CANCELLATION: STOPPING,
    T.REFUSE_CANCELLATION: STOPPING,
    T.PARK: NEW | AT_WORK | STOPPING,
}


def work(state: State = (F.OPEN, R.UNSUBMITTED), *, wanted: tuple[Units, ...] = units((MUG, 5))) -> FulfillmentOrder:
    return FulfillmentOrder(
        id=FulfillmentOrderId("w"),
        location=EAST,
        source=SOURCE_OF[EAST],
        method=Method.SHIP,
        lines=wanted,
        status=state[0],
        request_status=state[1],
    )


@pytest.mark.parametrize(("state", "step"), list(product(STATES, FulfillmentStep)))
def test_work_moves_where_its_state_allows_and_is_refused_everywhere_else(state: State, step: FulfillmentStep) -> None:
    before = work(state)
    if state in ALLOWED[step]:
        after = before.after(step)
        assert after == replace(before, status=after.status, request_status=after.request_status, version=2)
        assert ((after.status, after.request_status) in NEW | AT_WORK | STOPPING) is after.is_open, "no open work is stuck for ever"
    else:
        with pytest.raises(NotAllowedInState) as refused:
            before.after(step)
        assert refused.value.supported == tuple(before.supported_actions)
        assert state[0] in refused.value.state


@pytest.mark.parametrize(
    ("step", "outcome"),
    [
        (T.SUBMIT, (F.OPEN, R.SUBMITTED)),
        (T.SUBMIT_AGAIN, (F.OPEN, R.UNSUBMITTED)),
        (T.ACCEPT, (F.IN_PROGRESS, R.ACCEPTED)),
        (T.REJECT, (F.INCOMPLETE, R.REJECTED)),
        (T.CONFIRM_CANCELLATION, (F.CANCELED, R.CANCELLATION_ACCEPTED)),
    ],
)
def test_these_steps_lead_to_one_state_wherever_they_begin(step: FulfillmentStep, outcome: State) -> None:
    assert {after for (_, taken), after in TRANSITIONS.items() if taken is step} == {outcome}


def test_asking_to_stop_and_being_parked_do_not_hide_that_work_has_begun() -> None:
    for step in (T.REQUEST_CANCELLATION, T.REFUSE_CANCELLATION, T.PARK):
        assert all(after[0] is before[0] for (before, taken), after in TRANSITIONS.items() if taken is step)


def test_a_location_that_ships_although_it_was_asked_to_stop_has_shipped() -> None:
    for state in STOPPING:
        assert work(state).after(T.SHIP_REST).status is F.CLOSED
        part = work(state).after(T.SHIP_PART)
        assert (part.status, part.request_status) == (F.IN_PROGRESS, R.CANCELLATION_REQUESTED)


@pytest.mark.parametrize("state", STATES)
def test_what_is_offered_is_what_the_table_has(state: State) -> None:
    step_of = {
        FulfillmentAction.ACCEPT: T.ACCEPT,
        FulfillmentAction.REJECT: T.REQUEST_CANCELLATION,  # the source is stopped before the units go elsewhere
        FulfillmentAction.SHIP: T.SHIP_REST,
    }
    assert set(work(state).supported_actions) == {action for action, step in step_of.items() if state in ALLOWED[step]}
    if state[0] in OVER:
        assert work(state).supported_actions == ()
        assert not work(state).is_open


PARTS = st.lists(st.tuples(st.sampled_from((MUG, CUP)), st.integers(1, 4)), max_size=5)


@given(wanted=PARTS, sent=PARTS)
def test_what_was_sent_and_what_remains_are_the_whole(wanted: list[tuple[str, int]], sent: list[tuple[str, int]]) -> None:
    lines = tuple(Units(sku=sku, units=count) for sku, count in tally(_units(wanted)).items())
    room, left = tally(lines), []
    for line in _units(sent):
        count = min(line.units, room.get(line.sku, 0))
        room[line.sku] = room.get(line.sku, 0) - count
        left.append(Package(lines=(Units(sku=line.sku, units=count),)))
    gone = replace(work(wanted=lines), shipments=(Shipment(id="s", shipped_at=START, packages=tuple(left)),))
    assert {sku: count for sku, count in tally((*gone.remaining, *_units(list(gone.shipped.items())))).items() if count} == tally(
        lines
    )
    assert all(line.units > 0 for line in gone.remaining)


def _units(lines: list[tuple[str, int]]) -> tuple[Units, ...]:
    return tuple(Units(sku=MUG if sku == MUG else CUP, units=count) for sku, count in lines)
