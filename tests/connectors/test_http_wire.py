"""Reading records of any shape, and a configuration with its mistakes."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors.contract import ContractBroken, RemoteLevel, Sku, SourceKind, StockBatch
from connectors.described import Place
from connectors.http import HttpSettings
from connectors.http.places import parse_places
from connectors.http.stock import batch_of, parse_rows
from connectors.http.tables import NoRow, PlacesTable, StockTable
from connectors.http.words import Condition, Field
from gateway.configuration import Misconfigured, load

PLACES = (Place(id="L1"), Place(id="L2"))


def parsed(*rows: dict[str, Any], silent_at: tuple[str, ...] = (), **more: Any) -> StockBatch:
    """What these rows say of A and B."""
    defaults = {"path": "stock", "params": {"codes": "{skus|csv}"}, "sku": "code", "location": "at", "available": "there"}
    plan = HttpSettings(url="http://x.test", stock=StockTable(**{**defaults, **more}), places=PLACES).plan().stock
    # As they come over the wire: text and back.
    read = [(row, row) for row in msgspec.json.decode(msgspec.json.encode(rows))]
    asked = [Sku("A"), Sku("B")]
    told = parse_rows(read, plan=plan, asked=asked, places=("L1", "L2"))
    return batch_of([told], plan=plan, asked=asked, locations=silent_at)  # type: ignore[arg-type]  # ids of locations


def only(*rows: dict[str, Any], **more: Any) -> RemoteLevel:
    (level,) = parsed(*rows, **more).levels
    return level


# ---------------------------------------------------------------------------------------------- records
@pytest.mark.parametrize(
    ("said", "units"),
    [(3, 3), (0, 0), (-2, -2), (2.9, 2), (-0.5, -1), ("7", 7), ("7.50", 7), (" 7 ", 7), ("1e2", 100), (None, None)],
)
def test_a_quantity_is_floored_and_may_be_negative_or_unknown(said: Any, units: int | None) -> None:
    level = only({"code": "A", "at": "L1", "there": said})
    assert (level.on_hand, level.available) == (None, units)


@pytest.mark.parametrize("said", ["", "seven", "1,000", "NaN", "Infinity", "1e400", 1e300, True, [1], {"n": 1}])
def test_what_is_not_a_number_of_things_is_never_zero(said: Any) -> None:
    with pytest.raises(ContractBroken, match=r"stock\.available"):
        parsed({"code": "A", "at": "L1", "there": said})


@pytest.mark.parametrize("row", [{"code": "A", "at": "L1"}, {"code": "A", "there": 1}, {"at": "L1", "there": 1}, "A", 3])
def test_a_field_that_is_missing_breaks_the_contract(row: Any) -> None:
    with pytest.raises(ContractBroken):
        parsed(row)


def test_nothing_in_place_of_a_record_says_nothing() -> None:
    batch = parsed(None)  # type: ignore[arg-type]  # what comes over a wire is not typed
    assert batch.levels == ()
    assert batch.unknown == {"A", "B"}


def test_a_field_that_may_be_missing_is_unknown_then() -> None:
    level = only({"code": "A", "at": "L1", "there": 1}, incoming="coming?", name="title?", as_of="when?")
    assert (level.available, level.incoming, level.as_of) == (1, None, None)


def test_what_is_committed_is_subtracted_where_nothing_else_is_said_to_be_available() -> None:
    row = {"code": "A", "at": "L1", "there": 5, "taken": 2.5, "free": 1}
    said = {"on_hand": "there", "committed": "taken"}
    assert only(row, **said, available="").available == 2
    assert only(row, **said, available="free").available == 1
    assert only({**row, "taken": None}, **said, available="").available is None
    assert only({**row, "free": None}, **said, available="free").available is None


def test_rows_of_other_skus_and_other_locations_are_dropped() -> None:
    rows = [{"code": code, "at": at, "there": 1} for code, at in [("A", "L1"), ("a", "L1"), ("A", "L9"), ("C", "L1"), (None, "L1")]]
    batch = parsed(*rows)
    assert [(level.sku, level.location) for level in batch.levels] == [("A", "L1")]
    assert batch.unknown == {"B"}


def test_one_shelf_that_is_there_twice_is_refused_unless_it_adds_up() -> None:
    rows = [
        {"code": "A", "at": "L1", "there": 1, "taken": 1, "when": "2025-11-22T10:00:00Z"},
        {"code": "A", "at": "L1", "there": 2, "taken": None, "when": "2025-11-21T10:00:00Z"},
    ]
    with pytest.raises(ContractBroken, match="rows_add_up"):
        parsed(*rows)
    level = only(*rows, rows_add_up=True, as_of="when", committed="taken")
    assert (level.available, level.committed) == (3, None)
    assert level.as_of == datetime(2025, 11, 21, 10, tzinfo=UTC)


def test_where_silence_means_zero_every_shelf_that_was_not_spoken_of_is_empty() -> None:
    row = {"code": "A", "at": "L1", "there": 1}
    batch = parsed(row, silent_at=("L1", "L2"), no_row=NoRow.ZERO)
    assert {(level.sku, level.location, level.available) for level in batch.levels} == {
        ("A", "L1", 1), ("A", "L2", 0), ("B", "L1", 0), ("B", "L2", 0)
    }  # fmt: skip
    cut = parsed(row, {"code": "C", "at": "L1", "there": 1}, silent_at=("L1", "L2"), no_row=NoRow.ZERO)
    assert {level.sku for level in cut.levels} == {"A"}
    assert cut.unknown == {"B"}, "it ignores the filter: B may come later"


@pytest.mark.parametrize(
    ("said", "written", "at"),
    [
        ("2025-11-22T10:00:00Z", None, datetime(2025, 11, 22, 10, tzinfo=UTC)),
        ("2025-11-22T10:00:00+02:00", None, datetime(2025, 11, 22, 8, tzinfo=UTC)),
        ("2025-11-22 18:00:00", None, datetime(2025, 11, 22, 10, tzinfo=UTC)),
        ("22.11.2025 18:00", "%d.%m.%Y %H:%M", datetime(2025, 11, 22, 10, tzinfo=UTC)),
        (1763805600, "unix", datetime(2025, 11, 22, 10, tzinfo=UTC)),
        ("1763805600000", "unix_ms", datetime(2025, 11, 22, 10, tzinfo=UTC)),
        (None, None, None),
        ("", None, None),
    ],
)
def test_an_instant_gets_the_zone_that_is_configured_where_it_has_none(said: Any, written: str | None, at: datetime | None) -> None:
    row = {"code": "A", "at": "L1", "there": 1, "when": said}
    assert only(row, as_of="when", as_of_format=written, time_zone="Asia/Shanghai").as_of == at


@pytest.mark.parametrize("said", ["yesterday", 1763805600, True, ["2025"], "22.11.2025"])
def test_an_instant_that_cannot_be_read_says_how_to_help(said: Any) -> None:
    with pytest.raises(ContractBroken, match="as_of_format"):
        parsed({"code": "A", "at": "L1", "there": 1, "when": said}, as_of="when")


def test_a_source_lists_its_locations_in_its_own_words() -> None:
    listed = PlacesTable(
        path="sites", id="no", name="title", country_code="=us", latitude="geo.0", time_zone="tz?", active_if="open"
    )
    table = StockTable(path="stock", params={"code": "{sku}"}, sku="code", location="at", available="there")
    plan = HttpSettings(url="http://x.test", stock=table, places_from=listed).plan().places_from
    assert plan is not None
    rows = [{"no": 7, "title": "Mill", "geo": ["52.5", 13.4], "tz": "CET+1", "open": True}, {"no": 8, "title": None, "geo": None}]
    mill, other = parse_places([(row, row) for row in rows], plan)
    assert mill.address is not None
    assert (mill.id, mill.name, mill.address.latitude, mill.time_zone, mill.active) == ("7", "Mill", 52.5, None, True)
    assert (other.id, other.name, other.active) == ("8", "8", False)


# ---------------------------------------------------------------------------------------------- words
@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("a", True), ("a.0.b", True), ("a.0.b=x", True), ("a.0.b~", True), ("n=3", True), ("ok=true", True), ("z=", True),
        ("a.1", False), ("a.0.b=y", False), ("a.0.b~y", False), ("none", False), ("missing", False), ("none=null", False),
        ("n=3.0", False), ("a.b", False), ("n.x", False),
    ],
)  # fmt: skip
def test_a_condition_holds_or_does_not(text: str, holds: bool) -> None:
    assert Condition(text).holds({"a": [{"b": "x"}], "n": 3, "ok": True, "none": None, "z": ""}) is holds


def test_below_null_is_null_and_elsewhere_nothing() -> None:
    record = {"a": None, "b": {"c": 1}}
    assert Field("a.x.y").of(record, {}) is None
    assert Field("^k").of(record, {"k": 2}) == 2
    assert Field("=k").of(record, {"k": 2}) == "k"
    with pytest.raises(ContractBroken, match=r"'b\.x'"):
        Field("b.x").of(record, {})


# ---------------------------------------------------------------------------------------------- the configuration
FILE = """
[sources.north]
connector = "http"
kind = "THIRD_PARTY_LOGISTICS"
url = "https://wms.example/"
auth = {{ type = "header", name = "token", value = "env:WMS" }}

[sources.north.stock]
path = "stock/list/"
params = {{ goods_code = "{sku}" }}
{stock}
[[sources.north.places]]
id = "{place}"
street = "1 Main St"
country_code = "US"

[[sources.north.locations]]
id = "A"
code = "wh-north"

[[tokens]]
name = "king"
role = "OPERATOR"
secret = "env:WMS"
"""
GOOD = 'records = "results"\nsku = "goods_code"\nlocation = "=A"\navailable = "can_order_stock"\n'


def loaded(tmp_path: Path, *, sku: str = "{sku}", stock: str = GOOD, place: str = "A", file: str = FILE) -> HttpSettings:
    path = tmp_path / "dom.toml"
    path.write_text(file.format(sku=sku, stock=stock, place=place), encoding="utf-8")
    (source,) = load(path, {"WMS": "s3cret"}).sources
    assert isinstance(source.connection, HttpSettings)
    return source.connection


def test_a_source_is_described_in_tables_within_its_table(tmp_path: Path) -> None:
    settings = loaded(tmp_path, stock=GOOD + 'paging = { type = "next", at = "next" }\n')
    assert settings.kind is SourceKind.THIRD_PARTY_LOGISTICS
    assert (settings.auth.value, repr(settings.auth.value)) == ("s3cret", "Secret('***')")
    assert [place.street for place in settings.places] == ["1 Main St"]
    plan = settings.plan()
    assert (plan.stock.batch, plan.stock.asking.paging.at, plan.places_from) == (1, "next", None)


def test_a_preset_is_overridden_key_by_key(tmp_path: Path) -> None:
    text = """
[sources.erp]
connector = "http"
url = "https://erp.example"
preset = "erpnext"
auth = {{ value = "env:WMS" }}
[sources.erp.stock]
params = {{ filters = '[["item_code","in",{{skus|json}}],["warehouse","like","%- D"]]', order_by = "" }}
batch = 20
time_zone = "Asia/Kolkata"
as_of = ""
[[tokens]]
name = "king"
role = "OPERATOR"
secret = "env:WMS"
"""
    plan = loaded(tmp_path, file=text.replace("{{skus|json}}", "{{skus|json}}")).plan()
    assert (plan.auth.name, plan.auth.prefix) == ("Authorization", "token ")
    assert set(plan.stock.asking.params) == {"fields", "filters"}
    assert plan.stock.asking.params["filters"].filled([Sku('A"')]) == '[["item_code","in",["A\\""]],["warehouse","like","%- D"]]'
    assert (plan.stock.batch, plan.stock.as_of, plan.stock.on_hand) == (20, None, Field("actual_qty"))
    assert plan.places_from is not None


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ({"sku": "{skuu}"}, "stock.params.goods_code: {skuu} is none of"),
        ({"sku": "x {skus}"}, "stock.params.goods_code: {skus} stands alone"),
        ({"sku": "all"}, "stock.params: nothing asks for {sku}"),
        ({"stock": GOOD + "batch = 20\n"}, "stock.batch: 20 SKUs at a time need"),
        ({"sku": "{skus}", "stock": GOOD + "batch = 0\n"}, "stock.batch: 1 to 10000"),
        ({"stock": GOOD.replace("available", "on_hand")}, "stock.available: is needed, or stock.on_hand and stock.committed"),
        ({"stock": GOOD.replace('sku = "goods_code"', "")}, "stock.sku: is missing"),
        ({"stock": GOOD + 'body = { a = "{sku}" }\nmethod = "GET"\n'}, "stock.body: only"),
        ({"stock": GOOD + 'paging = { type = "cursor", at = "x" }\n'}, "stock.paging.parameter: is needed"),
        ({"stock": GOOD + 'paging = { type = "page", parameter = "p", size = 0 }\n'}, "stock.paging.size: at least 1"),
        ({"stock": GOOD + 'time_zone = "Mars"\n'}, "stock.time_zone: 'Mars' is not an IANA time zone"),
        ({"stock": GOOD + '[[sources.north.places]]\nid = "A"\n'}, "places.1.id: 'A' is there twice"),
        ({"file": FILE.replace('"US"', '"USA"')}, "places.0.country_code: 'USA' is not two letters"),
        ({"file": FILE.replace("https://wms.example/", "wms.example")}, "url: an address such as"),
        ({"file": FILE.replace("https://wms.example/", "https://ada:s3cret@wms.example/")}, "url: an address such as"),
        ({"file": FILE.replace("stock/list/", "stock?x=1")}, "stock.path: a path below url"),
        ({"file": FILE.replace('name = "token", ', "")}, "auth.name: is needed"),
        ({"file": FILE.replace('type = "header", ', "")}, "auth.type: is missing"),
    ],
)
def test_what_does_not_fit_together_is_told_with_its_key(wrong: dict[str, str], key: str, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured) as found:
        loaded(tmp_path, **wrong)
    (mistake,) = found.value.mistakes
    assert mistake.key == "sources.north"
    assert mistake.problem.startswith(key), mistake.problem


@pytest.mark.parametrize(
    ("stock", "line", "key"),
    [
        (GOOD + "colour = 1\n", 15, "sources.north.stock.colour"),
        (GOOD + "batch = '1'\n", 15, "sources.north.stock.batch"),
        (GOOD + 'no_row = "nought"\n', 15, "sources.north.stock.no_row"),
        (GOOD + 'paging = { type = "next", att = "x" }\n', 15, "sources.north.stock.paging.att"),
        (GOOD + "paging = 3\n", 15, "sources.north.stock.paging"),
        (GOOD + '[[sources.north.places]]\nname = "x"\n', 15, "sources.north.places.0.id"),
    ],
)
def test_a_mistake_within_a_table_is_told_with_its_line(stock: str, line: int, key: str, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured) as found:
        loaded(tmp_path, stock=stock)
    assert [(mistake.line, mistake.key) for mistake in found.value.mistakes] == [(line, key)]
