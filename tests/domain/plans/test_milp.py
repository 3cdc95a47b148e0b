import sys
from dataclasses import replace

import numpy as np
import pytest

from gateway.domain.plans.milp import solve_by_milp
from gateway.domain.plans.solve import solve
from tests.domain.plans.problems import typical
from tests.domain.plans.test_solve import check


def test_highs_proves_what_the_search_could_not() -> None:
    pytest.importorskip("highspy", reason="HiGHS is not installed (extra: solver)")
    order = typical(1, lines=14, locations=40)
    found, proven = solve(order), solve_by_milp(order)
    assert found is not None
    assert proven is not None
    check(order, proven)
    assert not found.optimal
    assert proven.optimal
    assert found.bound_cents < proven.cents <= found.cents


@pytest.mark.parametrize("packages_max", [3, None])
def test_highs_keeps_the_rules(packages_max: int | None) -> None:
    pytest.importorskip("highspy", reason="HiGHS is not installed (extra: solver)")
    order = typical(2, lines=14, locations=30)
    order = replace(order, room=np.full(30, 8), packages_max=packages_max, together=((0, 1),))
    plan = solve_by_milp(order)
    assert plan is not None
    check(order, plan)


def test_without_highs_the_policy_that_wants_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "highspy", None)
    with pytest.raises(ModuleNotFoundError, match="highspy"):
        solve_by_milp(typical(1, lines=2, locations=5))
