"""What everything with an id of its own has in common."""

import strawberry

from gateway.api.describe import described


@described
@strawberry.interface
class Node:
    """Anything with an opaque, globally unique id (Relay).

    Attributes:
        id: Opaque and unique over all types; stays the same for as long as the thing exists.
    """

    id: strawberry.ID
