"""How sure a mean is."""

import numpy as np
import pytest

from gateway.domain.whatif import interval
from gateway.domain.whatif.intervals import _t


@pytest.mark.parametrize(("freedom", "quantile"), [(3, 3.182), (4, 2.776), (9, 2.262), (29, 2.045), (999, 1.962)])
def test_the_quantile_is_that_of_the_tables(freedom: int, quantile: float) -> None:
    assert _t(freedom) == pytest.approx(quantile, abs=0.006)


def test_of_a_thousand_intervals_about_fifty_miss() -> None:
    random = np.random.default_rng(1)
    missed = 0
    for _ in range(1_000):
        found = interval((random.normal(size=8) + 3).tolist())
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        missed += not found.low <= 3 <= found.high
    assert 35 <= missed <= 65


def test_with_few_orders_nothing_is_claimed() -> None:
    assert interval([]) is None
    one = interval([4.0])
    assert one is not None
    assert (one.mean, one.low, one.high, one.certain) == (4.0, None, None, False)


def test_what_is_the_same_every_time_is_certain() -> None:
    found = interval([2.0] * 10)
    assert found is not None
    assert (found.low, found.high, found.certain) == (2.0, 2.0, True)
    same = interval([0.0] * 10)
    assert same is not None
    assert not same.certain
