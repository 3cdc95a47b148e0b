"""What a way of routing came to over all orders, and against the one that is in force."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from gateway.domain.whatif.intervals import Interval, interval
from gateway.domain.whatif.outcomes import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One way of routing. Means are over the orders that it fills, differences over those that both fill; None: there are none.

    Attributes:
        name: Which.
        filled: Orders of which everything is sent.
        unfillable: Orders of which something waits, or cannot be sent at all.
        cost_cents: What all filled orders are paid.
        costs: The same, term by term.
        cost_per_order_cents: The mean.
        packages_per_order: The mean.
        split_orders: Filled orders that come in several packages.
        miles_per_order: The mean of the miles of all packages, of orders where they are known.
        promises_kept: The share of promises that are kept; None: nothing was promised.
        emptied_in_stores: Shelves of stores that it emptied.
        moved: Orders that come from elsewhere than in force.
        compared: Orders that both fill.
        dearer: How much more an order is paid than in force, in cents.
        more_packages: How many packages more.
        farther: How many miles farther.
        dearer_share: ``dearer`` as a share of what is paid in force; None where nothing is.
        more_packages_share: ``more_packages`` likewise.
    """

    name: str
    filled: int
    unfillable: int
    cost_cents: int
    costs: Mapping[str, int]
    cost_per_order_cents: float | None
    packages_per_order: float | None
    split_orders: int
    miles_per_order: float | None
    promises_kept: float | None
    emptied_in_stores: int
    moved: int
    compared: int
    dearer: Interval | None
    more_packages: Interval | None
    farther: Interval | None
    dearer_share: float | None
    more_packages_share: float | None


def scored(name: str, outcomes: Sequence[Outcome], in_force: Sequence[Outcome], emptied_in_stores: int) -> Score:
    """The score of these outcomes, order by order beside those of what is in force."""
    filled = [each for each in outcomes if each.filled]
    both = [(own, other) for own, other in zip(outcomes, in_force, strict=True) if own.filled and other.filled]
    miles = [each.miles for each in filled if each.miles is not None]
    late = [each.late_days for each in filled if each.late_days is not None]
    costs: Counter[str] = Counter()
    for each in filled:
        costs.update({term.value: cents for term, cents in each.costs.items()})
    far = [(own.miles, other.miles) for own, other in both]
    dearer = interval([own.cents - other.cents for own, other in both])
    more_packages = interval([len(own.packages) - len(other.packages) for own, other in both])
    return Score(
        name=name,
        filled=len(filled),
        unfillable=len(outcomes) - len(filled),
        cost_cents=costs.total(),
        costs=dict(costs),
        cost_per_order_cents=_mean([each.cents for each in filled]),
        packages_per_order=_mean([len(each.packages) for each in filled]),
        split_orders=sum(len(each.packages) > 1 for each in filled),
        miles_per_order=_mean(miles),
        promises_kept=_mean([days <= 0 for days in late]),
        emptied_in_stores=emptied_in_stores,
        moved=sum(own.allocation != other.allocation for own, other in zip(outcomes, in_force, strict=True)),
        compared=len(both),
        dearer=dearer,
        more_packages=more_packages,
        farther=interval([own - other for own, other in far if own is not None and other is not None]),
        dearer_share=_share(dearer, _mean([other.cents for _, other in both])),
        more_packages_share=_share(more_packages, _mean([len(other.packages) for _, other in both])),
    )


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None


def _share(difference: Interval | None, of: float | None) -> float | None:
    return None if difference is None or not of else difference.mean / of
