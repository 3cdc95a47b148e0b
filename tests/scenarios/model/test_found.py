"""What the sheet of paper once knew better."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.harness import CHICAGO
from tests.scenarios.model.questions import STOCK_NOW
from tests.scenarios.model.world import SITES, World
from tests.storages import Storage


@pytest.fixture
def world(storage: Storage) -> Iterator[World]:
    new = World(storage=storage)
    yield new
    new.close()


def shelf(world: World, place: str, sku: str, units: int) -> None:
    site = SITES[place]
    world.sandboxes[site.source].set_stock(site.key, sku, units)


def hold(world: World, key: str, sku: str, units: int, place: str | None = None) -> dict[str, Any]:
    at = {} if place is None else {"location": world.places[place]}
    (payload,) = world.send(("reservationCreate", {"idempotencyKey": key, "lines": [{"sku": sku, "units": units}], **at}))
    return payload


def place(world: World, key: str, sku: str, units: int, **more: Any) -> dict[str, Any]:
    lines = [{"sku": sku, "units": units}]
    (payload,) = world.send(("orderPlace", {"idempotencyKey": key, "channel": "web", "to": CHICAGO, "lines": lines, **more}))
    world.come_to_rest()
    return payload


def test_a_refusal_tells_no_more_to_be_available_than_there_is(world: World) -> None:
    mug, _ = world.goods.pop()
    shelf(world, "cicero-il", mug, 2)  # of which one is kept back
    shelf(world, "bethlehem-pa", mug, 2)
    assert hold(world, "all", mug, 2)["userErrors"] == []
    (error,) = hold(world, "two", mug, 2, "cicero-il")["userErrors"]
    assert error["available"] == 0
    assert hold(world, "one", mug, 1, "cicero-il")["shown"] is None


def test_what_was_given_back_is_there_for_whoever_lost_a_place(world: World) -> None:
    mug, _ = world.goods.pop()
    shelf(world, "cicero-il", mug, 2)
    shelf(world, "bethlehem-pa", mug, 2)
    order = place(world, "one", mug, 1)["shown"]["id"]
    world.ask(STOCK_NOW, skus=[mug])
    world.clock.wait(0.001)
    world.ask(STOCK_NOW, skus=[mug])
    assert hold(world, "last", mug, 1)["userErrors"] == []
    (work,) = world.ask("query ($id: ID!) { order(by: {id: $id}) { fulfillmentOrders { id } } }", id=order)["order"][
        "fulfillmentOrders"
    ]
    world.send(("fulfillmentOrderReject", {"idempotencyKey": "no", "id": work["id"], "reasonCode": "BROKEN"}))
    world.come_to_rest()
    found = world.ask(
        "query ($id: ID!) { order(by: {id: $id}) { status fulfillmentOrders { status location { code } } } }", id=order
    )["order"]
    assert found["status"] == "ROUTED", found
