"""What Shopify is asked: one document for each question, valid in every version of the Admin API from 2025-10 to 2026-10."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from connectors.client import Intent
from connectors.shopify.rows import (
    CancelAnswer,
    CreateAnswer,
    Done,
    DoneAnswer,
    FoundAnswer,
    ItemsAnswer,
    LocationsAnswer,
    MoveAnswer,
    MovedPlace,
    Nodes,
    OrderRow,
    StockAnswer,
    StockRow,
    SubscriptionsAnswer,
    UndoneOrder,
    VersionsAnswer,
)

T = TypeVar("T")

READ_COST: Final = 20.0
WRITE_COST: Final = 10.0  # what a mutation costs that returns nothing: https://shopify.dev/docs/api/usage/limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Document(Generic[T]):
    """A question and what its ``data`` is. ``cost`` in points is a guess that only counts until Shopify has said what it takes."""

    text: str
    returns: type[T]
    intent: Intent = Intent.READ
    cost: float = READ_COST


# ---------------------------------------------------------------------------------------------- stock
_LEVELS: Final = """
fragment Levels on InventoryItem {
  id
  sku
  tracked
  inventoryLevels(first: $levels, after: $after) {
    nodes {
      updatedAt
      location { id }
      quantities(names: ["available", "on_hand", "committed", "incoming"]) { name quantity }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""

STOCK: Final = Document(
    text="query Stock($ids: [ID!]!, $levels: Int!, $after: String) { nodes(ids: $ids) { ...Levels } }" + _LEVELS,
    returns=Nodes[StockRow],
)
MORE_STOCK: Final = Document(
    text="query MoreStock($id: ID!, $levels: Int!, $after: String) { inventoryItem(id: $id) { ...Levels } }" + _LEVELS,
    returns=StockAnswer,
)
ITEMS: Final = Document(
    text="""query Items($query: String, $first: Int!, $after: String) {
  inventoryItems(query: $query, first: $first, after: $after) {
    nodes { id sku duplicateSkuCount variant { id displayName } }
    pageInfo { hasNextPage endCursor }
  }
}""",
    returns=ItemsAnswer,
)
MOVED: Final = Document(
    text="""query Moved($ids: [ID!]!, $query: String!, $first: Int!, $after: String) {
  nodes(ids: $ids) {
    ... on Location {
      id
      inventoryLevels(query: $query, first: $first, after: $after) {
        nodes { item { id sku } }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}""",
    returns=Nodes[MovedPlace],
)
LOCATIONS: Final = Document(
    text="""query Locations($first: Int!, $after: String) {
  locations(first: $first, after: $after, includeInactive: true, includeLegacy: true) {
    nodes {
      id
      name
      isActive
      fulfillsOnlineOrders
      localPickupSettingsV2 { pickupTime }
      address { address1 address2 city provinceCode zip countryCode phone latitude longitude }
    }
    pageInfo { hasNextPage endCursor }
  }
}""",
    returns=LocationsAnswer,
)

# ---------------------------------------------------------------------------------------------- orders
# ``displayable`` leaves out what a move or a merge has closed.
_WORK: Final = """
fragment Work on Order {
  id
  sourceIdentifier
  cancelledAt
  cancelReason
  cancellation { staffNote }
  customAttributes { key value }
  fulfillmentOrders(first: 10, displayable: true) {
    nodes { id status requestStatus assignedLocation { location { id isFulfillmentService } } }
  }
  fulfillments(first: 10) {
    status
    createdAt
    trackingInfo(first: 1) { company number url }
    fulfillmentLineItems(first: 50) { nodes { quantity lineItem { sku } } }
  }
}
"""

ORDERS: Final = Document(
    text="query Orders($ids: [ID!]!) { nodes(ids: $ids) { ...Work } }" + _WORK,
    returns=Nodes[OrderRow],
)
LEFT_OVER: Final = Document(
    text="""query LeftOver($ids: [ID!]!) {
  nodes(ids: $ids) {
    ... on Order {
      fulfillmentOrders(first: 10, displayable: true) {
        nodes { status lineItems(first: 250) { nodes { sku remainingQuantity } } }
      }
    }
  }
}""",
    returns=Nodes[UndoneOrder],
)
FIND: Final = Document(
    text="""query Find($query: String!, $newest: Int!) {
  searched: orders(first: 10, query: $query) { nodes { id sourceIdentifier } }
  newest: orders(first: $newest, sortKey: CREATED_AT, reverse: true) { nodes { id sourceIdentifier } }
}""",
    returns=FoundAnswer,
)
CREATE: Final = Document(
    text="""mutation Create($order: OrderCreateOrderInput!, $options: OrderCreateOptionsInput!) {
  orderCreate(order: $order, options: $options) { order { ...Work } userErrors { field message code } }
}"""
    + _WORK,
    returns=CreateAnswer,
    intent=Intent.WRITE,
    cost=READ_COST + WRITE_COST,
)
MOVE: Final = Document(
    text="""mutation Move($id: ID!, $location: ID!) {
  fulfillmentOrderMove(id: $id, newLocationId: $location) {
    movedFulfillmentOrder { order { ...Work } }
    userErrors { field message }
  }
}"""
    + _WORK,
    returns=MoveAnswer,
    intent=Intent.WRITE,
    cost=READ_COST + WRITE_COST,
)
SUBMIT: Final = Document(
    text="""mutation Submit($id: ID!, $message: String!) {
  done: fulfillmentOrderSubmitFulfillmentRequest(id: $id, message: $message) { userErrors { field message } }
}""",
    returns=DoneAnswer,
    intent=Intent.WRITE,
    cost=WRITE_COST,
)
RETRACT: Final = Document(
    text="mutation Retract($id: ID!) { done: fulfillmentOrderCancel(id: $id) { userErrors { field message } } }",
    returns=DoneAnswer,
    intent=Intent.WRITE,
    cost=WRITE_COST,
)
ASK_TO_STOP: Final = Document(
    text="""mutation AskToStop($id: ID!, $message: String!) {
  done: fulfillmentOrderSubmitCancellationRequest(id: $id, message: $message) { userErrors { field message } }
}""",
    returns=DoneAnswer,
    intent=Intent.WRITE,
    cost=WRITE_COST,
)
CANCEL: Final = Document(
    text="""mutation Cancel($id: ID!, $reason: OrderCancelReason!, $note: String!) {
  orderCancel(orderId: $id, reason: $reason, staffNote: $note, restock: true, notifyCustomer: false) {
    orderCancelUserErrors { field message code }
  }
}""",
    returns=CancelAnswer,
    intent=Intent.WRITE,
    cost=WRITE_COST,
)

# ---------------------------------------------------------------------------------------------- the shop itself
VERSIONS: Final = Document(text="query Versions { publicApiVersions { handle supported } }", returns=VersionsAnswer)
SUBSCRIPTIONS: Final = Document(
    text="""query Subscriptions($uri: String!, $first: Int!, $after: String) {
  webhookSubscriptions(uri: $uri, first: $first, after: $after) {
    nodes { topic uri }
    pageInfo { hasNextPage endCursor }
  }
}""",
    returns=SubscriptionsAnswer,
)


def subscribe(topics: Iterable[str]) -> Document[dict[str, Done | None]]:
    """All of these topics in one request, and what became of each: ``$subscription`` is the same for all of them."""
    one = "  {0}: webhookSubscriptionCreate(topic: {0}, webhookSubscription: $subscription) {{ userErrors {{ field message }} }}"
    fields = [one.format(topic) for topic in topics]
    return Document(
        text="\n".join(("mutation Subscribe($subscription: WebhookSubscriptionInput!) {", *fields, "}")),
        returns=dict[str, Done | None],
        intent=Intent.WRITE,
        cost=WRITE_COST * len(fields),
    )
