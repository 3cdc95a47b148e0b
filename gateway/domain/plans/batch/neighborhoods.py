"""Plan some orders anew that want the same goods, with what they have and what nobody has, and keep what costs less."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from gateway.domain.plans.batch.bids import Bids, KeepGoing, Steps
from gateway.domain.plans.batch.dives import dived
from gateway.domain.plans.batch.waves import Plans, Wave
from gateway.domain.plans.instance import Floats, Ints

ORDERS: Final = 40  # that are planned anew at a time
ORDERS_PER_ITEM: Final = 12  # of them; a best seller alone would fill them with orders that have little to do with each other
EVEN_CHANCE: Final = 0.1  # of being looked at first, of what orders lose on average


def improved(
    wave: Wave, plans: Plans, bids: Bids, steps: Steps, generator: np.random.Generator, *, effort: int, keep_going: KeepGoing
) -> Plans:
    """Plans that cost no more; ``effort`` times some orders are planned anew, most often those that pay more than the bids say."""
    plans = [each.copy() for each in plans]
    crowd = _crowd(wave)
    first = generator.choice(wave.orders, size=effort, p=_chances(wave, plans, bids))
    for order in first.tolist():
        if not keep_going():
            break
        chosen = crowd.around(order, generator)
        before = [plan[orders] for plan, orders in zip(plans, chosen, strict=True)]
        _put(plans, chosen, [np.full_like(each, wave.waiting) for each in before])
        taken = wave.taken(plans)
        part = wave.part(chosen, wave.stock - taken, wave.room - taken.sum(axis=0))
        after = dived(part, bids, steps, keep_going)
        _put(plans, chosen, min(before, after, key=part.sent_cents))
    return plans


def _put(plans: Plans, orders: list[Ints], new: Plans) -> None:
    for plan, some, locations in zip(plans, orders, new, strict=True):
        plan[some] = locations


def _chances(wave: Wave, plans: Plans, bids: Bids) -> Floats:
    """In proportion to by how much more the plan of an order costs than the cheapest, both at the bids. ``[orders]``."""
    lost = []
    for table, plan, best in zip(wave.tables, plans, wave.cheapest(bids.cents), strict=True):
        paid = (bids.cents[table.items, plan] * table.units).sum(axis=1)
        lost.append(np.maximum(table.sent_cents(plan) + paid - best.cents, 0.0))
    losses = np.concatenate(lost)
    losses += EVEN_CHANCE * losses.mean() + 1e-9  # where nobody loses anything, all are alike
    chances: Floats = losses / losses.sum()
    return chances


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Crowd:
    """Who wants what. Orders are numbered through all tables; each table but the first begins at one of ``starts``."""

    items: list[Ints]
    orders: list[Ints]
    starts: Ints

    def around(self, order: int, generator: np.random.Generator) -> list[Ints]:
        """That order, some who want the same, some who want what these want, and so on; by table."""
        chosen = [order]
        seen: set[int] = set()
        for each in chosen:  # which grows meanwhile
            for item in self.items[each].tolist():
                if item not in seen and len(chosen) < ORDERS:
                    seen.add(item)
                    others = np.setdiff1d(self.orders[item], chosen)
                    many = min(ORDERS_PER_ITEM, ORDERS - len(chosen))
                    chosen.extend(generator.permutation(others)[:many].tolist())
        ordered = np.sort(chosen)
        tables = np.searchsorted(self.starts, ordered, side="right")
        numbers = ordered - np.append(0, self.starts)[tables]
        return [numbers[tables == table] for table in range(len(self.starts) + 1)]


def _crowd(wave: Wave) -> _Crowd:
    items = [row for table in wave.tables for row in table.items]
    wanted = np.concatenate(items)
    orders = np.repeat(np.arange(len(items)), [len(each) for each in items])[np.argsort(wanted, kind="stable")]
    ends = np.bincount(wanted, minlength=len(wave.goods)).cumsum()
    starts = np.cumsum([len(table.items) for table in wave.tables])[:-1]
    return _Crowd(items=items, orders=np.split(orders, ends[:-1]), starts=starts)
