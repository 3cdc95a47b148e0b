"""Where each order comes from, and why: a pure rule, priced in cents."""

from gateway.domain.routing.candidates import Candidates, Considered, Counterfactual, Shortage
from gateway.domain.routing.decision import CostTerm, Decision, Package, Unroutable
from gateway.domain.routing.explanation import explain
from gateway.domain.routing.inputs import Inputs, World, inputs_of, problem_of
from gateway.domain.routing.problem import (
    BACK_ORDER_CENTS,
    EXACT,
    FREE,
    NEVER,
    TOGETHER,
    UNKNOWN,
    Constraint,
    Constraints,
    Demand,
    Preference,
    Problem,
    Tariff,
    Term,
    merged,
    weighed,
)
from gateway.domain.routing.reason import LACKS, Code, Reason, money
from gateway.domain.routing.rule import choose, chosen_together, decide
from gateway.domain.routing.ruling import ruled
from gateway.domain.routing.sites import NOWHERE, Site, Sites

__all__ = [
    "BACK_ORDER_CENTS",
    "EXACT",
    "FREE",
    "LACKS",
    "NEVER",
    "NOWHERE",
    "TOGETHER",
    "UNKNOWN",
    "Candidates",
    "Code",
    "Considered",
    "Constraint",
    "Constraints",
    "CostTerm",
    "Counterfactual",
    "Decision",
    "Demand",
    "Inputs",
    "Package",
    "Preference",
    "Problem",
    "Reason",
    "Shortage",
    "Site",
    "Sites",
    "Tariff",
    "Term",
    "Unroutable",
    "World",
    "choose",
    "chosen_together",
    "decide",
    "explain",
    "inputs_of",
    "merged",
    "money",
    "problem_of",
    "ruled",
    "weighed",
]
