"""From the rows of stock files to levels."""

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from io import StringIO
from math import floor
from typing import Final
from zoneinfo import ZoneInfo

from connectors.contract import ContractBroken, RemoteLevel, RemoteLocationId, Sku, StockBatch
from connectors.described import NoRow
from connectors.flat_file.settings import FlatFileSettings

UNITS_MAX: Final = 10**12
NEVER: Final = datetime.min.replace(tzinfo=UTC)
SKU_CHARS_MAX: Final = 200

AMOUNTS: Final = ("on_hand", "available", "committed", "incoming")
# What strptime takes of ``name_time``, and what it looks like.
_DIGITS: Final[Mapping[str, str]] = {"%Y": r"\d{4}", "%f": r"\d{1,6}"} | dict.fromkeys(("%m", "%d", "%H", "%M", "%S"), r"\d\d")

Shelf = tuple[Sku, RemoteLocationId]
Row = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What one file says. ``as_of`` is the file's own time."""

    levels: Mapping[Shelf, RemoteLevel]
    names: Mapping[Sku, str]
    as_of: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """What a snapshot and the deltas after it say together. ``as_of`` is the newest one's own time."""

    levels: Mapping[Sku, Mapping[RemoteLocationId, RemoteLevel]] = field(default_factory=dict)
    names: Mapping[Sku, str] = field(default_factory=dict)
    as_of: datetime = NEVER

    def with_sheet(self, sheet: Sheet) -> "Stock":
        """What is known once this has been read too."""
        levels = dict(self.levels)
        for (sku, location), level in sheet.levels.items():
            levels[sku] = {**levels.get(sku, {}), location: level}
        return Stock(levels=levels, names={**self.names, **sheet.names}, as_of=sheet.as_of)


def moved(before: Stock, after: Stock) -> frozenset[Sku]:
    """The SKUs of which the two do not say the same."""
    return frozenset(sku for sku in before.levels.keys() | after.levels.keys() if _numbers(before, sku) != _numbers(after, sku))


def _numbers(stock: Stock, sku: Sku) -> set[tuple[object, ...]]:
    return {(each.location, *(getattr(each, name) for name in AMOUNTS)) for each in stock.levels.get(sku, {}).values()}


def batch_of(stock: Stock, asked: Sequence[Sku], *, settings: FlatFileSettings, oldest: datetime) -> StockBatch:
    """What is known of these SKUs. What was last true before ``oldest`` is unknown, and never zero."""
    levels: list[RemoteLevel] = []
    for sku in dict.fromkeys(asked):
        known = stock.levels.get(sku, {})
        if settings.no_row is NoRow.ZERO:
            known = {**_empty(sku, settings, stock.as_of), **known}
        levels += [_unknown(each) if _since(each, stock, settings) < oldest else each for each in known.values()]
    carried = {level.sku for level in levels}
    return StockBatch(
        levels=tuple(levels),
        unknown=frozenset(asked) - carried,
        names={sku: stock.names[sku] for sku in carried if sku in stock.names},
    )


def _since(level: RemoteLevel, stock: Stock, settings: FlatFileSettings) -> datetime:
    """When the level was last known to be true: the newest delta vouches for what it does not mention."""
    return stock.as_of if settings.deltas or level.as_of is None else level.as_of


def _empty(sku: Sku, settings: FlatFileSettings, as_of: datetime) -> dict[RemoteLocationId, RemoteLevel]:
    ids = (RemoteLocationId(place.id) for place in settings.places)
    return {each: RemoteLevel(sku=sku, location=each, on_hand=0, available=0, as_of=as_of) for each in ids}


def _unknown(level: RemoteLevel) -> RemoteLevel:
    return replace(level, on_hand=None, available=None, committed=None, incoming=None)


# ---------------------------------------------------------------------------------------------- reading a file
def name_time(name: str, settings: FlatFileSettings) -> datetime | None:
    """The time in a file's name; None where the settings look for none, or the name holds none."""
    if settings.name_time is None:
        return None
    looks_like = re.sub(r"%\w", lambda token: _DIGITS.get(token[0], r"\w+"), re.escape(settings.name_time))
    found = re.search(looks_like, name)
    try:
        return None if found is None else _zoned(datetime.strptime(found[0], settings.name_time), settings)  # noqa: DTZ007  zoned
    except ValueError:
        return None


def parse_stock(content: bytes, *, name: str, whole: bool, as_of: datetime, latest: datetime, settings: FlatFileSettings) -> Sheet:
    """What a stock file says of the places we know; nothing of it, if one row cannot be read: which SKU would be missing?

    ``whole``: it is a snapshot, and holds something. ``as_of`` is the file's time. Nothing was true after ``latest``, which is now:
    a time from the future would keep a file fresh.

    Raises:
        ContractBroken: Naming the file and the line.
    """
    columns = settings.columns.wanted()
    found: dict[Shelf, list[RemoteLevel]] = defaultdict(list)
    names: dict[Sku, str] = {}
    places = {place.id for place in settings.places}
    row: Row = {}
    for line, row in rows_of(content, name=name, columns=columns.values(), settings=settings):
        try:
            location = row[columns["location"]].strip() if "location" in columns else settings.places[0].id
            level = _level({ours: row[theirs] for ours, theirs in columns.items()}, location, as_of, settings)
        except ValueError as error:
            raise ContractBroken(f"{name}, line {line}: {error}") from None
        shelf = (level.sku, level.location)
        if found[shelf] and not settings.rows_add_up:
            raise ContractBroken(f"{name}, line {line}: a second row for {level.sku} at {location}")
        if location in places:
            found[shelf].append(replace(level, as_of=min(level.as_of or as_of, latest)))
            if "name" in columns:
                names[level.sku] = row[columns["name"]].strip()
    if whole and not row:
        raise ContractBroken(f"{name}: no rows, which is no count of a warehouse")
    return Sheet(levels={shelf: _together(rows) for shelf, rows in found.items() if rows}, names=names, as_of=min(as_of, latest))


def rows_of(content: bytes, *, name: str, columns: Iterable[str], settings: FlatFileSettings) -> Iterator[tuple[int, Row]]:
    """The rows of a CSV file (RFC 4180) by the names in its first line, with the number of their last line; empty ones left out.

    Raises:
        ContractBroken: It is not CSV, one of the columns is missing, or a row has another number of cells than the first.
    """
    try:
        lines = StringIO(content.decode(settings.encoding), newline="")
    except UnicodeDecodeError as error:
        raise ContractBroken(f"{name}: not {settings.encoding} at byte {error.start}") from None
    reader = csv.reader(lines, delimiter=settings.delimiter, strict=True)
    header: list[str] = []
    try:
        header = [each.strip() for each in next(reader, [])]
        _check_header(header, columns, name)
        for number, cells in enumerate(reader, start=1):
            if not any(cells):
                continue
            if len(cells) != len(header) or number > settings.rows_max:
                wrong = f"{len(cells)} cells instead of {len(header)}" if number <= settings.rows_max else "one row too many"
                raise ContractBroken(f"{name}, line {reader.line_num}: {wrong}")
            yield reader.line_num, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise ContractBroken(f"{name}, line {reader.line_num}: {error}") from None


def _check_header(header: Sequence[str], columns: Iterable[str], name: str) -> None:
    for column in columns:
        if header.count(column) != 1:
            there_are = ", ".join(header)[:200] or "none"
            raise ContractBroken(f"{name}: no column {column!r}, or several; there are: {there_are}")


def _level(row: Row, location: str, as_of: datetime, settings: FlatFileSettings) -> RemoteLevel:
    sku = row["sku"].strip()
    if not sku or not sku.isprintable() or len(sku) > SKU_CHARS_MAX:
        raise ValueError(f"{sku[:20]!r} is no SKU")
    units = {name: _units(name, row[name]) if name in row else None for name in AMOUNTS}
    on_hand, available, committed = units["on_hand"], units["available"], units["committed"]
    if "available" not in row and on_hand is not None and committed is not None:
        available = on_hand - committed
    counted_at = row.get("as_of", "").strip()
    return RemoteLevel(
        sku=Sku(sku),
        location=RemoteLocationId(location),
        on_hand=on_hand,
        available=available,
        committed=committed,
        incoming=units["incoming"],
        as_of=instant(counted_at, settings) if counted_at else as_of,
    )


def _units(column: str, cell: str) -> int | None:
    """Whole units; None for an empty cell."""
    text = cell.strip()
    if not text:
        return None
    try:
        quantity = Decimal(text)
    except InvalidOperation:
        quantity = Decimal("NaN")
    if not quantity.is_finite() or abs(quantity) > UNITS_MAX or "_" in text:  # Python reads 1_000 as a thousand
        raise ValueError(f"{column} is {text[:40]!r}, not a number of things")
    return floor(quantity)


def instant(text: str, settings: FlatFileSettings) -> datetime:
    """A time as files write it.

    Raises:
        ValueError: It is none.
    """
    try:
        if settings.as_of_format is None:
            return _zoned(datetime.fromisoformat(text), settings)
        return _zoned(datetime.strptime(text, settings.as_of_format), settings)  # noqa: DTZ007  zoned
    except (ValueError, OverflowError):
        raise ValueError(f"{text[:40]!r} is not a time") from None


def _zoned(time: datetime, settings: FlatFileSettings) -> datetime:
    return time.replace(tzinfo=ZoneInfo(settings.time_zone)) if time.tzinfo is None else time


def _together(rows: Sequence[RemoteLevel]) -> RemoteLevel:
    """Lots and bins added up, as old as the oldest; one that was never counted leaves the sum unknown."""
    return replace(
        rows[0],
        on_hand=_sum([row.on_hand for row in rows]),
        available=_sum([row.available for row in rows]),
        committed=_sum([row.committed for row in rows]),
        incoming=_sum([row.incoming for row in rows]),
        as_of=min(row.as_of for row in rows if row.as_of),
    )


def _sum(units: Sequence[int | None]) -> int | None:
    counted = [each for each in units if each is not None]
    return sum(counted) if len(counted) == len(units) else None
