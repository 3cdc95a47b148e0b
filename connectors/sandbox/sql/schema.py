"""The ERP's tables, in words that SQLite and PostgreSQL share, and what a merchant would ask of them."""

from collections.abc import Iterator
from typing import Final

from connectors.sandbox.network import Network

TABLES: Final = (
    "CREATE TABLE item (item_id INTEGER PRIMARY KEY, item_no VARCHAR(40) NOT NULL UNIQUE, description VARCHAR(200) NOT NULL)",
    """CREATE TABLE site (site_code VARCHAR(20) PRIMARY KEY, site_name VARCHAR(100) NOT NULL, street VARCHAR(100),
       town VARCHAR(100), state VARCHAR(10), zip VARCHAR(10), country VARCHAR(2), tz VARCHAR(40),
       lat NUMERIC(9, 4), lon NUMERIC(9, 4))""",
    """CREATE TABLE stock_line (item_id INTEGER NOT NULL REFERENCES item, site_code VARCHAR(20) NOT NULL REFERENCES site,
       lot VARCHAR(20) NOT NULL, qty_on_hand NUMERIC(12, 3) NOT NULL, qty_allocated NUMERIC(12, 3) NOT NULL DEFAULT 0,
       qty_on_order NUMERIC(12, 3), changed_at VARCHAR(32) NOT NULL, PRIMARY KEY (item_id, site_code, lot))""",
)

STOCK: Final = """
SELECT item.item_no AS sku, line.site_code AS location, min(item.description) AS name,
       sum(line.qty_on_hand) AS on_hand, sum(line.qty_allocated) AS committed, sum(line.qty_on_order) AS incoming,
       max(line.changed_at) AS as_of
FROM stock_line AS line JOIN item ON item.item_id = line.item_id
WHERE item.item_no IN :skus
GROUP BY item.item_no, line.site_code
"""
PLACES: Final = """
SELECT site_code AS id, site_name AS name, street, town AS city, state AS region, zip AS postal_code, country AS country_code,
       tz AS time_zone, lat AS latitude, lon AS longitude
FROM site ORDER BY site_code
"""
SKUS: Final = """
SELECT DISTINCT item.item_no AS sku FROM stock_line AS line JOIN item ON item.item_id = line.item_id
WHERE item.item_no > :after ORDER BY sku LIMIT :limit
"""
CHANGES: Final = """
SELECT DISTINCT item.item_no AS sku FROM stock_line AS line JOIN item ON item.item_id = line.item_id
WHERE line.changed_at >= :since
"""


def rows_of(network: Network, *, changed_at: str) -> Iterator[tuple[str, tuple[object, ...]]]:
    """What stands in the tables to begin with: rows by table, in an order that the references allow."""
    ids = {product.sku: number for number, product in enumerate(network.products, start=1)}
    for product in network.products:
        yield "item", (ids[product.sku], product.sku, product.name)
    for place in network.places_of("sql"):
        at = place.address
        where = (at.lines[0], at.city, at.region, at.postal_code, at.country_code, place.time_zone, at.latitude, at.longitude)
        yield "site", (site_of(place.key), place.name, *where)
        for sku, units in network.carried_at(place.key).items():
            yield "stock_line", (ids[sku], site_of(place.key), "A", units, 0, None, changed_at)


def site_of(place_key: str) -> str:
    """What the ERP calls a place."""
    return place_key.upper()
