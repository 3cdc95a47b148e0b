"""A mill for tests, and the connector in front of its folder."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from connectors.contract import (
    Address,
    FulfillmentRequest,
    Method,
    RemoteLocationId,
    RequestKey,
    RequestLine,
    Sku,
    StockBatch,
)
from connectors.described import Place
from connectors.flat_file import Columns, Exchange, FlatFileSettings, FlatFileWithOrders
from connectors.flat_file.connector import opened
from connectors.registry import Tools
from connectors.sandbox.flat_file import FlatFileSandbox
from connectors.sandbox.network import ALL, seeded

CHARLOTTE, ST_LOUIS = RemoteLocationId("MILL-CHARLOTTE"), RemoteLocationId("MILL-STLOUIS")
COLUMNS = Columns(sku="item", location="site", on_hand="on_hand", committed="allocated", available="free", name="description")
ORDERS = Exchange(outbox="orders", inbox="answers", sent="sent")
RECIPIENT = Address(
    lines=("1 Main St", "Apt 2,\n3rd floor"),
    city="Charlotte",
    region="NC",
    postal_code="28202",
    country_code="US",
    name='Ada "A" Moore',
)
TO = '"Ada ""A"" Moore",1 Main St,"Apt 2, 3rd floor",Charlotte,NC,28202,US,,'
HEADER = "item,site,on_hand,allocated,free,description\n"


class Hours:
    """A clock that can be turned on by hours."""

    def __init__(self) -> None:
        self.passed = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.passed


def settings_of(folder: Path, /, **more: Any) -> FlatFileSettings:
    defaults: dict[str, Any] = {
        "folder": str(folder),
        "places": (
            Place(id=CHARLOTTE, name="Charlotte Mill", city="Charlotte", postal_code="28203", country_code="US"),
            Place(id=ST_LOUIS),
        ),
        "columns": COLUMNS,
        "orders": ORDERS,
        "name_time": "%Y%m%dT%H%M%S%f",
        "list_every_s": 0.0,
    }
    return FlatFileSettings(**{**defaults, **more})


@asynccontextmanager
async def connected(settings: FlatFileSettings, clock: Hours | None = None) -> AsyncIterator[FlatFileWithOrders]:
    connector = opened(settings, Tools(now=(clock or Hours()).now, monotonic=time.monotonic))
    assert isinstance(connector, FlatFileWithOrders)
    try:
        yield connector
    finally:
        await connector.aclose()


def new_mill(folder: Path, *, deltas: bool = False) -> FlatFileSandbox:
    return FlatFileSandbox(seeded(products=40, systems=ALL), folder, deltas=deltas)


def told(batch: StockBatch) -> dict[tuple[str, str], int | None]:
    return {(level.sku, level.location): level.available for level in batch.levels}


def request_of(key: str = "key-1", *lines: tuple[str, int], place: RemoteLocationId = CHARLOTTE) -> FulfillmentRequest:
    return FulfillmentRequest(
        key=RequestKey(key),
        location=place,
        lines=tuple(RequestLine(sku=Sku(sku), units=units) for sku, units in lines or (("SKU-0009", 2),)),
        recipient=RECIPIENT,
        method=Method.SHIP,
        order_number="1001",
    )
