"""Holding what the graph shows against the paper."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from tests.scenarios.model.paper import Hold, Order, Paper, total_of
from tests.scenarios.model.questions import STOCK_NOW
from tests.scenarios.model.world import SITES, World

LOOKS_MAX: Final = 5
Promised = Mapping[str, int | None]
"""Units of one SKU that may be promised at each location, and ``all`` together; None: nobody knows."""


def order_is_shown(order: Order, shown: Mapping[str, Any]) -> None:
    quantities = Counter[tuple[str, str]]()
    for line in shown["lines"]:
        assert sum(each["units"] for each in line["quantities"]) == line["units"]
        quantities.update({(line["sku"], each["state"]): each["units"] for each in line["quantities"]})
    assert quantities == order.quantities
    assert (shown["status"], shown["supportedActions"]) == (order.status, order.actions)
    assert (shown["canceledBecause"] is not None) is order.canceled
    assert {each["id"] for each in shown["fulfillmentOrders"]} == order.works.keys()
    for each in shown["fulfillmentOrders"]:
        work = order.works[each["id"]]
        parcels = [parcel for shipment in each["shipments"] for parcel in shipment["packages"]]
        assert (each["status"], each["requestStatus"], each["supportedActions"]) == work.standing
        assert total_of(line for parcel in parcels for line in parcel["lines"]) == work.left
        assert total_of(each["remaining"]) == work.rest


def hold_is_shown(hold: Hold, shown: Mapping[str, Any], paper: Paper) -> None:
    places = {line["location"] and line["location"]["code"] for line in shown["lines"]}
    assert (shown["state"], datetime.fromisoformat(shown["expiresAt"]), *places) == paper.standing(hold)
    assert total_of(shown["lines"]) == hold.lines
    hold.seen = paper.standing(hold)


def stock_is_shown(world: World, paper: Paper, skus: Iterable[str], inventory: Iterable[Mapping[str, Any]]) -> None:
    """Numbers that sources told before may lead to less than there is, but never to more; what they tell now, to what there is."""
    own: list[Promised] = [{"all": paper.anywhere(sku), **{place: paper.at(place, sku) for place in SITES}} for sku in skus]
    shown = [_promised(each) for each in inventory]
    for ours, theirs in zip(own, shown, strict=True):
        assert all(units is None or units <= (ours[place] or 0) for place, units in theirs.items()), (theirs, ours)
    for _ in range(LOOKS_MAX):
        if shown == own:
            break
        world.clock.wait(0.001)
        paper.now = world.clock.now()
        shown = [_promised(each) for each in world.ask(STOCK_NOW, skus=skus)["inventory"]]
        is_known = not any(None in each.values() for each in shown)  # else a source has just said that something moved
        assert shown == own or not is_known, (shown, own)
    assert shown == own


def _promised(item: Mapping[str, Any]) -> Promised:
    units = {each["location"]["code"]: each["availableToPromise"] for each in item["levels"]}
    return {"all": item["availableToPromise"] if item["complete"] else None, **units}


def sources_were_asked_once(world: World, paper: Paper, arrived: Mapping[str, int]) -> None:
    """For each work, for what it is, and for nothing else; ``arrived`` is how much had come to each source before."""
    places = {site.key: place for place, site in SITES.items()}
    asked = [each for name, orders in world.arrived().items() for each in orders[arrived[name] :]]
    found = sorted((places[each.place], each.ref, sorted((line.sku, line.units) for line in each.lines)) for each in asked)
    assert found == sorted((work.place, work.ref, sorted(work.lines.items())) for _, _, work in paper.works())


def whoever_comes_back_is_told_all(world: World, paper: Paper, cursor: str) -> None:
    told: dict[str, list[str]] = {name: [] for name in paper.orders}
    for event in world.events_since(cursor, sum(len(order.told) for order in paper.orders.values())):
        told[event["order"]["id"]].append(event["type"])
    assert told == {name: order.told for name, order in paper.orders.items()}
