"""Reading one answer: what its status, headers and body mean."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.client import Reply, by_status, chunked
from connectors.client.reply import retry_after_s
from connectors.contract import AuthFailed, ContractBroken, NotFound, Rejected, SourceError, Throttled, Transient


class Count(msgspec.Struct):
    sku: str
    units: int


def reply(status: int = 200, body: bytes = b"", **headers: str) -> Reply:
    return Reply(status=status, headers={name.replace("_", "-"): value for name, value in headers.items()}, body=body)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (301, ContractBroken),
        (304, ContractBroken),
        (400, Rejected),
        (401, AuthFailed),
        (403, AuthFailed),
        (404, NotFound),
        (408, Transient),
        (409, Rejected),
        (422, Rejected),
        (429, Throttled),
        (500, Transient),
        (502, Transient),
        (503, Transient),
        (504, Transient),
        (599, Transient),
    ],
)
def test_a_status_means_one_error(status: int, error: type[SourceError]) -> None:
    assert type(by_status(reply(status))) is error


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_success_is_no_error(status: int) -> None:
    assert by_status(reply(status)) is None


def test_503_that_names_a_time_is_throttling() -> None:
    error = by_status(reply(503, retry_after="3"))
    assert isinstance(error, Throttled)
    assert error.retry_after_s == 3.0


def test_503_with_an_unreadable_time_is_just_broken() -> None:
    assert isinstance(by_status(reply(503, retry_after="later")), Transient)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"x-retry-after": "9"}, 9.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 30.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT"}, None),  # our clock is not asked
        ({"retry-after": "Wed, 21 Oct 2026 07:27:00 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({"retry-after": "99999999999"}, 86_400.0),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_a_sane_number_of_seconds_or_nothing(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers) == seconds


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_retry_after_of_a_source_breaks_us(asked: str, date: str) -> None:
    seconds = retry_after_s({"retry-after": asked, "date": date})
    assert seconds is None or (math.isfinite(seconds) and 0 <= seconds <= 86_400)


def test_a_good_body_is_read_into_its_type() -> None:
    assert reply(body=b'{"sku": "A", "units": 3, "new": 1}').read(Count) == Count(sku="A", units=3)


@pytest.mark.parametrize(
    "body",
    [
        b"<html><body>Bad gateway</body></html>",
        b'{"sku": "A", "uni',
        b'{"sku": "A"}',
        b'{"sku": "A", "units": "3"}',
        b'{"sku": "A", "units": 1e999}',
        b'{"sku": "A", "units": NaN}',
        b'{"sku": "\xff\xfe", "units": 3}',
        b'{"sku": "A", "units": 3, "new": ' + b"[" * 200_000,
        b"",
    ],
)
def test_a_bad_body_is_a_broken_contract_and_never_a_number(body: bytes) -> None:
    with pytest.raises(ContractBroken):
        reply(body=body).read(Count)


def test_an_empty_body_reads_as_null() -> None:
    assert reply(204).read(type(None)) is None


def test_the_complaint_quotes_the_page_but_no_credential_and_no_control_character() -> None:
    page = b"<h1>Oops</h1>\x1b[31m\n token sk_live_51HqLyjWDarjtT1zdp7dc rejected" + b" x" * 500
    with pytest.raises(ContractBroken) as caught:
        reply(body=page).read(Count)
    assert "<h1>Oops</h1>" in caught.value.detail
    assert "sk_live" not in caught.value.detail
    assert caught.value.detail.isprintable()
    assert len(caught.value.detail) < 200


def test_the_complaint_about_a_wrong_type_says_where_and_keeps_the_value_to_itself() -> None:
    with pytest.raises(ContractBroken, match=r"\$\.units") as caught:
        reply(body=b'{"sku": "A", "units": "jane@example.org"}').read(Count)
    assert "jane" not in str(caught.value)


def test_a_reply_prints_neither_headers_nor_body() -> None:
    assert repr(reply(body=b"secret", set_cookie="secret")) == "Reply(status=200)"


@given(st.integers(400, 599), st.binary(max_size=200))
def test_every_failing_status_with_any_body_is_one_printable_error(status: int, body: bytes) -> None:
    error = by_status(reply(status, body))
    assert error is not None
    assert str(error).isprintable()


def test_chunks_cover_everything_once_and_in_order() -> None:
    assert list(chunked("abcdefg", 3)) == ["abc", "def", "g"]
    assert list(chunked((), 3)) == []


@pytest.mark.parametrize("size", [0, -1])
def test_a_chunk_of_nothing_is_refused_rather_than_losing_items(size: int) -> None:
    with pytest.raises(ValueError, match="at least one"):
        chunked("abc", size)
