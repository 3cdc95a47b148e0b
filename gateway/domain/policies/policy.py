"""A routing policy: rules under a name, in versions that never change, of which one at most is in force."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from gateway.domain.policies.rule import Rule
from gateway.domain.refusals import NotAllowedInState

DEFAULT: Final = "default"
"""The policy by which orders are routed that name no other. One version of it is always in force."""

PolicyKey = tuple[str, int]
"""Name and version."""


class PolicyState(StrEnum):
    """Whether orders are routed by a version of a policy.

    Attributes:
        DRAFT: Not yet.
        ACTIVE: Now. Of each name, one version at most.
        ARCHIVED: Not any more; it can be made active again.
    """

    DRAFT = "DRAFT"
    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"


class PolicyStep(StrEnum):
    """What can happen to a version of a policy.

    Attributes:
        CREATE: It was written.
        ACTIVATE: Orders are routed by it from then on.
        ARCHIVE: Orders are not routed by it any more.
    """

    CREATE = "CREATE"
    ACTIVATE = "ACTIVATE"
    ARCHIVE = "ARCHIVE"


TRANSITIONS: Final[Mapping[tuple[PolicyState, PolicyStep], PolicyState]] = {
    (PolicyState.DRAFT, PolicyStep.ACTIVATE): PolicyState.ACTIVE,
    (PolicyState.ARCHIVED, PolicyStep.ACTIVATE): PolicyState.ACTIVE,
    (PolicyState.DRAFT, PolicyStep.ARCHIVE): PolicyState.ARCHIVED,
    (PolicyState.ACTIVE, PolicyStep.ARCHIVE): PolicyState.ARCHIVED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyChange:
    """One thing that happened to a version of a policy.

    Attributes:
        step: What happened.
        at: When.
        by: Who did it.
        note: Why, as they said.
    """

    step: PolicyStep
    at: datetime
    by: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingPolicy:
    """One version of a policy. Its ``rules`` never change: the first that matches an order counts.

    ``changes`` are all that ever happened to it, oldest first; the first is that it was written.
    """

    name: str
    version: int
    rules: tuple[Rule, ...]
    changes: tuple[PolicyChange, ...]
    state: PolicyState = PolicyState.DRAFT

    @property
    def key(self) -> PolicyKey:
        """What it is found by."""
        return self.name, self.version

    @property
    def note(self) -> str:
        """What its author said of it."""
        return self.changes[0].note

    @property
    def author(self) -> str:
        """Who wrote it."""
        return self.changes[0].by

    @property
    def created_at(self) -> datetime:
        """When it was written."""
        return self.changes[0].at

    @property
    def activated_at(self) -> datetime | None:
        """Since when it is, or was last, in force. None: it never was."""
        return next((each.at for each in reversed(self.changes) if each.step is PolicyStep.ACTIVATE), None)

    @property
    def supported_steps(self) -> tuple[PolicyStep, ...]:
        """What can happen to it now. The default is replaced by another version of it, never just archived."""
        steps = (step for step in PolicyStep if (self.state, step) in TRANSITIONS)
        kept = self.name == DEFAULT and self.state is PolicyState.ACTIVE
        return tuple(step for step in steps if not (kept and step is PolicyStep.ARCHIVE))

    def after(self, change: PolicyChange, *, replaced: bool = False) -> "RoutingPolicy":
        """The same version after this happened to it. ``replaced``: by another version, at the same instant.

        Raises:
            NotAllowedInState: It cannot happen to it now.
        """
        if not replaced and change.step not in self.supported_steps:
            raise NotAllowedInState(
                what="routing policy",
                action=change.step.value,
                state=self.state.value,
                supported=tuple(step.value for step in self.supported_steps),
            )
        return replace(self, state=TRANSITIONS[self.state, change.step], changes=(*self.changes, change))


BUILT_IN: Final = RoutingPolicy(name=DEFAULT, version=0, rules=(), changes=())
"""By which orders are routed until somebody writes a policy: where they cost least."""
