"""By which service goods travel, and what that does to where they come from."""

from dataclasses import replace

import msgspec
import pytest

from gateway.domain.geography import PostalArea
from gateway.domain.rates import CarrierService, PriceStep, ZoneRate, ZoneRule, ZoneTable
from gateway.domain.routing import Package, Preference, Tariff
from tests.domain.problems import FAR, HOME, A, Case, by_the_unit, candidate, decide, large_problem, problem

ONE_ZONE = ZoneTable(miles_max=())


def service(name: str, *, first: int, further: int, days: int, routed: bool = True) -> CarrierService:
    """Up to a kilogram, and each further one, anywhere."""
    return CarrierService(
        name=name,
        carrier="Carrier",
        steps=(PriceStep(grams=1_000, cents=(first,)),),
        further=PriceStep(grams=1_000, cents=(further,)),
        transit_days=(days,),
        routed=routed,
    )


def chosen(case: Case) -> tuple[str | None, int, int]:
    (package,) = decide(case).packages
    postage = next(term.cents for term in package.costs if term.name == "postage")
    return package.service, package.transit_days, postage


def test_the_cheapest_service_depends_on_the_weight_and_the_fastest_on_what_a_day_is_worth() -> None:
    parcel, freight = service("parcel", first=500, further=500, days=4), service("freight", first=2_000, further=10, days=8)
    express = service("express", first=1_500, further=900, days=1)
    tariff = Tariff(services=(parcel, freight, express), zones=ONE_ZONE, fastest_unit_day_cents=300)
    light = replace(problem({A: 2}, candidate("near", {A: 9})), tariff=tariff, unit_grams=600)
    assert chosen(light) == ("parcel", 4, 1_000)
    assert chosen(replace(light, unit_grams=4_000)) == ("freight", 8, 2_070)
    assert chosen(replace(light, preference=Preference.FASTEST)) == ("express", 1, 2_400)
    hurried = replace(light, preference=Preference.FASTEST, tariff=replace(tariff, fastest_unit_day_cents=200))
    assert chosen(hurried) == ("parcel", 4, 1_000), "three days of two units are worth 1,200, and express is 1,400 dearer"
    quoted_only = replace(tariff, services=(parcel, freight, replace(express, routed=False)))
    assert chosen(replace(light, preference=Preference.FASTEST, tariff=quoted_only)) == ("parcel", 4, 1_000)


def test_of_services_that_cost_the_same_the_faster_is_taken() -> None:
    tariff = Tariff(
        services=(service("slow", first=500, further=5, days=4), service("quick", first=500, further=5, days=2)), zones=ONE_ZONE
    )
    assert chosen(replace(problem({A: 1}, candidate("near", {A: 1})), tariff=tariff))[:2] == ("quick", 2)


def test_a_rule_between_postal_areas_comes_before_the_distance() -> None:
    rules = (ZoneRule(zone=8, origins=("US:68",), destinations=("US:69",)), ZoneRule(zone=2, destinations=("US:6",)))
    case = replace(
        problem({A: 1}, replace(candidate("near", {A: 1}), area=PostalArea("US:68847")), candidate("far", {A: 1}, FAR)),
        tariff=Tariff(zones=ZoneTable(rules=rules)),
        destination_area=PostalArea("US:69101"),
    )
    (package,) = decide(case).packages
    assert (package.location, package.zone) == ("far", 2)
    (package,) = decide(replace(case, destination_area=PostalArea("US:70001"))).packages
    assert (package.location, package.zone) == ("near", 1), "no rule is about that"


def test_the_same_locations_are_in_other_zones_for_another_destination_or_by_another_table() -> None:
    sites = problem({A: 1}, candidate("near", {A: 1}), candidate("far", {A: 1}, FAR)).problem().sites
    ruled = ZoneTable(rules=(ZoneRule(zone=8, destinations=("US:69",)),))
    for _ in range(2):
        for table, to, area, zones in (
            (ZoneTable(), HOME, "US:60", [7, 1]),
            (ONE_ZONE, HOME, "US:60", [1, 1]),
            (ruled, HOME, "US:60", [7, 1]),
            (ruled, HOME, "US:69101", [8, 8]),
            (ZoneTable(), FAR, "US:60", [1, 7]),
        ):
            assert sites.zones(table, to, PostalArea(area)).tolist() == zones


# What the tariff was before it had services: a sum for the parcel, one for each unit, and days, by zone.
BEFORE = (
    (810, 45, 1), (850, 50, 2), (895, 58, 2), (945, 66, 3), (1010, 75, 4), (1085, 86, 4), (1160, 98, 5), (1240, 110, 6)
)  # fmt: skip


@pytest.mark.parametrize("preference", Preference)
@pytest.mark.parametrize("seed", range(8))
def test_unless_told_otherwise_orders_go_where_they_went_before_there_were_services(seed: int, preference: Preference) -> None:
    case = replace(large_problem(seed, lines=3, places=20, units_max=4), preference=preference)
    rates = [ZoneRate(package_cents=parcel, unit_cents=unit, transit_days=days) for parcel, unit, days in BEFORE]
    before = decide(replace(case, tariff=Tariff(services=(by_the_unit(rates, "Ground"),))))
    now = decide(case)
    assert (now.considered, now.cost_cents) == (before.considered, before.cost_cents)
    assert [replace(each, carrier=None) for each in now.packages] == [replace(each, carrier=None) for each in before.packages]


def test_a_decision_that_was_kept_before_services_had_names_can_still_be_read() -> None:
    (package,) = decide(problem({A: 1}, candidate("near", {A: 1}))).packages
    kept = msgspec.to_builtins(package)
    assert (kept.pop("service"), kept.pop("carrier")) == ("Ground", "US parcel carrier")
    assert msgspec.convert(kept, Package) == replace(package, service=None, carrier=None)
