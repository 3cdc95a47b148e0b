"""What Shopify's answers hold, as far as we read them: names, types and nullability are those of its Admin schema."""

from datetime import datetime
from typing import Annotated, Generic, TypeVar

from msgspec import Meta, Struct

T = TypeVar("T")

UNITS_MAX = 10**12

Instant = Annotated[datetime, Meta(tz=True)]
Units = Annotated[int, Meta(ge=-UNITS_MAX, le=UNITS_MAX)]


class Row(Struct, frozen=True, rename="camel"):
    """Anything that Shopify sends."""


# ---------------------------------------------------------------------------------------------- lists
class PageInfo(Row, frozen=True):
    """Whether a list goes on, and from where."""

    has_next_page: bool
    end_cursor: str | None = None


class Page(Row, Generic[T], frozen=True):
    """Some of a list."""

    nodes: tuple[T, ...]
    page_info: PageInfo


class Whole(Row, Generic[T], frozen=True):
    """A list that is asked for at once, without a way on."""

    nodes: tuple[T, ...]


class Nodes(Row, Generic[T], frozen=True):
    """``nodes(ids:)``: null in the place of an id that stands for nothing."""

    nodes: tuple[T | None, ...]


class Named(Row, frozen=True):
    """Anything of which only the id matters."""

    id: str


# ---------------------------------------------------------------------------------------------- stock
class VariantRow(Row, frozen=True):
    """A ``ProductVariant``."""

    id: str
    display_name: str


class ItemRow(Row, frozen=True):
    """An ``InventoryItem``. ``duplicate_sku_count``: how many others have its SKU."""

    id: str
    sku: str | None
    duplicate_sku_count: int
    variant: VariantRow


class ItemsAnswer(Row, frozen=True):
    """``inventoryItems``."""

    inventory_items: Page[ItemRow]


class QuantityRow(Row, frozen=True):
    """An ``InventoryQuantity``: so many units in one state."""

    name: str
    quantity: Units


class LevelRow(Row, frozen=True):
    """An ``InventoryLevel``: an item at a location."""

    updated_at: Instant
    location: Named
    quantities: tuple[QuantityRow, ...]


class StockRow(Row, frozen=True):
    """An ``InventoryItem`` with its levels. What is not ``tracked`` is never counted, whatever its levels say."""

    id: str
    sku: str | None
    tracked: bool
    inventory_levels: Page[LevelRow]


class StockAnswer(Row, frozen=True):
    """``inventoryItem``."""

    inventory_item: StockRow | None


class ItemOfLevel(Row, frozen=True):
    """The ``InventoryItem`` of a level."""

    id: str
    sku: str | None


class MovedRow(Row, frozen=True):
    """An ``InventoryLevel`` that has moved."""

    item: ItemOfLevel


class MovedPlace(Row, frozen=True):
    """A ``Location`` with those of its levels that have moved."""

    id: str
    inventory_levels: Page[MovedRow]


# ---------------------------------------------------------------------------------------------- locations
class PickupRow(Row, frozen=True):
    """``DeliveryLocalPickupSettings``: customers may collect there."""

    pickup_time: str


class AddressRow(Row, frozen=True):
    """A ``LocationAddress``."""

    address1: str | None
    address2: str | None
    city: str | None
    province_code: str | None
    zip: str | None
    country_code: str | None
    phone: str | None
    latitude: float | None
    longitude: float | None


class LocationRow(Row, frozen=True):
    """A ``Location``."""

    id: str
    name: str
    is_active: bool
    fulfills_online_orders: bool
    local_pickup_settings_v2: PickupRow | None
    address: AddressRow


class LocationsAnswer(Row, frozen=True):
    """``locations``."""

    locations: Page[LocationRow]


# ---------------------------------------------------------------------------------------------- orders
class WorkPlace(Row, frozen=True):
    """The ``Location`` of a fulfillment order."""

    id: str
    is_fulfillment_service: bool


class AssignedLocation(Row, frozen=True):
    """A ``FulfillmentOrderAssignedLocation``; without a location where that was deleted."""

    location: WorkPlace | None


class WorkRow(Row, frozen=True):
    """A ``FulfillmentOrder``: what one location is to do for an order."""

    id: str
    status: str
    request_status: str
    assigned_location: AssignedLocation


class WorkLine(Row, frozen=True):
    """A ``FulfillmentOrderLineItem``."""

    sku: str | None
    remaining_quantity: Units


class UndoneWork(Row, frozen=True):
    """A ``FulfillmentOrder`` of which only what has not left matters."""

    status: str
    line_items: Whole[WorkLine]


class UndoneOrder(Row, frozen=True):
    """An ``Order`` of which only what has not left matters."""

    fulfillment_orders: Whole[UndoneWork]


class TrackingRow(Row, frozen=True):
    """``FulfillmentTrackingInfo``."""

    company: str | None
    number: str | None
    url: str | None


class SoldItem(Row, frozen=True):
    """A ``LineItem``."""

    sku: str | None


class ShippedLine(Row, frozen=True):
    """A ``FulfillmentLineItem``."""

    quantity: Units | None
    line_item: SoldItem


class FulfillmentRow(Row, frozen=True):
    """A ``Fulfillment``: what left together."""

    status: str
    created_at: Instant
    tracking_info: tuple[TrackingRow, ...]
    fulfillment_line_items: Whole[ShippedLine]


class AttributeRow(Row, frozen=True):
    """An ``Attribute``."""

    key: str
    value: str | None


class CancellationRow(Row, frozen=True):
    """An ``OrderCancellation``."""

    staff_note: str | None


class OrderRow(Row, frozen=True):
    """An ``Order``."""

    id: str
    source_identifier: str | None
    cancelled_at: Instant | None
    cancel_reason: str | None
    cancellation: CancellationRow | None
    custom_attributes: tuple[AttributeRow, ...]
    fulfillment_orders: Whole[WorkRow]
    fulfillments: tuple[FulfillmentRow, ...]


class KeyRow(Row, frozen=True):
    """An ``Order`` of which only our key matters."""

    id: str
    source_identifier: str | None


class FoundAnswer(Row, frozen=True):
    """Two looks for a key: by Shopify's search, and among the newest orders, which the search may not know yet."""

    searched: Whole[KeyRow]
    newest: Whole[KeyRow]


# ---------------------------------------------------------------------------------------------- what becomes of a mutation
class UserError(Row, frozen=True):
    """Why a mutation did nothing."""

    message: str
    field: tuple[str, ...] | None = None
    code: str | None = None


class Done(Row, frozen=True):
    """What a mutation answers of which only the refusal matters."""

    user_errors: tuple[UserError, ...]


class CreatedRow(Row, frozen=True):
    """``OrderCreatePayload``."""

    order: OrderRow | None
    user_errors: tuple[UserError, ...]


class CreateAnswer(Row, frozen=True):
    """``orderCreate``."""

    order_create: CreatedRow | None


class WorkOfOrder(Row, frozen=True):
    """A ``FulfillmentOrder`` of which only the order matters."""

    order: OrderRow


class MovedWork(Row, frozen=True):
    """``FulfillmentOrderMovePayload``."""

    moved_fulfillment_order: WorkOfOrder | None
    user_errors: tuple[UserError, ...]


class MoveAnswer(Row, frozen=True):
    """``fulfillmentOrderMove``."""

    fulfillment_order_move: MovedWork | None


class DoneAnswer(Row, frozen=True):
    """Any mutation of a fulfillment order, under the alias ``done``."""

    done: Done | None


class CanceledRow(Row, frozen=True):
    """``OrderCancelPayload``."""

    order_cancel_user_errors: tuple[UserError, ...]


class CancelAnswer(Row, frozen=True):
    """``orderCancel``."""

    order_cancel: CanceledRow | None


# ---------------------------------------------------------------------------------------------- the shop itself
class VersionRow(Row, frozen=True):
    """An ``ApiVersion``."""

    handle: str
    supported: bool


class VersionsAnswer(Row, frozen=True):
    """``publicApiVersions``."""

    public_api_versions: tuple[VersionRow, ...]


class SubscriptionRow(Row, frozen=True):
    """A ``WebhookSubscription``."""

    topic: str
    uri: str


class SubscriptionsAnswer(Row, frozen=True):
    """``webhookSubscriptions``."""

    webhook_subscriptions: Page[SubscriptionRow]
