"""Reading a configuration file: what is wrong with it is reported all at once, each mistake with its line and key."""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Final, TypeVar, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import msgspec
from msgspec import Meta

from connectors.contract import Method, RemoteLocationId, Secret
from connectors.registry import UnknownConnector, spec_of
from gateway.domain.delivery import Terms
from gateway.domain.geography import Centroids, parse_centroids
from gateway.domain.identity import SourceName
from gateway.domain.policies import Tags, parse_tags
from gateway.domain.pricing import PricingTerms
from gateway.domain.rates import Weights, parse_weights
from gateway.domain.rejections import RejectionTerms
from gateway.domain.routing import Tariff
from gateway.domain.whatif import Guardrails
from gateway.ports import Correction
from gateway.settings import (
    Events,
    Geography,
    Network,
    Products,
    Queries,
    Quotes,
    Server,
    Settings,
    SourceSettings,
    Stock,
    Store,
    StoreUrl,
    Text,
    Token,
    Work,
)

T = TypeVar("T")

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
DATABASES: Final = frozenset({"sqlite", "postgresql", "postgres"})
IN_FILES: Final[Mapping[type[Any], Callable[[str], Any]]] = {
    Weights: parse_weights,
    Tags: parse_tags,
    Centroids: parse_centroids,
}
"""What is written as the path of a file that holds it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One thing that is wrong with a configuration file, and where."""

    file: Path
    line: int
    key: str
    problem: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else str(self.file)
        return f"{where}: {self.key}: {self.problem}" if self.key else f"{where}: {self.problem}"


class Misconfigured(ValueError):
    """A configuration file that cannot be used; every mistake in it."""

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        super().__init__("\n".join(str(mistake) for mistake in mistakes))
        self.mistakes = mistakes


Key = tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Reader:
    """Reads tables into settings and collects what is wrong instead of stopping at it."""

    file: Path
    lines: Mapping[Key, int]
    environment: Mapping[str, str]
    mistakes: list[Mistake] = field(default_factory=list)

    def wrong(self, key: Key, problem: str) -> None:
        """Note a mistake, at the line of the key or of the nearest table around it."""
        line = next((self.lines[key[:size]] for size in range(len(key), 0, -1) if key[:size] in self.lines), 0)
        self.mistakes.append(Mistake(file=self.file, line=line, key=".".join(key), problem=problem))

    def table(self, kind: type[T], found: object, at: Key) -> T | None:
        """The table as that dataclass. None, if anything in it is wrong."""
        if not isinstance(found, dict):
            self.wrong(at, f"expected a table, got {found!r}")
            return None
        hints = get_type_hints(kind, include_extras=True)
        known = {each.name: each for each in fields(kind)}  # type: ignore[arg-type]  # always a dataclass
        needed = {name for name, each in known.items() if each.default is MISSING and each.default_factory is MISSING}
        mistakes = len(self.mistakes)
        for name in found.keys() - known.keys():
            self.wrong((*at, name), f"there is no such key; there is {', '.join(sorted(known))}")
        for name in needed - found.keys():
            self.wrong((*at, name), "is missing")
        values = {name: self.value(hints[name], found[name], (*at, name)) for name in known if name in found}
        if len(self.mistakes) > mistakes:
            return None
        try:
            return kind(**values)
        except ValueError as error:
            self.wrong(at, str(error))
            return None

    def value(self, kind: Any, found: object, at: Key) -> Any:
        """One value as that type. None, if it is not."""
        try:
            if kind is Secret or kind == Secret | None:
                return self._secret(found)
            if kind is StoreUrl:
                return self._store_url(found)
            if isinstance(kind, type) and kind in IN_FILES:
                return self._held(IN_FILES[kind], found)
            if (table := _table_in(kind)) is not None:
                return self._tables(table, found, at) if get_origin(kind) is tuple else self.table(table, found, at)
            return msgspec.convert(found, kind, strict=True)
        except (msgspec.ValidationError, ValueError, OSError) as error:
            self.wrong(at, str(error))
            return None

    def _tables(self, kind: type[T], found: object, at: Key) -> tuple[T | None, ...]:
        """An array of tables. None in place of each that has a mistake."""
        rows = _list(self, found, *at)
        return tuple(self.table(kind, row, (*at, str(place))) for place, row in enumerate(rows))

    def _store_url(self, found: object) -> StoreUrl:
        """The address of the database, from where it is kept if it is a secret."""
        hidden = str(found).startswith(("env:", "file:"))
        url = StoreUrl(self._secret(found) if hidden else str(found))
        address = urlsplit(url)
        if address.scheme.partition("+")[0] not in DATABASES:
            raise ValueError("a SQLite file or a PostgreSQL database: sqlite:///dom.sqlite3 or postgresql://user@host/database")
        if address.password and not hidden:
            raise ValueError("an address with a password in it is written as env:NAME or file:/path, never as itself")
        return url

    def _held(self, parse: Callable[[str], T], found: object) -> T:
        """What a file holds whose path begins where the configuration file is."""
        path = self.file.parent / msgspec.convert(found, Text, strict=True)
        try:
            return parse(path.read_text(encoding="utf-8-sig"))
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error

    def _secret(self, found: object) -> Secret:
        """A credential, from where it is kept: it never stands in the file itself."""
        place, _, name = str(found).partition(":")
        if place == "env":
            if name not in self.environment:
                raise ValueError(f"the environment variable {name} is not set")
            return Secret(self.environment[name])
        if place == "file":
            return Secret(Path(name).read_text(encoding="utf-8").strip())
        raise ValueError("a credential is written as env:NAME or file:/path, never as itself")


def _table_in(kind: Any) -> type[Any] | None:
    """The dataclass that a value of this kind is written as: itself, one of an array, or one that may be left out."""
    inside = [each for each in get_args(kind) or (kind,) if each is not NoneType and each is not Ellipsis]
    return inside[0] if len(inside) == 1 and isinstance(inside[0], type) and is_dataclass(inside[0]) else None


SECTIONS: Mapping[str, type[Any]] = {
    "server": Server,
    "store": Store,
    "stock": Stock,
    "network": Network,
    "work": Work,
    "events": Events,
    "queries": Queries,
    "routing": Tariff,
    "delivery": Terms,
    "products": Products,
    "geography": Geography,
    "quotes": Quotes,
    "guardrails": Guardrails,
    "prices": PricingTerms,
    "rejections": RejectionTerms,
}


def load(file: Path, environment: Mapping[str, str]) -> Settings:
    """The settings in that file.

    Raises:
        Misconfigured: It cannot be read, or something in it is wrong; all of it is told.
    """
    try:
        text = file.read_text(encoding="utf-8")
        found = tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured((Mistake(file=file, line=0, key="", problem=f"cannot be read: {error}"),)) from error
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        problem = f"is not TOML: {error}"
        raise Misconfigured((Mistake(file=file, line=int(line[1]) if line else 0, key="", problem=problem),)) from error
    reader = Reader(file=file, lines=line_numbers(text), environment=environment)
    settings = _settings(reader, found)
    if settings is None or reader.mistakes:
        raise Misconfigured(tuple(sorted(reader.mistakes, key=lambda mistake: (mistake.line, mistake.key))))
    return settings


def sources_in(text: str, environment: Mapping[str, str]) -> tuple[SourceSettings, ...]:
    """The sources of a configuration that has nothing else in it.

    Raises:
        Misconfigured: As ``load``.
    """
    reader = Reader(file=Path("sources"), lines=line_numbers(text), environment=environment)
    found = [_source(reader, name, table) for name, table in tomllib.loads(text).get("sources", {}).items()]
    if reader.mistakes:
        raise Misconfigured(tuple(reader.mistakes))
    return tuple(each for each in found if each is not None)


def _settings(reader: Reader, found: Mapping[str, Any]) -> Settings | None:
    for name in found:
        if name not in {*SECTIONS, "sources", "tokens"}:
            reader.wrong((name,), f"there is no such table; there is {', '.join(sorted({*SECTIONS, 'sources', 'tokens'}))}")
    sections = {name: reader.table(kind, found[name], (name,)) for name, kind in SECTIONS.items() if name in found}
    tables = found.get("sources", {})
    if not isinstance(tables, dict) or not tables:
        reader.wrong(("sources",), "at least one [sources.NAME] table is needed")
        tables = {}
    sources = tuple(_source(reader, name, table) for name, table in tables.items())
    tokens = tuple(
        reader.table(Token, table, ("tokens", str(place)))
        for place, table in enumerate(_list(reader, found.get("tokens", []), "tokens"))
    )
    _each_its_own(reader, tokens)
    if (terms := sections.get("delivery", Terms())) is not None:
        _schedules_exist(reader, terms, sources)
    if not tokens:
        reader.wrong(("tokens",), "at least one [[tokens]] table is needed, or nobody can ask anything")
    if reader.mistakes:
        return None
    return Settings(
        sources=tuple(each for each in sources if each is not None),
        tokens=tuple(each for each in tokens if each is not None),
        **{name: section for name, section in sections.items() if section is not None},
    )


def _each_its_own(reader: Reader, tokens: tuple[Token | None, ...]) -> None:
    """Two tokens of one name would share their idempotency keys; of two of one secret, only one could ever be used."""
    for part in ("name", "secret"):
        seen: set[str] = set()
        for place, token in enumerate(tokens):
            if token is not None and getattr(token, part) in seen:
                reader.wrong(("tokens", str(place), part), f"another token has the same {part}")
            elif token is not None:
                seen.add(getattr(token, part))


def _schedules_exist(reader: Reader, terms: Terms, sources: tuple[SourceSettings | None, ...]) -> None:
    """A location that names a schedule which there is not would silently work by another."""
    known = sorted(each.name for each in terms.schedules)
    for source in filter(None, sources):
        for place, correction in enumerate(source.corrections.values()):
            if correction.schedule not in {None, *known}:
                key = ("sources", source.name, "locations", str(place), "schedule")
                reader.wrong(key, f"there is no such schedule; there is {', '.join(known) or 'none'}")


OURS = ("connector", "label", "safety_units", "exclusive", "locations")


def _source(reader: Reader, name: str, table: object) -> SourceSettings | None:
    at = ("sources", name)
    if not NAME.fullmatch(name):
        reader.wrong(at, "a source's name is lower-case letters, digits, - and _")
    if not isinstance(table, dict):
        reader.wrong(at, f"expected a table, got {table!r}")
        return None
    try:
        spec = spec_of(str(table.get("connector", "")))
    except UnknownConnector as error:
        reader.wrong((*at, "connector"), str(error))
        return None
    rest = {key: value for key, value in table.items() if key not in OURS}
    connection = reader.table(spec.settings, rest, at)
    label = reader.value(Text, table.get("label", name), (*at, "label"))
    safety = reader.value(Annotated[int, Meta(ge=0, le=1_000_000)], table.get("safety_units", 0), (*at, "safety_units"))
    exclusive = reader.value(bool, table.get("exclusive", False), (*at, "exclusive"))
    corrections = _corrections(reader, table.get("locations", []), at)
    if connection is None or label is None or safety is None or exclusive is None:
        return None
    return SourceSettings(
        name=SourceName(name),
        spec=spec,
        connection=connection,
        label=label,
        safety_units=safety,
        exclusive=exclusive,
        corrections=corrections,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationTable:
    """One ``[[sources.NAME.locations]]`` table: what we know better about the location that the source calls ``id``.

    ``units_per_day``: units that it can send or hand over on one day of its own, 0 to 1,000,000; left out: as many as come.
    ``slot_minutes``: it hands over pickups in slots of that length, 5 to 720 minutes, one after another while it is open; left
    out: it has no slots. ``pickups_per_slot``: pickups it can hand over in each, 0 to 10,000; left out: as many as come.
    ``schedule``: the name of one of the ``delivery.schedules``; left out: the first of its kind, if there is one.
    ``groups``: any words, up to 50, by which routing policies name it together with others.
    """

    id: Text
    code: Text | None = None
    name: Text | None = None
    time_zone: Text | None = None
    latitude: Annotated[float, Meta(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Meta(ge=-180, le=180)] | None = None
    methods: frozenset[Method] | None = None
    active: bool | None = None
    units_per_day: Annotated[int, Meta(ge=0, le=1_000_000)] | None = None
    slot_minutes: Annotated[int, Meta(ge=5, le=720)] | None = None
    pickups_per_slot: Annotated[int, Meta(ge=0, le=10_000)] | None = None
    schedule: Text | None = None
    groups: Annotated[frozenset[Text], Meta(max_length=50)] = frozenset()


def _corrections(reader: Reader, found: object, at: Key) -> dict[RemoteLocationId, Correction]:
    corrections = {}
    for place, table in enumerate(_list(reader, found, *at, "locations")):
        here = (*at, "locations", str(place))
        row = reader.table(LocationTable, table, here)
        if row is None:
            continue
        if row.time_zone is not None and row.time_zone not in available_timezones():
            reader.wrong((*here, "time_zone"), f"{row.time_zone!r} is not an IANA time zone such as America/Chicago")
        corrections[RemoteLocationId(row.id)] = Correction(
            **{each.name: getattr(row, each.name) for each in fields(row) if each.name != "id"}
        )
    return corrections


def _list(reader: Reader, found: object, *at: str) -> list[object]:
    if isinstance(found, list):
        return found
    reader.wrong(at, "expected [[double brackets]]")
    return []


def line_numbers(text: str) -> dict[Key, int]:
    """The line of every table and key of a TOML text, by path; entries of an array of tables are numbered from 0.

    The standard parser does not tell. Keys inside inline tables and multi-line values are found at the key they belong to.
    """
    lines: dict[Key, int] = {}
    counts: dict[Key, int] = {}
    table: Key = ()
    for number, line in enumerate(text.splitlines(), start=1):
        header = re.match(r"\s*(\[\[?)\s*([^\]]+?)\s*\]", line)
        key = re.match(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""", line)
        if header is not None:
            table = tuple(_resolved(_path(header[2]), counts))
            if header[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = (*table, str(counts[table]))
            lines.setdefault(table, number)
        elif key is not None:
            lines.setdefault((*table, *_path(key[1])), number)
    return lines


def _path(text: str) -> Key:
    return tuple(part.strip("\"' ") for part in re.findall(r"""[\w-]+|"[^"]*"|'[^']*'""", text))


def _resolved(path: Key, counts: Mapping[Key, int]) -> Iterator[str]:
    """The path with the number of the newest entry after every array of tables on the way."""
    so_far: Key = ()
    for place, part in enumerate(path):
        so_far = (*so_far, part)
        yield part
        if so_far in counts and place < len(path) - 1:
            so_far = (*so_far, str(counts[so_far]))
            yield so_far[-1]
