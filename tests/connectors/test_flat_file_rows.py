"""What stock files and answers may hold, and what is refused: pure parsing, and settings as a file of ours gives them."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from connectors.contract import CancelOutcome, ContractBroken, RemoteLocationId, RemoteState, RequestKey, RequestLine, Sku
from connectors.described import Place
from connectors.flat_file import Columns, FlatFileSettings
from connectors.flat_file.orders import Answer, cancellation, cancellation_name, order_name, parse_answers, told
from connectors.flat_file.stock import Sheet, name_time, parse_stock
from gateway.configuration import Misconfigured, load

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
A = (Sku("A"), RemoteLocationId("HERE"))
COLUMNS = Columns(sku="sku", available="free", on_hand="count", committed="taken", as_of="at")
EASTERN = timezone(timedelta(hours=-5))


def settings_of(**more: Any) -> FlatFileSettings:
    return FlatFileSettings(**{"folder": "/srv/exchange", "places": (Place(id="HERE"),), "columns": COLUMNS, **more})


def parsed(rows: str, *, header: str = "sku,count,taken,free,at", whole: bool = True, **more: Any) -> Sheet:
    content = f"{header}\n{rows}".encode()
    return parse_stock(content, name="f.csv", whole=whole, as_of=AT, latest=AT, settings=settings_of(**more))


@pytest.mark.parametrize(
    ("cells", "units"),
    [
        ("5,1,4", (5, 1, 4)),
        ("5,1,", (5, 1, None)),
        (",,0", (None, None, 0)),
        ("-2,0,-2", (-2, 0, -2)),
        ("4.75,0,-0.5", (4, 0, -1)),
        (" 7 ,+0,1E+3", (7, 0, 1000)),
    ],
)
def test_quantities_are_whole_units_or_unknown(cells: str, units: tuple[int | None, ...]) -> None:
    level = parsed(f"A,{cells},\n").levels[A]
    assert (level.on_hand, level.committed, level.available) == units
    assert level.as_of == AT


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("A,1,0,many,", "line 2: available is 'many'"),
        ("A,1,0,NaN,", "'NaN'"),
        ("A,1,0,-Infinity,", "'-Infinity'"),
        ("A,1,0,1e99,", "'1e99'"),
        ("A,1,0,1_000,", "'1_000'"),
        ('A,1,0,"1,000",', "'1,000'"),
        ("A,1,0,#N/A,", "'#N/A'"),
        ("A,1,0", "3 cells instead of 5"),
        ("A,1,0,1,,", "6 cells instead of 5"),
        (",1,0,1,", "'' is no SKU"),
        ("A\x00B,1,0,1,", "is no SKU"),
        (f"{'A' * 201},1,0,1,", "is no SKU"),
        ("A,1,0,1,noon", "'noon' is not a time"),
        ("A,1,0,1,2026-13-01", "is not a time"),
        ('A,1,0,"1,', "line 2"),
        ("A,1,0,1,\nA,1,0,1,", "line 3: a second row for A"),
        ("", "no rows"),
        ("\n\n", "no rows"),
    ],
)
def test_a_row_that_cannot_be_read_refuses_the_file_and_names_the_line(row: str, said: str) -> None:
    with pytest.raises(ContractBroken, match=r"f\.csv") as raised:
        parsed(f"{row}\n")
    assert said in str(raised.value)


@pytest.mark.parametrize("header", ["", "sku,count,taken", "sku,count,taken,free,at,free", "<html>"])
def test_a_column_that_is_missing_or_there_twice_refuses_the_file(header: str) -> None:
    with pytest.raises(ContractBroken, match="no column"):
        parsed("", header=header)


def test_bytes_of_another_encoding_and_too_many_rows_refuse_the_file() -> None:
    with pytest.raises(ContractBroken, match="not utf-8-sig"):
        parse_stock(b"sku,free\nGr\xf6\xdfe,1\n", name="f.csv", whole=True, as_of=AT, latest=AT, settings=settings_of())
    with pytest.raises(ContractBroken, match="line 4: one row too many"):
        parsed("A,1,0,1,\nB,1,0,1,\nC,1,0,1,\n", rows_max=2)


def test_files_as_spreadsheets_write_them_are_read() -> None:
    content = '\ufeff"Art.Nr.";"Frei";"Text"\r\n"0815";"12";"Socken; warm"\r\n\r\n;;\r\n"0816";"3";"zwei\r\nZeilen"\r\n'.encode()
    columns = Columns(sku="Art.Nr.", available="Frei", name="Text")
    settings = settings_of(columns=columns, delimiter=";")
    sheet = parse_stock(content, name="f.csv", whole=True, as_of=AT, latest=AT, settings=settings)
    assert {sku: level.available for (sku, _), level in sheet.levels.items()} == {"0815": 12, "0816": 3}
    assert sheet.names[Sku("0815")] == "Socken; warm"


def test_an_empty_delta_says_that_nothing_moved() -> None:
    assert parsed("", whole=False).levels == {}


def test_lots_and_bins_add_up_where_that_was_said() -> None:
    level = parsed("A,5,1,4,2026-11-22T11:00\nA,2,0,2,2026-11-22T10:00\n", rows_add_up=True).levels[A]
    assert (level.on_hand, level.committed, level.available) == (7, 1, 6)
    assert level.as_of == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert parsed("A,5,1,4,\nA,,0,,\n", rows_add_up=True).levels[A].available is None


def test_rows_of_other_places_are_left_out() -> None:
    columns = Columns(location="where", on_hand="count", committed="taken")
    sheet = parsed("A,HERE,5,1\nA,THERE,9,0\n", header="sku,where,count,taken", columns=columns)
    assert {shelf: level.available for shelf, level in sheet.levels.items()} == {A: 4}


@pytest.mark.parametrize(
    ("cell", "more", "as_of"),
    [
        ("2026-11-22T11:30:00Z", {}, AT - timedelta(minutes=30)),
        ("2026-11-22 06:30", {"time_zone": "America/New_York"}, AT - timedelta(minutes=30)),
        ("22.11.2026 11:30", {"as_of_format": "%d.%m.%Y %H:%M"}, AT - timedelta(minutes=30)),
        ("2026-11-22T20:00:00Z", {}, AT),  # no row is from the future: it would stay fresh for too long
    ],
)
def test_a_row_is_as_old_as_it_says(cell: str, more: dict[str, Any], as_of: datetime) -> None:
    assert parsed(f"A,1,0,1,{cell}\n", **more).levels[A].as_of == as_of


@pytest.mark.parametrize(
    ("name", "looks_like", "time"),
    [
        ("stock-20261122T070000.csv", "%Y%m%dT%H%M%S", datetime(2026, 11, 22, 7, tzinfo=EASTERN)),
        ("DC1_2026-11-22_0700_full.csv", "%Y-%m-%d_%H%M", datetime(2026, 11, 22, 7, tzinfo=EASTERN)),
        ("stock-20261122.csv", "%Y%m%dT%H%M%S", None),
        ("stock-20261399T070000.csv", "%Y%m%dT%H%M%S", None),
        ("stock-20261122T070000.csv", None, None),
    ],
)
def test_a_file_may_have_its_time_in_its_name(name: str, looks_like: str | None, time: datetime | None) -> None:
    assert name_time(name, settings_of(name_time=looks_like, time_zone="America/New_York")) == time


# ---------------------------------------------------------------------------------------------- answers
def answers_of(*rows: str) -> tuple[Answer, ...]:
    content = "\n".join(["key,state,carrier,tracking,sku,units,reason,at", *rows]).encode()
    return parse_answers(content, name="a.csv", settings=settings_of())


def test_parcels_are_put_together_from_their_rows() -> None:
    answers = answers_of(
        "k,accepted,,,,,,",
        "k,partly_shipped,UPS,1Z,A,2,,2026-11-22T10:00:00Z",
        "k,partly_shipped,UPS,1Z,B,1,,2026-11-22T10:00:00Z",
        "k,partly_shipped,UPS,1Z,B,1,,2026-11-22T10:00:00Z",
        "k,Shipped,DHL,JD,,,,",
    )
    shipped = told(RequestKey("k"), answers)
    assert shipped.state is RemoteState.SHIPPED
    first, second = shipped.packages
    assert (first.tracking_number, first.lines) == ("1Z", (RequestLine(sku=Sku("A"), units=2), RequestLine(sku=Sku("B"), units=1)))
    assert first.shipped_at == AT - timedelta(hours=2)
    assert (second.carrier, second.lines, second.shipped_at) == ("DHL", (), None)
    assert told(RequestKey("k"), answers[:2]).state is RemoteState.ACCEPTED


@pytest.mark.parametrize(
    ("states", "state", "outcome"),
    [
        ([], RemoteState.REQUESTED, None),
        (["accepted"], RemoteState.ACCEPTED, None),
        (["accepted", "not_canceled"], RemoteState.ACCEPTED, CancelOutcome.REFUSED),
        (["canceled", "accepted"], RemoteState.CANCELED, CancelOutcome.CANCELED),
        (["rejected"], RemoteState.REJECTED, CancelOutcome.CANCELED),
        (["rejected", "shipped"], RemoteState.SHIPPED, CancelOutcome.TOO_LATE),
        (["partly_shipped", "canceled"], RemoteState.CANCELED, CancelOutcome.CANCELED),
    ],
)
def test_the_last_answer_that_ends_an_order_decides(states: list[str], state: RemoteState, outcome: CancelOutcome | None) -> None:
    answers = answers_of(*(f"k,{each},,,,,," for each in states))
    assert told(RequestKey("k"), answers).state is state
    assert cancellation(answers) is outcome


@pytest.mark.parametrize(
    "row", ["k,lost,,,,,,", ",shipped,,,,,,", "k,,,,,,,", "k,shipped,,,A,0,,", "k,shipped,,,A,,,", "k,shipped,,,,2,,",
            "k,shipped,,,A,x,,", "k,shipped,,,A,²,,", "k,shipped,,,,,,soon"],
)  # fmt: skip
def test_an_answer_that_cannot_be_read_names_its_line(row: str) -> None:
    with pytest.raises(ContractBroken, match=r"a\.csv, line 3"):
        answers_of("k,accepted,,,,,,", row)


def test_no_key_leaves_its_folder() -> None:
    assert order_name("../../etc/x") == "order-..%2F..%2Fetc%2Fx.csv"
    assert cancellation_name("a/b") != cancellation_name("a_b")


# ---------------------------------------------------------------------------------------------- configuration
TOML = """
[[tokens]]
name = "shop"
role = "STOREFRONT"
secret = "env:TOKEN"

[sources.mill]
connector = "flat_file"
folder = "/srv/exchange"
stock_drop = "ON_ACCEPT"
columns = {{sku = "Item", location = "Site", {amount}}}
orders = {{outbox = "out", inbox = "in", sent = "sent"}}

[[sources.mill.places]]
id = "CLT"
postal_code = "28203"
country_code = "US"
"""


def test_a_mill_is_described_in_a_few_lines(tmp_path: Path) -> None:
    file = tmp_path / "dom.toml"
    file.write_text(TOML.format(amount='available = "Free"'))
    (source,) = load(file, {"TOKEN": "secret"}).sources
    assert source.connection.columns == Columns(sku="Item", location="Site", available="Free")
    assert source.connection.orders.outbox == "out"
    assert source.connection.places[0].location().address.postal_code == "28203"


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        ('available = "Free", units = "x"', "columns.units: there is no such key"),
        ('on_hand = "Count"', "available is needed, or on_hand and committed"),
    ],
)
def test_a_mistake_in_the_columns_is_told_with_its_key(tmp_path: Path, amount: str, said: str) -> None:
    file = tmp_path / "dom.toml"
    file.write_text(TOML.format(amount=amount))
    with pytest.raises(Misconfigured, match=r"sources\.mill\.columns") as raised:
        load(file, {"TOKEN": "secret"})
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"places": ()}, "places"),
        ({"places": (Place(id="A"), Place(id="A"))}, "places"),
        ({"places": (Place(id="A"), Place(id="B"))}, "only one place"),
        ({"delimiter": ";;"}, "delimiter"),
        ({"encoding": "utf-9"}, "encoding"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
    ],
)
def test_settings_that_cannot_work_are_refused_at_once(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        settings_of(**wrong)
