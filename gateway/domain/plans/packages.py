"""A plan while it is searched for: in lots, its cost a sum of packages."""

from dataclasses import dataclass

import numpy as np

from gateway.domain.plans.instance import Ints, Plan
from gateway.domain.plans.lots import PACKAGE_CENTS, Offers


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Packages:
    """What each of some locations sends.

    Attributes:
        locations: Distinct, ascending. ``[k]``
        lots: ``[k, m]``
        cents: Of all, none of them as if it were the first; impossible where they are not all that is wanted.
    """

    locations: tuple[int, ...]
    lots: Ints
    cents: float

    def plan(self, offers: Offers, bound_cents: float) -> Plan:
        """In units and cents, without what tells equals apart; ``bound_cents`` is of sums of packages, too."""
        split_cents = offers.instance.split_cents
        cents = self.cents - PACKAGE_CENTS * len(self.locations) - split_cents
        lots = sum(offers.cut.shape) - len(offers.cut.shape)
        bound = cents if bound_cents >= self.cents else bound_cents - PACKAGE_CENTS * lots - split_cents
        return Plan(locations=np.array(self.locations), units=self.lots @ offers.cut.units, cents=cents, bound_cents=bound)
