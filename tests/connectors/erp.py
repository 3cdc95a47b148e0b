"""An ERP's database for tests, and the connector in front of it."""

import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import asyncpg  # type: ignore[import-untyped]  # it brings no types

from connectors.contract import (
    RemoteLocationId,
    Secret,
    StockBatch,
)
from connectors.registry import Tools
from connectors.sandbox.network import ALL, Network, seeded
from connectors.sandbox.sql import CHANGES, PLACES, SKUS, STOCK, TABLES, rows_of
from connectors.sql import Sql, SqlSettings
from connectors.sql.connector import opened
from tests.postgres import Server

KANSAS_CITY, SALT_LAKE = RemoteLocationId("ERP-KANSASCITY"), RemoteLocationId("ERP-SALTLAKE")
TOOLS = Tools(now=lambda: datetime.now(UTC), monotonic=time.monotonic)
COUNT = (
    "UPDATE stock_line SET qty_on_hand = {units}, changed_at = '{at}' WHERE site_code = '{site}'"
    " AND item_id = (SELECT item_id FROM item WHERE item_no = '{sku}')"
)


class Erp(Protocol):
    """A database with the ERP's tables."""

    url: str

    def execute(self, *statements: str) -> None:
        """Work at it."""


@dataclass
class SqliteErp:
    url: str
    file: Path

    def execute(self, *statements: str) -> None:
        with sqlite3.connect(self.file) as database:
            for each in statements:
                database.execute(each)
        database.close()


@dataclass
class PostgresErp:
    url: str
    name: str
    server: Server

    def execute(self, *statements: str) -> None:
        self.server.execute(*statements, database=self.name)


def network() -> Network:
    return seeded(products=40, systems=ALL)


async def filled(url: str) -> None:
    connection = await asyncpg.connect(url)
    for table in TABLES:
        await connection.execute(table)
    for table, row in rows_of(network(), changed_at=datetime.now(UTC).isoformat()):
        places = ", ".join(f"${number}" for number in range(1, len(row) + 1))
        await connection.execute(f"INSERT INTO {table} VALUES ({places})", *row)  # noqa: S608  our own tables
    await connection.close()


def settings_of(url: str, /, **more: Any) -> SqlSettings:
    defaults: dict[str, Any] = {"places_statement": PLACES, "stock": STOCK, "skus": SKUS, "changes": CHANGES}
    return SqlSettings(url=Secret(url), **{**defaults, **more})


@asynccontextmanager
async def connected(url: str, /, **more: Any) -> AsyncIterator[Sql]:
    connector = opened(settings_of(url, **more), TOOLS)
    try:
        yield connector
    finally:
        await connector.aclose()


def told(batch: StockBatch) -> dict[tuple[str, str], int | None]:
    return {(level.sku, level.location): level.available for level in batch.levels}
