"""Orders of many lines by HiGHS, where it is installed: for whoever wants a proof and can wait for it.

``solve`` never asks it: what is decided must not depend on what is installed.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from gateway.domain.plans.facilities import Facilities
from gateway.domain.plans.instance import Floats, Instance, Ints, Plan
from gateway.domain.plans.lots import IMPOSSIBLE_CENTS, PACKAGE_CENTS, Offers
from gateway.domain.plans.solve import EFFORT, solve

NODES_MAX: Final = 10_000
"""Of its search; not seconds, so that the same order has the same plan."""


def solve_by_milp(instance: Instance, *, nodes_max: int = NODES_MAX) -> Plan | None:
    """What ``solve`` finds; or, where that is not proven best, what HiGHS finds among the locations that a better plan could use.

    To HiGHS, postage is a sum for the package and one for each gram that are at most what carriers ask. So where they ask for
    steps of weight, a gap may stay.

    Raises:
        ModuleNotFoundError: The extra ``solver`` is not installed.
    """
    import highspy  # noqa: PLC0415 - an extra, which nobody else needs

    known, offers = solve(instance), Offers.of(instance)
    if known is None or known.optimal:
        return known
    best, bids = Facilities.of(offers).search(EFFORT)
    kept = bids.needed(best.cents)
    facilities = Facilities.of(offers.only(kept))
    solver: Any = highspy.Highs()  # type: ignore[no-untyped-call]  # all of it is typed but this
    for option, value in (("output_flag", False), ("threads", 1), ("mip_rel_gap", 0.0), ("mip_max_nodes", nodes_max)):
        solver.setOptionValue(option, value)
    model = highspy.HighsLp()
    _fill(model, facilities)
    model.integrality_ = [highspy.HighsVarType.kInteger] * model.num_col_
    solver.passModel(model)
    solver.run()
    lots = np.rint(np.array(solver.getSolution().col_value)[facilities.open_cents.size :]).astype(np.int64)
    found = best
    if lots.size:
        sent = facilities.priced(range(len(kept)), lots.reshape(facilities.lot_cents.shape).sum(axis=0).T)
        found = replace(sent, locations=tuple(kept[list(sent.locations)].tolist()))
    # What it proves is as exact as its tolerances, which are finer than what tells equals apart.
    bound_cents = max(bids.cents, solver.getInfo().mip_dual_bound + PACKAGE_CENTS)
    plans = [known, *(each.plan(offers, bound_cents) for each in (best, found) if each.cents < IMPOSSIBLE_CENTS)]
    cheapest = min(plans, key=lambda plan: plan.cents)
    return replace(cheapest, bound_cents=min(max(plan.bound_cents for plan in plans), cheapest.cents))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Entries:
    """Those of a matrix that are not zero."""

    rows: Ints
    columns: Ints
    values: Floats

    @classmethod
    def of(cls, *blocks: tuple[Ints, Ints, Any]) -> "_Entries":
        """From arrays that are broadcast against each other."""
        each = [np.broadcast_arrays(*block) for block in blocks]
        rows, columns, values = (np.concatenate([block[index].ravel() for block in each]) for index in range(3))
        order = np.lexsort((rows, columns))
        return cls(rows=rows[order], columns=columns[order], values=values[order].astype(np.float64))


def _fill(model: Any, facilities: Facilities) -> None:
    """First a column for each facility, whether it is open, then one for what it sends of each line."""
    instance, cut, stock = facilities.offers.instance, facilities.offers.cut, facilities.offers.stock
    services, lines, locations = facilities.lot_cents.shape
    opened = np.arange(services * locations).reshape(services, 1, locations)
    sent = opened.size + np.arange(facilities.lot_cents.size).reshape(facilities.lot_cents.shape)
    units = cut.units.sum(axis=1)[:, None]
    # Rows: each line is covered; nothing from what is closed, nor more than there is room; one service at a location; few packages.
    only_open = lines + sent - opened.size
    one_service = only_open.max() + 1 + np.arange(locations)
    in_room = one_service[-1] + 1 + opened
    last = in_room.max() + 1
    room = np.minimum(instance.room, instance.wanted.sum())
    entries = _Entries.of(
        (np.arange(lines)[:, None], sent, 1),
        (only_open, sent, 1),
        (only_open, opened, -stock),
        (one_service, opened, 1),
        (in_room, sent, units),
        (in_room, opened, -room),
        (last, opened, 1),
    )
    reached = np.isfinite(facilities.open_cents)
    model.num_col_, model.num_row_ = opened.size + sent.size, int(last) + 1
    model.col_cost_ = np.concatenate([np.where(reached, facilities.open_cents, 0).ravel(), facilities.lot_cents.ravel()])
    model.col_lower_ = np.zeros(model.num_col_)
    model.col_upper_ = np.concatenate([reached.ravel(), np.broadcast_to(stock, sent.shape).ravel()]).astype(np.float64)
    upper = np.concatenate([facilities.lots, np.zeros(model.num_row_ - lines)])
    upper[one_service], upper[last] = 1, facilities.offers.packages_max or locations
    model.row_lower_ = np.concatenate([facilities.lots, np.full(model.num_row_ - lines, -np.inf)])
    model.row_upper_ = upper
    model.a_matrix_.start_ = np.searchsorted(entries.columns, np.arange(model.num_col_ + 1))
    model.a_matrix_.index_, model.a_matrix_.value_ = entries.rows, entries.values
