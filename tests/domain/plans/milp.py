"""The cheapest plan by HiGHS: by which packages are sent, whatever they cost, or by how many units come from where."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import highspy
import numpy as np

from gateway.domain.plans.instance import Instance
from tests.domain.plans.problems import allowed, package_cents

Package = tuple[int, tuple[int, ...], float]
"""Location, units of each line, cost as if it were not the first."""


def every_package(order: Instance) -> list[Package]:
    """All that the rules allow."""
    found = []
    for location, stock in enumerate(order.stock.tolist()):
        levels = [
            (0, *([wanted] if has >= wanted else [])) if order.whole_lines else range(has + 1)
            for has, wanted in zip(stock, order.wanted.tolist(), strict=True)
        ]
        for units in product(*levels):
            if any(units) and allowed(order, {location: units}):
                cents = package_cents(order, location, units) + order.split_cents
                if np.isfinite(cents):
                    found.append((location, units, cents))
    return found


def cheapest_cents(order: Instance, packages: Sequence[Package]) -> float | None:
    """What the cheapest plan costs; None: there is none."""
    lines, locations = len(order.wanted), len(order.stock)
    if not packages:
        return None
    few = locations if order.packages_max is None else order.packages_max
    columns = [
        {line: count for line, count in enumerate(units) if count} | {lines + location: 1, lines + locations: 1}
        for location, units, _ in packages
    ]
    return _solved(
        Model(
            cents=[cents for _, _, cents in packages],
            most=[1] * len(packages),
            columns=columns,
            lower=[*order.wanted.tolist(), *[0] * (locations + 1)],
            upper=[*order.wanted.tolist(), *[1] * locations, few],
        ),
        order,
    )


def cheapest_by_the_pound_cents(order: Instance) -> float | None:
    """The same, where a package costs a sum and so much for each unit: all weights are whole pounds, as the tariff is."""
    lines, locations = order.wanted.tolist(), range(len(order.stock))
    model = Model(cents=[], most=[], columns=[], lower=[*lines], upper=[*lines])
    alone = np.eye(len(lines), dtype=int).tolist()
    for location in locations:
        sent = len(model.columns)
        one = [package_cents(order, location, units) for units in alone]
        # Two more of what is in a package already cost twice what one more does.
        more = [
            package_cents(order, location, [2 * each for each in units]) - cents for units, cents in zip(alone, one, strict=True)
        ]
        model.cents.append(one[0] - more[0] + order.split_cents)
        model.most.append(1)
        model.columns.append({})
        for line in np.flatnonzero(order.stock[location]).tolist():
            # No more than it has, and nothing without a package.
            most, row = int(order.stock[location, line]), len(model.lower)
            model.cents.append(more[line])
            model.most.append(most)
            model.columns.append({line: 1, row: 1})
            model.columns[sent][row] = -most
            model.lower.append(-most)
            model.upper.append(0)
    return _solved(model, order)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """Integers from 0 to ``most`` that cost least, each row within its bounds; each column says how much of it is in which row."""

    cents: list[float]
    most: list[int]
    columns: list[dict[int, int]]
    lower: list[int]
    upper: list[int]


def _solved(model: Model, order: Instance) -> float | None:
    highs = highspy.HighsLp()
    highs.num_col_, highs.num_row_ = len(model.columns), len(model.lower)
    highs.col_cost_, highs.col_lower_ = np.array(model.cents), np.zeros(len(model.columns))
    highs.col_upper_ = np.array(model.most, dtype=float)
    highs.row_lower_, highs.row_upper_ = np.array(model.lower, dtype=float), np.array(model.upper, dtype=float)
    highs.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    highs.a_matrix_.start_ = np.cumsum([0, *map(len, model.columns)])
    highs.a_matrix_.index_ = np.array([row for column in model.columns for row in column])
    highs.a_matrix_.value_ = np.array([value for column in model.columns for value in column.values()], dtype=float)
    highs.integrality_ = [highspy.HighsVarType.kInteger] * len(model.columns)
    solver = highspy.Highs()  # type: ignore[no-untyped-call]  # all of it is typed but this
    for option, value in (("output_flag", False), ("threads", 1), ("mip_rel_gap", 0.0), ("mip_abs_gap", 1e-6)):
        solver.setOptionValue(option, value)
    solver.passModel(highs)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    return float(round(solver.getInfo().objective_function_value, 6)) - order.split_cents
