"""The ERP as a SQLite file, and the strings that a demo or a test pulls."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from starlette.routing import BaseRoute

from connectors.sandbox.controls import SandboxOrder
from connectors.sandbox.network import Network
from connectors.sandbox.sql.schema import TABLES, rows_of, site_of


class SqlSandbox:
    """A merchant's ERP that is read from its database, and takes no orders that way."""

    system = "sql"

    def __init__(self, network: Network, file: Path, *, journal: str = "WAL") -> None:
        """With its own ``journal``, those who read and those who write do not wait for each other; with another they do."""
        self.file = file
        self._places = {site_of(place.key): place.key for place in network.places_of("sql")}
        with self.opened() as database:
            database.execute(f"PRAGMA journal_mode = {journal}")
            for table in TABLES:
                database.execute(table)
            for table, row in rows_of(network, changed_at=instant()):
                database.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608  our own tables

    @property
    def url(self) -> str:
        """The address of the database."""
        return f"sqlite:///{self.file}"

    @contextmanager
    def opened(self) -> Iterator[sqlite3.Connection]:
        """The database, as whoever works at the ERP has it: what is done inside is done at its end."""
        database = sqlite3.connect(self.file)
        try:
            with database:
                yield database
        finally:
            database.close()

    def routes(self) -> list[BaseRoute]:
        """None: it is not asked over HTTP."""
        return []

    def orders(self) -> list[SandboxOrder]:
        """None ever arrive."""
        return []

    def accept(self, ref: str) -> NoReturn:
        """There is nothing to accept."""
        raise LookupError(f"there is no order {ref!r}")

    def reject(self, ref: str, reason: str) -> NoReturn:  # noqa: ARG002  the protocol's
        """There is nothing to turn down."""
        self.accept(ref)

    def ship(self, ref: str, *, carrier: str, tracking_number: str) -> NoReturn:  # noqa: ARG002  the protocol's
        """There is nothing to ship."""
        self.accept(ref)

    def set_stock(self, place: str, sku: str, units: int) -> None:
        """Somebody counted: so many are there, none of them allocated."""
        with self.opened() as database:
            changed = database.execute(
                """UPDATE stock_line SET qty_on_hand = ?, qty_allocated = 0, changed_at = ?
                   WHERE site_code = ? AND item_id = (SELECT item_id FROM item WHERE item_no = ?)""",
                (units, instant(), site_of(place), sku),
            )
            if not changed.rowcount:
                raise LookupError(f"{place} does not carry {sku}")

    def stock(self, sku: str) -> Mapping[str, int]:
        """Units on hand by place key, where the SKU is carried."""
        with self.opened() as database:
            rows = database.execute(
                """SELECT site_code, sum(qty_on_hand) FROM stock_line JOIN item USING (item_id)
                   WHERE item_no = ? GROUP BY site_code ORDER BY site_code""",
                (sku,),
            ).fetchall()
        return {self._places[site]: int(units) for site, units in rows}


def instant() -> str:
    """Now, as the ERP writes it."""
    now = datetime.now(UTC)  # noqa: TID251  a stand-in for a remote system has a clock of its own
    return now.isoformat(timespec="microseconds")
