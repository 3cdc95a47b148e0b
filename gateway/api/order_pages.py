"""Pages of orders (Relay)."""

import strawberry

from gateway.api.context import Info
from gateway.api.describe import described
from gateway.api.enums import CountPrecision
from gateway.api.identifiers import event_cursor, order_cursor
from gateway.api.orders import Order
from gateway.ports import OrderFilter, OrderPage


@described
@strawberry.type
class PageInfo:
    """Where a page stands (Relay).

    Attributes:
        has_next_page: Whether more follow.
        has_previous_page: Whether some come before.
        start_cursor: The cursor of the first edge.
        end_cursor: The cursor of the last edge.
    """

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@described
@strawberry.type
class OrderEdge:
    """An order on a page.

    Attributes:
        cursor: Where it stands: by its key, so that it stays right when orders come in.
        node: The order.
    """

    cursor: str
    node: Order


COUNTED_MAX = 10_000


@described
@strawberry.type
class Count:
    """How many there are.

    Attributes:
        value: So many.
        precision: Exactly, or at least.
    """

    value: int
    precision: CountPrecision


@described
@strawberry.type
class OrderConnection:
    """One page of orders (Relay).

    Attributes:
        edges: The orders with their cursors.
        nodes: The orders.
        page_info: Where the page stands.
        event_cursor: Give it to `orderEvents(after:)` to follow what happens from here on, without a gap.
    """

    edges: list[OrderEdge]
    nodes: list[Order]
    page_info: PageInfo
    event_cursor: str
    which: strawberry.Private[OrderFilter]

    @staticmethod
    def of(page: OrderPage, which: OrderFilter) -> "OrderConnection":
        """The page as the graph shows it."""
        edges = [OrderEdge(cursor=order_cursor(each.placed_at, each.id), node=Order.of(each)) for each in page.orders]
        return OrderConnection(
            edges=edges,
            nodes=[edge.node for edge in edges],
            page_info=PageInfo(
                has_next_page=page.has_next,
                has_previous_page=page.has_previous,
                start_cursor=edges[0].cursor if edges else None,
                end_cursor=edges[-1].cursor if edges else None,
            ),
            event_cursor=event_cursor(page.event_seq),
            which=which,
        )

    @strawberry.field
    async def count(self, info: Info) -> Count:
        """How many orders there are on all pages; counted no further than 10,000."""
        value = await info.context.services.orders.count(self.which, at_most=COUNTED_MAX + 1)
        if value > COUNTED_MAX:
            return Count(value=COUNTED_MAX, precision=CountPrecision.AT_LEAST)
        return Count(value=value, precision=CountPrecision.EXACT)
