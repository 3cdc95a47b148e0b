"""A person decides where an order comes from, whatever policies say."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors.contract import CancelOutcome, Method
from gateway.api.identifiers import global_id
from gateway.domain.books import Books
from gateway.domain.fulfillments import RequestStatus as R
from gateway.domain.fulfillments import tally
from gateway.domain.identity import OrderId
from gateway.domain.orders import OrderStatus
from gateway.domain.policies import Candidacy, Fallback, FallbackStep, Places, Rule
from gateway.domain.principals import Role
from gateway.domain.refusals import Invalid
from gateway.domain.tasks import JobState
from gateway.ports import Once
from gateway.services.orders import Purchase
from gateway.services.rerouting import Direct
from tests.harness import run
from tests.samples import CUP, EAST, HOME, MUG, START, WEST, landscape, numbered, place, reading, units
from tests.services.shops import Place, Shop, nothing_but, shop

REROUTE = """mutation ($input: OrderRerouteInput!) { orderReroute(input: $input) {
  order { version status directed { reason by locations { id } } fulfillmentOrders { requestStatus location { id } } }
  userErrors { code message path } } }"""


def at(source: str) -> str:
    """The id of the one location of that source."""
    return str(global_id("Location", f"{source}:1"))


async def rerouted(on: Shop, order: OrderId, *sources: str, key: str = "r", role: Role = Role.AGENT, **more: Any) -> dict[str, Any]:
    sent = {"idempotencyKey": key, "id": global_id("Order", order), "locations": [at(each) for each in sources]}
    return dict((await on.graph(REROUTE, role=role, input=sent | {"reason": "she asked for it"} | more))["orderReroute"])


async def given_up(on: Shop, order: OrderId) -> None:
    """Wait until routing it is left to people."""
    async with asyncio.timeout(60):
        while not await on.store.dead_jobs_of(order):
            await asyncio.sleep(0.01)


def test_work_is_asked_back_and_goes_where_a_person_said_though_elsewhere_would_be_as_cheap(tmp_path: Path) -> None:
    async def story() -> None:
        places = {name: Place(stock={MUG: 5}) for name in ("east", "north", "west")}
        async with shop(tmp_path, places) as on:
            order = await on.bought(2)
            await on.until(order, R.SUBMITTED)
            payload = await rerouted(on, order, "west")
            assert payload["userErrors"] == []
            directed = payload["order"]["directed"]
            assert directed == {"reason": "she asked for it", "by": "agent", "locations": [{"id": at("west")}]}
            first, second = await on.until(order, R.REJECTED, R.SUBMITTED)
            assert (first.source, second.source) == ("east", "west")
            assert first.rejection is not None
            after = await on.order(order)
            assert (after.directed, after.status) == (None, OrderStatus.ROUTED), "it was done, and holds no longer"
            events = await on.events(order)
            assert ("order.directed", "agent", "she asked for it") in events
            assert ("fulfillment.recalled", "agent", "she asked for it") in events
            decisions = (await on.store.decisions([order]))[order]
            assert decisions[-1].rule == "chosen by agent"
            assert (await rerouted(on, order, "west"))["order"]["version"] == payload["order"]["version"], "the same key"

    run(story)


def test_what_somebody_said_holds_until_all_that_was_asked_back_has_come(tmp_path: Path) -> None:
    async def story() -> None:
        places = {
            "east": Place(stock={MUG: 5}),
            "north": Place(stock={CUP: 5}),
            "south": Place(stock={MUG: 5, CUP: 5}),
            "west": Place(stock={MUG: 5, CUP: 5}),
        }
        async with shop(tmp_path, places) as on:
            await nothing_but(on, Rule(name="apart", candidates=Candidacy(places=(Places(sources=("east", "north")),))))
            purchase = Purchase(channel="web", lines=units((MUG, 1), (CUP, 1)), to=HOME)
            once = Once(principal="shop", operation="orderPlace", key="k", request_hash="same")
            order = (await on.services.orders.place(purchase, by="shop", once=once)).id
            works = await on.until(order, R.SUBMITTED, R.SUBMITTED)
            assert {work.source for work in works} == {"east", "north"}
            payload = await rerouted(on, order, "west")
            assert payload["userErrors"] == []
            assert payload["order"]["directed"] is not None
            async with asyncio.timeout(60):
                while (await on.order(order)).directed is not None:
                    await asyncio.sleep(0.01)
                    await on.pass_time()
            works = (await on.order(order)).fulfillment_orders
            assert [work.request_status for work in works[:2]] == [R.REJECTED, R.REJECTED]
            assert {work.source for work in works[2:]} == {"west"}
            assert tally(line for work in works[2:] for line in work.lines) == {MUG: 1, CUP: 1}

    run(story)


def test_what_comes_back_while_stock_is_read_for_the_rest_is_routed_with_it(tmp_path: Path) -> None:
    async def story() -> None:
        west = Place(stock={MUG: 5, CUP: 5})
        east = Place(stock={MUG: 5}, stops=CancelOutcome.PENDING)
        async with shop(tmp_path, {"east": east, "north": Place(stock={CUP: 5}), "west": west}) as on:
            await nothing_but(on, Rule(name="apart", candidates=Candidacy(places=(Places(sources=("east", "north")),))))
            purchase = Purchase(channel="web", lines=units((MUG, 1), (CUP, 1)), to=HOME)
            once = Once(principal="shop", operation="orderPlace", key="k", request_hash="same")
            order = (await on.services.orders.place(purchase, by="shop", once=once)).id
            await on.until(order, R.SUBMITTED, R.SUBMITTED)
            assert (await rerouted(on, order, "west"))["userErrors"] == []
            west.counting = asyncio.Event()
            on.clock.wait(5)  # what was read is no longer fresh
            async with asyncio.timeout(60):
                while "read_stock" not in west.asked:
                    await asyncio.sleep(0.01)
                east.stops = CancelOutcome.CANCELED
                while any(work.request_status is not R.REJECTED for work in (await on.order(order)).fulfillment_orders):
                    await asyncio.sleep(0.01)
                    on.clock.wait(1)
            west.counting.set()
            (taken,) = (await on.until(order, R.REJECTED, R.REJECTED, R.SUBMITTED))[2:]
            assert tally(taken.lines) == {MUG: 1, CUP: 1}
            assert "order.backordered" not in {event for event, *_ in await on.events(order)}

    run(story)


def test_a_pickup_comes_from_where_it_is_picked_up() -> None:
    books = Books(now=START, new_id=numbered())
    order = place(2, of=5).decide(books)
    books.orders[order.id] = replace(order, method=Method.PICKUP, pickup_at=EAST)
    seen = landscape(reading(MUG, EAST, 5), reading(MUG, WEST, 5))
    said = Direct(order=order.id, locations=(WEST,), expected_version=None, reason="r", by="ann", landscape=seen)
    with pytest.raises(Invalid):
        said.decide(books)


def test_an_order_that_a_policy_parked_goes_where_a_person_says_and_waits_no_more(tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(tmp_path, {"east": Place(stock={MUG: 5}), "west": Place(stock={MUG: 5})}) as on:
            nowhere = Candidacy(places=(Places(codes=("nowhere",)),))
            await nothing_but(on, Rule(name="ask us", candidates=nowhere, fallbacks=(Fallback(step=FallbackStep.PARK),)))
            order = await on.bought(2)
            await given_up(on, order)
            parked = await on.order(order)
            assert (parked.fulfillment_orders, parked.status) == ((), OrderStatus.BACKORDERED)
            assert parked.parked_because is not None

            payload = await rerouted(on, order, "west")
            assert payload["userErrors"] == []
            assert payload["order"]["directed"] is None, "all of it has a location already"
            (work,) = await on.until(order, R.SUBMITTED)
            assert work.source == "west"
            await on.idle()
            assert (await on.order(order)).status is OrderStatus.ROUTED
            assert await on.store.jobs(JobState.DEAD, after=None, limit=9) == (), "nobody needs to look any more"

    run(story)


def test_what_cannot_come_from_there_is_refused_and_nothing_is_taken_away(tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(tmp_path, {"east": Place(stock={MUG: 5}), "west": Place(stock={MUG: 1})}) as on:
            order = await on.bought(2)
            await on.until(order, R.SUBMITTED)
            before = await on.order(order)
            for wrong, code, path in (
                ({"locations": [at("west")]}, "NO_CANDIDATE", ["input", "locations"]),
                ({"locations": [at("east")]}, "INVALID", ["input", "locations"]),
                ({"locations": []}, "INVALID", ["input", "locations"]),
                ({"locations": [at("south")]}, "NOT_FOUND", ["input", "locations", "0"]),
                ({"locations": ["nonsense"]}, "NOT_FOUND", ["input", "locations", "0"]),
                ({"id": "nonsense"}, "NOT_FOUND", ["input", "id"]),
                ({"id": global_id("Order", "none")}, "NOT_FOUND", ["input", "id"]),
                ({"reason": ""}, "INVALID", ["input", "reason"]),
                ({"expectedVersion": before.version - 1}, "VERSION_CONFLICT", ["input", "expectedVersion"]),
            ):
                (error,) = (await rerouted(on, order, "west", key=str(wrong), **wrong))["userErrors"]
                assert (error["code"], error["path"]) == (code, path), wrong
            assert await on.order(order) == before

    run(story)


def test_a_canceled_order_goes_nowhere_else_and_shops_and_partners_decide_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        place = Place(stock={MUG: 5})
        async with shop(tmp_path, {"east": place, "west": Place(stock={MUG: 5})}) as on:
            order = await on.bought(2)
            await on.until(order, R.SUBMITTED)
            once = Once(principal="shop", operation="orderCancel", key="c", request_hash="")
            await on.services.orders.cancel(order, expected_version=None, reason_code="NO", by="shop", once=once)
            (error,) = (await rerouted(on, order, "west"))["userErrors"]
            assert error["code"] == "NOT_ALLOWED_IN_STATE"
            for role in (Role.STOREFRONT, Role.PARTNER):
                sent = {"idempotencyKey": "x", "id": global_id("Order", order), "locations": [at("west")], "reason": "r"}
                answer = (await on.graph.post({"query": REROUTE, "variables": {"input": sent}}, role=role)).json()
                assert [each["extensions"]["code"] for each in answer["errors"]] == ["FORBIDDEN"]

    run(story)
