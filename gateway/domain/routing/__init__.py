"""Where each order comes from, and why: a pure rule, priced in cents."""

from gateway.domain.routing.decision import Considered, CostTerm, Decision, Package, Reason, Unroutable
from gateway.domain.routing.explanation import explain
from gateway.domain.routing.problem import NOWHERE, Candidate, Demand, Preference, Problem, Tariff
from gateway.domain.routing.rule import decide

__all__ = [
    "NOWHERE",
    "Candidate",
    "Considered",
    "CostTerm",
    "Decision",
    "Demand",
    "Package",
    "Preference",
    "Problem",
    "Reason",
    "Tariff",
    "Unroutable",
    "decide",
    "explain",
]
