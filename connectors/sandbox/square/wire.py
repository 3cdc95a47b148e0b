"""What Square takes: the bodies of its requests as far as the sandbox reads them, and its errors."""

from typing import Any

import msgspec
from msgspec import Struct

Document = dict[str, Any]


class Refused(Exception):
    """Square says no, in the words of its ``errors``."""

    def __init__(
        self, status: int, code: str, detail: str, *, field: str | None = None, category: str = "INVALID_REQUEST_ERROR"
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.error = {"category": category, "code": code, "detail": detail} | ({"field": field} if field else {})


class Counts(Struct):
    """``BatchRetrieveInventoryCountsRequest``."""

    catalog_object_ids: list[str] | None = None
    location_ids: list[str] | None = None
    states: list[str] | None = None
    updated_after: str | None = None
    cursor: str | None = None
    limit: int | None = None


class SetQuery(Struct):
    """``CatalogQuerySet``."""

    attribute_name: str
    attribute_values: list[str]


class CatalogQuery(Struct):
    """``CatalogQuery``."""

    set_query: SetQuery | None = None


class CatalogSearch(Struct):
    """``SearchCatalogObjectsRequest``."""

    object_types: list[str] | None = None
    query: CatalogQuery | None = None
    include_related_objects: bool = False
    cursor: str | None = None
    limit: int | None = None


class RetrieveCatalog(Struct):
    """``BatchRetrieveCatalogObjectsRequest``."""

    object_ids: list[str]


class LineItem(Struct):
    """``OrderLineItem``."""

    quantity: str
    catalog_object_id: str


class NewFulfillment(Struct):
    """``Fulfillment`` of a new order."""

    type: str
    state: str = "PROPOSED"
    pickup_details: Document | None = None
    shipment_details: Document | None = None


class NewOrder(Struct):
    """``Order`` to be created."""

    location_id: str
    line_items: list[LineItem]
    reference_id: str | None = None
    fulfillments: list[NewFulfillment] = []


class CreateOrder(Struct):
    """``CreateOrderRequest``."""

    order: NewOrder
    idempotency_key: str | None = None


class FulfillmentChange(Struct):
    """``Fulfillment`` of a sparse order."""

    uid: str
    state: str | None = None
    pickup_details: Document | None = None
    shipment_details: Document | None = None


class OrderChange(Struct):
    """``Order``, sparse."""

    location_id: str
    version: int | None = None
    fulfillments: list[FulfillmentChange] = []


class UpdateOrder(Struct):
    """``UpdateOrderRequest``."""

    order: OrderChange
    idempotency_key: str | None = None


class FulfillmentFilter(Struct):
    """``SearchOrdersFulfillmentFilter``."""

    fulfillment_types: list[str] | None = None


class OrdersFilter(Struct):
    """``SearchOrdersFilter``."""

    fulfillment_filter: FulfillmentFilter | None = None


class OrdersQuery(Struct):
    """``SearchOrdersQuery``. The sandbox sorts by creation, newest first, whatever is asked."""

    filter: OrdersFilter | None = None


class SearchOrders(Struct):
    """``SearchOrdersRequest``."""

    location_ids: list[str]
    query: OrdersQuery | None = None
    cursor: str | None = None
    limit: int | None = None


class RetrieveOrders(Struct):
    """``BatchRetrieveOrdersRequest``."""

    order_ids: list[str]


def page(name: str, rows: list[Any], *, cursor: str | None, limit: int) -> Document:
    """One page of rows as Square answers it: nothing empty is written out, and a cursor only where there is more."""
    if cursor is not None and not cursor.isdecimal():
        raise Refused(400, "INVALID_CURSOR", "The cursor is not one of ours.", field="cursor")
    start = int(cursor or 0)
    answer: Document = {name: rows[start : start + limit]} if rows[start : start + limit] else {}
    return answer | ({"cursor": str(start + limit)} if len(rows) > start + limit else {})


def read(body: bytes, returns: type[Any]) -> Any:
    """The request's body.

    Raises:
        Refused: It is not JSON, or not what the endpoint takes.
    """
    try:
        return msgspec.json.decode(body, type=returns)
    except msgspec.ValidationError as error:
        raise Refused(400, "BAD_REQUEST", str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refused(400, "EXPECTED_JSON_BODY", "The body is not JSON.") from error
