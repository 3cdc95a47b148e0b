from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time
from math import inf, nan
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import Sku
from gateway.domain.rates import (
    US_EXPRESS,
    US_GROUND,
    US_ZONES,
    CarrierService,
    PriceStep,
    Weights,
    ZoneRate,
    ZoneRule,
    ZoneTable,
    parse_weights,
)

CHICAGO = ZoneInfo("America/Chicago")
STEPS = (PriceStep(grams=500, cents=(400, 600)), PriceStep(grams=2_000, cents=(700, 900)))
POST = CarrierService(name="Parcel", carrier="Post", steps=STEPS, transit_days=(1, 3))
OPEN_ENDED = replace(POST, further=PriceStep(grams=1_000, cents=(100, 250)))


# --------------------------------------------------------------------------------------------------------------- zones
@pytest.mark.parametrize(
    ("miles", "zone"),
    [(0, 1), (50, 1), (50.1, 2), (150, 2), (300, 3), (600, 4), (1000, 5), (1400, 6), (1800, 7), (1800.1, 8), (12_000, 8)],
)
def test_a_band_ends_with_its_last_mile(miles: float, zone: int) -> None:
    assert US_ZONES.zone(miles) == zone


def test_an_unknown_distance_is_the_farthest() -> None:
    assert US_ZONES.zone(None) == US_ZONES.farthest == 8
    assert ZoneTable(miles_max=()).zone(None) == 1


def test_the_first_rule_about_two_areas_counts_and_nothing_is_about_an_area_nobody_knows() -> None:
    table = ZoneTable(
        miles_max=(100, 1000),
        rules=(
            ZoneRule(zone=1, origins=("US:606", "US:607"), destinations=("US:60",)),
            ZoneRule(zone=3, origins=("US:606",)),
            ZoneRule(zone=2, destinations=("CA:M", "MX")),
        ),
    )
    assert table.zone(5_000, "US:60601", "US:60010") == 1
    assert table.zone(5, "US:60601", "US:50010") == 3
    assert table.zone(5, "US:60801", "CA:M5V3L9") == table.zone(None, "", "MX:01000") == 2
    assert table.zone(5, "", "US:60010") == table.zone(5, "US:60801", "CA:K1A0B1") == 1
    assert table.zone(None, "", "") == 3


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (lambda: ZoneTable(miles_max=(100, 100)), "ascend"),
        (lambda: ZoneTable(miles_max=(0, 100)), "above zero"),
        (lambda: ZoneTable(miles_max=(100, inf)), "above zero"),
        (lambda: ZoneTable(miles_max=(nan,)), "above zero"),
        (lambda: ZoneTable(miles_max=tuple(range(1, 51))), "at most 50 zones"),
        (lambda: ZoneTable(rules=(ZoneRule(zone=9, origins=("US",)),)), "zone 9, but 7 miles_max make 8 zones"),
        (lambda: ZoneRule(zone=0, origins=("US",)), "numbered from 1"),
        (lambda: ZoneRule(zone=1), "origins or destinations"),
        (lambda: ZoneRule(zone=1, origins=("606",)), "written as US:606"),
        (lambda: ZoneRule(zone=1, destinations=("ca:m5v",)), "written as US:606"),
    ],
)
def test_zones_that_make_no_sense_cannot_be_made(wrong: Callable[[], object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        wrong()


# -------------------------------------------------------------------------------------------------------------- prices
@pytest.mark.parametrize(("grams", "near", "far"), [(1, 400, 600), (500, 400, 600), (501, 700, 900), (2_000, 700, 900)])
def test_a_step_ends_with_its_last_gram(grams: int, near: int, far: int) -> None:
    for service in (POST, OPEN_ENDED):
        assert (service.price_cents(1, grams), service.price_cents(2, grams)) == (near, far)


def test_what_is_too_heavy_goes_as_several_parcels_unless_the_tariff_goes_on() -> None:
    assert [POST.price_cents(1, grams) for grams in (2_001, 2_501, 4_000, 4_001, 10**12)] == [
        1_100,
        1_400,
        1_400,
        1_800,
        350 * 10**9,
    ]
    assert [OPEN_ENDED.price_cents(2, grams) for grams in (2_001, 3_000, 3_001)] == [1_150, 1_150, 1_400]


@given(st.sampled_from((POST, OPEN_ENDED, US_GROUND, US_EXPRESS)), st.integers(1, 10**7), st.integers(0, 10**6))
def test_a_heavier_parcel_never_costs_less(service: CarrierService, grams: int, more: int) -> None:
    assert service.price_cents(2, grams) <= service.price_cents(2, grams + more)


@given(st.sampled_from((POST, OPEN_ENDED, US_GROUND, US_EXPRESS)), st.integers(1, 2), st.integers(1, 2_000), st.integers(1, 30_000))
def test_a_rate_is_what_all_units_cost_as_one_parcel_and_nearly_what_one_does(
    service: CarrierService, zone: int, units: int, unit_grams: int
) -> None:
    rate = service.rate(zone, units=units, unit_grams=unit_grams)
    whole, one = service.price_cents(zone, units * unit_grams), service.price_cents(zone, unit_grams)
    if rate.package_cents < 100_000:
        assert rate.package_cents + units * rate.unit_cents == whole
    if rate.package_cents and units * one >= whole and rate.package_cents < 100_000 > rate.unit_cents:
        assert abs(rate.package_cents + rate.unit_cents - one) < max(units, 2), "but for what does not divide"


def test_a_tariff_by_the_pound_is_as_linear_as_it_looks() -> None:
    for units in (1, 2, 9, 500):
        assert US_GROUND.rate(5, units=units, unit_grams=454) == ZoneRate(package_cents=1010, unit_cents=75, transit_days=4)


def test_a_rate_beyond_all_bounds_is_at_them() -> None:
    steep = replace(OPEN_ENDED, further=PriceStep(grams=1, cents=(100_000, 100_000)))
    assert steep.rate(1, units=1_000, unit_grams=10**6) == ZoneRate(package_cents=100_000, unit_cents=100_000, transit_days=1)


def test_express_is_dearer_and_no_slower_than_ground_everywhere() -> None:
    for zone in range(1, 9):
        assert US_EXPRESS.transit_days[zone - 1] <= US_GROUND.transit_days[zone - 1]
        assert all(US_EXPRESS.price_cents(zone, grams) > US_GROUND.price_cents(zone, grams) for grams in (1, 500, 5_000, 50_000))


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (lambda: replace(POST, name=" "), "names of 1 to 60"),
        (lambda: replace(POST, carrier="x" * 61), "names of 1 to 60"),
        (lambda: replace(POST, steps=()), "needs 1 to 200 steps"),
        (lambda: replace(POST, steps=STEPS[::-1]), "500 grams cannot follow 2000"),
        (lambda: replace(POST, steps=(STEPS[0], replace(STEPS[1], cents=(700, 500)))), "cannot take less for 2000 grams"),
        (lambda: replace(POST, transit_days=(1, 2, 3)), "as many cents as there are transit_days"),
        (lambda: replace(POST, transit_days=(1, 31)), "transit_days of Parcel"),
        (lambda: replace(POST, further=PriceStep(grams=1, cents=(1,))), "as many cents as there are transit_days"),
        (lambda: replace(POST, working_days=frozenset()), "needs working_days"),
        (lambda: replace(POST, working_days=frozenset({7})), "needs working_days"),
        (lambda: replace(POST, cutoff=time(14, tzinfo=CHICAGO)), "without an offset"),
        (lambda: PriceStep(grams=0, cents=(1,)), "at least 1"),
        (lambda: PriceStep(grams=1, cents=(100_001,)), "between 0 and 100000"),
    ],
)
def test_a_service_that_makes_no_sense_cannot_be_made(wrong: Callable[[], object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        wrong()


# --------------------------------------------------------------------------------------------------------------- dates
def local(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=CHICAGO)


@pytest.mark.parametrize(
    ("asked", "leaves", "arrives"),
    [
        (local(23, 9), date(2026, 11, 23), date(2026, 11, 26)),  # a Monday
        (local(23, 14), date(2026, 11, 23), date(2026, 11, 26)),
        (local(23, 14, 1), date(2026, 11, 24), date(2026, 11, 27)),
        (local(27, 15), date(2026, 11, 30), date(2026, 12, 3)),  # a Friday
        (local(28, 9), date(2026, 11, 30), date(2026, 12, 3)),
        (local(26, 9), date(2026, 11, 26), date(2026, 12, 1)),  # over a weekend
    ],
)
def test_what_misses_the_cutoff_leaves_on_the_next_working_day(asked: datetime, leaves: date, arrives: date) -> None:
    leaves_by = POST.leaves_by(asked)
    assert leaves_by == datetime.combine(leaves, time(14), tzinfo=CHICAGO)
    assert POST.arrives_by(leaves_by, 2) == datetime.combine(arrives, time(23, 59), tzinfo=CHICAGO)


def test_a_cutoff_is_on_the_wall_on_both_sides_of_a_change_of_the_clock() -> None:
    saturday = datetime(2026, 10, 31, 15, tzinfo=CHICAGO)
    daily = replace(POST, working_days=frozenset(range(7)))
    assert [daily.leaves_by(at).utcoffset() for at in (saturday.replace(hour=9), saturday)] == [
        saturday.utcoffset(),
        datetime(2026, 11, 2, tzinfo=CHICAGO).utcoffset(),
    ]


# ------------------------------------------------------------------------------------------------------------- weights
MUG, CUP, KEY = Sku("MUG"), Sku("CUP"), Sku('K"1,2')


def test_what_nobody_has_weighed_weighs_what_usual_goods_do() -> None:
    weights = replace(parse_weights('# of ours\nsku,grams\nMUG,350\n\n"K""1,2",40\n'), unit_grams=500)
    assert weights.total_grams({MUG: 2, KEY: 3, CUP: 1}) == 700 + 120 + 500
    assert weights.mean_grams({MUG: 2, CUP: 1}) == 400
    assert weights.mean_grams({MUG: 1, KEY: 2}) == 144, "rounded up"
    assert Weights().mean_grams({MUG: 7}) == Weights().unit_grams


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "begins with sku,grams"),
        ("grams,sku\n350,MUG", "begins with sku,grams"),
        ("sku,grams\nMUG", "line 2"),
        ("sku,grams\nMUG,0.35", "line 2"),
        ("# note\nsku,grams\nMUG,350\nCUP,0", "line 4"),
        ("sku,grams\nMUG,1000001", "line 2"),
        ("sku,grams\n,350", "line 2"),
        ("sku,grams\nMUG,350\nMUG,351", "line 3 is the second about 'MUG'"),
        ('sku,grams\n"MUG,350', "line 2 is not comma-separated values"),
    ],
)
def test_a_broken_table_of_weights_is_refused_with_its_line(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_weights(text)


@pytest.mark.parametrize("grams", [0, -1, 1_000_001])
def test_nothing_weighs_nothing_or_more_than_a_ton(grams: int) -> None:
    with pytest.raises(ValueError, match="between 1 and"):
        Weights(unit_grams=grams)
