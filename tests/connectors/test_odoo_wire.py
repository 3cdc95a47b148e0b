"""What Odoo really says, replayed on the wire: the traps that were found by running it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from time import monotonic
from typing import Any

import httpx
import msgspec
import pytest
import respx

from connectors.contract import (
    Address,
    AuthFailed,
    CancelOutcome,
    ContractBroken,
    FulfillmentRequest,
    Method,
    NotFound,
    OutcomeUnknown,
    Rejected,
    RemoteLocationId,
    RemoteRef,
    RemoteState,
    RequestKey,
    RequestLine,
    Secret,
    Sku,
    SourceError,
    Throttled,
    Transient,
)
from connectors.odoo import Odoo, OdooSettings
from connectors.registry import Tools

URL = "http://odoo.example"
TRANSPORT = httpx.AsyncHTTPTransport()  # respx answers in its place
NOW = datetime(2026, 11, 22, 13, 0, tzinfo=UTC)
BOTH = pytest.mark.parametrize("protocol", ["jsonrpc", "json2"])
A, B = Sku("A"), Sku("B")

WAREHOUSE = {"name": "W", "active": True, "partner_id": False, "lot_stock_id": [8, "S"], "out_type_id": [2, "O"]}
WAREHOUSES = [{**WAREHOUSE, "id": 1}, {**WAREHOUSE, "id": 2}, {**WAREHOUSE, "id": 3, "active": False}]
PRODUCTS = [{"id": 11, "default_code": "A", "name": "Apple"}, {"id": 12, "default_code": "B", "name": "Bean"}]
USUAL: dict[str, Any] = {
    "common.authenticate": 2,
    "stock.warehouse.search_read": WAREHOUSES,
    "res.partner.search_read": [],
    "res.country.state.search_read": [],
    "res.country.search_read": [{"id": 233}],
    "stock.location.search_read": [{"id": 5}],
    "product.product.search_read": PRODUCTS,
    "stock.picking.fields_get": {},
    "stock.move.fields_get": {},
}


def fault(name: str, message: str = "no") -> dict[str, Any]:
    return {"name": name, "message": message, "arguments": [message], "context": {}, "debug": "Traceback (most recent call last):"}


class Turns(list[Any]):
    """Answers to be given one after another; the last one stays."""


class Script:
    """Answers ``model.method`` on either wire as told: a value, a fault, or a whole response."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = {**USUAL, **answers}
        self.calls: list[tuple[str, Any]] = []

    def answer(self, call: str, arguments: Any) -> Any:
        self.calls.append((call, arguments))
        told = self.answers[call]
        if isinstance(told, Turns):
            return told.pop(0) if len(told) > 1 else told[0]
        return told

    def count(self, call: str) -> int:
        return sum(name == call for name, _ in self.calls)

    def json_rpc(self, request: httpx.Request) -> httpx.Response:
        params = msgspec.json.decode(request.content)["params"]
        if params["service"] == "common":
            call, arguments = f"common.{params['method']}", params["args"]
        else:
            _, _, _, model, method, *arguments = params["args"]
            call = f"{model}.{method}"
        told = self.answer(call, arguments)
        if isinstance(told, httpx.Response):
            return told
        result = {} if told is None else {"result": told}
        if isinstance(told, dict) and "debug" in told:
            result = {"error": {"code": 200, "message": "Odoo Server Error", "data": told}}
        return httpx.Response(200, json={"jsonrpc": "2.0", "id": 1, **result})

    def json2(self, request: httpx.Request, model: str, method: str) -> httpx.Response:
        told = self.answer(f"{model}.{method}", msgspec.json.decode(request.content))
        if isinstance(told, httpx.Response):
            return told
        if isinstance(told, dict) and "debug" in told:
            return httpx.Response(422 if told["name"].startswith("odoo.") else 500, json=told)
        return httpx.Response(200, json=told)


def play(protocol: Any, answers: dict[str, Any], story: Callable[[Odoo], Awaitable[None]]) -> Script:
    script = Script(answers)

    async def told() -> None:
        with respx.mock(assert_all_called=False) as router:
            router.post(f"{URL}/jsonrpc").mock(side_effect=script.json_rpc)
            router.post(url__regex=rf"{URL}/json/2/(?P<model>[^/]+)/(?P<method>[^/]+)").mock(side_effect=script.json2)
            settings = OdooSettings(url=URL, database="d", login="gateway", api_key=Secret("hush"), protocol=protocol)
            odoo = Odoo(settings, Tools(now=lambda: NOW, monotonic=monotonic, transport=TRANSPORT))
            try:
                await story(odoo)
            finally:
                await odoo.aclose()

    asyncio.run(told())
    return script


def quant(product_id: int = 11, warehouse_id: int = 1, quantity: float = 5.0, **changed: Any) -> dict[str, Any]:
    row = {"product_id": [product_id, "[A] Apple"], "warehouse_id": [warehouse_id, "W"], "quantity": quantity}
    usual = {"reserved_quantity": 0.0, "available_quantity": quantity, "write_date": "2026-11-22 13:19:10"}
    return {"id": 1, **row, **usual, **changed}


def picking(**changed: Any) -> dict[str, Any]:
    return {"id": 70, "origin": "key-1", "state": "assigned", "date_done": False, **changed}


def move(**changed: Any) -> dict[str, Any]:
    usual = {"picking_id": [70, "WH/OUT/00070"], "product_id": [11, "[A] Apple"], "state": "assigned"}
    return {"id": 1, "product_uom_qty": 400.0, "quantity": 400.0, **usual, **changed}


def deliveries(pickings: Any, moves: Any, **more: Any) -> dict[str, Any]:
    return {"stock.picking.search_read": pickings, "stock.move.search_read": moves, **more}


REQUEST = FulfillmentRequest(
    key=RequestKey("key-1"),
    location=RemoteLocationId("1"),
    lines=(RequestLine(sku=A, units=400),),
    recipient=Address(lines=("1 Main St",), city="Reno", region="Nowhere", postal_code="89501", country_code="US"),
    method=Method.SHIP,
    order_number="1001",
)


def failed_read(protocol: str, quants: Any, error: type[SourceError], **more: Any) -> tuple[Script, SourceError]:
    async def story(odoo: Odoo) -> None:
        with pytest.raises(error) as caught:
            await odoo.read_stock([A])
        failures.append(caught.value)

    failures: list[SourceError] = []
    script = play(protocol, {"stock.quant.search_read": quants, **more}, story)
    assert "hush" not in str(failures[0])
    assert "Traceback" not in str(failures[0])
    return script, failures[0]


# ------------------------------------------------------------------------------------------ errors
@pytest.mark.parametrize(
    ("protocol", "name", "error"),
    [
        ("jsonrpc", "odoo.exceptions.AccessDenied", AuthFailed),
        ("jsonrpc", "odoo.exceptions.AccessError", AuthFailed),
        ("jsonrpc", "odoo.http.SessionExpiredException", AuthFailed),
        ("jsonrpc", "odoo.exceptions.MissingError", NotFound),
        ("jsonrpc", "odoo.exceptions.UserError", Rejected),
        ("jsonrpc", "odoo.exceptions.ValidationError", Rejected),
        ("jsonrpc", "builtins.ValueError", Rejected),
        ("jsonrpc", "psycopg2.errors.SerializationFailure", Transient),
        ("json2", "odoo.exceptions.UserError", Rejected),
        ("json2", "builtins.ValueError", Rejected),
        ("json2", "builtins.TypeError", Rejected),
        ("json2", "psycopg2.OperationalError", Transient),
    ],
)
def test_an_exception_over_there_becomes_one_of_ours_and_only_transient_ones_are_tried_again(
    protocol: str, name: str, error: type[SourceError]
) -> None:
    script, _ = failed_read(protocol, fault(name), error)
    assert script.count("stock.quant.search_read") == (3 if error is Transient else 1)


@pytest.mark.parametrize(("status", "error"), [(401, AuthFailed), (403, AuthFailed), (404, NotFound)])
def test_json2_has_proper_statuses_for_rights_and_missing_things(status: int, error: type[SourceError]) -> None:
    failed_read("json2", httpx.Response(status, json=fault("werkzeug.exceptions.NotFound")), error)


@BOTH
def test_a_proxy_that_throttles_is_believed(protocol: str) -> None:
    answer = httpx.Response(429, headers={"retry-after": "600"}, text="<html>slow down</html>")
    _, error = failed_read(protocol, answer, Throttled)
    assert isinstance(error, Throttled)
    assert error.retry_after_s == 600


@pytest.mark.parametrize(
    ("user", "error"), [(False, AuthFailed), ("2", ContractBroken), (True, ContractBroken), (None, ContractBroken)]
)
def test_a_user_that_is_not_let_in_is_a_failure_of_the_credential(user: Any, error: type[SourceError]) -> None:
    failed_read("jsonrpc", [], error, **{"common.authenticate": user})


@pytest.mark.parametrize(
    "rows",
    [
        None,  # JSON-RPC: no ``result`` at all, as from a method that returns None
        {},
        [{"id": 1}],
        [{**quant(), "quantity": "5"}],
        [{**quant(), "quantity": None}],
        [quant(quantity=1e15)],
        [quant(quantity=1.7e308), quant(quantity=1.7e308)],
        [quant(write_date="yesterday")],
        [{**quant(), "product_id": "A"}],
    ],
)
@BOTH
def test_rows_that_are_not_rows_break_the_contract_and_are_never_zero(protocol: str, rows: Any) -> None:
    failed_read(protocol, rows, ContractBroken)


# ------------------------------------------------------------------------------------------ stock
@BOTH
def test_quants_are_summed_by_warehouse_and_no_row_is_zero_where_the_warehouse_is_open(protocol: str) -> None:
    async def story(odoo: Odoo) -> None:
        batch = await odoo.read_stock([A, B])
        found = {(level.sku, level.location): (level.on_hand, level.committed, level.available) for level in batch.levels}
        assert found == {(A, "1"): (8, 1, 7), (A, "2"): (0, 0, 0), (B, "1"): (0, 0, 0), (B, "2"): (-3, 0, -3)}
        (newest,) = (level.as_of for level in batch.levels if (level.sku, level.location) == (A, "1"))
        assert newest == datetime(2026, 11, 22, 13, 20, tzinfo=UTC)

    rows = [
        quant(quantity=5.0, reserved_quantity=1.0, available_quantity=4.0),
        quant(quantity=3.0, write_date="2026-11-22 13:20:00"),
        quant(12, 2, quantity=-3.0),
        quant(99, quantity=1_000.0),  # not asked for
        {**quant(quantity=50.0), "warehouse_id": False},  # a shelf outside of any warehouse
    ]
    script = play(protocol, {"stock.quant.search_read": rows}, story)
    assert script.count("stock.quant.search_read") == 1


def test_a_product_that_was_not_asked_for_teaches_nothing() -> None:
    async def story(odoo: Odoo) -> None:
        batch = await odoo.read_stock([Sku("C")])
        assert batch.unknown == {"C"}
        assert not batch.levels
        assert not batch.names

    script = play("json2", {}, story)
    assert script.count("stock.quant.search_read") == 0


def test_stock_in_a_warehouse_that_was_opened_since_is_read_and_the_warehouses_are_asked_for_again() -> None:
    async def story(odoo: Odoo) -> None:
        batch = await odoo.read_stock([A])
        assert {level.location: level.available for level in batch.levels} == {"1": 0, "2": 0, "4": 5}
        await odoo.read_stock([A])

    script = play("json2", {"stock.quant.search_read": [quant(warehouse_id=4)]}, story)
    assert script.count("stock.warehouse.search_read") == 2


# ------------------------------------------------------------------------------------------ fulfillment
@BOTH
def test_assigned_does_not_mean_enough(protocol: str) -> None:
    async def story(odoo: Odoo) -> None:
        answer = await odoo.request(REQUEST)
        assert (answer.state, answer.short) == (RemoteState.REJECTED, (RequestLine(sku=A, units=390),))

    short = deliveries([picking()], [move(quantity=10.0, state="partially_available")])
    script = play(protocol, {**short, "stock.picking.action_assign": None, "stock.picking.action_cancel": None}, story)
    assert script.count("stock.picking.create") == 0
    assert script.count("stock.picking.action_cancel") == 1


@pytest.mark.parametrize(
    ("protocol", "fields", "moves_field", "names"),
    [("jsonrpc", {"move_ids_without_package": {}}, "move_ids_without_package", True), ("json2", {}, "move_ids", False)],
)
def test_a_delivery_is_written_in_the_dialect_of_the_version(
    protocol: str, fields: dict[str, Any], moves_field: str, names: bool
) -> None:
    async def story(odoo: Odoo) -> None:
        with pytest.raises(OutcomeUnknown):  # it is made, and then not found again
            await odoo.request(REQUEST)

    answers = {
        **deliveries([], []),
        "stock.picking.fields_get": fields,
        "stock.move.fields_get": {"name": {}} if names else {},
        "res.partner.create": [31],
        "stock.picking.create": [70],
        "stock.picking.action_assign": True,
    }
    script = play(protocol, answers, story)
    (arguments,) = (arguments for call, arguments in script.calls if call == "stock.picking.create")
    ((values,),) = arguments[0] if protocol == "jsonrpc" else (arguments["vals_list"],)
    assert (values["origin"], values["partner_id"], values["picking_type_id"]) == ("key-1", 31, 2)
    ((_, _, made),) = values[moves_field]
    assert made == {
        "product_id": 11, "product_uom_qty": 400, "location_id": 8, "location_dest_id": 5, **({"name": "A"} if names else {}),
    }  # fmt: skip
    (recipient,) = (arguments for call, arguments in script.calls if call == "res.partner.create")
    assert "Reno, Nowhere" in str(recipient)


@pytest.mark.parametrize("created", [None, [], [1, 2], "70", {}])
@BOTH
def test_a_creation_with_an_odd_answer_may_have_happened(protocol: str, created: Any) -> None:
    async def story(odoo: Odoo) -> None:
        with pytest.raises(OutcomeUnknown):
            await odoo.request(REQUEST)

    script = play(protocol, {**deliveries([], []), "res.partner.create": [31], "stock.picking.create": created}, story)
    assert script.count("stock.picking.create") == 1


def test_a_reservation_that_odoo_refuses_is_canceled_and_told() -> None:
    async def story(odoo: Odoo) -> None:
        answer = await odoo.request(REQUEST)
        assert (answer.state, answer.reason) == (RemoteState.REJECTED, "Credit limit exceeded")

    refusal = fault("odoo.exceptions.UserError", "Credit limit exceeded")
    draft = deliveries([picking(state="draft")], [move(state="draft", quantity=0.0)])
    play("jsonrpc", {**draft, "stock.picking.action_assign": refusal, "stock.picking.action_cancel": True}, story)


@pytest.mark.parametrize(
    ("after", "outcome"),
    [("done", CancelOutcome.TOO_LATE), ("cancel", CancelOutcome.CANCELED), ("assigned", CancelOutcome.REFUSED)],
)
def test_why_a_cancellation_is_refused_is_read_off_the_delivery_and_not_off_a_translated_text(
    after: str, outcome: CancelOutcome
) -> None:
    async def story(odoo: Odoo) -> None:
        assert await odoo.cancel(RemoteRef("70")) is outcome

    refusal = fault("odoo.exceptions.UserError", "Ein erledigter Vorgang kann nicht storniert werden")
    answers: dict[str, Any] = {
        "stock.picking.search_read": Turns([[picking()], [picking()], [picking(state=after)]]),
        "stock.picking.action_cancel": refusal,
    }
    play("jsonrpc", answers, story)


def test_only_the_backorder_of_a_delivery_that_left_can_still_be_canceled() -> None:
    async def story(odoo: Odoo) -> None:
        assert await odoo.cancel(RemoteRef("70")) is CancelOutcome.PARTIAL

    pickings = [picking(state="done"), picking(id=71, state="assigned")]
    script = play("json2", {"stock.picking.search_read": pickings, "stock.picking.action_cancel": True}, story)
    assert [arguments["ids"] for call, arguments in script.calls if call == "stock.picking.action_cancel"] == [[71]]


def test_a_request_of_which_a_part_has_left_is_not_carried_on_with() -> None:
    async def story(odoo: Odoo) -> None:
        found = await odoo.request(REQUEST)
        assert (found.state, found.short) == (RemoteState.ACCEPTED, (RequestLine(sku=A, units=100),))

    moves = [
        move(product_uom_qty=300.0, quantity=300.0, state="done"),
        move(product_uom_qty=100.0, quantity=0.0, state="confirmed", picking_id=[71, "WH/OUT/00071"]),
    ]
    script = play("json2", deliveries([picking(state="done"), picking(id=71, state="confirmed")], moves), story)
    assert {call for call, _ in script.calls} & {"stock.picking.action_assign", "stock.picking.action_cancel"} == set()


def test_a_delivery_of_another_key_is_not_ours_whatever_the_filter_lets_through() -> None:
    async def story(odoo: Odoo) -> None:
        assert await odoo.find(RequestKey("key-1")) is None

    play("json2", deliveries([picking(origin="key-10")], []), story)


def test_tracking_is_only_asked_for_where_the_module_is_installed() -> None:
    async def story(odoo: Odoo) -> None:
        found = await odoo.find(RequestKey("key-1"))
        assert found is not None
        assert (found.packages[0].carrier, found.packages[0].tracking_url) == ("UPS", None)

    tracked = picking(
        state="done", carrier_id=[4, "UPS"], carrier_tracking_ref="1Z", carrier_tracking_url='["http://a","http://b"]'
    )
    fields: dict[str, Any] = {"carrier_id": {}, "carrier_tracking_ref": {}, "carrier_tracking_url": {}}
    script = play("json2", {**deliveries([tracked], [move(state="done")]), "stock.picking.fields_get": fields}, story)
    (asked,) = (arguments["fields"] for call, arguments in script.calls if call == "stock.picking.search_read")
    assert set(asked) >= fields.keys()
