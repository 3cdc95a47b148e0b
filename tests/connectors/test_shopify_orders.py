"""Whole stories of orders with Shopify: made, moved, looked up, stopped."""

from dataclasses import replace

import pytest

from connectors.contract import (
    CancelOutcome,
    Method,
    OutcomeUnknown,
    Rejected,
    RemoteState,
    RequestKey,
    RequestLine,
)
from tests.connectors.shopify_scene import AT_AUSTIN, AT_MIAMI, AUSTIN, EVERYWHERE, MIAMI, NOT_IN_AUSTIN, SKU, Scene, asking, play


# ---------------------------------------------------------------------------------------------- orders
def test_an_order_is_moved_to_the_store_that_was_asked_and_drops_the_number_there_at_once() -> None:
    async def story(scene: Scene) -> None:
        await scene.shopify.read_stock([SKU])
        before = await scene.requests()
        made = await scene.shopify.request(asking())
        assert await scene.requests() - before == 3  # is it there, make it, move it
        assert (made.state, made.key) == (RemoteState.ACCEPTED, "key-1")
        (order,) = scene.sandbox.orders()
        assert (order.ref, order.place, order.key) == (made.ref, "shop-miami", "key-1")
        there = {level.location: level for level in (await scene.shopify.read_stock([SKU])).levels}
        assert (there[MIAMI].available, there[MIAMI].committed, there[MIAMI].on_hand) == (AT_MIAMI[SKU] - 2, 2, AT_MIAMI[SKU])
        assert there[AUSTIN].available == AT_AUSTIN[SKU]
        scene.sandbox.ship(order.ref, carrier="UPS", tracking_number="1Z")
        (shipped,) = await scene.shopify.status([made.ref])
        (package,) = shipped.packages
        assert (shipped.state, package.carrier, package.tracking_number) == (RemoteState.SHIPPED, "UPS", "1Z")
        assert package.lines == (RequestLine(sku=SKU, units=2),)
        assert await scene.shopify.cancel(made.ref) is CancelOutcome.TOO_LATE

    play(story)


def test_units_that_shopify_spread_over_two_locations_are_brought_together() -> None:
    async def story(scene: Scene) -> None:
        one, other = EVERYWHERE[:2]
        for sku, place in ((one, "shop-austin"), (other, "shop-portland")):
            scene.sandbox.set_stock(place, sku, 0)
        scene.sandbox.set_stock("shop-miami", other, 0)
        lines = tuple(RequestLine(sku=sku, units=1) for sku in (one, other))
        made = await scene.shopify.request(replace(asking(), lines=lines))
        assert made.state is RemoteState.ACCEPTED
        assert {work.location for work in scene.sandbox.shop.orders[made.ref].open_works} == {MIAMI}

    play(story)


def test_a_store_that_does_not_stock_it_leaves_nothing_behind() -> None:
    async def story(scene: Scene) -> None:
        refused = await scene.shopify.request(asking(sku=NOT_IN_AUSTIN, at=AUSTIN))
        assert refused.state is RemoteState.REJECTED
        assert "does not stock" in (refused.reason or "")
        assert [order.state for order in scene.sandbox.orders()] == ["CANCELLED"]
        there = {level.location: level.available for level in (await scene.shopify.read_stock([NOT_IN_AUSTIN])).levels}
        assert there[MIAMI] == AT_MIAMI[NOT_IN_AUSTIN]
        assert await scene.shopify.find(RequestKey("key-1")) == refused

    play(story)


def test_more_than_there_is_is_refused_in_shopifys_words() -> None:
    async def story(scene: Scene) -> None:
        with pytest.raises(Rejected) as raised:
            await scene.shopify.request(asking(units=10_000))
        assert (raised.value.reason, raised.value.field) == ("INVENTORY_CLAIM_FAILED", "order.lineItems")
        assert scene.sandbox.orders() == []

    play(story)


def test_an_order_takes_of_items_that_share_a_sku_what_its_store_has_of_each() -> None:
    async def story(scene: Scene) -> None:
        shop = scene.sandbox.shop
        (item,) = shop.items_of(SKU)
        twin = shop.add_item(item.product, number=49_000_000)
        shop.levels[MIAMI, twin.number] = replace(shop.levels[MIAMI, item.number], available=1)
        made = await scene.shopify.request(asking(units=AT_MIAMI[SKU] + 1))
        (work,) = shop.orders[made.ref].open_works
        assert {line.item.number: line.total for line in work.lines} == {item.number: AT_MIAMI[SKU], twin.number: 1}

    play(story)


def test_a_lost_answer_is_found_again_even_before_shopifys_search_knows() -> None:
    async def story(scene: Scene) -> None:
        scene.sandbox.switches.search_lags = True
        await scene.controls.post("/_sandbox/faults", json={"kind": "LOST_ANSWER", "match_body": "orderCreate", "times": 1})
        with pytest.raises(OutcomeUnknown):
            await scene.shopify.request(asking())
        found = await scene.shopify.find(RequestKey("key-1"))
        assert found is not None
        assert found.state is RemoteState.REQUESTED  # it waits in Austin, where nobody asked for it
        again = await scene.shopify.request(asking())
        assert (again.ref, again.state) == (found.ref, RemoteState.ACCEPTED)
        (order,) = scene.sandbox.orders()
        assert order.place == "shop-miami"

    play(story)


def test_an_order_without_a_location_yet_is_not_given_up_but_asked_for_again() -> None:
    async def story(scene: Scene) -> None:
        scene.sandbox.switches.routing_takes_time = True
        with pytest.raises(OutcomeUnknown, match="yet to decide"):
            await scene.shopify.request(asking())
        scene.sandbox.switches.routing_takes_time = False
        made = await scene.shopify.request(asking())
        assert made.state is RemoteState.ACCEPTED
        assert len(scene.sandbox.orders()) == 1

    play(story)


def test_a_store_can_turn_an_order_down_and_says_why() -> None:
    async def story(scene: Scene) -> None:
        made = await scene.shopify.request(asking(method=Method.PICKUP))
        scene.sandbox.accept(made.ref)
        scene.sandbox.reject(made.ref, "shelf is empty")
        (rejected,) = await scene.shopify.status([made.ref])
        assert (rejected.state, rejected.reason) == (RemoteState.REJECTED, "shelf is empty")
        assert await scene.shopify.cancel(made.ref) is CancelOutcome.CANCELED

    play(story)


def test_a_cancellation_that_takes_time_is_pending_until_it_is_done() -> None:
    async def story(scene: Scene) -> None:
        scene.sandbox.switches.canceling_takes_time = True
        made = await scene.shopify.request(asking())
        assert await scene.shopify.cancel(made.ref) is CancelOutcome.PENDING
        scene.sandbox.shop.settle()
        assert await scene.shopify.cancel(made.ref) is CancelOutcome.CANCELED
        there = {level.location: level.available for level in (await scene.shopify.read_stock([SKU])).levels}
        assert there[MIAMI] == AT_MIAMI[SKU]

    play(story)


# ---------------------------------------------------------------------------------------------- fulfillment services
def test_a_fulfillment_service_is_asked_and_decides() -> None:
    async def story(scene: Scene) -> None:
        made = await scene.shopify.request(asking())
        assert made.state is RemoteState.REQUESTED
        assert [order.state for order in scene.sandbox.orders()] == ["OPEN/SUBMITTED"]
        scene.sandbox.accept(made.ref)
        assert (await scene.shopify.status([made.ref]))[0].state is RemoteState.ACCEPTED

    play(story, services=["shop-miami"])


def test_what_a_service_turns_down_is_taken_back_before_it_is_told() -> None:
    async def story(scene: Scene) -> None:
        made = await scene.shopify.request(asking())
        scene.sandbox.reject(made.ref, "no room")
        scene.sandbox.switches.canceling_takes_time = True
        assert (await scene.shopify.status([made.ref]))[0].state is RemoteState.REQUESTED  # others could still send it
        scene.sandbox.shop.settle()
        assert (await scene.shopify.status([made.ref]))[0].state is RemoteState.REJECTED
        assert [order.state for order in scene.sandbox.orders()] == ["CANCELLED"]

    play(story, services=["shop-miami"])


def test_a_service_that_has_not_accepted_is_stopped_at_once() -> None:
    async def story(scene: Scene) -> None:
        made = await scene.shopify.request(asking())
        assert await scene.shopify.cancel(made.ref) is CancelOutcome.CANCELED
        assert (await scene.shopify.status([made.ref]))[0].state is RemoteState.CANCELED

    play(story, services=["shop-miami"])


@pytest.mark.parametrize(("accepted", "outcome"), [(True, CancelOutcome.CANCELED), (False, CancelOutcome.REFUSED)])
def test_a_service_at_work_answers_a_cancellation_in_its_own_time(*, accepted: bool, outcome: CancelOutcome) -> None:
    async def story(scene: Scene) -> None:
        made = await scene.shopify.request(asking())
        scene.sandbox.accept(made.ref)
        assert [await scene.shopify.cancel(made.ref) for _ in range(2)] == [CancelOutcome.PENDING] * 2
        scene.sandbox.answer_cancellation(made.ref, accepted=accepted)
        assert await scene.shopify.cancel(made.ref) is outcome
        state = (await scene.shopify.status([made.ref]))[0].state
        assert state is (RemoteState.CANCELED if accepted else RemoteState.ACCEPTED)

    play(story, services=["shop-miami"])
