"""What an operator can say of carriers, goods and places; and what happens when it is wrong."""

from datetime import time
from pathlib import Path

import pytest

from connectors.contract import Address, Secret, Sku
from connectors.rates import KarrioSettings
from gateway.configuration import Misconfigured, load
from gateway.domain.geography import GeoPoint
from gateway.domain.rates import US_EXPRESS, US_GROUND, CarrierService, PriceStep, ZoneRule, ZoneTable
from gateway.settings import Settings

NEEDED = """[sources.stores]
connector = "square"
access_token = "env:SQUARE"

[[tokens]]
name = "king"
role = "OPERATOR"
secret = "env:KING"

"""
SECRETS = {"SQUARE": "sq0", "KING": "crown", "KARRIO": "key_live"}

WHOLE = """[routing]
parcel_cents = 90

[routing.zones]
miles_max = [100]

[[routing.zones.rules]]
zone = 2
origins = ["US:606"]
destinations = ["CA", "US:99"]

[[routing.services]]
name = "Parcel"
carrier = "Post"
transit_days = [1, 4]
cutoff = 16:30:00
working_days = [0, 1, 2, 3, 4, 5]

[[routing.services.steps]]
grams = 500
cents = [400, 700]

[[routing.services.steps]]
grams = 2000
cents = [500, 900]

[[routing.services]]
name = "Overnight"
carrier = "Post"
transit_days = [1, 1]
steps = [{grams = 1000, cents = [1500, 2500]}]
further = {grams = 1000, cents = [100, 300]}
routed = false

[products]
unit_grams = 300
weights = "weights.csv"
tags = "tags.csv"

[geography]
centroids = "places.csv"

[quotes]
deadline_s = 2.5

[quotes.karrio]
url = "https://karrio.example.com"
token = "env:KARRIO"
carrier_ids = ["ups-main"]
time_zone = "America/Chicago"
"""


def loaded(
    folder: Path,
    text: str,
    *,
    weights: str = "sku,grams\nMUG,350\n",
    tags: str = "sku,tag\nMUG,fragile\n",
    places: str = "area,latitude,longitude\n",
) -> Settings:
    file = folder / "dom.toml"
    file.write_text(NEEDED + text, encoding="utf-8")
    (folder / "weights.csv").write_text(weights, encoding="utf-8")
    (folder / "tags.csv").write_text(tags, encoding="utf-8")
    (folder / "places.csv").write_text(places, encoding="utf-8-sig")
    return load(file, SECRETS)


def mistakes(folder: Path, text: str, **files: str) -> list[tuple[int, str, str]]:
    with pytest.raises(Misconfigured) as found:
        loaded(folder, text, **files)
    return [(each.line - NEEDED.count("\n"), each.key, each.problem) for each in found.value.mistakes]


def test_nothing_need_be_said(tmp_path: Path) -> None:
    settings = loaded(tmp_path, "")
    assert settings.routing.services == (US_GROUND, US_EXPRESS)
    assert settings.products.weighed().total_grams({Sku("MUG"): 2}) == 908
    assert settings.quotes.karrio is None


def test_all_can_be_said(tmp_path: Path) -> None:
    settings = loaded(tmp_path, WHOLE, places="area,latitude,longitude\nDE:10,52.5,13.4\n")
    assert settings.routing.zones == ZoneTable(
        miles_max=(100.0,), rules=(ZoneRule(zone=2, origins=("US:606",), destinations=("CA", "US:99")),)
    )
    parcel, overnight = settings.routing.services
    assert parcel == CarrierService(
        name="Parcel",
        carrier="Post",
        steps=(PriceStep(grams=500, cents=(400, 700)), PriceStep(grams=2_000, cents=(500, 900))),
        transit_days=(1, 4),
        cutoff=time(16, 30),
        working_days=frozenset(range(6)),
    )
    assert (overnight.routed, overnight.further) == (False, PriceStep(grams=1_000, cents=(100, 300)))
    assert settings.products.weighed().total_grams({Sku("MUG"): 1, Sku("CUP"): 1}) == 650
    assert settings.products.tags.of([Sku("MUG"), Sku("CUP")]) == ("fragile",)
    berlin = Address(lines=(), city="Berlin", postal_code="10115", country_code="DE")
    assert settings.geography.centroids.locate(berlin) == GeoPoint(latitude=52.5, longitude=13.4)
    assert settings.quotes.karrio == KarrioSettings(
        url="https://karrio.example.com", token=Secret("key_live"), carrier_ids=("ups-main",), time_zone="America/Chicago"
    )
    assert "key_live" not in repr(settings)


def test_every_mistake_is_told_with_its_line_and_its_key(tmp_path: Path) -> None:
    text = (
        WHOLE.replace("cents = [400, 700]", 'cents = [400, "700"]')
        .replace("zone = 2", "zone = 0")
        .replace("cutoff = 16:30:00", 'cutoff = "late"')
        .replace('token = "env:KARRIO"', 'token = "key_live"')
        .replace('time_zone = "America/Chicago"', 'time_zone = "Chicago"')
        .replace("unit_grams = 300", "unit_grams = 0")
        .replace("routed = false", "routes = false")
    )
    found = mistakes(tmp_path, text, weights="sku,grams\nMUG,heavy\n", tags="sku,tag\nMUG\n", places="nonsense")
    assert [(line, key) for line, key, _ in found] == [
        (7, "routing.zones.rules.0"),
        (16, "routing.services.0.cutoff"),
        (21, "routing.services.0.steps.0.cents"),
        (33, "routing.services.1.routes"),
        (36, "products.unit_grams"),
        (37, "products.weights"),
        (38, "products.tags"),
        (41, "geography.centroids"),
        (48, "quotes.karrio.token"),
    ]
    problems = {key: problem for _, key, problem in found}
    assert problems["products.weights"].startswith(f"{tmp_path / 'weights.csv'}: line 2 is not a SKU and its grams")
    assert problems["products.tags"].startswith(f"{tmp_path / 'tags.csv'}: line 2 is not a SKU and a tag")
    assert "begins with" in problems["geography.centroids"]


@pytest.mark.parametrize(
    ("right", "wrong", "key", "problem"),
    [
        ("miles_max = [100]", "miles_max = [100, 200]", "routing", "Parcel has prices for 2 zones, but there are 3"),
        ("cents = [500, 900]", "cents = [500, 600]", "routing.services.0", "cannot take less for 2000 grams"),
        ("cents = [500, 900]", "cents = [500]", "routing.services.0", "one for each zone"),
        ('name = "Overnight"', 'name = "Parcel"', "routing", "has a name of its own"),
        ('"weights.csv"', '"absent.csv"', "products.weights", "No such file"),
        ('"weights.csv"', "7", "products.weights", "Expected `str`"),
        ('"tags.csv"', '"absent.csv"', "products.tags", "No such file"),
        ('time_zone = "America/Chicago"', 'time_zone = "Chicago"', "quotes.karrio", "not an IANA time zone"),
        ("miles_max = [100]", "miles_max = [nan]", "routing.zones", "above zero"),
    ],
)
def test_what_does_not_go_together_is_told_at_the_table_it_is_in(
    tmp_path: Path, right: str, wrong: str, key: str, problem: str
) -> None:
    assert right in WHOLE
    ((_, at, told),) = mistakes(tmp_path, WHOLE.replace(right, wrong))
    assert at == key
    assert problem in told
