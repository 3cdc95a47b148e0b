"""What is asked of the graph, and what is looked at in its answers."""

from collections.abc import Mapping
from typing import Any, Final

HOLD: Final = "id state expiresAt lines { sku units location { code } }"
WORK: Final = """id version status requestStatus remoteRef supportedActions location { code } lines { sku units }
  remaining { sku units } shipments { packages { lines { sku units } } }"""
ORDER: Final = f"""id status version supportedActions canceledBecause lines {{ sku units quantities {{ state units }} }}
  fulfillmentOrders {{ {WORK} }}"""
STOCK: Final = "sku availableToPromise complete levels { availableToPromise location { code } }"
ERRORS: Final = """userErrors { code ... on InsufficientStockError { sku requested available }
  ... on NotAllowedInStateError { supportedActions } ... on VersionConflictError { currentVersion } }"""

LOOK: Final = f"""query ($holds: [ID!]!, $orders: [ID!]!, $skus: [String!]!) {{
  holds: nodes(ids: $holds) {{ ... on Reservation {{ {HOLD} }} }}
  orders: nodes(ids: $orders) {{ ... on Order {{ {ORDER} }} }}
  inventory(skus: $skus) {{ {STOCK} }} }}"""
STOCK_NOW: Final = f"query ($skus: [String!]!) {{ inventory(skus: $skus, maxAgeSeconds: 0) {{ {STOCK} }} }}"
NETWORK: Final = "{ locations { id code } orders(first: 1) { eventCursor } }"
JOBS: Final = "query ($state: JobState!) { jobs(state: $state) { nodes { kind error } } }"
EVENTS: Final = "subscription ($after: String) { orderEvents(after: $after) { cursor type version order { id version } } }"

OTHERWISE: Final[Mapping[str, Mapping[str, Any]]] = {
    "reservationCreate": {"ttlSeconds": 77},
    "reservationExtend": {"ttlSeconds": 77},
    "orderPlace": {"channel": "phone"},
    "orderCancel": {"reasonCode": "FRAUD"},
    "fulfillmentOrderAccept": {"expectedVersion": 77},
    "fulfillmentOrderReject": {"reasonCode": "STOLEN"},
    "fulfillmentOrderShip": {"expectedVersion": 77},
}
"""What else somebody may ask for under a key that was used before."""


def mutation(operation: str) -> str:
    """Its document. ``shown`` is what comes of it, and null if it is refused."""
    if operation.startswith("reservation"):
        shown = f"reservation {{ {HOLD} }}"
    elif operation.startswith("order"):
        shown = f"order {{ {ORDER} }}"
    else:
        shown = f"fulfillmentOrder {{ {WORK} }}"
    kind = operation[0].upper() + operation[1:]
    return f"mutation ($input: {kind}Input!) {{ payload: {operation}(input: $input) {{ shown: {shown} {ERRORS} }} }}"
