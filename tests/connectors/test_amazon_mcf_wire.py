"""The traps of Amazon's wire, one by one: what it may answer, and what must come of it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.amazon_mcf import AmazonMcfSettings
from connectors.amazon_mcf.cursors import Mark, read, written
from connectors.amazon_mcf.stock import parse_summaries
from connectors.amazon_mcf.summaries import Place
from connectors.amazon_mcf.wire import SummariesReply, classify, instant
from connectors.client import Inconclusive, Reply
from connectors.contract import (
    Address,
    AuthFailed,
    ContractBroken,
    Cursor,
    NotFound,
    Rejected,
    RemoteLevel,
    RemoteLocationId,
    Secret,
    Sku,
    SourceError,
    StockBatch,
    Throttled,
    Transient,
)

US = RemoteLocationId("ATVPDKIKX0DER")
AT = datetime(2026, 11, 22, 13, 19, 10, tzinfo=UTC)
SETTINGS = AmazonMcfSettings(
    client_id="id", client_secret=Secret("secret"), refresh_token=Secret("token"), marketplace_id=US, origin_country="US"
)
RECIPIENT = Address(lines=("1 Main St", "Apt 2", "Door B", "Bell 3"), city="Troy", postal_code="48084", country_code="US")


def reply(body: object, status: int = 200, **headers: str) -> Reply:
    return Reply(
        status=status, headers={name.replace("_", "-"): value for name, value in headers.items()}, body=json.dumps(body).encode()
    )


# ---------------------------------------------------------------------------------------------- stock
def summary(sku: str = "A", quantity: object = 5, **more: object) -> dict[str, Any]:
    details = {"fulfillableQuantity": quantity, "reservedQuantity": {"pendingCustomerOrderQuantity": 2, "totalReservedQuantity": 9}}
    row = {"sellerSku": sku, "fnSku": "X1", "asin": "B1", "inventoryDetails": details, "totalQuantity": 999}
    return {**row, "lastUpdatedTime": "2026-11-22T13:19:10Z", **more}


def batch_of(*rows: dict[str, Any], asked: tuple[str, ...] = ("A",)) -> StockBatch:
    answer = {"payload": {"granularity": {"granularityId": US}, "inventorySummaries": rows}}
    found = reply(answer).read(SummariesReply).payload.inventory_summaries
    return parse_summaries(found, asked=[Sku(sku) for sku in asked], location=US)


def level_of(*rows: dict[str, Any]) -> RemoteLevel:
    (level,) = batch_of(*rows).levels
    return level


def test_what_can_be_shipped_is_not_the_total() -> None:
    inbound = {"inboundWorkingQuantity": 1, "inboundShippedQuantity": 20, "inboundReceivingQuantity": 300}
    row = summary()
    row["inventoryDetails"] |= inbound
    level = level_of(row)
    assert (level.on_hand, level.available, level.committed, level.incoming) == (None, 5, 2, 321)
    assert level.as_of == AT


def test_quantities_that_are_left_out_are_unknown_and_not_zero() -> None:
    level = level_of(summary(inventoryDetails={"fulfillableQuantity": 0}))
    assert (level.available, level.committed, level.incoming) == (0, None, None)


@pytest.mark.parametrize(("quantity", "whole"), [(79, 79), (0, 0), (-3, -3), (2.9, 2), (-0.5, -1), ("7", 7)])
def test_a_quantity_is_floored_to_whole_units(quantity: object, whole: int) -> None:
    assert level_of(summary(quantity=quantity)).available == whole


@pytest.mark.parametrize("quantity", [None, "many", "NaN", "Infinity", 1e300, True, {}, ""])
def test_a_quantity_that_is_no_number_of_things_breaks_the_contract(quantity: object) -> None:
    with pytest.raises(ContractBroken):
        batch_of(summary(quantity=quantity))


@pytest.mark.parametrize("missing", ["sellerSku", "inventoryDetails", "fulfillableQuantity"])
def test_a_field_that_is_missing_or_renamed_breaks_the_contract(missing: str) -> None:
    row = summary()
    holder = row["inventoryDetails"] if missing == "fulfillableQuantity" else row
    holder[f"{missing}V2"] = holder.pop(missing)
    with pytest.raises(ContractBroken):
        batch_of(row)


@pytest.mark.parametrize("body", [{}, None, [], {"payload": None}, {"payload": {"granularity": {}}}])
def test_an_answer_without_summaries_is_not_an_empty_list_of_them(body: object) -> None:
    with pytest.raises(ContractBroken):
        reply(body).read(SummariesReply)


def test_rows_of_one_sku_add_up_and_rows_of_others_are_dropped() -> None:
    rows = [summary(quantity=5), summary("a", 100), summary(quantity=7, fnSku="X2", lastUpdatedTime="2026-11-01T00:00:00Z")]
    batch = batch_of(*rows, asked=("A", "B"))
    (level,) = batch.levels
    assert (level.available, level.as_of) == (12, datetime(2026, 11, 1, tzinfo=UTC))
    assert batch.unknown == {"B"}


@pytest.mark.parametrize(
    ("text", "meant"), [("2026-11-22T13:19:10", AT), ("2026-11-22T15:19:10+02:00", AT), ("", None), (None, None)]
)
def test_an_instant_without_an_offset_is_utc_and_an_empty_one_is_none(text: str | None, meant: datetime | None) -> None:
    assert instant(text) == meant
    assert level_of(summary(lastUpdatedTime=text)).as_of == meant


def test_an_instant_that_is_none_breaks_the_contract() -> None:
    with pytest.raises(ContractBroken):
        instant("yesterday")


# ---------------------------------------------------------------------------------------------- cursors
@given(pages=st.integers(0, 9_999), token=st.text(), sku=st.text(), empty=st.integers(0, 3))
def test_a_cursor_comes_back_as_it_was(pages: int, token: str, sku: str, empty: int) -> None:
    place = Place(pages=pages, token=token, last=(sku, None, "B1"), empty=empty)
    assert read(written(place), Place) == place
    mark = Mark(since=AT, until=AT, at=place)
    assert read(written(mark), Mark) == mark


@pytest.mark.parametrize("cursor", ["", "-1", "é" * 50, "{}", '["0001-01-01T00:00:00Z",null,null]', '["2026-11-22T13:19:10"]'])
def test_a_cursor_from_elsewhere_is_refused(cursor: str) -> None:
    with pytest.raises(Rejected):
        read(Cursor(cursor), Mark)


# ---------------------------------------------------------------------------------------------- errors
def problem(code: str, message: str = "it says") -> dict[str, Any]:
    return {"errors": [{"code": code, "message": message, "details": ""}]}


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (reply(problem("InvalidInput"), 400), Rejected),
        (reply(problem("NotFound"), 400), NotFound),
        (reply(problem("whatever"), 404), NotFound),
        (reply(problem("Unauthorized"), 403), AuthFailed),
        (reply(problem("whatever"), 401), AuthFailed),
        (reply(problem("QuotaExceeded"), 429), Throttled),
        (reply(problem("InternalFailure"), 500), Transient),
        (reply(problem("ServiceUnavailable"), 503), Transient),
        (reply(problem("InvalidInput"), 200), Rejected),
        (reply(problem("Unauthorized"), 200), AuthFailed),
        (reply(problem("QuotaExceeded"), 200), Throttled),
        (reply(problem("InternalFailure"), 200), Inconclusive),
        (reply({"message": "no errors"}, 400), Rejected),
    ],
)
def test_errors_are_told_apart_by_status_and_code(answer: Reply, error: type[SourceError]) -> None:
    assert type(classify(answer)) in {error, *error.__subclasses__()}


@pytest.mark.parametrize("body", [{"payload": {}}, {"payload": {}, "errors": None}, {"payload": {}, "errors": []}])
def test_an_answer_without_errors_is_a_good_one(body: object) -> None:
    assert classify(reply(body)) is None


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"x_amzn_ratelimit_limit": "2.0"}, 0.5),
        ({"x_amzn_ratelimit_limit": "0.0167"}, pytest.approx(59.9, abs=0.1)),
        ({"x_amzn_ratelimit_limit": "2.0", "retry_after": "7"}, 7),
        ({"x_amzn_ratelimit_limit": "0"}, None),
        ({"x_amzn_ratelimit_limit": "nan"}, None),
        ({"x_amzn_ratelimit_limit": "some"}, None),
        ({}, None),
    ],
)
def test_a_rate_is_as_good_as_a_time_to_wait(headers: dict[str, str], wait_s: float | None) -> None:
    error = classify(reply(problem("QuotaExceeded"), 429, **headers))
    assert isinstance(error, Throttled)
    assert error.retry_after_s == wait_s
