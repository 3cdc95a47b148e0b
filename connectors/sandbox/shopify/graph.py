"""The shop as a graph: what stands behind each field of the schema."""

import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from graphql import GraphQLError

from connectors.sandbox.network import Place
from connectors.sandbox.shopify.shop import Item, Level, Line, Order, Refused, Shipment, Shop, Work
from connectors.sandbox.shopify.subscriptions import Subscription, Subscriptions

PAGE_MAX: Final = 250
_TERM: Final = re.compile(r"""(\w+):(>=)?("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^\s"']+)""")

Document = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Switches:
    """Ways in which Shopify is itself. All off: it is at its best.

    Attributes:
        search_lags: A search for orders does not know the newest.
        routing_takes_time: New orders have no fulfillment orders yet.
        canceling_takes_time: A cancellation that was begun goes on.
        pages_repeat: Every page of a list leads back to itself.
        pages_never_end: Every list goes on without end.
        webhooks_unfiltered: The list of webhook subscriptions is of every address, whichever was asked for.
        webhooks_unlisted: The list of webhook subscriptions does not know the newest.
    """

    search_lags: bool = False
    routing_takes_time: bool = False
    canceling_takes_time: bool = False
    pages_repeat: bool = False
    pages_never_end: bool = False
    webhooks_unfiltered: bool = False
    webhooks_unlisted: bool = False


class Graph:
    """Resolvers of one request after another, over one shop."""

    def __init__(self, shop: Shop, subscriptions: Subscriptions, switches: Switches, versions: Sequence[str]) -> None:
        self._shop = shop
        self._subscriptions = subscriptions
        self._switches = switches
        self._versions = versions

    def root(self) -> Document:
        """What queries and mutations begin with."""
        return {
            "inventoryItem": lambda _info, id: self._by_id(id),  # noqa: A006  Shopify's name
            "inventoryItems": self._items,
            "locations": self._locations,
            "nodes": lambda _info, ids: [self._by_id(each) for each in self._array(ids)],
            "orders": self._orders,
            "publicApiVersions": [{"handle": version, "supported": True} for version in self._versions],
            "webhookSubscriptions": self._webhooks,
            "orderCreate": self._create,
            "orderCancel": self._cancel,
            "fulfillmentOrderMove": self._move,
            "fulfillmentOrderSubmitFulfillmentRequest": self._submit,
            "fulfillmentOrderSubmitCancellationRequest": self._ask_to_stop,
            "fulfillmentOrderCancel": self._retract,
            "webhookSubscriptionCreate": self._subscribe,
        }

    # ------------------------------------------------------------------------------------------ lists
    def _items(self, _info: Any, query: str | None = None, **page: Any) -> Document:
        items = [item for item in self._shop.items.values() if _matches(query, sku=item.sku, updated_at=item.updated_at)]
        return self._page(items, self._item, **page)

    def _locations(self, _info: Any, **page: Any) -> Document:
        return self._page(list(self._shop.locations), self._location, **page)

    def _orders(self, _info: Any, query: str | None = None, **page: Any) -> Document:
        orders = list(self._shop.orders.values())
        if query is not None:
            known = orders[:-1] if self._switches.search_lags else orders
            orders = [order for order in known if _matches(query, source_identifier=order.key or "")]
        return self._page(orders, self._order, **page)

    def _webhooks(self, _info: Any, uri: str | None = None, topics: Sequence[str] | None = None, **page: Any) -> Document:
        listed = [] if self._switches.webhooks_unlisted else self._subscriptions.kept
        at = None if self._switches.webhooks_unfiltered else uri
        found = [each for each in listed if at in {None, each.uri} and (topics is None or each.topic in topics)]
        return self._page(found, _subscription, **page)

    def _page(
        self,
        rows: Sequence[Any],
        shown: Callable[[Any], Any],
        *,
        first: int | None = None,
        after: str | None = None,
        reverse: bool = False,
        **_filters: Any,
    ) -> Document:
        if first is None or not 1 <= first <= PAGE_MAX:
            raise GraphQLError("you must provide `first`, from 1 to 250", extensions={"code": "BAD_REQUEST"})
        start = 0 if after is None or self._switches.pages_repeat else _start(after)
        ordered = list(reversed(rows)) if reverse else rows
        more = len(ordered) > start + first or self._switches.pages_never_end or self._switches.pages_repeat
        end = 0 if self._switches.pages_repeat else start + first
        return {
            "nodes": [shown(row) for row in ordered[start : start + first]],
            "pageInfo": {"hasNextPage": more, "endCursor": b64encode(f"at {end}".encode()).decode()},
        }

    def _array(self, ids: Sequence[str]) -> Sequence[str]:
        if len(ids) > PAGE_MAX:
            message = f"The input array size of {len(ids)} is greater than the maximum allowed of {PAGE_MAX}."
            raise GraphQLError(message, extensions={"code": "MAX_INPUT_SIZE_EXCEEDED"})
        return ids

    # ------------------------------------------------------------------------------------------ things
    def _by_id(self, global_id: str) -> Document | None:
        match re.fullmatch(r"gid://shopify/(\w+)/(\d+)", global_id):
            case None:
                raise GraphQLError(f"Invalid global id '{global_id}'", extensions={"code": "argumentLiteralsIncompatible"})
            case found:
                kind, number = found.groups()
        match kind:
            case "InventoryItem" if number in self._shop.items:
                return self._item(self._shop.items[number])
            case "Location" if number in self._shop.locations:
                return self._location(number)
            case "Order" if number in self._shop.orders:
                return self._order(self._shop.orders[number])
        return None

    def _item(self, item: Item) -> Document:
        return {
            "__typename": "InventoryItem",
            "id": f"gid://shopify/InventoryItem/{item.number}",
            "sku": item.sku,
            "tracked": item.tracked,
            "updatedAt": _text(item.updated_at),
            "duplicateSkuCount": lambda _info: len(self._shop.items_of(item.sku)) - 1,
            "variant": {"id": f"gid://shopify/ProductVariant/{item.variant}", "displayName": item.product.name},
            "inventoryLevels": lambda _info, **page: self._levels(
                [(location, item, level) for location, level in self._shop.levels_of(item)], **page
            ),
        }

    def _levels(self, levels: Iterable[tuple[str, Item, Level]], *, query: str | None = None, **page: Any) -> Document:
        rows = [row for row in levels if _matches(query, updated_at=row[2].updated_at)]
        return self._page(rows, self._level, **page)

    def _level(self, row: tuple[str, Item, Level]) -> Document:
        location, item, level = row
        amounts = {"available": level.available, "on_hand": level.on_hand, "committed": level.committed, "incoming": 0}
        level_id = f"gid://shopify/InventoryLevel/{location}?inventory_item_id={item.number}"

        def quantities(_info: Any, names: Sequence[str]) -> list[Document]:
            if unknown := set(names) - amounts.keys():
                raise GraphQLError(f"The specified inventory name is invalid: {unknown}", extensions={"code": "BAD_REQUEST"})
            shown = {"id": level_id, "updatedAt": _text(level.updated_at)}
            return [{**shown, "name": name, "quantity": amounts[name]} for name in names]

        return {
            "id": level_id,
            "updatedAt": _text(level.updated_at),
            "item": lambda _info: self._item(item),
            "location": lambda _info: self._location(location),
            "quantities": quantities,
        }

    def _location(self, number: str) -> Document:
        place = self._shop.locations[number]
        return {
            "__typename": "Location",
            "id": f"gid://shopify/Location/{number}",
            "name": place.name,
            "isActive": True,
            "isFulfillmentService": number in self._shop.services,
            "fulfillsOnlineOrders": True,
            "localPickupSettingsV2": None if number in self._shop.services else {"pickupTime": "TWO_HOURS"},
            "address": _address(place),
            "inventoryLevels": lambda _info, **page: self._levels(
                [
                    (location, self._shop.items[item], level)
                    for (location, item), level in self._shop.levels.items()
                    if location == number
                ],
                **page,
            ),
        }

    def _order(self, order: Order) -> Document:
        works = [] if self._switches.routing_takes_time else order.works

        def shown(_info: Any, *, displayable: bool = False, **page: Any) -> Document:
            return self._page([work for work in works if not (displayable and work.hidden)], self._work, **page)

        return {
            "__typename": "Order",
            "id": f"gid://shopify/Order/{order.number}",
            "sourceIdentifier": order.key,
            "createdAt": _text(order.created_at),
            "cancelledAt": _text(order.canceled_at) if order.canceled_at else None,
            "cancelReason": order.cancel_reason,
            "cancellation": {"staffNote": order.staff_note} if order.canceled_at else None,
            "customAttributes": [{"key": key, "value": value} for key, value in order.attributes.items()],
            "fulfillmentOrders": shown,
            "fulfillments": lambda _info, first=None: [self._shipment(each) for each in order.shipments[:first]],
        }

    def _work(self, work: Work) -> Document:
        return {
            "id": f"gid://shopify/FulfillmentOrder/{work.number}",
            "status": work.status,
            "requestStatus": work.request_status,
            "assignedLocation": {"location": lambda _info: self._location(work.location)},
            "lineItems": lambda _info, **page: self._page(work.lines, _line, **page),
            "order": lambda _info: self._order(self._shop.order_of(work)),
        }

    def _shipment(self, shipment: Shipment) -> Document:
        return {
            "id": f"gid://shopify/Fulfillment/{shipment.number}",
            "status": "SUCCESS",
            "createdAt": _text(shipment.created_at),
            "trackingInfo": [{"company": shipment.carrier, "number": shipment.tracking_number, "url": None}],
            "fulfillmentLineItems": lambda _info, **page: self._page(shipment.lines, _shipped, **page),
        }

    # ------------------------------------------------------------------------------------------ mutations
    def _create(self, _info: Any, order: Document, options: Document | None = None) -> Document:
        wanted = [(_number(line.get("variantId") or ""), line["quantity"]) for line in order.get("lineItems") or ()]
        try:
            created = self._shop.create(
                wanted,
                key=order.get("sourceIdentifier"),
                attributes={each["key"]: each["value"] for each in order.get("customAttributes") or ()},
                behavior=(options or {}).get("inventoryBehaviour", "BYPASS"),
            )
        except Refused as refusal:
            return {"order": None, "userErrors": [refusal.error]}
        return {"order": self._order(created), "userErrors": []}

    def _cancel(self, _info: Any, orderId: str, reason: str, staffNote: str = "", **_how: Any) -> Document:  # noqa: N803  Shopify's names
        order = self._shop.orders.get(_number(orderId))
        try:
            if order is None:
                raise Refused("Order does not exist.", code="NOT_FOUND", path=("orderId",))
            self._shop.cancel(order, reason=reason, note=staffNote)
        except Refused as refusal:
            return {"job": None, "orderCancelUserErrors": [refusal.error]}
        if not self._switches.canceling_takes_time:
            self._shop.settle()
        return {"job": {"id": f"gid://shopify/Job/{order.number}", "done": False}, "orderCancelUserErrors": []}

    def _move(self, _info: Any, id: str, newLocationId: str) -> Document:  # noqa: A002, N803  Shopify's names
        return self._done(id, "movedFulfillmentOrder", lambda work: self._shop.move(work, _number(newLocationId)))

    def _submit(self, _info: Any, id: str, **_how: Any) -> Document:  # noqa: A002  Shopify's name
        return self._done(id, "submittedFulfillmentOrder", self._shop.submit)

    def _ask_to_stop(self, _info: Any, id: str, **_how: Any) -> Document:  # noqa: A002  Shopify's name
        return self._done(id, "fulfillmentOrder", self._shop.ask_to_stop)

    def _retract(self, _info: Any, id: str) -> Document:  # noqa: A002  Shopify's name
        return self._done(id, "fulfillmentOrder", self._shop.retract)

    def _subscribe(self, _info: Any, topic: str, webhookSubscription: Document) -> Document:  # noqa: N803  Shopify's names
        wanted = webhookSubscription
        try:
            made = self._subscriptions.create(topic, wanted.get("uri") or "", wanted.get("format") or "JSON")
        except Refused as refusal:
            return {"webhookSubscription": None, "userErrors": [refusal.error]}
        return {"webhookSubscription": _subscription(made), "userErrors": []}

    def _done(self, global_id: str, shown_as: str, do: Callable[[Work], Work | None]) -> Document:
        work = self._shop.work(_number(global_id))
        try:
            if work is None:
                raise Refused("Fulfillment order does not exist.", path=("id",))
            shown = do(work) or work
        except Refused as refusal:
            return {shown_as: None, "userErrors": [refusal.error]}
        return {shown_as: self._work(shown), "userErrors": []}


def _subscription(each: Subscription) -> Document:
    shown = {"topic": each.topic, "uri": each.uri, "format": each.format}
    return {"id": f"gid://shopify/WebhookSubscription/{each.number}", **shown}


def _line(line: Line) -> Document:
    shown = {"sku": line.item.sku, "totalQuantity": line.total, "remainingQuantity": line.remaining}
    return {"id": f"gid://shopify/FulfillmentOrderLineItem/{line.number}", **shown}


def _shipped(line: Line) -> Document:
    line_item = {"id": f"gid://shopify/LineItem/{line.number}", "sku": line.item.sku}
    return {"id": f"gid://shopify/FulfillmentLineItem/{line.number}", "quantity": line.remaining, "lineItem": line_item}


def _address(place: Place) -> Document:
    return {
        "address1": place.address.lines[0],
        "address2": None,
        "city": place.address.city,
        "provinceCode": place.address.region,
        "zip": place.address.postal_code,
        "countryCode": place.address.country_code,
        "phone": place.address.phone,
        "latitude": place.address.latitude,
        "longitude": place.address.longitude,
    }


def _matches(query: str | None, **fields: str | datetime) -> bool:
    """Whether a row is found: terms joined by OR, text without regard to case, as Shopify's search does."""
    if query is None:
        return True
    return any(_holds(name, value.strip("\"'"), fields) for name, _, value in _TERM.findall(query))


def _holds(name: str, value: str, fields: Mapping[str, str | datetime]) -> bool:
    match fields.get(name):
        case str(text):
            return text.casefold() == re.sub(r"\\(.)", r"\1", value).casefold()
        case datetime() as at:
            return at >= datetime.fromisoformat(value)
        case _:
            return False


def _number(global_id: str) -> str:
    return global_id.rpartition("/")[2]


def _start(cursor: str) -> int:
    try:
        return int(b64decode(cursor, validate=True).decode().removeprefix("at "))
    except (NotBase64, ValueError):
        raise GraphQLError("Invalid cursor for current pagination sort.", extensions={"code": "INVALID_CURSOR"}) from None


def _text(at: datetime) -> str:
    """As Shopify writes it: whole seconds."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
