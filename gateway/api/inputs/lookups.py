"""Which order, which location, which orders."""

from collections.abc import Iterable
from typing import Final, TypeVar

import strawberry

from connectors.contract import Sku
from gateway.api.describe import described
from gateway.api.enums import OrderStatus
from gateway.api.identifiers import key_of
from gateway.api.scalars import Instant
from gateway.domain.identity import LocationId
from gateway.domain.refusals import Invalid
from gateway.ports import OrderFilter

T = TypeVar("T")

VALUES_MAX: Final = 100


@described
@strawberry.input
class ExternalIdInput:
    """An order as a channel knows it.

    Attributes:
        channel: Who sold it.
        external_id: What the channel calls it.
    """

    channel: str
    external_id: str


@described
@strawberry.input(one_of=True)
class OrderBy:
    """Which order: exactly one of these.

    Attributes:
        id: Its id.
        number: Its number.
        external_id: What its channel calls it.
    """

    id: strawberry.Maybe[strawberry.ID]
    number: strawberry.Maybe[str]
    external_id: strawberry.Maybe[ExternalIdInput]


@described
@strawberry.input(one_of=True)
class LocationBy:
    """Which location: exactly one of these.

    Attributes:
        id: Its id.
        code: Its code.
    """

    id: strawberry.Maybe[strawberry.ID]
    code: strawberry.Maybe[str]


@described
@strawberry.input
class OrderFilterInput:
    """Which orders; what is left out does not narrow.

    Attributes:
        status: In one of these states.
        channel: Sold by one of these.
        sku: Containing one of these.
        location: With work for one of these.
        placed_from: Placed at or after.
        placed_to: Placed before.
    """

    status: list[OrderStatus] | None = None
    channel: list[str] | None = None
    sku: list[str] | None = None
    location: list[strawberry.ID] | None = None
    placed_from: Instant | None = None
    placed_to: Instant | None = None

    def meant(self) -> OrderFilter:
        """The filter."""
        places = [
            key_of("Location", each, what="location", path=("filter", "location")) for each in _few(self.location, "location")
        ]
        return OrderFilter(
            status=frozenset(_few(self.status, "status")),
            channel=frozenset(_few(self.channel, "channel")),
            sku=frozenset(Sku(sku) for sku in _few(self.sku, "sku")),
            location=frozenset(LocationId(each) for each in places),
            placed_from=self.placed_from,
            placed_to=self.placed_to,
        )


def _few(values: Iterable[T] | None, name: str) -> list[T]:
    found = list(values or ())
    if len(found) > VALUES_MAX:
        raise Invalid(problem=f"At most {VALUES_MAX}.", path=("filter", name))
    return found
