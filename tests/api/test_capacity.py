"""Days and pickup slots, as a client sees and books them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from connectors.contract import RemoteLocationId
from gateway.ports import Correction
from gateway.settings import Settings
from tests.harness import Graph, line, place, run, world

STORE = "chicago-store"
SKU = "SKU-0001"
LIMITS = Correction(units_per_day=3, slot_minutes=60, pickups_per_slot=1)

SEEN = """query ($code: String!, $on: Date!) { location(by: {code: $code}) { id
  capacity(on: $on) { date units booked available }
  pickupSlots(on: $on) { start end capacity booked available } } }"""
HOLD = """mutation ($input: ReservationCreateInput!) { found: reservationCreate(input: $input) { ...Payload } }"""
MOVE = """mutation ($input: ReservationMoveInput!) { found: reservationMove(input: $input) { ...Payload } }"""
PAYLOAD = """ fragment Payload on ReservationPayload { reservation { id pickupSlot lines { sku units location { code } } }
  userErrors { code path ... on SlotFullError { locationCode pickupSlot }
    ... on CapacityFullError { locationCode date requested available } } }"""
BOOKED = "query ($id: ID!) { node(id: $id) { ... on Order { pickupSlot fulfillmentOrders { capacityOn lines { sku } } } } }"


def limited(settings: Settings) -> Settings:
    """The store in Chicago can do three units a day, and serves one customer an hour."""
    sources = tuple(
        replace(each, corrections={RemoteLocationId("LSTORECHICAGO"): LIMITS}) if each.name == "square" else each
        for each in settings.sources
    )
    return replace(settings, sources=sources)


async def seen(graph: Graph, on: str) -> dict[str, Any]:
    found: dict[str, Any] = (await graph(SEEN, code=STORE, on=on))["location"]
    return found


async def asked(graph: Graph, what: str, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await graph(what + PAYLOAD, input=more))["found"]
    return found


def test_a_client_sees_holds_moves_and_uses_days_and_slots(tmp_path: Path) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()

    async def story() -> None:
        async with world(tmp_path, products=12, tune=limited) as (graph, sandboxes):
            await sandboxes["square"].count("store-chicago", SKU, 50)
            store = await seen(graph, tomorrow)
            assert store["capacity"] == {"date": tomorrow, "units": 3, "booked": 0, "available": 3}
            slots = store["pickupSlots"]
            assert len(slots) in {7, 10}, "from eleven to six on Sundays, else from ten to eight"
            assert {(each["capacity"], each["booked"], each["available"]) for each in slots} == {(1, 0, 1)}

            kept = {"lines": [line(SKU, 2)], "location": store["id"]}
            held = await asked(graph, HOLD, idempotencyKey="h", pickupSlot=slots[0]["start"], **kept)
            assert held["userErrors"] == []
            assert held["reservation"]["pickupSlot"] == slots[0]["start"]
            assert held["reservation"]["lines"] == [{"sku": SKU, "units": 2, "location": {"code": STORE}}], "goods, and no days"
            now = await seen(graph, tomorrow)
            assert (now["capacity"]["available"], now["pickupSlots"][0]["available"]) == (1, 0)

            again = await asked(graph, HOLD, idempotencyKey="h2", pickupSlot=slots[0]["start"], **kept)
            assert again["userErrors"] == [
                {
                    "code": "CAPACITY_FULL",
                    "path": ["input", "lines"],
                    "locationCode": STORE,
                    "date": tomorrow,
                    "requested": 2,
                    "available": 1,
                },
                {
                    "code": "SLOT_FULL",
                    "path": ["input", "pickupSlot"],
                    "locationCode": STORE,
                    "pickupSlot": slots[0]["start"],
                },
            ]

            move = {"id": held["reservation"]["id"], "location": store["id"], "pickupSlot": slots[1]["start"]}
            for _ in range(2):
                moved = await asked(graph, MOVE, idempotencyKey="m", **move)
                assert moved["reservation"]["pickupSlot"] == slots[1]["start"]
            free = [each["available"] for each in (await seen(graph, tomorrow))["pickupSlots"][:2]]
            assert free == [1, 0]

            payload = await place(
                graph, line(SKU, 2), key="o", method="PICKUP", pickupAt=store["id"], reservation=held["reservation"]["id"]
            )
            booked = (await graph(BOOKED, id=payload["order"]["id"]))["node"]
            assert booked["pickupSlot"] == slots[1]["start"]
            assert booked["fulfillmentOrders"] == [{"capacityOn": tomorrow, "lines": [{"sku": SKU}]}]
            after = await seen(graph, tomorrow)
            assert (after["capacity"]["booked"], after["pickupSlots"][1]["booked"]) == (2, 1)

    run(story)


def test_what_cannot_be_a_slot_or_a_sku_is_told(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path, products=12, tune=limited) as (graph, _):
            store = (await seen(graph, "2026-03-02"))["id"]
            made_up = await asked(graph, HOLD, idempotencyKey="a", lines=[line("~day:2026-03-02", 1)])
            assert made_up["userErrors"] == [{"code": "INVALID", "path": ["input", "lines", "0", "sku"]}]
            for more in ({"location": store, "pickupSlot": "2026-03-02T15:17:00Z"}, {"pickupSlot": "2026-03-02T15:00:00Z"}):
                wrong = await asked(graph, HOLD, idempotencyKey="b", lines=[line(SKU, 1)], **more)
                assert wrong["userErrors"] == [{"code": "INVALID", "path": ["input", "pickupSlot"]}]
            shipped = await place(graph, line(SKU, 1), key="c", pickupSlot="2026-03-02T15:00:00Z")
            assert [each["path"] for each in shipped["userErrors"]] == [["input", "pickupSlot"]]
            year_one = {"idempotencyKey": "d", "location": store, "pickupSlot": "0001-01-01T00:00:00Z", "lines": [line(SKU, 1)]}
            assert (await asked(graph, HOLD, **year_one))["userErrors"][0]["path"] == ["input", "pickupSlot"]
            lost = await asked(graph, MOVE, idempotencyKey="e", id=store)
            assert lost["userErrors"][0]["path"] == ["input", "id"]
            nowhere = await graph.post({"query": SEEN, "variables": {"code": STORE, "on": "0001-01-01"}})
            assert nowhere.status_code < 500
            assert nowhere.json()["errors"]

    run(story)
