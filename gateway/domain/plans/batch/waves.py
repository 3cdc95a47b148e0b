"""Orders that are planned together, and all that there is for them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gateway.domain.plans.batch.tables import Choices, Table, table_of, table_of_orders
from gateway.domain.plans.instance import UNLIMITED, Floats, Instance, Ints
from gateway.domain.plans.pool import Pool

Plans = list[Ints]
"""Where the lines of each table's orders come from. ``[R, n]`` each."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Wave:
    """Orders by how many lines they have, and stock and room that they share.

    Attributes:
        tables: The orders.
        goods: Which items these are, of all; tables number them from 0. ``[K]``
        stock: Units of each item at each location. ``[K, L]``
        room: Units that each location may send altogether. ``[L]``
    """

    tables: tuple[Table, ...]
    goods: Ints
    stock: Ints
    room: Ints

    @property
    def orders(self) -> int:
        """How many."""
        return sum(len(table.items) for table in self.tables)

    @property
    def waiting(self) -> int:
        """The location of what waits: the last."""
        return len(self.room) - 1

    def part(self, orders: Sequence[Ints], stock: Ints, room: Ints) -> "Wave":
        """Some orders of each table, and what there is for them ``[K, L]``, ``[L]``; without the items that they do not want."""
        some = [table.of(each).within(stock, room) for table, each in zip(self.tables, orders, strict=True)]
        wanted, numbers = np.unique(np.concatenate([table.items.ravel() for table in some]), return_inverse=True)
        cuts = np.cumsum([table.items.size for table in some])[:-1]
        tables = tuple(
            Table(items=items.reshape(table.items.shape), units=table.units, cents=table.cents, split_cents=table.split_cents)
            for table, items in zip(some, np.split(numbers, cuts), strict=True)
        )
        return Wave(tables=tables, goods=self.goods[wanted], stock=stock[wanted], room=room)

    def cheapest(self, prices: Floats) -> list[Choices]:
        """The cheapest plans at these prices. ``[K, L]``."""
        return [table.cheapest(prices) for table in self.tables]

    def taken(self, plans: Sequence[Ints]) -> Ints:
        """The units that these plans take. ``[K, L]``."""
        taken = np.zeros(self.stock.shape, dtype=np.int64)
        for table, locations in zip(self.tables, plans, strict=True):
            taken += table.taken(locations, self.stock.shape)
        return taken

    def sent_cents(self, plans: Sequence[Ints]) -> float:
        """What these plans cost together, without any price."""
        return float(sum(table.sent_cents(locations).sum() for table, locations in zip(self.tables, plans, strict=True)))


def wave_of(pools: Sequence[Pool], stock: Ints, room: Ints | None = None, *, back_order_cents: float) -> Wave:
    """All orders of some pools, each with the table of its number; and one more location, which has all that anybody wants.

    Args:
        pools: All of one market and weight 1.
        stock: Units of each item. ``[L, K]``
        room: Units that each location may send altogether; None: any number. ``[L]``
        back_order_cents: What the last location asks for each unit, which waits there.
    """
    return _wave([table_of(pool, back_order_cents) for pool in pools], stock, room)


def wave_of_orders(
    orders: Sequence[Instance], items: Sequence[Ints], stock: Ints, room: Ints | None = None, *, back_order_cents: float
) -> tuple[Wave, list[Ints]]:
    """The same of single orders over the same locations, and the items of their lines; also which of them are in each table."""
    lines = np.array([len(each) for each in items], dtype=np.int64)
    numbers = [np.flatnonzero(lines == many) for many in np.unique(lines)]
    tables = [
        table_of_orders(
            [orders[each] for each in some.tolist()], np.stack([items[each] for each in some.tolist()]), back_order_cents
        )
        for some in numbers
    ]
    return _wave(tables, stock, room), numbers


def _wave(tables: Sequence[Table], stock: Ints, room: Ints | None) -> Wave:
    goods = stock.shape[1]
    rooms = np.full(len(stock), UNLIMITED) if room is None else room
    return Wave(
        tables=tuple(tables),
        goods=np.arange(goods),
        stock=np.concatenate([stock, np.full((1, goods), UNLIMITED)]).T.copy(),
        room=np.append(rooms, UNLIMITED),
    )
