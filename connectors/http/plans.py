"""From the tables of a configuration to what is to be done: preset and defaults filled in, every word of it understood."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final, TypeVar, get_args
from zoneinfo import ZoneInfo

from connectors.described import Place
from connectors.http.presets import PRESETS, Known, Preset
from connectors.http.tables import (
    Auth,
    AuthType,
    CatalogTable,
    ListTable,
    NoRow,
    Paging,
    PagingType,
    PlacesTable,
    StockTable,
)
from connectors.http.words import Condition, Field, Path, Template, Wrong

T = TypeVar("T", bound=ListTable | Auth)

BATCH_DEFAULT: Final = 50
_NEEDED: Final[Mapping[AuthType, tuple[str, ...]]] = {
    AuthType.HEADER: ("name", "value"),
    AuthType.BEARER: ("value",),
    AuthType.BASIC: ("user", "value"),
    AuthType.QUERY: ("name", "value"),
}
_PAGING_NEEDED: Final[Mapping[PagingType, tuple[str, ...]]] = {
    PagingType.NONE: (),
    PagingType.NEXT: ("at",),
    PagingType.LINK: (),
    PagingType.PAGE: ("parameter", "size"),
    PagingType.OFFSET: ("parameter", "size"),
    PagingType.CURSOR: ("at", "parameter"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPlan:
    """How one list is asked for. ``params`` and ``body`` hold templates."""

    method: str
    path: Template
    params: Mapping[str, Template]
    body: Any
    records: Path
    inner: Path | None
    paging: Paging
    success_if: Condition | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StockPlan:
    """How stock is asked for, and how a record is read. There is ``available``, or ``on_hand`` and ``committed``."""

    asking: ListPlan
    batch: int
    sku: Field
    location: Field
    on_hand: Field | None
    available: Field | None
    committed: Field | None
    incoming: Field | None
    name: Field | None
    as_of: Field | None
    as_of_format: str | None
    time_zone: ZoneInfo | None
    no_row: NoRow
    rows_add_up: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogPlan:
    """How all SKUs are listed."""

    asking: ListPlan
    sku: Field


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacesPlan:
    """How the locations are listed; ``fields`` by the name of what they become."""

    asking: ListPlan
    fields: Mapping[str, Field]
    active_if: Condition | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that is to be done with one source. ``places`` are the locations that are known without asking."""

    auth: Auth
    denied_if: tuple[Condition, ...]
    stock: StockPlan
    catalog: CatalogPlan | None
    places: tuple[Place, ...]
    places_from: PlacesPlan | None


def plan_of(
    *,
    preset: Preset | None,
    auth: Auth,
    denied_if: tuple[str, ...] | None,
    stock: StockTable,
    catalog: CatalogTable | None,
    places: tuple[Place, ...],
    places_from: PlacesTable | None,
) -> Plan:
    """What these tables come to.

    Raises:
        Wrong: Something is missing, or does not fit.
    """
    if preset is not None and preset not in PRESETS:
        raise Wrong("preset", f"there is no {preset!r}; there is {', '.join(get_args(Preset))}")
    known = PRESETS[preset] if preset is not None else Known()
    reading = _stock_plan(_over(known.stock, stock))
    listed = _over(known.places_from, places_from)
    if not places and listed is None:
        places = _only_place(reading)
    return Plan(
        auth=_checked_auth(_over(known.auth, auth)),
        denied_if=tuple(map(Condition, known.denied_if if denied_if is None else denied_if)),
        stock=reading,
        catalog=_catalog_plan(_over(known.catalog, catalog)),
        places=_checked_places(places),
        places_from=_places_plan(listed) if listed is not None and not places else None,
    )


def _over(known: T | None, said: T | None) -> T | None:
    """What a configuration says, before what is known anyway; parameters one by one."""
    if known is None or said is None:
        return known if said is None else said
    stated = {each.name: value for each in fields(said) if (value := getattr(said, each.name)) is not None}
    if isinstance(said, ListTable) and isinstance(known, ListTable) and said.params is not None:
        stated["params"] = {**(known.params or {}), **said.params}
    return replace(known, **stated)


# ---------------------------------------------------------------------------------------------- one list
def _list_plan(key: str, table: ListTable) -> ListPlan:
    if not table.path:
        raise Wrong(f"{key}.path", "is missing")
    if "?" in table.path or "://" in table.path:
        raise Wrong(f"{key}.path", "a path below url; what would follow ? belongs into params")
    method = table.method or ("POST" if table.body else "GET")
    if table.body and method != "POST":
        raise Wrong(f"{key}.body", 'only method = "POST" has a body')
    plan = ListPlan(
        method=method,
        path=Template(table.path),
        params={name: Template(text) for name, text in (table.params or {}).items() if text},
        body=_templates(table.body) if table.body else None,
        records=Path(table.records or ""),
        inner=Path(table.inner) if table.inner else None,
        paging=_checked_paging(key, table.paging or Paging()),
        success_if=Condition(table.success_if) if table.success_if else None,
    )
    for name, template in _texts(key, plan):
        if problem := template.wrong(in_path=template is plan.path):
            raise Wrong(name, problem)
    return plan


def _checked_paging(key: str, paging: Paging) -> Paging:
    for name in _PAGING_NEEDED[paging.type]:
        if getattr(paging, name) is None:
            raise Wrong(f"{key}.paging.{name}", f'is needed for type = "{paging.type}"')
    if paging.size is not None and paging.size < 1:
        raise Wrong(f"{key}.paging.size", "at least 1")
    if not 1 <= paging.pages_max <= 10_000:
        raise Wrong(f"{key}.paging.pages_max", "1 to 10000")
    return paging


def _templates(tree: Any) -> Any:
    match tree:
        case str():
            return Template(tree)
        case Mapping():
            return {name: _templates(each) for name, each in tree.items()}
        case list() | tuple():
            return [_templates(each) for each in tree]
        case _:
            return tree


def _texts(key: str, plan: ListPlan) -> Iterator[tuple[str, Template]]:
    """Every template of a plan, with the key it stands at."""
    yield f"{key}.path", plan.path
    yield from ((f"{key}.params.{name}", template) for name, template in plan.params.items())
    yield from ((f"{key}.body", template) for template in _leaves(plan.body))


def _leaves(tree: Any) -> Iterator[Template]:
    match tree:
        case Template():
            yield tree
        case Mapping():
            for each in tree.values():
                yield from _leaves(each)
        case list():
            for each in tree:
                yield from _leaves(each)
        case _:
            pass


def _asks_for(plan: ListPlan) -> frozenset[str]:
    return frozenset(word for _, template in _texts("", plan) for word in template.asks_for())


# ---------------------------------------------------------------------------------------------- stock
def _stock_plan(table: StockTable | None) -> StockPlan:
    table = table or StockTable()
    asking = _list_plan("stock", table)
    if not table.available and not (table.on_hand and table.committed):
        raise Wrong("stock.available", "is needed, or stock.on_hand and stock.committed")
    return StockPlan(
        asking=asking,
        batch=_batch(table.batch, _asks_for(asking)),
        sku=_needed("stock.sku", table.sku),
        location=_needed("stock.location", table.location),
        on_hand=_field("stock.on_hand", table.on_hand),
        available=_field("stock.available", table.available),
        committed=_field("stock.committed", table.committed),
        incoming=_field("stock.incoming", table.incoming),
        name=_field("stock.name", table.name),
        as_of=_field("stock.as_of", table.as_of),
        as_of_format=table.as_of_format or None,
        time_zone=_zone("stock.time_zone", table.time_zone) if table.time_zone else None,
        no_row=table.no_row or NoRow.UNKNOWN,
        rows_add_up=table.rows_add_up or False,
    )


def _batch(said: int | None, words: frozenset[str]) -> int:
    if words == {"sku", "skus"}:
        raise Wrong("stock.params", "{sku} asks for one SKU and {skus} for many: one of them")
    if said is not None and not 1 <= said <= 10_000:
        raise Wrong("stock.batch", "1 to 10000")
    if "sku" in words:
        if said not in {None, 1}:
            raise Wrong("stock.batch", f"{said} SKUs at a time need {{skus}}, {{skus|csv}} or {{skus|json}} in place of {{sku}}")
        return 1
    if not words and said is None:
        raise Wrong("stock.params", "nothing asks for {sku} or {skus}; if every read is to fetch the whole list, set stock.batch")
    return BATCH_DEFAULT if said is None else said


def _needed(key: str, text: str | None) -> Field:
    field = _field(key, text)
    if field is None:
        raise Wrong(key, "is missing")
    return field


def _field(key: str, text: str | None) -> Field | None:
    if text is not None and text != text.strip():
        raise Wrong(key, f"{text!r} has a blank at its end")
    return Field(text) if text else None


def _zone(key: str, name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise Wrong(key, f"{name!r} is not an IANA time zone such as America/Chicago") from None


# ---------------------------------------------------------------------------------------------- the rest
def _checked_auth(auth: Auth | None) -> Auth:
    auth = auth or Auth()
    if auth.type is None:
        if auth.value is not None:
            raise Wrong("auth.type", f"is missing: {', '.join(AuthType)}")
        return auth
    for name in _NEEDED[auth.type]:
        if not getattr(auth, name):
            raise Wrong(f"auth.{name}", f'is needed for type = "{auth.type}"')
    return auth


def _catalog_plan(table: CatalogTable | None) -> CatalogPlan | None:
    if table is None or table.path == "":
        return None
    asking = _list_plan("catalog", table)
    if _asks_for(asking):
        raise Wrong("catalog", "lists all SKUs: it asks for none")
    return CatalogPlan(asking=asking, sku=_needed("catalog.sku", table.sku))


def _places_plan(table: PlacesTable) -> PlacesPlan:
    asking = _list_plan("places_from", table)
    if _asks_for(asking):
        raise Wrong("places_from", "lists locations: it asks for no SKU")
    own = {each.name for each in fields(table)} - {each.name for each in fields(ListTable)} - {"active_if"}
    found = {name: field for name in sorted(own) if (field := _field(f"places_from.{name}", getattr(table, name)))}
    if "id" not in found:
        raise Wrong("places_from.id", "is missing")
    return PlacesPlan(asking=asking, fields=found, active_if=Condition(table.active_if) if table.active_if else None)


def _only_place(stock: StockPlan) -> tuple[Place, ...]:
    """The one location of a source that does not speak of locations."""
    if not stock.location.constant:
        raise Wrong("places", "which locations are there? List them in [[places]], or say in [places_from] where the source does")
    return (Place(id=stock.location.constant),)


def _checked_places(places: Sequence[Place]) -> tuple[Place, ...]:
    seen: set[str] = set()
    for number, place in enumerate(places):
        if not place.id or place.id in seen:
            raise Wrong(f"places.{number}.id", "is empty" if not place.id else f"{place.id!r} is there twice")
        if place.country_code is not None and not (len(place.country_code) == 2 and place.country_code.isalpha()):
            raise Wrong(f"places.{number}.country_code", f"{place.country_code!r} is not two letters, such as US")
        if place.time_zone:
            _zone(f"places.{number}.time_zone", place.time_zone)
        seen.add(place.id)
    return tuple(places)
