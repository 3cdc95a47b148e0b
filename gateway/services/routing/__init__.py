"""Where an order would come from, and where it does."""

from gateway.services.routing.allocation import allocate
from gateway.services.routing.landscape import Landscape, Shelves, Wish, promised
from gateway.services.routing.planning import Routing, check_pickup

__all__ = ["Landscape", "Routing", "Shelves", "Wish", "allocate", "check_pickup", "promised"]
