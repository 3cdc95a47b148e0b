"""The seeded world that all sandboxes share: products, places in the United States, and what stands where.

Twelve places belong to three systems; more systems bring places of their own and change nothing at the others. Pure and
deterministic: the same seed gives the same network, and a smaller one is the beginning of a larger one. The first twelve SKUs are
shaped by hand (``_STORIES``) so that a demo or a test can tell a story without searching for it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import time
from random import Random
from typing import Final, Literal

from connectors.contract import Address, OpeningHours, Sku

System = Literal["odoo", "square", "shipbob", "shopify", "amazon_mcf", "medusa", "http", "flat_file", "sql"]
THREE: Final[tuple[System, ...]] = ("odoo", "square", "shipbob")
ALL: Final[tuple[System, ...]] = (*THREE, "shopify", "amazon_mcf", "medusa", "http", "flat_file", "sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """Something that can be bought."""

    sku: Sku
    name: str
    weight_grams: int
    price_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where stock stands, and which system counts it. ``hours`` are local time; ``time_zone`` is an IANA name."""

    key: str
    system: System
    name: str
    address: Address
    time_zone: str
    hours: tuple[OpeningHours, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Everything there is. ``stock`` holds units on hand by (place key, SKU); an absent pair is not carried there."""

    products: tuple[Product, ...]
    places: tuple[Place, ...]
    stock: Mapping[tuple[str, Sku], int]

    def places_of(self, system: str) -> tuple[Place, ...]:
        """The places that one system counts, in their fixed order."""
        return tuple(place for place in self.places if place.system == system)

    def carried_at(self, place_key: str) -> Mapping[Sku, int]:
        """Units on hand of each SKU the place carries, zero included."""
        return {sku: units for (key, sku), units in self.stock.items() if key == place_key}


def seeded(*, seed: int = 7, products: int = 500, systems: Collection[System] = THREE) -> Network:
    """The network of that seed. Each SKU past the stories is carried at every second place on average."""
    skus = [Sku(f"SKU-{number:04d}") for number in range(1, products + 1)]
    stock: dict[tuple[str, Sku], int] = {}
    for sku in skus:
        units_at = _STORIES[sku] if sku in _STORIES else _uneven(Random(f"{seed}/stock/{sku}"))
        stock.update({(key, sku): units for key, units in units_at.items()})
    further = tuple(place for place in FURTHER_PLACES if place.system in systems)
    for place in further:
        stock.update(_carried(place, skus, Random(f"{seed}/stock/{place.key}")))
    return Network(
        products=tuple(_product(number, sku, Random(f"{seed}/product/{sku}")) for number, sku in enumerate(skus)),
        places=(*(place for place in PLACES if place.system in systems), *further),
        stock=stock,
    )


# ---------------------------------------------------------------------------------------------- products
_MAKES: Final = (
    "Alder", "Birch", "Cascade", "Delta", "Ember", "Fjord", "Granite", "Harbor", "Indigo", "Juniper",
    "Kestrel", "Lumen", "Mesa", "Northwind", "Orchard", "Prairie", "Quarry", "Ridge", "Summit", "Timber",
)  # fmt: skip

_ARTICLES: Final = (  # name, grams, cents
    ("Merino Socks", 90, 1_800), ("Trail Cap", 110, 2_400), ("Rain Jacket", 480, 12_900), ("Fleece Vest", 390, 7_900),
    ("Canvas Tote", 260, 2_200), ("Day Pack 20 L", 820, 8_900), ("Steel Bottle 750 ml", 340, 2_900), ("Enamel Mug", 210, 1_600),
    ("Cast Iron Pan", 2_400, 4_900), ("Chef Knife", 290, 9_900), ("Cutting Board", 1_150, 3_900), ("Linen Apron", 310, 4_200),
    ("Wool Blanket", 1_600, 9_800), ("Camp Chair", 3_100, 6_900), ("Headlamp", 95, 3_400), ("Dry Bag 10 L", 180, 2_100),
    ("Yoga Mat", 1_900, 5_400), ("Foam Roller", 720, 2_700), ("Desk Lamp", 1_300, 5_900), ("Notebook A5", 240, 1_400),
    ("Pour-Over Kettle", 980, 7_400), ("Coffee Beans 1 kg", 1_020, 2_600), ("Bicycle Light", 130, 3_900),
    ("Repair Kit", 350, 3_100), ("First Aid Kit", 430, 2_800),
)  # fmt: skip


def _product(number: int, sku: Sku, random: Random) -> Product:
    edition, rest = divmod(number, len(_MAKES) * len(_ARTICLES))
    article, weight_grams, price_cents = _ARTICLES[rest % len(_ARTICLES)]
    name = f"{_MAKES[rest // len(_ARTICLES)]} {article}"
    return Product(
        sku=sku,
        name=f"{name}, edition {edition + 1}" if edition else name,
        weight_grams=round(weight_grams * random.uniform(0.8, 1.25)),
        price_cents=round(price_cents * random.uniform(0.8, 1.4)),
    )


# ---------------------------------------------------------------------------------------------- places
def _open(weekdays: range, opens: int, closes: int) -> tuple[OpeningHours, ...]:
    return tuple(OpeningHours(weekday=day, opens_at=time(opens), closes_at=time(closes)) for day in weekdays)


_WAREHOUSE_HOURS: Final = _open(range(5), 7, 19)
_CENTER_HOURS: Final = _open(range(6), 6, 20)
_STORE_HOURS: Final = (*_open(range(6), 10, 20), *_open(range(6, 7), 11, 18))


_EAST: Final = "America/New_York"
_CENTRAL: Final = "America/Chicago"
_MOUNTAIN: Final = "America/Denver"
_PACIFIC: Final = "America/Los_Angeles"

_Row = tuple[str, str, str, str, float, float]  # key, name, time zone, address, latitude, longitude


def _places(system: System, hours: tuple[OpeningHours, ...], rows: tuple[_Row, ...]) -> tuple[Place, ...]:
    return tuple(
        Place(key=key, system=system, name=name, address=_address(name, text, at), time_zone=time_zone, hours=hours)
        for key, name, time_zone, text, *at in rows
    )


def _address(name: str, text: str, at: list[float]) -> Address:
    street, city, region_and_code = text.split(", ")
    region, postal_code = region_and_code.split()
    latitude, longitude = at
    return Address(
        lines=(street,),
        city=city,
        region=region,
        postal_code=postal_code,
        country_code="US",
        name=name,
        phone="+12025550100",
        latitude=latitude,
        longitude=longitude,
    )


PLACES: Final[tuple[Place, ...]] = (
    *_places("odoo", _WAREHOUSE_HOURS, (
        ("wh-newark", "Newark Warehouse", _EAST, "400 Delancy St, Newark, NJ 07105", 40.7164, -74.1346),
        ("wh-atlanta", "Atlanta Warehouse", _EAST, "1550 Fulton Industrial Blvd, Atlanta, GA 30336", 33.7529, -84.5375),
        ("wh-dallas", "Dallas Warehouse", _CENTRAL, "4400 Mountain Creek Pkwy, Dallas, TX 75236", 32.6912, -96.9403),
        ("wh-reno", "Reno Warehouse", _PACIFIC, "8525 N Virginia St, Reno, NV 89506", 39.6125, -119.8570),
    )),
    *_places("square", _STORE_HOURS, (
        ("store-brooklyn", "Brooklyn Store", _EAST, "120 Bedford Ave, Brooklyn, NY 11249", 40.7191, -73.9563),
        ("store-chicago", "Chicago Store", _CENTRAL, "1600 N Milwaukee Ave, Chicago, IL 60647", 41.9107, -87.6771),
        ("store-denver", "Denver Store", _MOUNTAIN, "1600 16th St, Denver, CO 80202", 39.7517, -105.0008),
        ("store-seattle", "Seattle Store", _PACIFIC, "500 Pine St, Seattle, WA 98101", 47.6120, -122.3357),
        ("store-santa-monica", "Santa Monica Store", _PACIFIC, "1300 3rd St, Santa Monica, CA 90401", 34.0167, -118.4977),
    )),
    *_places("shipbob", _CENTER_HOURS, (
        ("3pl-cicero", "Cicero (IL)", _CENTRAL, "5900 W Ogden Ave, Cicero, IL 60804", 41.8397, -87.7735),
        ("3pl-bethlehem", "Bethlehem (PA)", _EAST, "3419 Highland Ave, Bethlehem, PA 18020", 40.6620, -75.3340),
        ("3pl-ontario-ca", "Ontario 6 (CA)", _PACIFIC, "5650 E Santa Ana St, Ontario, CA 91761", 34.0538, -117.5370),
    )),
)  # fmt: skip


FURTHER_PLACES: Final[tuple[Place, ...]] = (
    *_places("shopify", _STORE_HOURS, (
        ("shop-austin", "Austin Shop", _CENTRAL, "1011 S Congress Ave, Austin, TX 78704", 30.2510, -97.7493),
        ("shop-portland", "Portland Shop", _PACIFIC, "1005 W Burnside St, Portland, OR 97209", 45.5231, -122.6815),
        ("shop-miami", "Miami Shop", _EAST, "1111 Lincoln Rd, Miami, FL 33139", 25.7907, -80.1400),
    )),
    *_places("amazon_mcf", _CENTER_HOURS, (
        ("fba-us", "Amazon (US)", _PACIFIC, "410 Terry Ave N, Seattle, WA 98109", 47.6222, -122.3365),
    )),
    *_places("medusa", _WAREHOUSE_HOURS, (
        ("depot-nashville", "Nashville Depot", _CENTRAL, "3300 Briley Park Blvd, Nashville, TN 37207", 36.2390, -86.7320),
        ("depot-phoenix", "Phoenix Depot", "America/Phoenix", "2626 S 7th St, Phoenix, AZ 85034", 33.4206, -112.0648),
    )),
    *_places("http", _WAREHOUSE_HOURS, (
        ("wms-columbus", "Columbus WMS", _EAST, "3800 Groveport Rd, Columbus, OH 43207", 39.8900, -82.9550),
    )),
    *_places("flat_file", _WAREHOUSE_HOURS, (
        ("mill-charlotte", "Charlotte Mill", _EAST, "2300 Distribution St, Charlotte, NC 28203", 35.2060, -80.8660),
        ("mill-stlouis", "St. Louis Mill", _CENTRAL, "4200 Forest Park Ave, St. Louis, MO 63108", 38.6370, -90.2490),
    )),
    *_places("sql", _WAREHOUSE_HOURS, (
        ("erp-kansascity", "Kansas City ERP", _CENTRAL, "2450 Burlington St, Kansas City, MO 64116", 39.1330, -94.5740),
        ("erp-saltlake", "Salt Lake ERP", _MOUNTAIN, "1800 S 4800 W, Salt Lake City, UT 84104", 40.7310, -111.9990),
    )),
)  # fmt: skip


# ---------------------------------------------------------------------------------------------- stock
_UNITS_MAX: Final[Mapping[System, int]] = {
    "odoo": 400, "square": 8, "shipbob": 90,
    "shopify": 12, "amazon_mcf": 200, "medusa": 60, "http": 150, "flat_file": 80, "sql": 120,
}  # fmt: skip
_EMPTY_SHELF_SHARE: Final = 0.08


def _uneven(random: Random) -> dict[str, int]:
    popularity = random.choice((0.25, 0.5, 1.0, 1.0, 2.0))
    carriers = random.sample(PLACES, random.randint(2, 10))
    units_at = {}
    for place in carriers:
        units_max = _UNITS_MAX[place.system] if place.system == "square" else round(_UNITS_MAX[place.system] * popularity)
        units_at[place.key] = 0 if random.random() < _EMPTY_SHELF_SHARE else random.randint(0 if units_max < 10 else 5, units_max)
    return units_at


def _carried(place: Place, skus: list[Sku], random: Random) -> dict[tuple[str, Sku], int]:
    """What a further place has: every second SKU, some of them sold out. As many throws for each, so that more SKUs change none."""
    throws = ((sku, random.random(), random.random(), random.random()) for sku in skus)
    units_max = _UNITS_MAX[place.system]
    return {
        (place.key, sku): 0 if empty < _EMPTY_SHELF_SHARE else round(full * units_max)
        for sku, carried, empty, full in throws
        if carried < 0.5
    }


def _everywhere(**units: int) -> dict[str, int]:
    return {place.key: units[place.system] for place in PLACES if place.system in units}


_BENCHMARK: Final = {"wh-atlanta": 100_000, "wh-dallas": 100_000, "3pl-cicero": 100_000}

_STORIES: Final[Mapping[Sku, Mapping[str, int]]] = {
    Sku("SKU-0001"): _everywhere(odoo=900, square=60, shipbob=300),  # plenty
    # An order of SKU-0002 and SKU-0003 has to be split over two places.
    Sku("SKU-0002"): {"wh-reno": 120, "3pl-bethlehem": 40},
    Sku("SKU-0003"): {"wh-newark": 80, "store-brooklyn": 3},
    Sku("SKU-0004"): _everywhere(square=1),  # the last one in each store
    # For a customer in Chicago the store is nearer; when it says no, Dallas takes over.
    Sku("SKU-0005"): {"store-chicago": 6, "wh-dallas": 50},
    Sku("SKU-0006"): {"wh-atlanta": 1_000},  # everybody wants it at once
    Sku("SKU-0007"): {"wh-newark": 0, "wh-reno": 0, "store-denver": 0, "store-seattle": 0, "3pl-cicero": 0},  # sold out
    Sku("SKU-0008"): _everywhere(shipbob=75),
    Sku("SKU-0009"): _everywhere(square=7),
    Sku("SKU-0010"): {"wh-dallas": 5_000},
    Sku("SKU-0011"): _BENCHMARK,
    Sku("SKU-0012"): _BENCHMARK,
}
