from importlib.resources import files
from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import Address
from gateway.domain.geography import Centroids, GeoPoint, miles_between, parse_centroids, zone_of

NEW_YORK = GeoPoint(latitude=40.7128, longitude=-74.0060)
LOS_ANGELES = GeoPoint(latitude=34.0522, longitude=-118.2437)
POINTS = st.builds(GeoPoint, latitude=st.floats(-90, 90), longitude=st.floats(-180, 180))


@pytest.fixture(scope="module")
def centroids() -> Centroids:
    return parse_centroids(files("gateway.domain").joinpath("us_zip3.csv").read_text(encoding="utf-8"))


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
    ("miles", "zone"),
    [(0, 1), (50, 1), (50.1, 2), (150, 2), (300, 3), (600, 4), (1000, 5), (1400, 6), (1800, 7), (1800.1, 8), (12_000, 8)],
)
def test_a_band_ends_with_its_last_mile(miles: float, zone: int) -> None:
    assert zone_of(miles) == zone


def test_an_unknown_distance_is_the_farthest() -> None:
    assert zone_of(None) == 8


@pytest.mark.parametrize(
    ("zip_code", "near"),
    [
        ("10001", NEW_YORK),
        ("90012-1234", LOS_ANGELES),
        (" 900121234 ", LOS_ANGELES),
        ("00901", GeoPoint(latitude=18.46, longitude=-66.10)),
        ("96813", GeoPoint(latitude=21.31, longitude=-157.86)),
        ("99501", GeoPoint(latitude=61.22, longitude=-149.89)),
    ],
)
def test_a_zip_code_is_found_within_two_zones_of_accuracy(centroids: Centroids, zip_code: str, near: GeoPoint) -> None:
    found = centroids.locate(address(zip_code))
    assert found is not None
    assert miles_between(found, near) < 150


def test_the_packaged_table_covers_the_country_and_no_open_sea(centroids: Centroids) -> None:
    assert len(centroids.points) > 890
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
    [("10001", "DE"), ("", "US"), ("2139", "US"), ("ABCDE", "US"), ("09012", "US"), ("1000\u0661", "US"), ("K1A 0B1", "CA")],
)
def test_what_cannot_be_placed_is_nowhere(centroids: Centroids, postal_code: str, country_code: str) -> None:
    assert centroids.locate(address(postal_code, country_code)) is None


def test_a_territory_with_its_own_country_code_still_has_zip_codes(centroids: Centroids) -> None:
    assert centroids.locate(address("00901", "pr")) == centroids.locate(address("00901", "US")) is not None


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
    ],
)
def test_a_broken_table_is_refused_with_its_line(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_centroids(text)
