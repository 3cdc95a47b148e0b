"""The tables in ``docs/scale.md``, between their marks; the words around them stay as they are."""

import re
from collections.abc import Sequence
from typing import Final

from tests.benchmarks.databases import Kind
from tests.benchmarks.scale import Merchant, needs
from tests.benchmarks.units import Kept, Units

MERCHANTS: Final = (
    Merchant(orders_per_s=0.1, sku_locations=20_000, subscribers=3),
    Merchant(orders_per_s=5, sku_locations=200_000, subscribers=10),
    Merchant(orders_per_s=50, sku_locations=2_000_000, subscribers=30),
    Merchant(orders_per_s=500, sku_locations=20_000_000, subscribers=100),
)

OPERATIONS: Final = {
    "place": "placing an order of five lines",
    "job": "asking its source to send it",
    "hold": "a hold of two lines",
    "stock_cold": "stock of five SKUs, read from three sources",
    "stock_hot": "the same from memory",
    "look_up": "looking up an order",
    "event": "handing one event to one follower",
    "idle": "a second in which nothing happens",
}


def written(page: str, known: Kept) -> str:
    """The page with the tables of these costs."""
    tables = {
        "machine": [", ".join(f"{name} {value}" for name, value in known.machine.items())],
        "operations": _operations(known),
        "tables": _tables(known),
        "rest": _rest(known),
        "merchants": _merchants(known),
    }

    def filled(found: re.Match[str]) -> str:
        begin, mark, end = found.groups()
        return "\n".join([begin, "", *tables[mark], "", end])

    return re.sub(r"(<!-- (\w+) -->)\n.*?(<!-- /\2 -->)", filled, page, flags=re.DOTALL)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return [f"| {' | '.join(line)} |" for line in lines]


def _operations(known: Kept) -> list[str]:
    kinds = list(known.units)
    rows = [
        [what, *(f"{getattr(known.units[kind], name).gateway_ms:.2f}" for kind in kinds), *_server(known, name)]
        for name, what in OPERATIONS.items()
    ]
    return _table(["CPU, ms", *(f"gateway, {kind}" for kind in kinds), "PostgreSQL itself"], rows)


def _server(known: Kept, name: str) -> list[str]:
    costs = known.units.get(Kind.POSTGRES)
    return ["" if costs is None else f"{getattr(costs, name).database_ms:.2f}"]


def _tables(known: Kept) -> list[str]:
    kinds = list(known.units)
    server = known.units.get(Kind.POSTGRES)
    names = sorted({name for each in known.units.values() for name in each.bytes_per_order})
    rows = [
        [
            f"`{name}`",
            *(f"{known.units[kind].bytes_per_order.get(name, 0):,.0f}" for kind in kinds),
            "" if server is None else f"{server.rows_per_order.get(name, 0):.1f}",
        ]
        for name in names
    ]
    total = [
        "all",
        *(f"{sum(known.units[kind].bytes_per_order.values()):,.0f}" for kind in kinds),
        "" if server is None else f"{sum(server.rows_per_order.values()):.1f}",
    ]
    return _table(["of an order", *(f"bytes, {kind}" for kind in kinds), "row writes"], [*rows, total])


def _rest(known: Kept) -> list[str]:
    names = {
        "events of an order": lambda costs: f"{costs.events_per_order:.1f}",
        "requests to its source": lambda costs: f"{costs.requests_per_job:.1f}",
        "log of an order, bytes": lambda costs: f"{costs.log_bytes_per_order:,.0f}" if costs.log_bytes_per_order else "not counted",
        "log of a hold, bytes": lambda costs: f"{costs.log_bytes_per_hold:,.0f}" if costs.log_bytes_per_hold else "not counted",
        "a hold, bytes": lambda costs: f"{costs.bytes_per_hold:,.0f}",
        "a SKU at a location, bytes": lambda costs: f"{costs.bytes_per_shelf:,.0f}",
        "a transaction, ms": lambda costs: f"{costs.transaction_ms:.1f}",
        "and for each order in it, ms": lambda costs: f"{costs.order_in_transaction_ms:.2f}",
        "memory of a gateway, MiB": lambda costs: f"{costs.gateway_mib:.0f}",
        "connections of a gateway": lambda costs: f"{costs.connections}",
    }
    found: Sequence[Units] = list(known.units.values())
    return _table(["", *known.units], [[name, *map(shown, found)] for name, shown in names.items()])


def _merchants(known: Kept) -> list[str]:
    head = ["orders/s at the peak", "SKU-locations", "subscribers", "gateways", "PostgreSQL cores", "transactions/s", "log MB/s"]
    head += ["growth GB/month", "hot set GB", "connections", "rung"]
    rows = []
    for merchant in MERCHANTS:
        found = needs(merchant, known.units)
        rows.append(
            [
                f"{merchant.orders_per_s:g}",
                f"{merchant.sku_locations:,}",
                f"{merchant.subscribers:,}",
                f"{found.gateways:,}",
                f"{found.database_cores:.1f}",
                f"{found.transactions_per_s:,.1f}",
                f"{found.log_mb_per_s:.2f}",
                f"{found.growth_gb_per_month:,.1f}",
                f"{found.hot_gb:,.1f}",
                f"{found.connections:,}",
                " + ".join(found.rungs),
            ]
        )
    return _table(head, rows)
