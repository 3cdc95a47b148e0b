"""What a rule keeps out, and what it keeps together."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from connectors.contract import Sku
from gateway.domain.policies.patterns import fits
from gateway.domain.policies.rule import Rule, RulePart

HARD_RULE: Final = "HARD_RULE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """Why a rule does not let a location take part."""

    rule: str
    part: RulePart

    @property
    def code(self) -> str:
        """One word for every rule: which one it was is the detail."""
        return HARD_RULE

    @property
    def detail(self) -> str:
        """The rule, and which part of it."""
        return f"{self.rule}: {self.part.value}"


def companions(rule: Rule, skus: Collection[Sku]) -> tuple[frozenset[Sku], ...]:
    """Those of these SKUs that have to leave from one location, in groups that have nothing in common."""
    groups: list[frozenset[Sku]] = []
    for patterns in rule.hard.together:
        group = frozenset(sku for sku in skus if fits(sku, patterns))
        touching = [each for each in groups if each & group]
        groups = [each for each in groups if not each & group]
        groups.append(group.union(*touching))
    return tuple(group for group in groups if group)
