"""What has to be known to read stock from one database."""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final
from zoneinfo import available_timezones

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from connectors.client import Limits
from connectors.contract import Secret, StockDrop
from connectors.described import NoRow, Place
from connectors.sql.statements import statement

# What is meant where a URL names no driver, and what brings a driver that is not ours to begin with.
DRIVERS: Final = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
EXTRAS: Final = {"asyncpg": "pip install 'dom-gateway[postgres]'"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlSettings:
    """One database that counts stock. Its user should have the right to read, and no other.

    ``url`` is SQLAlchemy's, such as ``postgresql://user:password@host/database`` or ``sqlite:////srv/erp.db``; other databases work
    with an asynchronous driver, but are kept from writing, and from taking their time, by nothing but their user's rights.

    ``stock`` is a SELECT for the SKUs of ``:skus`` (``WHERE sku IN :skus``, or PostgreSQL's ``= ANY(:skus)``) whose columns are
    called ``sku``, ``location``, ``on_hand``, ``available``, ``committed``, ``incoming``, ``as_of`` and ``name``. Needed are
    ``sku``, and ``available`` or both ``on_hand`` and ``committed``; a SKU has one row at a place. Without ``location`` all are of
    the one place. The places are listed, or come of ``places_statement``, whose columns are called like a place's keys.

    ``skus`` is a SELECT of the first ``:limit`` values of ``sku`` beyond ``:after`` in their order, which is text and empty at the
    beginning. ``changes`` is a SELECT of every ``sku`` that changed at ``:since`` or later, which is text like
    ``2026-11-22T21:00:00.000000+00:00``; it is asked again for the last ``overlap_s``, in which others may still commit and by
    which our clock may differ from the database's.

    Times without an offset are of ``time_zone``. ``stock_drop`` is when an order of ours is taken off the numbers; ON_SHIP is the
    careful answer. ``visibility_delay_s`` is how far a replica lags behind. ``known_for_s`` is how long places are remembered.
    """

    url: Secret
    stock: str
    places: tuple[Place, ...] = ()
    places_statement: str | None = None
    skus: str | None = None
    changes: str | None = None
    no_row: NoRow = NoRow.UNKNOWN
    time_zone: str = "UTC"
    overlap_s: float = 60.0
    batch_skus_max: int = 500
    rows_max: int = 50_000
    changes_max: int = 1_000_000
    stock_drop: StockDrop = StockDrop.ON_SHIP
    visibility_delay_s: float = 0.0
    fresh_for_s: float = 5.0
    known_for_s: float = 3_600.0
    attempt_timeout_s: float = 5.0
    total_timeout_s: float = 15.0
    concurrency_max: int = 4

    def __post_init__(self) -> None:
        self._check_url()
        self._check_places()
        self._check_statements()
        if self.time_zone not in available_timezones():
            raise ValueError(f"time_zone: {self.time_zone!r} is not an IANA time zone such as America/Chicago")
        if min(self.batch_skus_max, self.rows_max, self.changes_max) < 1 or self.overlap_s < 0:
            raise ValueError("batch_skus_max, rows_max, changes_max: at least 1; overlap_s: not below 0")

    @property
    def address(self) -> URL:
        """The URL in parts, with its driver."""
        url = make_url(str.__str__(self.url))
        return url.set(drivername=DRIVERS.get(url.drivername, url.drivername))

    def _check_url(self) -> None:
        try:
            driver = self.address.drivername.partition("+")[2]
        except (ArgumentError, ValueError):  # not chained: they may quote it
            raise ValueError("url: not the URL of a database") from None
        if not driver:
            raise ValueError("url: needs an asynchronous driver, as in mysql+asyncmy://")
        if find_spec(driver) is None:
            raise ValueError(f"url: {driver} is not installed: {EXTRAS.get(driver, f'pip install {driver}')}")

    def _check_places(self) -> None:
        ids = [place.id for place in self.places]
        if (not ids) == (self.places_statement is None) or len(set(ids)) < len(ids):
            raise ValueError("places: list them, each with an id of its own, or give a places_statement")

    def _check_statements(self) -> None:
        written: Iterable[tuple[str, str | None, tuple[str, ...]]] = (
            ("stock", self.stock, ("skus",)),
            ("places_statement", self.places_statement, ()),
            ("skus", self.skus, ("after", "limit")),
            ("changes", self.changes, ("since",)),
        )
        for name, each, parameters in written:
            if each is not None:
                try:
                    statement(each, parameters=parameters)
                except ValueError as error:
                    raise ValueError(f"{name}: {error}") from None

    def limits(self) -> Limits:
        """The bounds that the channel keeps."""
        return Limits(
            attempt_timeout_s=self.attempt_timeout_s,
            total_timeout_s=self.total_timeout_s,
            concurrency_max=self.concurrency_max,
        )
