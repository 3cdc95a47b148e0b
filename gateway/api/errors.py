"""Refusals as clients see them: a code that stays, a sentence, where in the input, and the fields of the case."""

from collections.abc import Callable, Mapping
from typing import Final

import strawberry

from gateway.api.describe import described
from gateway.api.enums import GuardrailMeasure, UserErrorCode
from gateway.api.scalars import Day, Instant
from gateway.domain.refusals import (
    CapacityFull,
    ContradictoryRule,
    GuardrailBreached,
    InsufficientStock,
    NotAllowedInState,
    Refusal,
    Refusals,
    SlotFull,
    VersionConflict,
)


@described
@strawberry.interface
class UserError:
    """An expected refusal; nothing was changed.

    Attributes:
        code: Why, in a word that stays.
        message: Why, in a sentence for a person.
        path: Where in the input, for example `["input", "lines", "0", "units"]`; null when no one field is to blame.
    """

    code: UserErrorCode
    message: str
    path: list[str] | None


@described
@strawberry.type
class PlainUserError(UserError):
    """A refusal that has no more to say than its code."""


@described
@strawberry.type
class InsufficientStockError(UserError):
    """Fewer units can be promised than were asked for.

    Attributes:
        sku: Of what.
        requested: Units asked for.
        available: Units that can be promised.
    """

    sku: str
    requested: int
    available: int


@described
@strawberry.type
class CapacityFullError(UserError):
    """A location cannot do that much more on that day of its.

    Attributes:
        location_code: Which location.
        date: On which day of its own.
        requested: Units that it was to do.
        available: Units that it still has room for.
    """

    location_code: str
    date: Day
    requested: int
    available: int


@described
@strawberry.type
class SlotFullError(UserError):
    """A location can serve nobody else in that pickup slot.

    Attributes:
        location_code: Which location.
        pickup_slot: When the slot begins.
    """

    location_code: str
    pickup_slot: Instant


@described
@strawberry.type
class NotAllowedInStateError(UserError):
    """Not possible as things stand.

    Attributes:
        state: How things stand.
        supported_actions: What is possible instead.
    """

    state: str
    supported_actions: list[str]


@described
@strawberry.type
class VersionConflictError(UserError):
    """It changed since you looked: read it again and decide again.

    Attributes:
        current_version: The version it has now.
    """

    current_version: int


@described
@strawberry.type
class ContradictoryRuleError(UserError):
    """A rule of a routing policy cannot be meant as it is written.

    Attributes:
        rule: What the rule is called.
    """

    rule: str


@described
@strawberry.type
class GuardrailError(UserError):
    """A change of policy would do more to orders like the last ones than it may.

    Attributes:
        measure: What the guardrail looks at.
        measured: What it would be.
        limit: What it may be.
    """

    measure: GuardrailMeasure
    measured: float
    limit: float


def user_errors(refused: Refusal | Refusals) -> list[UserError]:
    """The refusals as the graph shows them."""
    each = refused.each if isinstance(refused, Refusals) else (refused,)
    return [_shown(refusal) for refusal in each]


def _shown(refusal: Refusal) -> UserError:
    for kind, show in _SHOWN.items():
        if isinstance(refusal, kind):
            return show(refusal)
    return PlainUserError(code=UserErrorCode(refusal.code), message=refusal.message, path=_path(refusal))


def _insufficient(refusal: InsufficientStock) -> UserError:
    return InsufficientStockError(
        code=UserErrorCode(refusal.code),
        message=refusal.message,
        path=_path(refusal),
        sku=refusal.sku,
        requested=refusal.wanted_units,
        available=refusal.available_units,
    )


def _capacity_full(refusal: CapacityFull) -> UserError:
    return CapacityFullError(
        code=UserErrorCode(refusal.code),
        message=refusal.message,
        path=_path(refusal),
        location_code=refusal.location,
        date=Day(refusal.day),
        requested=refusal.wanted_units,
        available=refusal.available_units,
    )


def _slot_full(refusal: SlotFull) -> UserError:
    return SlotFullError(
        code=UserErrorCode(refusal.code),
        message=refusal.message,
        path=_path(refusal),
        location_code=refusal.location,
        pickup_slot=Instant(refusal.slot),
    )


def _not_allowed(refusal: NotAllowedInState) -> UserError:
    return NotAllowedInStateError(
        code=UserErrorCode(refusal.code),
        message=refusal.message,
        path=_path(refusal),
        state=refusal.state,
        supported_actions=list(refusal.supported),
    )


def _conflict(refusal: VersionConflict) -> UserError:
    return VersionConflictError(
        code=UserErrorCode(refusal.code),
        message=refusal.message,
        path=_path(refusal),
        current_version=refusal.current_version,
    )


def _contradictory(refusal: ContradictoryRule) -> UserError:
    return ContradictoryRuleError(code=UserErrorCode(refusal.code), message=refusal.message, path=_path(refusal), rule=refusal.rule)


def _breached(refusal: GuardrailBreached) -> UserError:
    return GuardrailError(
        code=UserErrorCode(refusal.code),
        message=refusal.message,
        path=_path(refusal),
        measure=GuardrailMeasure(refusal.measure),
        measured=refusal.measured,
        limit=refusal.limit,
    )


def _path(refusal: Refusal) -> list[str] | None:
    return list(refusal.path) or None


_SHOWN: Final[Mapping[type[Refusal], Callable[..., UserError]]] = {
    InsufficientStock: _insufficient,
    CapacityFull: _capacity_full,
    SlotFull: _slot_full,
    NotAllowedInState: _not_allowed,
    VersionConflict: _conflict,
    ContradictoryRule: _contradictory,
    GuardrailBreached: _breached,
}
