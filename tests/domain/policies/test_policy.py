"""The life of a version of a policy, as a table."""

import pytest

from gateway.domain.policies import DEFAULT, PolicyChange, PolicyState, PolicyStep, RoutingPolicy
from gateway.domain.policies.policy import TRANSITIONS
from gateway.domain.refusals import NotAllowedInState
from tests.domain.policies.shelves import NOON


def change(step: PolicyStep) -> PolicyChange:
    return PolicyChange(step=step, at=NOON, by="ann", note=f"because of {step.value}")


def version(state: PolicyState, name: str = "rush") -> RoutingPolicy:
    return RoutingPolicy(name=name, version=3, state=state, rules=(), changes=(change(PolicyStep.CREATE),))


@pytest.mark.parametrize("state", PolicyState)
@pytest.mark.parametrize("step", PolicyStep)
def test_every_step_leads_where_the_table_says_or_is_refused(state: PolicyState, step: PolicyStep) -> None:
    before = version(state)
    if (state, step) in TRANSITIONS:
        after = before.after(change(step))
        assert after.state is TRANSITIONS[state, step]
        assert after.changes == (*before.changes, change(step)), "who, when and why are kept"
        assert (after.rules, after.key) == (before.rules, before.key)
    else:
        with pytest.raises(NotAllowedInState) as refused:
            before.after(change(step))
        assert refused.value.supported == tuple(each.value for each in before.supported_steps)
    assert (step in before.supported_steps) is ((state, step) in TRANSITIONS)


def test_the_default_in_force_is_replaced_and_never_just_archived() -> None:
    in_force = version(PolicyState.ACTIVE, DEFAULT)
    with pytest.raises(NotAllowedInState):
        in_force.after(change(PolicyStep.ARCHIVE))
    assert in_force.after(change(PolicyStep.ARCHIVE), replaced=True).state is PolicyState.ARCHIVED
    assert version(PolicyState.DRAFT, DEFAULT).after(change(PolicyStep.ARCHIVE)).state is PolicyState.ARCHIVED


def test_a_version_knows_who_wrote_it_and_since_when_it_is_in_force() -> None:
    draft = version(PolicyState.DRAFT)
    assert (draft.author, draft.note, draft.created_at, draft.activated_at) == ("ann", "because of CREATE", NOON, None)
    assert draft.after(change(PolicyStep.ACTIVATE)).activated_at == NOON
