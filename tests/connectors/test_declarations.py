"""What our connectors declare of their sources, before anybody has asked them anything."""

from typing import Any

import pytest

from connectors.contract import Secret, StockDrop
from connectors.registry import Tools, installed, spec_of
from tests.samples import HandClock

CLOCK = HandClock()
TOOLS = Tools(now=CLOCK.now, monotonic=CLOCK.monotonic)
NEEDED: dict[str, dict[str, Any]] = {
    "odoo": {"url": "http://127.0.0.1:1", "database": "d", "login": "l", "api_key": Secret("k")},
    "square": {"access_token": Secret("t")},
    "shipbob": {"token": Secret("t"), "channel_id": "1", "shipping_method": "Standard"},
}
DECLARED = {
    "odoo": (StockDrop.ON_ACCEPT, 0.0),  # one transaction
    "square": (StockDrop.ON_SHIP, 10.0),  # documents no bound: a margin
    "shipbob": (StockDrop.ON_ACCEPT, 60.0),  # documents no bound, and processes orders by and by: a larger one
}


@pytest.mark.parametrize("connector", sorted(installed()))
def test_every_connector_says_when_its_number_drops_and_how_late_it_shows_it(connector: str) -> None:
    spec = spec_of(connector)
    info = spec.open(spec.settings(**NEEDED[connector]), TOOLS).info
    assert (info.stock_drop, info.visibility_delay_s) == DECLARED[connector]
    assert info.connector == connector
    assert info.kind is spec.kind
    assert info.batch_skus_max >= 1
    assert info.fresh_for_s > 0
