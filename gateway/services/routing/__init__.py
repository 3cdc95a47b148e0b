"""Where an order would come from, and where it does."""

from gateway.services.routing.allocation import allocate
from gateway.services.routing.comparing import Compared, compare
from gateway.services.routing.deciding import Routed, fits, foreseen, record, route
from gateway.services.routing.landscape import Landscape, Shelves, promised
from gateway.services.routing.outlook import NO_POLICIES, Outlook
from gateway.services.routing.planning import Routing, check_pickup
from gateway.services.routing.pooling import pooled
from gateway.services.routing.replay import Replay, Replays, replayed
from gateway.services.routing.wish import Wish

__all__ = [
    "NO_POLICIES",
    "Compared",
    "Landscape",
    "Outlook",
    "Replay",
    "Replays",
    "Routed",
    "Routing",
    "Shelves",
    "Wish",
    "allocate",
    "check_pickup",
    "compare",
    "fits",
    "foreseen",
    "pooled",
    "promised",
    "record",
    "replayed",
    "route",
]
