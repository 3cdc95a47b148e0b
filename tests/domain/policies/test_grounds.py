"""All locations at once are judged as each is alone."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.contract import Sku
from gateway.domain.geography import PostalArea
from gateway.domain.locations import LocationKind
from gateway.domain.policies import (
    Ban,
    Candidacy,
    HardRules,
    Market,
    PackageWeight,
    Places,
    Rule,
    UnitWeight,
    Weights,
)
from gateway.domain.policies.grounds import Grounds, excluded, forbidden, weighed_all
from tests.domain.policies.plainly import Spot, barred, narrowed, weighed
from tests.domain.policies.shelves import ALL, CUP, GAS, MUG, location, order

CODES = st.lists(st.sampled_from(["store-*", "*-east", "3pl-west", "pos:*", "none"]), max_size=2).map(tuple)
GROUPS = st.lists(st.sampled_from(["east", "flag*", "none"]), max_size=2).map(tuple)
PLACES = st.builds(Places, codes=CODES, kinds=st.lists(st.sampled_from(list(LocationKind)), max_size=2).map(tuple), groups=GROUPS)
SEVERAL = st.lists(PLACES, max_size=3).map(tuple)
SKUS = st.lists(st.sampled_from(["GAS-*", "*-1", "MUG-1", "nothing"]), max_size=2).map(tuple)
CENTS = st.integers(-500, 500)
RULES = st.builds(
    Rule,
    name=st.just("r"),
    candidates=st.builds(
        Candidacy,
        places=SEVERAL,
        except_places=SEVERAL,
        miles_max=st.none() | st.sampled_from([1, 700, 9_000]),
        stock_age_seconds_max=st.none() | st.sampled_from([5, 60, 9_000]),
    ),
    hard=st.builds(
        HardRules,
        never_from=st.lists(st.builds(Ban, skus=SKUS, places=PLACES), max_size=3).map(tuple),
        markets=st.lists(
            st.builds(Market, countries=st.lists(st.sampled_from(["US", "CA"]), min_size=1).map(tuple), places=PLACES), max_size=3
        ).map(tuple),
    ),
    weights=st.builds(
        Weights,
        packages=st.lists(st.builds(PackageWeight, places=PLACES, pick_cents=CENTS, preference_cents=CENTS), max_size=3).map(tuple),
        units=st.lists(st.builds(UnitWeight, skus=SKUS, places=PLACES, handling_cents=CENTS, markdown_cents=CENTS), max_size=3).map(
            tuple
        ),
    ),
)


@settings(max_examples=200)
@given(RULES, st.sets(st.sampled_from([MUG, CUP, GAS]), min_size=1), st.sampled_from(["US:60601", "CA:M5V", "DE"]))
def test_all_locations_at_once_are_judged_as_each_is_alone(rule: Rule, skus: set[Sku], area: str) -> None:
    wanted, placed, lines = Grounds(locations=ALL), order(*skus, area=PostalArea(area)), sorted(skus)
    found = excluded(rule, placed, wanted, miles=known(ALL, "miles"), stock_age_s=known(ALL, "stock_age_s"))
    assert found == narrowed(rule, placed, ALL)
    banned, cents = forbidden(rule, lines, wanted), weighed_all(rule, lines, wanted)
    for row, each in enumerate(ALL):
        assert {sku for sku, ban in zip(lines, banned[row], strict=True) if ban} == barred(rule, lines, each)
        alone = weighed(rule, lines, each)
        assert (cents.pick_cents[row], cents.preference_cents[row]) == (alone.pick_cents, alone.preference_cents)
        assert cents.handling_cents[row].tolist() == [alone.handling_cents.get(sku, 0) for sku in lines]
        assert cents.markdown_cents[row].tolist() == [alone.markdown_cents.get(sku, 0) for sku in lines]


def known(locations: tuple[Spot, ...], name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """What is known of each; NaN where nothing is."""
    values = (getattr(each, name) for each in locations)
    return np.array([np.nan if value is None else value for value in values])


def test_which_locations_are_where_is_worked_out_once() -> None:
    here = Grounds(locations=(*ALL, location("store-loop", source="other")))
    stores = Places(codes=("store-*",))
    assert here.within(stores) is here.within(Places(codes=("store-*",)))
    assert here.within(stores).tolist() == [False, True, True, False, True]
    assert not here.within().any()
