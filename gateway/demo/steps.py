"""The steps of the tour: each does something real, looks at what came of it, tells a person, and returns facts for a machine."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from time import perf_counter
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from gateway.demo.client import NotAsTold, Visitor

Facts = dict[str, Any]

CUSTOMER: Final = {
    "name": "Ada Moore",
    "lines": ["233 S Wacker Dr"],
    "city": "Chicago",
    "region": "IL",
    "postalCode": "60606",
    "countryCode": "US",
}

INVENTORY: Final = """query ($skus: [String!]!, $age: Int) { inventory(skus: $skus, maxAgeSeconds: $age) {
  sku name availableToPromise complete
  levels { location { code } source { name } onHand available availableToPromise freshness asOf }
  sources { source { name } status freshness reason latencyMs } } }"""

PLACE: Final = """mutation ($input: OrderPlaceInput!) { orderPlace(input: $input) { order { id number status
  fulfillmentOrders { location { code name } lines { sku units } }
  routingDecisions { cost { amount } optimal explanation
    plan { location { code } miles zone transitDays cost { amount } costs { name amount { amount } } lines { sku units } }
    candidates { location { code } chosen excludedBecause alone { amount } regret { amount } } } }
  userErrors { code message path } } }"""

ORDER: Final = """query ($id: ID!) { order(by: {id: $id}) { number status
  fulfillmentOrders { id location { code source { name } } status requestStatus remoteRef rejection { reasonCode }
    shipments { packages { carrier trackingNumber } } } } }"""

FOLLOW: Final = "subscription { orderEvents { cursor type version actor cause order { number status } } }"


@dataclass(slots=True)
class Guide:
    """Who leads the tour: what has been learnt on the way, and where it is told."""

    visitor: Visitor
    console: Console
    orders: dict[str, str] = field(default_factory=dict)
    reservation: str = ""
    seen: list[dict[str, Any]] = field(default_factory=list)


Step = Callable[[Guide], Awaitable[Facts]]


def expect(fact: object, problem: str) -> None:
    """Go on only if this is so.

    Raises:
        NotAsTold: It is not.
    """
    if not fact:
        raise NotAsTold(problem)


async def live_query(guide: Guide) -> Facts:
    """One query, one request to each system."""
    visitor = guide.visitor
    skus = ["SKU-0001", "SKU-0002", "SKU-0003"]
    await visitor.until(INVENTORY, lambda data: all(item["complete"] for item in data["inventory"]), skus=skus)
    await visitor.forget()
    started_s = perf_counter()
    items = (await visitor.ask(INVENTORY, skus=skus, age=0))["inventory"]
    took_ms = (perf_counter() - started_s) * 1000
    requests = {name: await visitor.requests(name) for name in visitor.world.sandboxes}
    expect(all(reading["status"] == "OK" for item in items for reading in item["sources"]), "a source did not answer")
    expect(all(count == 1 for count in requests.values()), f"more than one request to a source: {requests}")
    table = Table("SKU", "where", "asked", "available", "may be promised", "freshness", box=None, header_style="bold")
    for item in items:
        for level in item["levels"]:
            if level["available"]:
                numbers = (str(level["available"]), str(level["availableToPromise"]), level["freshness"])
                table.add_row(item["sku"], level["location"]["code"], level["source"]["name"], *numbers)
        table.add_row(item["sku"], "[bold]network", "", "", f"[bold]{item['availableToPromise']}", "")
    guide.console.print(
        f"{len(skus)} products, asked of all three systems just now: one request each, {took_ms:.0f} ms altogether."
    )
    guide.console.print(table)
    return {
        "upstreamRequests": requests,
        "latencyMs": round(took_ms, 1),
        "availableToPromise": {item["sku"]: item["availableToPromise"] for item in items},
    }


async def partial_answer(guide: Guide) -> Facts:
    """The same with one source that hangs and one that refuses."""
    visitor = guide.visitor
    await visitor.fault("odoo", "HANG")
    await visitor.fault("square", "STATUS", status=503)
    try:
        started_s = perf_counter()
        known, new = (await visitor.ask(INVENTORY, skus=["SKU-0003", "SKU-0011"], age=0))["inventory"]
        took_s = perf_counter() - started_s
    finally:
        await visitor.heal("odoo")
        await visitor.heal("square")
    table = Table("SKU", "source", "status", "what it has to offer", "why", box=None, header_style="bold")
    for item in (known, new):
        for reading in item["sources"]:
            table.add_row(
                item["sku"], reading["source"]["name"], reading["status"], reading["freshness"], (reading["reason"] or "")[:60]
            )
    guide.console.print(f"Odoo hangs, Square answers 503. The answer came after {took_s:.2f} s, and says what it does not know:")
    guide.console.print(table)
    readings = {(item["sku"], each["source"]["name"]): each for item in (known, new) for each in item["sources"]}
    expect(took_s < 2.0, f"the answer took {took_s:.2f} s")
    expect(not known["complete"] and not new["complete"], "the answer claims to be complete")
    expect(readings["SKU-0003", "odoo"]["freshness"] == "STALE", "what was known of Odoo is not marked stale")
    expect(readings["SKU-0011", "odoo"]["freshness"] == "UNKNOWN", "what was never read is not marked unknown")
    expect(readings["SKU-0011", "shipbob"]["status"] == "OK", "the third source was held up by the others")
    return {
        "secondsToAnswer": round(took_s, 3),
        "complete": False,
        "readings": {f"{sku} {name}": f"{each['status']} {each['freshness']}" for (sku, name), each in readings.items()},
    }


async def hold(guide: Guide) -> Facts:
    """Units are kept for a customer who has not decided yet."""
    visitor = guide.visitor
    lines = [{"sku": "SKU-0002", "units": 2}, {"sku": "SKU-0003", "units": 1}]
    before = await _promisable(guide, "SKU-0002", "SKU-0003")
    created = await visitor.ask(
        """mutation ($input: ReservationCreateInput!) { reservationCreate(input: $input) {
             reservation { id state expiresAt } userErrors { code message } } }""",
        input={"idempotencyKey": "tour-hold", "lines": lines, "ttlSeconds": 600},
    )
    reservation = created["reservationCreate"]["reservation"]
    expect(reservation is not None, f"the hold was refused: {created['reservationCreate']['userErrors']}")
    guide.reservation = reservation["id"]
    after = await _promisable(guide, "SKU-0002", "SKU-0003")
    expect(after["SKU-0002"] == before["SKU-0002"] - 2, "the held units can still be promised to others")
    guide.console.print(
        f"2 × SKU-0002 and 1 × SKU-0003 are kept until {reservation['expiresAt']}, wherever routing will want them."
    )
    guide.console.print(f"May be promised to others: SKU-0002 {before['SKU-0002']} → {after['SKU-0002']}, ", end="")
    guide.console.print(f"SKU-0003 {before['SKU-0003']} → {after['SKU-0003']}.")
    return {"state": reservation["state"], "before": before, "after": after}


async def split_order(guide: Guide) -> Facts:
    """An order that no location has whole."""
    lines = [{"sku": "SKU-0002", "units": 2}, {"sku": "SKU-0003", "units": 1}]
    order = await _place(guide, "tour-split", lines, reservation=guide.reservation)
    guide.orders["split"] = order["id"]
    (decision,) = order["routingDecisions"]
    expect(len(order["fulfillmentOrders"]) == 2, "the order does not come from two locations")
    plan = Table("from", "what", "miles", "days", "cost", "made of", box=None, header_style="bold")
    for package in decision["plan"]:
        what = ", ".join(f"{line['units']} × {line['sku']}" for line in package["lines"])
        terms = ", ".join(f"{term['name']} {term['amount']['amount']}" for term in package["costs"])
        plan.add_row(
            package["location"]["code"],
            what,
            f"{package['miles']:,.0f}",
            str(package["transitDays"]),
            package["cost"]["amount"],
            terms,
        )
    considered = Table("considered", "", "best plan with it", "or why not", box=None, header_style="bold")
    for each in decision["candidates"]:
        chosen, why_not = "chosen" if each["chosen"] else "", each["excludedBecause"] or ""
        considered.add_row(each["location"]["code"], chosen, _plan_cost(decision, each) or "", why_not)
    guide.console.print(
        f"Order {order['number']} to Chicago uses the hold, and ships from two places for {decision['cost']['amount']} USD:"
    )
    guide.console.print(plan)
    guide.console.print(considered)
    guide.console.print(f"[italic]{decision['explanation'].split(' could not ')[0].rsplit('. ', 1)[0]}.", highlight=False)
    return {
        "number": order["number"],
        "cost": decision["cost"]["amount"],
        "optimal": decision["optimal"],
        "reason": decision["explanation"],
        "plan": {package["location"]["code"]: package["cost"]["amount"] for package in decision["plan"]},
        "candidates": [
            {
                "location": each["location"]["code"],
                "chosen": each["chosen"],
                "cost": _plan_cost(decision, each),
                "excludedBecause": each["excludedBecause"],
            }
            for each in decision["candidates"]
        ],
    }


async def requests_arrive(guide: Guide) -> Facts:
    """The requests, at the systems that are to do the work."""
    works = await _works(guide, "split", lambda work: work["requestStatus"] == "ACCEPTED")
    table = Table("at", "its own number", "our key", "state there", "lines", box=None, header_style="bold")
    arrived = []
    for work in works:
        system = work["location"]["source"]["name"]
        order = next(each for each in await guide.visitor.orders(system) if each["ref"] == work["remoteRef"])
        what = ", ".join(f"{line['units']} × {line['sku']}" for line in order["lines"])
        table.add_row(system, order["ref"], str(order["key"]), order["state"], what)
        arrived.append({"system": system, "ref": order["ref"], "key": order["key"], "state": order["state"]})
    guide.console.print("Each system has its part, in its own words, and has reserved the stock:")
    guide.console.print(table)
    return {"arrived": arrived}


async def tracking_returns(guide: Guide) -> Facts:
    """The goods leave, and tracking comes back."""
    works = await _works(guide, "split", lambda work: work["remoteRef"] is not None)
    for number, work in enumerate(works, start=1):
        await guide.visitor.act(
            work["location"]["source"]["name"],
            work["remoteRef"],
            "ship",
            carrier="UPS",
            tracking_number=f"1Z999AA1012345678{number}",
        )
    shipped = await _works(guide, "split", lambda work: work["status"] == "CLOSED")
    numbers = {
        work["location"]["code"]: package["trackingNumber"]
        for work in shipped
        for shipment in work["shipments"]
        for package in shipment["packages"]
    }
    status = (await guide.visitor.ask(ORDER, id=guide.orders["split"]))["order"]["status"]
    expect(status == "FULFILLED", f"the order is {status}")
    for code, number in numbers.items():
        guide.console.print(f"{code} shipped with UPS, tracking number {number}.", highlight=False)
    guide.console.print("The order is FULFILLED.")
    return {"status": status, "tracking": numbers}


async def pick_rejected(guide: Guide) -> Facts:
    """A store cannot find the item; the order goes elsewhere."""
    order = await _place(guide, "tour-reject", [{"sku": "SKU-0005", "units": 1}])
    guide.orders["rejected"] = order["id"]
    first = order["fulfillmentOrders"][0]["location"]["code"]
    (work,) = await _works(guide, "rejected", lambda work: work["remoteRef"] is not None)
    await guide.visitor.act(work["location"]["source"]["name"], work["remoteRef"], "reject", reason="CANNOT_FIND_ITEM")

    def moved(data: Any) -> bool:
        works = data["order"]["fulfillmentOrders"]
        return len(works) == 2 and works[1]["requestStatus"] == "ACCEPTED"

    works = (await guide.visitor.until(ORDER, moved, id=order["id"]))["order"]["fulfillmentOrders"]
    second = works[1]["location"]["code"]
    expect(works[0]["requestStatus"] == "REJECTED" and second != first, f"{first} still has it")
    guide.console.print(f"Order {order['number']} went to {first}, the nearest. Nobody finds the item there: rejected.")
    guide.console.print(f"Routed again, without {first}: {second} has accepted it.")
    return {"number": order["number"], "rejectedBy": first, "reason": works[0]["rejection"]["reasonCode"], "reroutedTo": second}


async def cancel(guide: Guide) -> Facts:
    """The customer changes their mind."""
    canceled = await guide.visitor.ask(
        """mutation ($input: OrderCancelInput!) { orderCancel(input: $input) {
             order { status supportedActions } userErrors { code message } } }""",
        input={"idempotencyKey": "tour-cancel", "id": guide.orders["rejected"], "reasonCode": "CUSTOMER_REQUEST"},
    )
    expect(canceled["orderCancel"]["order"] is not None, f"refused: {canceled['orderCancel']['userErrors']}")
    data = await guide.visitor.until(ORDER, lambda data: data["order"]["status"] == "CANCELED", id=guide.orders["rejected"])
    work = data["order"]["fulfillmentOrders"][-1]
    system = work["location"]["source"]["name"]
    there = next(each for each in await guide.visitor.orders(system) if each["ref"] == work["remoteRef"])
    guide.console.print(f"Asked to stop, {system} did: its order {there['ref']} is {there['state']!r} there.", highlight=False)
    guide.console.print(f"Order {data['order']['number']} is CANCELED, and its units may be promised again.")
    return {"number": data["order"]["number"], "status": data["order"]["status"], "stateAtSource": there["state"]}


async def asked_twice(guide: Guide) -> Facts:
    """The same request again, as after a lost connection."""
    lines = [{"sku": "SKU-0005", "units": 1}]
    again = await _place(guide, "tour-reject", lines)
    expect(again["id"] == guide.orders["rejected"], "a second order was made")
    guide.console.print(
        f"The second order was sent again under its key: answered with order {again['number']}, nothing was bought twice."
    )
    return {"number": again["number"]}


async def subscription_saw_it(guide: Guide) -> Facts:
    """What a partner heard, who has been subscribed all the while."""
    async with asyncio.timeout(10):
        while not any(event["type"] == "order.canceled" or event["order"]["status"] == "CANCELED" for event in guide.seen):
            await asyncio.sleep(0.05)  # the listener fills it
    table = Table("order", "version", "what happened", "who", "order is now", box=None, header_style="bold")
    for event in guide.seen:
        table.add_row(event["order"]["number"], str(event["version"]), event["type"], event["actor"], event["order"]["status"])
    guide.console.print(table)
    by_order: dict[str, list[int]] = {}
    for event in guide.seen:
        by_order.setdefault(event["order"]["number"], []).append(event["version"])
    expect(all(versions == list(range(1, len(versions) + 1)) for versions in by_order.values()), f"a gap: {by_order}")
    guide.console.print("Every change of every order, in order, none missing: versions run 1, 2, 3 …")
    return {"events": [f"{event['order']['number']} v{event['version']} {event['type']}" for event in guide.seen]}


STEPS: Final[tuple[tuple[str, str, Step], ...]] = (
    ("live_query", "Live stock from three systems", live_query),
    ("partial_answer", "One source hangs, one refuses", partial_answer),
    ("hold", "A hold", hold),
    ("split_order", "An order that splits, and why", split_order),
    ("requests_arrive", "The requests arrive", requests_arrive),
    ("tracking_returns", "Shipment and tracking come back", tracking_returns),
    ("pick_rejected", "A store rejects the pick", pick_rejected),
    ("cancel", "A cancellation", cancel),
    ("asked_twice", "The same request twice", asked_twice),
    ("subscription", "What the subscription saw", subscription_saw_it),
)


# ---------------------------------------------------------------------------------------------- what they share
def _plan_cost(decision: Any, candidate: Any) -> str | None:
    """What the cheapest plan costs in which this location sends something; None, if it cannot."""
    regret = candidate["regret"]
    return None if regret is None else str(Decimal(decision["cost"]["amount"]) + Decimal(regret["amount"]))


async def _promisable(guide: Guide, *skus: str) -> dict[str, int]:
    items = (await guide.visitor.ask(INVENTORY, skus=list(skus)))["inventory"]
    return {item["sku"]: item["availableToPromise"] for item in items}


async def _place(guide: Guide, key: str, lines: list[dict[str, Any]], *, reservation: str | None = None) -> Any:
    order = {"idempotencyKey": key, "channel": "web", "lines": lines, "to": CUSTOMER, "reservation": reservation}
    payload = (await guide.visitor.ask(PLACE, input=order))["orderPlace"]
    expect(payload["order"] is not None, f"refused: {payload['userErrors']}")
    return payload["order"]


async def _works(guide: Guide, order: str, done: Callable[[Any], bool]) -> list[dict[str, Any]]:
    """The work of that order, once all of it is as expected."""

    def all_done(data: Any) -> bool:
        return all(done(work) for work in data["order"]["fulfillmentOrders"])

    data = await guide.visitor.until(ORDER, all_done, id=guide.orders[order])
    works: list[dict[str, Any]] = data["order"]["fulfillmentOrders"]
    return works
