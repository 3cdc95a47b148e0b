"""The seeded world, and the stories it was shaped for."""

from collections import Counter
from zoneinfo import ZoneInfo

import pytest

from connectors.contract import Sku
from connectors.sandbox.network import Network, seeded

NETWORK = seeded()
STORES = {place.key for place in NETWORK.places_of("square")}
CENTERS = {place.key for place in NETWORK.places_of("shipbob")}


def shelves(sku: str, network: Network = NETWORK) -> dict[str, int]:
    return {key: units for (key, each), units in network.stock.items() if each == sku}


def test_the_same_seed_gives_the_same_network_and_another_seed_another_one() -> None:
    assert seeded(seed=7) == NETWORK
    assert seeded(seed=8).stock != NETWORK.stock


def test_a_smaller_network_is_the_beginning_of_a_larger_one() -> None:
    small = seeded(products=40)
    assert NETWORK.products[:40] == small.products
    assert {pair: units for pair, units in NETWORK.stock.items() if pair[1] <= "SKU-0040"} == small.stock


def test_twelve_places_belong_to_three_systems() -> None:
    assert Counter(place.system for place in NETWORK.places) == {"odoo": 4, "square": 5, "shipbob": 3}


def test_every_place_can_be_found_on_a_map_and_on_a_clock() -> None:
    for place in NETWORK.places:
        assert ZoneInfo(place.time_zone).key == place.time_zone
        assert place.address.country_code == "US"
        assert len(place.address.postal_code) == 5
        assert place.address.latitude is not None
        assert 24 < place.address.latitude < 50
        assert place.address.longitude is not None
        assert -125 < place.address.longitude < -66
        assert all(hours.opens_at < hours.closes_at for hours in place.hours)


def test_products_have_names_and_skus_of_their_own() -> None:
    many = seeded(products=1_200).products
    assert len({product.name for product in many}) == len({product.sku for product in many}) == 1_200
    assert all(product.weight_grams > 0 and product.price_cents > 0 for product in many)


def test_stock_is_uneven_shared_between_systems_and_sometimes_nothing() -> None:
    per_sku = Counter(sku for _, sku in NETWORK.stock)
    assert 5 < sum(per_sku.values()) / len(NETWORK.products) < 7
    assert 0 < sum(not units for units in NETWORK.stock.values()) < len(NETWORK.stock) / 5
    ordinary = {sku for sku in per_sku if sku > "SKU-0012"}
    assert all(NETWORK.stock[key, sku] <= 8 for key, sku in NETWORK.stock if key in STORES and sku in ordinary)
    assert len({frozenset(shelves(sku)) for sku in ordinary}) > 200


@pytest.mark.parametrize(
    ("sku", "expected"),
    [
        ("SKU-0002", {"wh-reno": 120, "3pl-bethlehem": 40}),
        ("SKU-0003", {"wh-newark": 80, "store-brooklyn": 3}),
        ("SKU-0005", {"store-chicago": 6, "wh-dallas": 50}),
        ("SKU-0006", {"wh-atlanta": 1_000}),
        ("SKU-0010", {"wh-dallas": 5_000}),
        ("SKU-0011", {"wh-atlanta": 100_000, "wh-dallas": 100_000, "3pl-cicero": 100_000}),
        ("SKU-0012", {"wh-atlanta": 100_000, "wh-dallas": 100_000, "3pl-cicero": 100_000}),
    ],
)
def test_stories_stand_where_they_are_told(sku: str, expected: dict[str, int]) -> None:
    assert shelves(sku) == expected


def test_stories_hold_whatever_the_seed() -> None:
    other = seeded(seed=99)
    assert all(shelves(f"SKU-{number:04d}", other) == shelves(f"SKU-{number:04d}") for number in range(1, 13))


def test_some_stories_are_about_a_kind_of_place() -> None:
    assert len(shelves("SKU-0001")) == 12
    assert min(shelves("SKU-0001").values()) > 50
    assert shelves("SKU-0004") == dict.fromkeys(STORES, 1)
    assert set(shelves("SKU-0007").values()) == {0}
    assert shelves("SKU-0008").keys() == CENTERS
    assert shelves("SKU-0009").keys() == STORES


def test_what_a_place_carries_includes_its_empty_shelves() -> None:
    assert NETWORK.carried_at("wh-newark")[Sku("SKU-0007")] == 0
    assert Sku("SKU-0002") not in NETWORK.carried_at("wh-newark")
