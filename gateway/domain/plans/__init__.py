"""Plans: which locations send what of an order, and what that costs. Arrays in, arrays out; nothing here has a name."""

from gateway.domain.plans.instance import UNLIMITED, Floats, Instance, Ints, Plan, Strategy
from gateway.domain.plans.lots import priced, priced_whole
from gateway.domain.plans.postage import NO_POSTAGE, Postage
from gateway.domain.plans.regrets import Counterfactual, counterfactuals, regrets
from gateway.domain.plans.solve import solve

__all__ = [
    "NO_POSTAGE",
    "UNLIMITED",
    "Counterfactual",
    "Floats",
    "Instance",
    "Ints",
    "Plan",
    "Postage",
    "Strategy",
    "counterfactuals",
    "priced",
    "priced_whole",
    "regrets",
    "solve",
]
