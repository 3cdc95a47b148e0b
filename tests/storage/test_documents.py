from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.books import Books
from gateway.domain.orders import Order
from gateway.storage.documents import Documents, document, instant, micros, read
from tests.samples import START, numbered, place

INSTANTS = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # hypothesis adds it


def placed() -> Order:
    return place(2, of=9).decide(Books(now=START, new_id=numbered()))


def test_an_order_comes_back_as_it_was_stored() -> None:
    assert read(document(placed()), Order) == placed()


def test_a_document_is_made_once_for_each_value_that_is_written() -> None:
    documents, order = Documents(), placed()
    later = replace(order, version=order.version + 1)
    assert documents.of(order) is documents.of(order)
    assert [documents.of(each) for each in (later, order)] == [document(later), document(order)]


def test_a_value_that_is_gone_does_not_lend_its_document_to_another_one() -> None:
    documents = Documents()
    assert [documents.of((number,)) for number in range(100)] == [document((number,)) for number in range(100)]


@pytest.mark.parametrize(
    "damage",
    [
        lambda body: body[:-1],
        lambda body: body.replace(b'"units":2', b'"units":"2"'),
        lambda body: body.replace(b'"status":"ROUTED"', b'"status":"RUTED"'),
        lambda body: body.replace(b'"number":', b'"nr":'),
        lambda body: body.replace(b'"placed_at":"2026', b'"placed_at":"x'),
    ],
)
def test_a_damaged_row_is_an_error_and_never_a_wrong_order(damage: object) -> None:
    assert callable(damage)
    body = damage(document(placed()))
    assert body != document(placed())
    with pytest.raises(msgspec.DecodeError):
        read(body, Order)


@given(INSTANTS, st.integers(-14 * 60, 14 * 60))
def test_an_instant_is_kept_to_the_microsecond_whatever_its_offset(at: datetime, minutes: int) -> None:
    elsewhere = at.astimezone(timezone(timedelta(minutes=minutes)))
    assert instant(micros(elsewhere)) == at
    assert instant(micros(at) + 1) - at == timedelta(microseconds=1)
