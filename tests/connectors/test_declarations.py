"""What our connectors declare of their sources, before anybody has asked them anything."""

from pathlib import Path
from typing import Any

import pytest

from connectors.contract import Capability, Secret, StockDrop, capabilities_of
from connectors.described import Place
from connectors.flat_file.settings import Columns
from connectors.http.tables import Auth
from connectors.registry import Tools, installed, spec_of
from tests.samples import HandClock

CLOCK = HandClock()
TOOLS = Tools(now=CLOCK.now, monotonic=CLOCK.monotonic)
NEEDED: dict[str, dict[str, Any]] = {
    "amazon_mcf": {"client_id": "c", "client_secret": Secret("s"), "refresh_token": Secret("r"), "marketplace_id": "m"},
    "flat_file": {"folder": "/srv/mill", "places": (Place(id="1"),), "columns": Columns(available="units")},
    "http": {"url": "http://127.0.0.1:1", "preset": "erpnext", "auth": Auth(value=Secret("key:secret"))},
    "medusa": {"url": "http://127.0.0.1:1", "api_key": Secret("k")},
    "odoo": {"url": "http://127.0.0.1:1", "database": "d", "login": "l", "api_key": Secret("k")},
    "shipbob": {"token": Secret("t"), "channel_id": "1", "shipping_method": "Standard"},
    "shopify": {"url": "http://127.0.0.1:1", "access_token": Secret("t")},
    "sql": {
        "url": Secret("sqlite:////nowhere"),
        "stock": "SELECT sku, available FROM stock WHERE sku IN :skus",
        "places": (Place(id="1"),),
    },
    "square": {"access_token": Secret("t")},
}
DECLARED = {
    "amazon_mcf": (StockDrop.ON_ACCEPT, 600.0),  # documents no bound: a margin
    "flat_file": (StockDrop.ON_SHIP, 7_215.0),  # as long as a file may be old, and we do not look for a newer one
    "http": (StockDrop.ON_SHIP, 60.0),  # nobody knows: the careful answer
    "medusa": (StockDrop.ON_ACCEPT, 0.0),  # one transaction
    "odoo": (StockDrop.ON_ACCEPT, 0.0),  # one transaction
    "shipbob": (StockDrop.ON_ACCEPT, 60.0),  # documents no bound, and processes orders by and by: a larger one
    "shopify": (StockDrop.ON_ACCEPT, 10.0),  # documents no bound: a margin
    "sql": (StockDrop.ON_SHIP, 0.0),  # nobody knows: the careful answer; and a read is of the database itself
    "square": (StockDrop.ON_SHIP, 10.0),  # documents no bound: a margin
}
READS = {Capability.READ_STOCK}
WORKS = {Capability.FULFILL, Capability.FIND_BY_KEY, Capability.CANCEL}
ABLE = {
    "amazon_mcf": READS | WORKS | {Capability.LIST_SKUS, Capability.FEED, Capability.QUOTE},
    "flat_file": READS | {Capability.LIST_SKUS, Capability.FEED},  # orders need folders of their own
    "http": READS | {Capability.LIST_SKUS},  # as far as it is configured, or the preset knows how
    "medusa": READS | {Capability.LIST_SKUS, Capability.FEED, Capability.HOLD},
    "odoo": READS | WORKS | {Capability.LIST_SKUS, Capability.FEED, Capability.WEBHOOKS},
    "shipbob": READS | WORKS | {Capability.LIST_SKUS, Capability.QUOTE, Capability.WEBHOOKS},  # nothing tells all that has moved
    "shopify": READS | WORKS | {Capability.LIST_SKUS, Capability.FEED, Capability.WEBHOOKS},
    "sql": READS,  # what else depends on the statements
    "square": READS | WORKS | {Capability.LIST_SKUS, Capability.FEED, Capability.WEBHOOKS},
}
OURS = [name for name, point in sorted(installed().items()) if point.value.startswith("connectors.")]


@pytest.mark.parametrize("connector", OURS)
def test_every_connector_says_when_its_number_drops_and_how_late_it_shows_it(connector: str) -> None:
    spec = spec_of(connector)
    info = spec.open(spec.settings(**NEEDED[connector]), TOOLS).info
    assert (info.stock_drop, info.visibility_delay_s) == DECLARED[connector]
    assert info.connector == connector
    assert info.kind is spec.kind
    assert info.batch_skus_max >= 1
    assert info.fresh_for_s > 0


@pytest.mark.parametrize("connector", OURS)
def test_every_connector_can_do_what_its_source_can_and_says_how_often_it_may_be_asked(connector: str) -> None:
    spec = spec_of(connector)
    settings = spec.settings(**NEEDED[connector])
    made = spec.open(settings, TOOLS)
    assert capabilities_of(made) == ABLE[connector]
    assert made.info.concurrency_max == settings.concurrency_max
    assert made.info.rate_per_s == getattr(settings, "rate_per_s", None)


def test_every_connector_is_registered_and_tested_for_the_contract() -> None:
    tests = Path(__file__).parent / "conformance"
    assert {path.stem.removeprefix("test_") for path in tests.glob("test_*.py")} >= set(OURS) == set(NEEDED)
