"""How orders shall be routed, as clients write it."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from itertools import islice
from typing import Any, Final

import strawberry
from strawberry.utils.str_converters import to_camel_case

from gateway.api.describe import described
from gateway.api.inputs.checks import VALUE_CENTS_MAX, Check
from gateway.api.inputs.guardrails import RoutingGuardrailsInput
from gateway.api.inputs.purchases import COUNTRY
from gateway.api.mirror import meant, sent, several
from gateway.domain.geography import AREA
from gateway.domain.policies import PolicyKey, Rule
from gateway.domain.rates import CENTS_MAX
from gateway.domain.whatif import Guardrails

NAME_CHARACTERS_MAX: Final = 100
NOTE_CHARACTERS_MAX: Final = 500
RULES_MAX: Final = 50
VERSION_DIGITS_MAX: Final = 10  # below it, it fits into 32 bits
LIST_MAX: Final = 500
VALUES_MAX: Final = 3_000  # contradictions are looked for by comparing every pattern with every other
BOUNDS: Final[Mapping[str, tuple[int, int]]] = {
    "miles_max": (1, 12_500),
    "stock_age_seconds_max": (1, 30 * 86_400),
    "packages_max": (1, 100),
    "after_hours": (1, 366 * 24),
    "batch_minutes": (1, 24 * 60),
    "preference_cents": (-CENTS_MAX, CENTS_MAX),
    "value_cents_from": (0, VALUE_CENTS_MAX),
    "value_cents_to": (0, VALUE_CENTS_MAX),
}
CENTS: Final = (0, CENTS_MAX)
WRITTEN: Final[Mapping[str, tuple[Callable[[str], object], str]]] = {
    "destinations": (re.compile(AREA).fullmatch, "A postal area is written as US:606, CA:M5V or DE."),
    "countries": (COUNTRY.fullmatch, "A country code is two capital letters."),
}


@described
@strawberry.input
class RoutingPolicyCreateInput:
    """A new version of a routing policy.

    Attributes:
        idempotency_key: The same key with the same request is answered with the first answer.
        name: Which policy, 1 to 100 characters; `default` is the one by which orders are routed that name no other.
        rules: Up to 50; the first that matches an order counts. An order that none matches comes from where it costs least.
        note: What it is for, 1 to 500 characters.
    """

    idempotency_key: str
    name: str
    rules: list[Any] = strawberry.field(graphql_type=several(sent(Rule)))
    note: str

    def meant(self) -> tuple[Rule, ...]:
        """The rules."""
        check = Check()
        check.text(self.name, ("input", "name"), most=NAME_CHARACTERS_MAX)
        check.text(self.note, ("input", "note"), most=NOTE_CHARACTERS_MAX)
        check.that(len(self.rules) <= RULES_MAX, f"A policy has at most {RULES_MAX} rules.", ("input", "rules"))
        values = list(islice(_values(self.rules, ("rules",)), VALUES_MAX + 1))
        check.that(len(values) <= VALUES_MAX, f"A policy has at most {VALUES_MAX:,} values in all.", ("input", "rules"))
        for path, value in values:
            _look_at(check, path, value)
        check.done()
        return tuple(meant(each, Rule) for each in self.rules)


@described
@strawberry.input
class RoutingPolicyActivateInput:
    """Which version of a routing policy comes into force.

    Attributes:
        idempotency_key: The same key with the same request is answered with the first answer.
        id: Which version.
        reason: Why now, 1 to 500 characters; it is kept.
        guardrails: Refuse it where it would do more than that to orders like the last; without them, those of the configuration.
        last: Tell it from so many of the last orders, up to 5,000.
        force: Do it all the same.
    """

    idempotency_key: str
    id: strawberry.ID
    reason: str
    guardrails: RoutingGuardrailsInput | None = None
    last: int = 1_000
    force: bool = False

    def guarded(self) -> Guardrails | None:
        """What it may at most do."""
        return None if self.guardrails is None else self.guardrails.meant(("input", "guardrails"))

    def meant(self) -> PolicyKey:
        """The version."""
        return _changed(self.id, self.reason)


@described
@strawberry.input
class RoutingPolicyArchiveInput:
    """Which version of a routing policy goes out of force, or away.

    Attributes:
        idempotency_key: The same key with the same request is answered with the first answer.
        id: Which version.
        reason: Why, 1 to 500 characters; it is kept.
    """

    idempotency_key: str
    id: strawberry.ID
    reason: str

    def meant(self) -> PolicyKey:
        """The version."""
        return _changed(self.id, self.reason)


def policy_of(key: str) -> PolicyKey | None:
    """The name and the version that the key behind an id holds. None: it leads nowhere."""
    version, _, name = key.partition("/")
    return (name, int(version)) if version.isascii() and version.isdecimal() and len(version) < VERSION_DIGITS_MAX else None


def _changed(id: str, reason: str) -> PolicyKey:
    check = Check()
    check.text(reason, ("input", "reason"), most=NOTE_CHARACTERS_MAX)
    key = check.key("RoutingPolicy", id, ("input", "id"))
    found = None if key is None else policy_of(key)
    check.that(key is None or found is not None, "This is no id of a routing policy.", ("input", "id"))
    check.done()
    return found or ("", 0)


Path = tuple[str, ...]


def _values(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Every list, text and number in an input, with its path in words of ours."""
    if is_dataclass(value):
        for each in fields(value):
            yield from _values(getattr(value, each.name), (*path, each.name))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        yield path, value
        for place, each in enumerate(value):
            yield from _values(each, (*path, str(place)))
    elif value is not None:
        yield path, value


def _look_at(check: Check, path: Path, value: Any) -> None:
    name = next(each for each in reversed(path) if not each.isdecimal())
    at = ("input", *(to_camel_case(each) for each in path))
    match value:
        case str():
            check.text(value, at, most=NAME_CHARACTERS_MAX)
            fits, problem = WRITTEN.get(name, (bool, ""))
            check.that(not value or fits(value) is not None, problem, at)
        case bool():
            pass
        case int():
            least, most = BOUNDS.get(name, CENTS)
            check.that(least <= value <= most, f"This is between {least:,} and {most:,}.", at)
        case list():
            needed = name in {"countries", "together"} and path[-1] != "together"
            check.that(needed <= len(value) <= LIST_MAX, f"Between {int(needed)} and {LIST_MAX} are needed.", at)
        case _:
            pass
