"""When a location says no, when a customer does, and when nobody has it: over real sockets, in the stories people tell of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.app import Parts
from tests.harness import Graph, Sandbox, gateway, line, network, place, run, world
from tests.scenarios.questions import CANCEL, REJECT, SHIP, Ahead, attentive, eventually, item, requests_are, settled, told

BACKORDER_RETRY_S = 31.0


async def arrived(sandbox: Sandbox) -> dict[str, Any]:
    """The newest order at a source."""
    return (await sandbox.orders())[-1]


def locations(order: dict[str, Any]) -> list[str]:
    """Where the order's work is, oldest first."""
    return [work["location"]["code"] for work in order["fulfillmentOrders"]]


def is_(status: str) -> Callable[[dict[str, Any]], bool]:
    """Whether the order as a whole stands so."""
    return lambda order: order["status"] == status


async def rejected(graph: Graph, work: str, *, key: str = "no") -> dict[str, Any]:
    answer = await graph(REJECT, input={"idempotencyKey": key, "id": work, "reasonCode": "DAMAGED"})
    return dict(answer["fulfillmentOrderReject"])


async def canceled(graph: Graph, order: str) -> dict[str, Any]:
    answer = await graph(CANCEL, input={"idempotencyKey": "cancel", "id": order, "reasonCode": "CUSTOMER"})
    return dict(answer["orderCancel"])


async def sent(graph: Graph, work: str, units: int, tracking: str) -> dict[str, Any]:
    package = {"carrier": "UPS", "trackingNumber": tracking, "lines": [line("SKU-0010", units)]}
    answer = await graph(SHIP, input={"idempotencyKey": tracking, "id": work, "packages": [package]})
    return dict(answer["fulfillmentOrderShip"])


async def from_store(graph: Graph, sandboxes: Mapping[str, Sandbox], units: int = 2) -> tuple[str, dict[str, Any]]:
    """An order that the Chicago store has been asked for: its id, and what the store sees."""
    order = (await place(graph, line("SKU-0005", units), key="store"))["order"]
    assert locations(order) == ["chicago-store"]
    await settled(graph, order["id"], requests_are("SUBMITTED"))
    return order["id"], await arrived(sandboxes["square"])


def test_what_the_store_turns_down_goes_elsewhere_and_never_back_to_the_store(tmp_path: Path) -> None:
    async def story() -> None:
        clock = Ahead()
        async with (
            network() as (urls, sandboxes),
            gateway(urls, tmp_path / "dom.sqlite3", tune=attentive, parts=Parts(clock=clock)) as graph,
        ):
            order, at_store = await from_store(graph, sandboxes)
            await sandboxes["square"].act(at_store["ref"], "reject", reason="not on the shelf")
            moved = await settled(graph, order, requests_are("REJECTED", "ACCEPTED"))
            assert locations(moved) == ["chicago-store", "dallas-warehouse"]
            assert moved["fulfillmentOrders"][0]["rejection"] == {"reasonCode": "not on the shelf", "units": 2}
            assert (moved["status"], len(moved["routingDecisions"])) == ("ROUTED", 2)
            assert (await item(graph, "SKU-0005"))["availableToPromise"] == 6 + 48

            at_dallas = await arrived(sandboxes["odoo"])
            await sandboxes["odoo"].act(at_dallas["ref"], "reject", reason="flooded")
            waiting = await settled(graph, order, is_("BACKORDERED"))
            assert waiting["lines"][0]["quantities"] == [{"state": "BACKORDERED", "units": 2}]
            assert (await item(graph, "SKU-0005"))["availableToPromise"] == 6 + 50 - 2
            await sandboxes["odoo"].forget()
            clock.by_s += BACKORDER_RETRY_S  # the store and Dallas have it, but have said no

            async def looked_again() -> bool:
                return bool(await sandboxes["odoo"].requests())

            await eventually(looked_again)
            assert (await settled(graph, order, lambda _: True))["status"] == "BACKORDERED"
            assert len(await sandboxes["square"].orders()) == len(await sandboxes["odoo"].orders()) == 1
            assert (await canceled(graph, order))["order"] == {"status": "CANCELED", "canceledBecause": "CUSTOMER"}
            assert (await item(graph, "SKU-0005"))["availableToPromise"] == 6 + 50

    run(story)


def test_an_order_that_nobody_has_waits_and_is_routed_once_somebody_counts_new_stock(tmp_path: Path) -> None:
    async def story() -> None:
        clock = Ahead()
        async with (
            network() as (urls, sandboxes),
            gateway(urls, tmp_path / "dom.sqlite3", tune=attentive, parts=Parts(clock=clock)) as graph,
        ):
            order = (await place(graph, line("SKU-0006", 3), key="only-atlanta"))["order"]
            await settled(graph, order["id"], requests_are("ACCEPTED"))
            await sandboxes["odoo"].act((await arrived(sandboxes["odoo"]))["ref"], "reject", reason="lost")
            await settled(graph, order["id"], is_("BACKORDERED"))
            await sandboxes["odoo"].count("wh-reno", "SKU-0006", 5)
            clock.by_s += BACKORDER_RETRY_S
            done = await settled(graph, order["id"], told(requests_are("REJECTED", "ACCEPTED")))
            assert locations(done) == ["atlanta-warehouse", "reno-warehouse"]
            assert [event["version"] for event in done["timeline"]] == list(range(1, done["version"] + 1))
            assert (await item(graph, "SKU-0006"))["availableToPromise"] == 1_000 + 5 - 3

    run(story)


def test_work_that_is_rejected_in_the_graph_goes_elsewhere_only_after_its_source_has_stopped(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path, tune=attentive) as (graph, sandboxes):
            order, _ = await from_store(graph, sandboxes)
            await sandboxes["square"].fault("STATUS", status=503)
            work = (await settled(graph, order, lambda _: True))["fulfillmentOrders"][0]["id"]
            asked = await rejected(graph, work)
            assert asked == {"fulfillmentOrder": {"status": "OPEN", "requestStatus": "CANCELLATION_REQUESTED"}, "userErrors": []}
            held_up = await settled(graph, order, lambda _: True)
            assert "REJECT" not in held_up["fulfillmentOrders"][0]["supportedActions"]
            assert [each["code"] for each in (await rejected(graph, work, key="no!"))["userErrors"]] == ["NOT_ALLOWED_IN_STATE"]
            assert locations(held_up) == ["chicago-store"]
            assert await sandboxes["odoo"].orders() == []

            await sandboxes["square"].heal()
            moved = await settled(graph, order, requests_are("REJECTED", "ACCEPTED"))
            assert locations(moved) == ["chicago-store", "dallas-warehouse"]
            assert (await arrived(sandboxes["square"]))["state"] == "CANCELED"
            assert moved["fulfillmentOrders"][0]["rejection"] == {"reasonCode": "DAMAGED", "units": 2}

    run(story)


def test_an_order_can_be_canceled_while_its_location_is_being_asked_to_give_it_up(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path, tune=attentive) as (graph, sandboxes):
            order, _ = await from_store(graph, sandboxes)
            await sandboxes["square"].fault("STATUS", status=503)
            await rejected(graph, (await settled(graph, order, lambda _: True))["fulfillmentOrders"][0]["id"])
            assert (await canceled(graph, order))["userErrors"] == []
            await sandboxes["square"].heal()
            ended = await settled(graph, order, is_("CANCELED"))
            assert (locations(ended), ended["canceledBecause"]) == (["chicago-store"], "CUSTOMER")
            assert (await arrived(sandboxes["square"]))["state"] == "CANCELED"
            assert (await item(graph, "SKU-0005"))["availableToPromise"] == 56

    run(story)


@pytest.mark.parametrize("moment", ["before it is asked", "after it has accepted"])
def test_a_canceled_order_stops_at_its_source_and_its_units_are_free_again(tmp_path: Path, moment: str) -> None:
    async def story() -> None:
        async with world(tmp_path, tune=attentive) as (graph, sandboxes):
            if moment == "before it is asked":
                await sandboxes["odoo"].fault("STATUS", status=503, match_body="create")
            order = (await place(graph, line("SKU-0006", 3), key="regret"))["order"]
            if moment == "after it has accepted":
                await settled(graph, order["id"], requests_are("ACCEPTED"))
            assert (await canceled(graph, order["id"]))["userErrors"] == []
            await sandboxes["odoo"].heal()
            ended = await settled(graph, order["id"], is_("CANCELED"))
            assert ended["lines"][0]["quantities"] == [{"state": "CANCELED", "units": 3}]
            assert [each["state"] for each in await sandboxes["odoo"].orders()] in ([], ["cancel"])
            assert (await item(graph, "SKU-0006"))["availableToPromise"] == 1_000

    run(story)


def test_a_cancellation_that_comes_too_late_changes_nothing_and_the_parcel_is_followed(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path) as (graph, sandboxes):
            order = (await place(graph, line("SKU-0006", 3), key="late"))["order"]
            await settled(graph, order["id"], requests_are("ACCEPTED"))
            await sandboxes["odoo"].fault("STATUS", status=503)  # we have not heard yet that it left
            await sandboxes["odoo"].act((await arrived(sandboxes["odoo"]))["ref"], "ship", carrier="UPS", tracking_number="1Z9")
            assert (await canceled(graph, order["id"]))["userErrors"] == []
            await sandboxes["odoo"].heal()
            done = await settled(graph, order["id"], is_("FULFILLED"))
            # Whichever is heard first: that it could not be stopped, or that it left.
            assert done["fulfillmentOrders"][0]["requestStatus"] in {"CANCELLATION_REJECTED", "ACCEPTED"}
            assert done["canceledBecause"] == "CUSTOMER"
            (shipment,) = done["fulfillmentOrders"][0]["shipments"]
            (package,) = shipment["packages"]
            assert (package["carrier"], package["trackingNumber"]) == ("UPS", "1Z9")
            assert (await item(graph, "SKU-0006", age=0))["availableToPromise"] == 997

    run(story)


def test_parcels_said_in_the_graph_leave_one_after_the_other_and_never_more_than_there_is(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path, tune=attentive) as (graph, _):
            order = (await place(graph, line("SKU-0010", 5), key="parcels"))["order"]
            work = (await settled(graph, order["id"], requests_are("ACCEPTED")))["fulfillmentOrders"][0]["id"]
            first = await sent(graph, work, 3, "1Z-A")
            assert first["fulfillmentOrder"]["remaining"] == [line("SKU-0010", 2)]
            part = await settled(graph, order["id"], is_("PARTIALLY_FULFILLED"))
            states = {each["state"]: each["units"] for each in part["lines"][0]["quantities"]}
            assert states == {"SHIPPED": 3, "ALLOCATED": 2}
            assert [each["code"] for each in (await sent(graph, work, 3, "1Z-B"))["userErrors"]] == ["INVALID"]
            assert (await sent(graph, work, 2, "1Z-C"))["fulfillmentOrder"]["status"] == "CLOSED"
            done = await settled(graph, order["id"], is_("FULFILLED"))
            tracked = [each["packages"][0]["trackingNumber"] for each in done["fulfillmentOrders"][0]["shipments"]]
            assert tracked == ["1Z-A", "1Z-C"]
            assert [each["code"] for each in (await canceled(graph, order["id"]))["userErrors"]] == ["NOT_ALLOWED_IN_STATE"]

    run(story)


@dataclass(frozen=True, slots=True, kw_only=True)
class Short:
    """A place that has lost nearly everything since it was last read, and how an order for more ends then."""

    sku: str
    units: int
    place: str
    source: str
    let_go: str
    ends: Callable[[dict[str, Any]], bool]


@pytest.mark.parametrize(
    "short",
    [
        Short(sku="SKU-0010", units=400, place="wh-dallas", source="odoo", let_go="cancel", ends=is_("BACKORDERED")),
        Short(
            sku="SKU-0008",
            units=70,
            place="3pl-cicero",
            source="shipbob",
            let_go="Cancelled",
            ends=requests_are("REJECTED", "ACCEPTED"),
        ),
    ],
    ids=lambda short: short.source,
)
def test_a_source_that_turns_out_to_be_short_is_told_to_let_go_and_the_units_are_not_promised_twice(
    tmp_path: Path, short: Short
) -> None:
    async def story() -> None:
        async with world(tmp_path) as (graph, sandboxes):  # what was read stays fresh: it is no longer true when we ask
            assert (await item(graph, short.sku))["complete"]
            await sandboxes[short.source].count(short.place, short.sku, 10)
            order = (await place(graph, line(short.sku, short.units), key="short"))["order"]
            first = order["fulfillmentOrders"][0]["location"]["code"]
            final = await settled(graph, order["id"], short.ends)
            assert first not in locations(final)[1:]
            assert final["fulfillmentOrders"][0]["status"] == "INCOMPLETE"
            assert (await sandboxes[short.source].orders())[0]["state"] == short.let_go
            kept = await item(graph, short.sku, age=0)
            on_shelves = sum(each["onHand"] for each in kept["levels"])
            assert kept["availableToPromise"] == on_shelves - short.units

    run(story)
