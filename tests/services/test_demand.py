"""What is kept fresh is what is asked for most, however that is found."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import Sku
from gateway.services.demand import Demand

SKUS = [Sku(name) for name in "abcdefgh"]
STEPS = st.lists(st.one_of(st.sampled_from(SKUS), st.integers(1, 6), st.none()), max_size=60)


@given(STEPS)
def test_the_hottest_are_those_asked_for_most_whenever_and_however_many_are_wanted(steps: list[Sku | int | None]) -> None:
    demand, asked = Demand(skus_max=99), Counter[Sku]()
    for step in steps:
        if step is None:
            demand.fade()
            asked = Counter({sku: times / 2 for sku, times in asked.items() if times / 2 >= 0.1})
        elif isinstance(step, int):
            found = demand.hottest(step)
            assert len(set(found)) == len(found)
            assert [asked[sku] for sku in found] == sorted(asked.values(), reverse=True)[:step]
        else:
            demand.note([step])
            asked[step] += 1


def test_what_is_new_is_not_noted_past_the_bound_until_something_is_forgotten() -> None:
    demand = Demand(skus_max=2)
    demand.note(SKUS[:3])
    assert demand.hottest(9) == SKUS[:2]
    for _ in range(4):
        demand.fade()
    demand.note(SKUS[2:])
    assert demand.hottest(9) == SKUS[2:4]
