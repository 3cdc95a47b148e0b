"""How Odoo writes quantities, times and addresses, and what they add up to."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import Address, ContractBroken, RemoteLocationId, Sku
from connectors.odoo.catalog import Item, ProductRow, parse_items
from connectors.odoo.places import PartnerRow, WarehouseRow, parse_warehouses
from connectors.odoo.stock import Quant, parse_levels
from connectors.odoo.values import time_of, units_of

A, B = Sku("A"), Sku("B")


@pytest.mark.parametrize(
    ("quantities", "units"),
    [([4.9999999999], 5), ([0.1] * 10, 1), ([4.9], 4), ([-1.5], -2), ([0.3, 0.3, 0.3], 0), ([], 0), ([-0.0], 0)],
)
def test_quantities_are_floored_but_not_by_the_noise_of_floats(quantities: list[float], units: int) -> None:
    assert units_of(quantities) == units


def quant(product_id: int, warehouse_id: int, units: float) -> Quant:
    row = {"product_id": [product_id, "P"], "warehouse_id": [warehouse_id, "W"], "quantity": units}
    return msgspec.convert({**row, "reserved_quantity": 0.0, "available_quantity": units}, Quant)


@given(st.lists(st.tuples(st.sampled_from([11, 12, 99]), st.sampled_from([1, 2]), st.integers(-50, 1_000))))
def test_no_unit_of_a_product_asked_for_is_lost_or_invented(rows: list[tuple[int, int, int]]) -> None:
    quants = [quant(product, place, float(units)) for product, place, units in rows]
    levels = parse_levels(quants, skus={11: A, 12: B}, warehouses=[RemoteLocationId("1")])
    asked = sum(units for product, _, units in rows if product != 99)
    assert sum(level.available or 0 for level in levels) == asked
    assert {(A, "1"), (B, "1")} <= {(level.sku, level.location) for level in levels}


@given(st.datetimes())
def test_naive_times_are_universal_time(naive: datetime) -> None:
    instant = time_of(naive.isoformat(sep=" ", timespec="seconds"))
    assert instant is not None
    assert instant.utcoffset() == timedelta()
    assert instant.replace(tzinfo=None) == naive.replace(microsecond=0)


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01 00:00:00", "22/11/2026"])
def test_what_is_no_time_breaks_the_contract(text: str) -> None:
    with pytest.raises(ContractBroken):
        time_of(text)


def test_an_offset_is_believed_and_nothing_is_nothing() -> None:
    assert time_of("2026-11-22T14:00:00+01:00") == datetime(2026, 11, 22, 13, tzinfo=UTC)
    assert time_of(False) is None


@pytest.mark.parametrize("quantities", [[1e12], [-1e15], [1.7e308, 1.7e308]])
def test_no_stock_is_that_large(quantities: list[float]) -> None:
    with pytest.raises(ContractBroken):
        units_of(quantities)


def test_a_partner_at_latitude_zero_was_never_located() -> None:
    row = WarehouseRow(id=1, name="W", active=True, partner_id=(9, "P"), lot_stock_id=(8, "S"), out_type_id=(2, "O"))
    (warehouse,) = parse_warehouses([row], [PartnerRow(id=9, street="1 Main St", country_code="US")], [])
    assert warehouse.location.address == Address(lines=("1 Main St",), city="", postal_code="", country_code="US")


def test_two_products_with_one_reference_are_one_sku_and_added_up() -> None:
    rows = [ProductRow(id=11, default_code="A", name="Apple"), ProductRow(id=13, default_code="A"), ProductRow(id=14)]
    assert parse_items(rows) == {A: Item(product_ids=(11, 13), name="Apple")}
    (level,) = parse_levels([quant(11, 1, 5.0), quant(13, 1, 7.0)], skus={11: A, 13: A}, warehouses=[])
    assert (level.available, level.on_hand) == (12, 12)
