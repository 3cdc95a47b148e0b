"""What has to be known to exchange files with one warehouse."""

import codecs
from dataclasses import dataclass, fields
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit
from zoneinfo import available_timezones

from connectors.client import Limits
from connectors.contract import Secret, StockDrop
from connectors.described import NoRow, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """What the columns of stock files are called. None: there is no such column.

    What may be sold is ``available``, or else ``on_hand`` without ``committed``: where there is one number only, it is
    ``available``. ``as_of`` is when the row was true, not when it last moved. Without ``location`` all rows are of the one place.
    """

    sku: str = "sku"
    location: str | None = None
    on_hand: str | None = None
    available: str | None = None
    committed: str | None = None
    incoming: str | None = None
    as_of: str | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        if self.available is None and (self.on_hand is None or self.committed is None):
            raise ValueError("columns: available is needed, or on_hand and committed")

    def wanted(self) -> dict[str, str]:
        """The columns to read: what we call them, and what the files do."""
        return {each.name: called for each in fields(self) if (called := getattr(self, each.name)) is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """Where orders go out and answers come back, each a folder below the source's own, all of which have to be there already.

    ``outbox`` is the warehouse's to empty, ``inbox`` the warehouse's to fill; its files stay there as long as orders are open,
    since they are all that we remember of them. ``sent`` keeps a copy of what we sent: without it nobody could tell an order that
    the warehouse has taken away from one that never was.
    """

    outbox: str
    inbox: str
    sent: str


SFTP_EXTRA: Final = "pip install 'dom-gateway[sftp]'"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlatFileSettings:
    """One warehouse that writes its stock into CSV files.

    ``folder`` is a path, or ``sftp://user@host:port/path`` with a ``password`` or a ``private_key`` (its PEM text) and the server's
    ``host_key`` as it stands in a known_hosts file (``ssh-ed25519 AAAA...``): a server that shows another one is not spoken to.

    Stock files lie in ``stock`` below it. ``snapshots`` is the pattern of whole counts, ``deltas`` that of files with the new
    numbers (not differences) of what has changed since; they lie there as long as the snapshot before them. A file is complete once
    it has such a name, or, with a ``done_suffix``, once a file of the same name and that suffix lies beside it.

    What a row says was true at its ``as_of`` column, else at the time in the file's name, which looks like ``name_time``
    (``%Y%m%dT%H%M%S``), else when the file was written. Times without an offset are of ``time_zone``; ``as_of_format`` is None for
    ISO 8601. What is older than ``age_max_s`` is unknown; with deltas, the newest file vouches for all rows.

    ``rows_add_up``: a SKU may have several rows at a place, by lot or by bin; otherwise a second one is a mistake. ``stock_drop``
    is when the warehouse takes an order of ours off the numbers in its files; ON_SHIP is the careful answer.
    ``visibility_delay_s`` is how long after that a file may still show the number from before; None: as long as a file may be old.
    ``list_every_s`` is how long we do without looking for newer files.
    """

    folder: str
    places: tuple[Place, ...]
    columns: Columns
    orders: Exchange | None = None
    password: Secret | None = None
    private_key: Secret | None = None
    host_key: str | None = None
    stock: str = "stock"
    snapshots: str = "stock-*.csv"
    deltas: str | None = None
    done_suffix: str = ""
    name_time: str | None = None
    as_of_format: str | None = None
    time_zone: str = "UTC"
    encoding: str = "utf-8-sig"
    delimiter: str = ","
    no_row: NoRow = NoRow.UNKNOWN
    rows_add_up: bool = False
    age_max_s: float = 7_200.0
    list_every_s: float = 15.0
    stock_drop: StockDrop = StockDrop.ON_SHIP
    visibility_delay_s: float | None = None
    fresh_for_s: float = 15.0
    file_bytes_max: int = 64 * 2**20
    rows_max: int = 1_000_000
    attempt_timeout_s: float = 20.0
    total_timeout_s: float = 60.0
    concurrency_max: int = 4
    orders_max: int = 100_000

    def __post_init__(self) -> None:
        self._check_places()
        if self.is_remote:
            self._check_server()
        if len(self.delimiter) != 1:
            raise ValueError("delimiter: one character")
        try:
            codecs.lookup(self.encoding)
        except LookupError:
            raise ValueError(f"encoding: there is no {self.encoding!r}") from None
        if self.time_zone not in available_timezones():
            raise ValueError(f"time_zone: {self.time_zone!r} is not an IANA time zone such as America/Chicago")

    @property
    def url(self) -> SplitResult:
        """The parts of the folder's address."""
        return urlsplit(self.folder)

    @property
    def path(self) -> Path:
        """The folder, if it is on this machine."""
        return Path(self.folder)

    @property
    def is_remote(self) -> bool:
        """Whether the folder is on another machine."""
        return self.url.scheme == "sftp"

    def _check_places(self) -> None:
        ids = [place.id for place in self.places]
        if not ids or len(set(ids)) < len(ids):
            raise ValueError("places: at least one, each with an id of its own")
        if self.columns.location is None and len(ids) > 1:
            raise ValueError("columns: without a location there can be only one place")

    def _check_server(self) -> None:
        if find_spec("asyncssh") is None:
            raise ValueError(f"folder: SFTP needs the extra named sftp: {SFTP_EXTRA}")
        if not self.url.hostname or not self.url.username:
            raise ValueError("folder: sftp://user@host/path")
        if self.url.password:
            raise ValueError("folder: a password is written under password, as env:NAME or file:/path")
        if (self.password is None) == (self.private_key is None):
            raise ValueError("folder: SFTP needs a password or a private_key")
        if self.host_key is None:
            raise ValueError("host_key: SFTP needs the server's own, such as ssh-ed25519 AAAA...")

    def limits(self) -> Limits:
        """The bounds that the channel keeps."""
        return Limits(
            attempt_timeout_s=self.attempt_timeout_s,
            total_timeout_s=self.total_timeout_s,
            concurrency_max=self.concurrency_max,
            response_bytes_max=self.file_bytes_max,
        )
