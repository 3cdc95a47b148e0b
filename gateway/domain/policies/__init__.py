"""How a merchant wants orders routed: rules as data, in versions, and what they say of an order and of a location."""

from gateway.domain.policies.contradictions import Contradiction, contradictions
from gateway.domain.policies.course import Course, Pass, course, matching, relaxed
from gateway.domain.policies.facts import LocationFacts, OrderFacts
from gateway.domain.policies.narrowing import Exclusion, companions
from gateway.domain.policies.policy import BUILT_IN, DEFAULT, PolicyChange, PolicyKey, PolicyState, PolicyStep, RoutingPolicy
from gateway.domain.policies.rule import (
    LEAST_COST,
    Ban,
    Candidacy,
    Criterion,
    Fallback,
    FallbackStep,
    HardRules,
    Market,
    Objective,
    PackageWeight,
    Places,
    Rule,
    RulePart,
    UnitWeight,
    Weights,
    When,
)
from gateway.domain.policies.tags import Tags, parse_tags

__all__ = [
    "BUILT_IN",
    "DEFAULT",
    "LEAST_COST",
    "Ban",
    "Candidacy",
    "Contradiction",
    "Course",
    "Criterion",
    "Exclusion",
    "Fallback",
    "FallbackStep",
    "HardRules",
    "LocationFacts",
    "Market",
    "Objective",
    "OrderFacts",
    "PackageWeight",
    "Pass",
    "Places",
    "PolicyChange",
    "PolicyKey",
    "PolicyState",
    "PolicyStep",
    "RoutingPolicy",
    "Rule",
    "RulePart",
    "Tags",
    "UnitWeight",
    "Weights",
    "When",
    "companions",
    "contradictions",
    "course",
    "matching",
    "parse_tags",
    "relaxed",
]
