from importlib.resources import files
from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import Address
from gateway.domain.geography import Centroids, GeoPoint, area_of, miles_between, parse_centroids

NEW_YORK = GeoPoint(latitude=40.7128, longitude=-74.0060)
TORONTO = GeoPoint(latitude=43.6532, longitude=-79.3832)
TABLES = ("us_zip3.csv", "ca_fsa.csv")
LOS_ANGELES = GeoPoint(latitude=34.0522, longitude=-118.2437)
POINTS = st.builds(GeoPoint, latitude=st.floats(-90, 90), longitude=st.floats(-180, 180))


@pytest.fixture(scope="module")
def centroids() -> Centroids:
    united_states, canada = (files("gateway.domain").joinpath(name).read_text(encoding="utf-8") for name in TABLES)
    return parse_centroids(united_states).with_more(parse_centroids(canada))


def address(
    postal_code: str = "", country_code: str = "US", latitude: float | None = None, longitude: float | None = None
) -> Address:
    return Address(lines=(), city="", postal_code=postal_code, country_code=country_code, latitude=latitude, longitude=longitude)


def test_new_york_is_2446_miles_from_los_angeles() -> None:
    assert miles_between(NEW_YORK, LOS_ANGELES) == pytest.approx(2446, abs=2)


@given(POINTS, POINTS, POINTS)
def test_distance_is_a_metric_on_the_globe(a: GeoPoint, b: GeoPoint, c: GeoPoint) -> None:
    assert miles_between(a, a) == 0
    assert 0 <= miles_between(a, b) <= 12_451
    assert miles_between(a, b) == pytest.approx(miles_between(b, a))
    assert miles_between(a, c) <= miles_between(a, b) + miles_between(b, c) + 0.01


@pytest.mark.parametrize(("latitude", "longitude"), [(91, 0), (-90.1, 0), (0, 180.5), (nan, 0), (0, nan)])
def test_what_is_not_on_earth_is_not_a_point(latitude: float, longitude: float) -> None:
    with pytest.raises(ValueError, match="not a place on Earth"):
        GeoPoint(latitude=latitude, longitude=longitude)


@pytest.mark.parametrize(
    ("code", "country", "near"),
    [
        ("10001", "US", NEW_YORK),
        ("90012-1234", "US", LOS_ANGELES),
        (" 900121234 ", "US", LOS_ANGELES),
        ("00901", "US", GeoPoint(latitude=18.46, longitude=-66.10)),
        ("96813", "US", GeoPoint(latitude=21.31, longitude=-157.86)),
        ("99501", "US", GeoPoint(latitude=61.22, longitude=-149.89)),
        ("M5V 3L9", "CA", TORONTO),
        (" m5v3l9", "ca", TORONTO),
        ("M5V", "CA", TORONTO),
        ("V6B-1A1", "CA", GeoPoint(latitude=49.28, longitude=-123.12)),
        ("B3H 4R2", "CA", GeoPoint(latitude=44.64, longitude=-63.58)),
    ],
)
def test_a_postal_code_is_found_within_two_zones_of_accuracy(centroids: Centroids, code: str, country: str, near: GeoPoint) -> None:
    found = centroids.locate(address(code, country))
    assert found is not None
    assert miles_between(found, near) < 150


def test_the_packaged_tables_cover_two_countries_and_no_open_sea(centroids: Centroids) -> None:
    assert len([area for area in centroids.points if area.isdigit()]) > 890
    assert len([area for area in centroids.points if not area.isdigit()]) > 1_600
    assert all(point.latitude < 84 for point in centroids.points.values())
    assert all(point != GeoPoint(latitude=0, longitude=0) for point in centroids.points.values())


def test_coordinates_of_the_address_come_before_its_zip_code(centroids: Centroids) -> None:
    assert centroids.locate(address("10001", latitude=34.0522, longitude=-118.2437)) == LOS_ANGELES


@pytest.mark.parametrize(("latitude", "longitude"), [(0, 0), (999, 12), (nan, nan), (40.0, None), (None, -74.0)])
def test_coordinates_that_cannot_be_true_are_passed_over(
    centroids: Centroids, latitude: float | None, longitude: float | None
) -> None:
    found = centroids.locate(address("10001", latitude=latitude, longitude=longitude))
    assert found is not None
    assert miles_between(found, NEW_YORK) < 50


@pytest.mark.parametrize(
    ("postal_code", "country_code"),
    [
        ("10001", "DE"),
        ("", "US"),
        ("2139", "US"),
        ("ABCDE", "US"),
        ("09012", "US"),
        ("1000\u0661", "US"),
        ("K1A 0B1", "US"),
        ("10001", "CA"),
        ("D1A 0B1", "CA"),
        ("K1A 0B", "CA"),
        ("H0H 0H0", "CA"),
    ],
)
def test_what_cannot_be_placed_is_nowhere(centroids: Centroids, postal_code: str, country_code: str) -> None:
    assert centroids.locate(address(postal_code, country_code)) is None


def test_a_territory_with_its_own_country_code_still_has_zip_codes(centroids: Centroids) -> None:
    assert centroids.locate(address("00901", "pr")) == centroids.locate(address("00901", "US")) is not None


def test_what_an_operator_knows_of_other_places_helps_where_we_know_nothing(centroids: Centroids) -> None:
    theirs = parse_centroids("area,latitude,longitude\nDE,51.2,10.4\nDE:10,52.5,13.4\nUS:10001,0.5,0.5\nUS:09,1.5,1.5\n")
    both = centroids.with_more(theirs)
    assert both.locate(address("10115", "DE")) == GeoPoint(latitude=52.5, longitude=13.4)
    assert both.locate(address("80331", "de")) == both.locate(address("", "DE")) == GeoPoint(latitude=51.2, longitude=10.4)
    assert both.locate(address("10001")) == centroids.locate(address("10001")), "what we know comes first"
    assert both.locate(address("09012")) == GeoPoint(latitude=1.5, longitude=1.5), "a military post office is nowhere to us"
    assert both.locate(address("75001", "FR")) is None
    assert both.locate(address("10115", "DE", latitude=1, longitude=2)) == GeoPoint(latitude=1, longitude=2)


def test_an_area_is_a_country_and_a_code_without_blanks() -> None:
    assert area_of(address(" m5v-3l9", "ca")) == "CA:M5V3L9"
    assert area_of(address("", "DE")) == "DE:"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "begins with"),
        ("<html>", "begins with"),
        ("zip3,latitude,longitude\n100,40.7", "line 2"),
        ("# from somewhere\nzip3,latitude,longitude\n100,40.7,-74.0\n101,forty,-74.0", "line 4"),
        ("zip3,latitude,longitude\n100,140.7,-74.0", "line 2"),
        ("zip3,latitude,longitude\n10,40.7,-74.0", "line 2"),
        ("zip3,latitude,longitude\n100,40.7,-74.0\n100,40.8,-74.0", "line 3"),
        ("fsa,latitude,longitude\nM5V,43.6,-79.4\nD5V,43.6,-79.4", "line 3"),
        ("area,latitude,longitude\nDE:10,52.5,13.4\nde:10,52.5,13.4", "line 3"),
        ("area,latitude,longitude\nGermany,52.5,13.4", "line 2"),
    ],
)
def test_a_broken_table_is_refused_with_its_line(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_centroids(text)
