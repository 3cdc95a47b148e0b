"""The traps of Amazon's orders and previews on the wire, in both versions."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.amazon_mcf import AmazonMcfSettings, outbound_2020, outbound_2026
from connectors.amazon_mcf.orders import address_body, is_key
from connectors.amazon_mcf.quotes import NO_CURRENCY
from connectors.amazon_mcf.versions import VERSIONS
from connectors.client import Reply
from connectors.contract import (
    Address,
    ContractBroken,
    FulfillmentRequest,
    Method,
    Quote,
    QuoteRequest,
    RemoteFulfillment,
    RemoteLocationId,
    RemoteState,
    RequestKey,
    RequestLine,
    Secret,
    Sku,
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


# ---------------------------------------------------------------------------------------------- to Amazon
def request_of(order_number: str = "1001") -> FulfillmentRequest:
    return FulfillmentRequest(
        key=RequestKey("key-1"),
        location=US,
        lines=(RequestLine(sku=Sku("A"), units=2),),
        recipient=RECIPIENT,
        method=Method.SHIP,
        order_number=order_number,
    )


@pytest.mark.parametrize("version", ["2020-07-01", "2026-07-04"])
def test_an_order_is_filled_or_killed_and_says_where_it_ships_from(version: Any) -> None:
    body = json.dumps(VERSIONS[version].order_body(request_of(), settings=SETTINGS, at=AT))
    assert ('"FillOrKill"' in body) != ('"FILL_OR_KILL"' in body)
    assert '"US"' in body
    assert '"Door B, Bell 3"' in body


@pytest.mark.parametrize(
    ("number", "printed"),
    [("#1001  ☃", "#1001 ?"), ("9" * 60, "9" * 40), ("  ", "key-1"), ("a\tb\n", "a b"), ("x" * 39 + " y", "x" * 39)],
)
def test_an_order_number_is_put_as_it_may_be_printed(number: str, printed: str) -> None:
    assert outbound_2020.order_body(request_of(number), settings=SETTINGS, at=AT)["displayableOrderId"] == printed


def test_a_city_is_named_everywhere_but_in_japan() -> None:
    japan = Address(lines=("1-1",), city="Chiyoda", postal_code="100-0001", country_code="JP", name="Ada")
    assert "city" not in address_body(japan)
    assert (address_body(RECIPIENT)["city"], address_body(RECIPIENT)["name"]) == ("Troy", "Customer")


@pytest.mark.parametrize(
    ("key", "good"), [("a-b_c.1", True), ("a" * 40, True), ("a" * 41, False), ("", False), (".", False), ("a/b", False)]
)
def test_a_key_can_stand_in_a_path(key: str, good: bool) -> None:
    assert is_key(key) is good


# ---------------------------------------------------------------------------------------------- from Amazon: orders
def order_2020(status: str = "Complete", *shipments: dict[str, Any], missing: int = 0) -> RemoteFulfillment:
    item = {"sellerSku": "A", "sellerFulfillmentOrderItemId": "1", "quantity": 3, "cancelledQuantity": 0}
    payload = {
        "fulfillmentOrder": {"sellerFulfillmentOrderId": "key-1", "fulfillmentOrderStatus": status},
        "fulfillmentOrderItems": [{**item, "unfulfillableQuantity": missing}],
        "fulfillmentShipments": shipments,
    }
    return outbound_2020.parse_order(reply({"payload": payload}).read(outbound_2020.OrderReply))


def shipment_2020(status: str = "SHIPPED", items: Any = ((3, 1),), packages: tuple[int, ...] = (1,)) -> dict[str, Any]:
    packed = [{"sellerSku": "A", "quantity": units, "packageNumber": number} for units, number in items]
    parcels = [{"packageNumber": number, "carrierCode": "UPS", "trackingNumber": f"1Z{number}"} for number in packages]
    return {"fulfillmentShipmentStatus": status, "fulfillmentShipmentItem": packed, "fulfillmentShipmentPackage": parcels}


def order_2026(status: str | None, *shipments: dict[str, Any]) -> RemoteFulfillment:
    order: dict[str, Any] = {"orderId": "key-1", "status": status, "lineItems": [], "shipments": shipments}
    return outbound_2026.parse_order(reply({"order": order}).read(outbound_2026.OrderReply))


STATES = {
    "New": RemoteState.REQUESTED,
    "Received": RemoteState.ACCEPTED,
    "Planning": RemoteState.ACCEPTED,
    "Processing": RemoteState.ACCEPTED,
    "Complete": RemoteState.SHIPPED,
    "CompletePartialled": RemoteState.REJECTED,
    "COMPLETE_PARTIAL": RemoteState.REJECTED,
    "Unfulfillable": RemoteState.REJECTED,
    "Invalid": RemoteState.REJECTED,
    "Cancelled": RemoteState.CANCELED,
    "SomethingNew": RemoteState.REQUESTED,
}


@pytest.mark.parametrize("word", STATES)
def test_a_status_means_the_same_however_it_is_written(word: str) -> None:
    for status in (word, word.upper(), word.lower()):
        assert order_2020(status).state is STATES[word]
        assert order_2026(status).state is STATES[word]


def test_an_order_without_a_status_is_one_that_amazon_knows_of() -> None:
    assert order_2026(None).state is RemoteState.REQUESTED


def numbers(told: RemoteFulfillment) -> list[tuple[str | None, int]]:
    return [(package.tracking_number, sum(line.units for line in package.lines)) for package in told.packages]


@pytest.mark.parametrize(
    ("shipment", "told"),
    [
        (shipment_2020(), [("1Z1", 3)]),
        (shipment_2020("PENDING"), []),
        (shipment_2020("CANCELLED_BY_FULFILLER"), []),
        (shipment_2020("shipped"), [("1Z1", 3)]),
        (shipment_2020(items=((1, 1), (2, 2)), packages=(1, 2)), [("1Z1", 1), ("1Z2", 2)]),
        (shipment_2020(items=((3, 0),)), [("1Z1", 3)]),  # a number that no package has
        (shipment_2020(items=((3, None),)), [("1Z1", 3)]),
        (shipment_2020(packages=()), [(None, 3)]),
        (shipment_2020(items=((1, 1), (2, 9))), [("1Z1", 1), (None, 2)]),
        (shipment_2020(packages=(1, 2)), [("1Z1", 3)]),  # an empty one would stand for everything else
    ],
)
def test_what_has_left_is_told_once_in_whatever_parcel_is_known(shipment: dict[str, Any], told: list[Any]) -> None:
    assert numbers(order_2020("Processing", shipment)) == told


def test_several_shipments_are_several_parcels() -> None:
    one, two = shipment_2020(items=((1, 1),)), shipment_2020(items=((2, 1),))
    two["fulfillmentShipmentPackage"][0]["trackingNumber"] = None
    two["fulfillmentShipmentPackage"][0]["amazonFulfillmentTrackingNumber"] = "TBA2"
    assert numbers(order_2020("Complete", one, two)) == [("1Z1", 1), ("TBA2", 2)]


def test_what_is_missing_counts_only_when_nothing_more_will_come() -> None:
    assert order_2020("Processing", missing=1).short == ()
    assert order_2020("CompletePartialled", missing=1).short == (RequestLine(sku=Sku("A"), units=1),)


@pytest.mark.parametrize("quantity", [1.5, -1, "NaN"])
def test_a_part_of_a_thing_cannot_have_left(quantity: object) -> None:
    with pytest.raises(ContractBroken):
        order_2020("Complete", shipment_2020(items=((quantity, 1),)))


def test_the_newer_version_names_parcels_by_their_items_and_by_either_carrier() -> None:
    items = [
        {"productIdentifier": {"amazonSku": "A"}, "amount": {"value": "1.0"}, "shipmentItemId": "S1"},
        {"productIdentifier": {"amazonSku": "A"}, "amount": {"value": "2.0"}, "packageId": "P2"},
    ]
    packages = [
        {
            "packageId": "P1",
            "shipmentItemIds": ["S1"],
            "tracking": {"amazon": {"trackingNumber": "TBA1", "trackingUrl": "https://a"}},
        },
        {"packageId": "P2", "tracking": {"carrier": {"carrierCode": "FEDEX", "trackingNumber": "7"}}},
    ]
    told = order_2026("COMPLETE", {"status": "SHIPPED", "shipTime": "2026-11-22T13:19:10Z", "items": items, "packages": packages})
    assert numbers(told) == [("TBA1", 1), ("7", 2)]
    assert [(each.carrier, each.tracking_url, each.shipped_at) for each in told.packages] == [
        (None, "https://a", AT), ("FEDEX", None, AT),
    ]  # fmt: skip


@pytest.mark.parametrize("body", [{}, {"orderId": "key-2", "status": "PROCESSING"}])
def test_an_answer_to_a_new_order_has_to_name_it(body: object) -> None:
    with pytest.raises(ContractBroken):
        outbound_2026.parse_created(reply(body, 202).read(outbound_2026.Created), RequestKey("key-1"))


# ---------------------------------------------------------------------------------------------- from Amazon: previews
ASKED = QuoteRequest(lines=(RequestLine(sku=Sku("A"), units=2), RequestLine(sku=Sku("B"), units=1)), recipient=RECIPIENT)


def quotes_2020(*fees: tuple[str, str], arrives: tuple[str | None, ...] = ()) -> list[Quote]:
    preview = {
        "shippingSpeedCategory": "Standard",
        "isFulfillable": True,
        "estimatedFees": [{"name": "fee", "amount": {"currencyCode": currency, "value": value}} for value, currency in fees],
        "fulfillmentPreviewShipments": [{"latestArrivalDate": each} for each in arrives],
    }
    answer = {"payload": {"fulfillmentPreviews": [preview, {**preview, "isFulfillable": False}]}}
    return outbound_2020.parse_quotes(reply(answer).read(outbound_2020.PreviewReply), ASKED, US)


def test_the_fees_of_a_preview_are_one_price() -> None:
    (quote,) = quotes_2020(("19.71", "USD"), ("0.30", "USD"), arrives=("2026-11-20T00:00:00Z", "2026-11-22T13:19:10Z"))
    assert (quote.amount, quote.currency, quote.arrives_by, quote.ships_by) == (Decimal("20.01"), "USD", AT, None)


def test_a_preview_without_fees_has_no_price_and_one_without_a_date_no_date() -> None:
    (quote,) = quotes_2020(arrives=("2026-11-22T13:19:10Z", None))
    assert (quote.amount, quote.currency, quote.arrives_by) == (None, NO_CURRENCY, None)


@pytest.mark.parametrize("fees", [[("1", "USD"), ("1", "CAD")], [("NaN", "USD")], [("lots", "USD")]])
def test_fees_that_do_not_add_up_break_the_contract(fees: list[tuple[str, str]]) -> None:
    with pytest.raises(ContractBroken):
        quotes_2020(*fees)


def planned(items: dict[str, int], offers: dict[str, str]) -> dict[str, Any]:
    return {
        "items": [{"productIdentifier": {"amazonSku": sku}, "amount": {"value": str(units)}} for sku, units in items.items()],
        "offers": [
            {
                "fulfillmentConfiguration": {"serviceLevel": {"serviceTier": tier.strip()}},
                "estimatedPrice": {"totalPrice": {"currencyCode": "USD", "amount": amount}},
            }
            for tier, amount in offers.items()
        ],
    }


def quotes_2026(*shipments: dict[str, Any]) -> dict[str, Decimal | None]:
    answer = reply({"plannedShipments": shipments}).read(outbound_2026.PreviewReply)
    return {quote.service: quote.amount for quote in outbound_2026.parse_quotes(answer, ASKED, US)}


def test_a_speed_counts_where_every_group_of_items_has_it_at_its_cheapest() -> None:
    one = planned({"A": 2}, {"STANDARD": "4.25", "STANDARD ": "4.00", "EXPEDITED": "9.00"})
    two = planned({"B": 1}, {"STANDARD": "3.00", "PRIORITY": "20.00"})
    assert quotes_2026(one, two) == {"STANDARD": Decimal("7.00")}


def test_groups_that_leave_something_out_are_no_offer() -> None:
    assert quotes_2026(planned({"A": 2}, {"STANDARD": "4.25"})) == {}
    assert quotes_2026(planned({"A": 1, "B": 1}, {"STANDARD": "4.25"})) == {}
    assert quotes_2026() == {}
