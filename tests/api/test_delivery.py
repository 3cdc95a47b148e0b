"""Promised dates, as a shop's pages ask for them."""

from dataclasses import replace
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from connectors.contract import RemoteLocationId
from gateway.app import Parts
from gateway.domain.delivery import HalfDay, Schedule, Shift, Terms
from gateway.domain.locations import LocationKind
from gateway.domain.principals import Role
from gateway.ports import Correction
from gateway.settings import Settings
from tests.harness import CHICAGO, Graph, gateway, line, network, place, run
from tests.samples import HandClock

PROMISE = """query ($skus: [PromiseItem!]!, $to: AddressInput!, $method: FulfillmentMethod! = SHIP, $at: ID) {
  promise(skus: $skus, to: $to, method: $method, pickupAt: $at) { sku units reason split
    promise { shipBy earliest deliverBy deliverOn timeZone confidence carrier service cutoffAt location { code }
      parts { name at why } } } }"""
CART = """query ($input: RoutingInput!) { cartPromise(input: $input) { deliverBy confidence
  packages { location { code } lines { sku units } promise { shipBy deliverBy deliverOn service } }
  decision { plan { location { code } } } userErrors { code path } } }"""
REASONS = """query ($id: ID!) { order(by: {id: $id}) { routingDecisions { id
  candidates { location { code } reason { code text daysLate cutoff } } } } }"""
STORES = Schedule(
    name="stores",
    kinds=frozenset({LocationKind.STORE}),
    shifts=(Shift(weekdays=frozenset(range(6)), opens=time(10), closes=time(20), cutoff=time(12)),),
    half_days=(HalfDay(on=date(2026, 3, 3), closes=time(13), cutoff=time(11)),),
    processing_minutes=60,
)


def with_hours(settings: Settings) -> Settings:
    """Stores take up until noon what they send the same day; the one in Chicago can do three units a day."""
    limited = Correction(units_per_day=3)
    sources = tuple(
        replace(each, corrections={RemoteLocationId("LSTORECHICAGO"): limited}) if each.name == "square" else each
        for each in settings.sources
    )
    return replace(settings, sources=sources, delivery=Terms(schedules=(STORES,)))


def item(sku: str, units: int = 1) -> dict[str, Any]:
    return {"sku": sku, "units": units}


async def promised(graph: Graph, *skus: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await graph(PROMISE, role=Role.STOREFRONT, skus=list(skus), **({"to": CHICAGO} | more)))[
        "promise"
    ]
    return found


def test_a_page_of_products_has_dates_reasons_and_how_they_came_about(tmp_path: Path) -> None:
    clock = HandClock(at=datetime.fromisoformat("2026-03-02T18:01:00+00:00"))  # a minute past noon in Chicago

    async def story() -> None:
        async with (
            network() as (addresses, sandboxes),
            gateway(addresses, tmp_path / "dom.sqlite3", tune=with_hours, parts=Parts(clock=clock)) as graph,
        ):
            skus = [item(f"SKU-{number:04d}") for number in range(1, 41)]
            for sandbox in sandboxes.values():
                await sandbox.forget()
            page = await promised(graph, *skus)
            asked = [len(await sandbox.requests()) for sandbox in sandboxes.values()]
            assert max(asked) <= 2, "one read for all of them, and one look-up of those that a source does not carry"
            page += await promised(graph, item("NO-SUCH"))
            by_sku = {each["sku"]: each for each in page}
            assert [each["sku"] for each in page] == [*(each["sku"] for each in skus), "NO-SUCH"]
            assert [by_sku[sku]["reason"] for sku in ("SKU-0008", "SKU-0007", "NO-SUCH")] == [None, "OUT_OF_STOCK", "NOT_CARRIED"]

            store = by_sku["SKU-0009"]["promise"]
            assert store["location"] == {"code": "chicago-store"}
            assert (store["shipBy"], store["cutoffAt"]) == ("2026-03-03T19:00:00Z", "2026-03-03T17:00:00Z")
            assert (store["deliverOn"], store["deliverBy"]) == ("2026-03-04", "2026-03-05T05:59:00Z")
            assert (store["timeZone"], store["confidence"]) == ("America/Chicago", None)
            assert {part["name"]: part["why"] for part in store["parts"]} == {
                "order": "ordered Mon 2 Mar 12:01 by the clock there (America/Chicago)",
                "cutoff": "after the cutoff Mon 2 Mar 12:00: taken up Tue 3 Mar 10:00, the next day of work, a half day",
                "processing": "60 minutes of work: ready Tue 3 Mar 11:00",
                "collection": "US parcel carrier collects next Tue 3 Mar 13:00",
                "transit": "1 working day by Ground in zone 1: there Wed 4 Mar",
                "delivery": "handed over by Wed 4 Mar 23:59 by the customer's clock (America/Chicago)",
            }

    run(story)


def test_a_store_whose_cutoff_has_passed_says_so_and_is_not_called_late_for_anything_else(tmp_path: Path) -> None:
    clock = HandClock(at=datetime.fromisoformat("2026-03-02T18:01:00+00:00"))  # a minute past noon in Chicago

    async def story() -> None:
        async with (
            network() as (addresses, _),
            gateway(addresses, tmp_path / "dom.sqlite3", tune=with_hours, parts=Parts(clock=clock)) as graph,
        ):
            placed = await place(graph, line("SKU-0001", 1), key="tomorrow", deliverBy="2026-03-03")
            (decision,) = (await graph(REASONS, id=placed["order"]["id"]))["order"]["routingDecisions"]
            reasons = {each["location"]["code"]: each["reason"] for each in decision["candidates"]}
            assert reasons["cicero-il"] is None
            text = "CUTOFF: 1 day late, after the cutoff at 12:00, late +5.00"
            assert reasons["chicago-store"] == {"code": "CUTOFF", "text": text, "daysLate": 1, "cutoff": "12:00"}
            assert {each["code"] for code, each in reasons.items() if code not in {"cicero-il", "chicago-store"}} == {"PROMISE"}
            again = await graph("query ($id: ID!) { routingReplay(id: $id) { identical differences } }", id=decision["id"])
            assert again["routingReplay"] == {"identical": True, "differences": []}

            strict = await place(graph, line("SKU-0009", 1), key="strict", deliverBy="2026-03-03", noLater=True)
            assert [error["code"] for error in strict["userErrors"]] == ["NO_CANDIDATE"]

    run(story)


def test_work_that_others_gave_a_store_today_makes_who_comes_later_wait(tmp_path: Path) -> None:
    clock = HandClock(at=datetime.fromisoformat("2026-03-05T15:00:00+00:00"))  # a Thursday morning

    async def story() -> None:
        async with (
            network(products=12) as (addresses, sandboxes),
            gateway(addresses, tmp_path / "dom.sqlite3", tune=with_hours, parts=Parts(clock=clock)) as graph,
        ):
            await sandboxes["square"].count("store-chicago", "SKU-0009", 50)
            for other in ("brooklyn", "denver", "seattle", "santa-monica"):
                await sandboxes["square"].count(f"store-{other}", "SKU-0009", 0)
            clock.wait(60)
            (before,) = await promised(graph, item("SKU-0009", 2))
            assert before["promise"]["deliverOn"] == "2026-03-06"
            assert (await place(graph, line("SKU-0009", 2), key="first"))["userErrors"] == []
            (one, two) = await promised(graph, item("SKU-0009", 1), item("SKU-0009", 2))
            assert one["promise"]["deliverOn"] == "2026-03-06", "there is room for one more today"
            assert two["promise"]["deliverOn"] == "2026-03-09", "not for two: they leave on Friday"
            (backlog,) = (part["why"] for part in two["promise"]["parts"] if part["name"] == "backlog")
            assert backlog == "others are served first: there is room Fri 6 Mar"

    run(story)


def test_a_cart_and_a_pickup_have_dates_and_what_cannot_be_is_refused_where_it_stands(tmp_path: Path) -> None:
    clock = HandClock(at=datetime.fromisoformat("2026-03-05T15:00:00+00:00"))

    async def story() -> None:
        async with (
            network() as (addresses, _),
            gateway(addresses, tmp_path / "dom.sqlite3", parts=Parts(clock=clock)) as graph,
        ):
            wish = {"lines": [line("SKU-0008", 1), line("SKU-0010", 2)], "to": CHICAGO}
            cart = (await graph(CART, role=Role.STOREFRONT, input=wish))["cartPromise"]
            assert cart["userErrors"] == []
            assert [each["location"] for each in cart["packages"]] == [each["location"] for each in cart["decision"]["plan"]]
            assert cart["deliverBy"] == max(each["promise"]["deliverBy"] for each in cart["packages"])
            short = (await graph(CART, input={**wish, "lines": [line("SKU-0007", 1)]}))["cartPromise"]
            assert (short["packages"], short["decision"], short["deliverBy"]) == ([], None, None)
            assert [each["code"] for each in short["userErrors"]] == ["INSUFFICIENT_STOCK"]

            (pickup,) = await promised(graph, item("SKU-0009"), method="PICKUP")
            assert pickup["promise"]["location"] == {"code": "chicago-store"}
            assert (pickup["promise"]["carrier"], pickup["promise"]["deliverBy"]) == (None, "2026-03-05T16:00:00Z"), (
                "it opens at ten"
            )

            (lost,) = await promised(graph, item("SKU-0008"), to={**CHICAGO, "countryCode": "AT", "postalCode": "1010"})
            assert (lost["promise"], lost["reason"]) == (None, "DESTINATION_UNKNOWN")

            store = (await graph('{ location(by: {code: "chicago-store"}) { id } }'))["location"]["id"]
            wrong = {"skus": [item("SKU-0008", 0), item("~day")], "to": {**CHICAGO, "countryCode": "usa"}, "at": store}
            answer = (await graph.post({"query": PROMISE, "variables": wrong})).json()
            (error,) = answer["errors"]
            assert error["extensions"] == {"code": "BAD_USER_INPUT", "argumentPath": ["skus", "0", "units"]}
            for part in ("No SKU begins with", "two capital letters", "Only a pickup has a location"):
                assert part in error["message"]
            many = {"skus": [item(f"S{number}") for number in range(251)], "to": CHICAGO}
            assert "between 1 and 250" in (await graph.post({"query": PROMISE, "variables": many})).text.lower()

    run(story)
