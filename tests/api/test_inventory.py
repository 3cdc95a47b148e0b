"""Stock that is followed: what there is, then what changed."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

from gateway.settings import Settings
from tests.harness import Graph, run
from tests.web.served import Line, served

CHANGES = """subscription ($skus: [String!]!, $locations: [ID!], $every: Int! = 0) {
  inventoryChanged(skus: $skus, locations: $locations, minIntervalMs: $every) {
    levels { sku available reserved availableToPromise location { code } } } }"""
HOLD = (
    """mutation ($input: ReservationCreateInput!) { reservationCreate(input: $input) { reservation { id } userErrors { code } } }"""
)
RELEASE = 'mutation ($id: ID!) { reservationRelease(input: {idempotencyKey: "back", id: $id}) { userErrors { code } } }'
SKUS = '["SKU-0010", "SKU-0009"]'
DALLAS = '{ location(by: {code: "dallas-warehouse"}) { id } }'

Level = dict[str, Any]


def attentive(settings: Settings) -> Settings:
    """Numbers are never fresh for long, and what is watched is read again and again."""
    sources = tuple(replace(each, connection=replace(each.connection, fresh_for_s=0.01)) for each in settings.sources)
    return replace(settings, sources=sources, stock=replace(settings.stock, reread_s=0.1))


def test_levels_and_sources_are_there_by_whatever_name_and_in_whatever_fragment_they_are_asked_for(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path) as gateway:
            plain = await gateway.graph(f"{{ inventory(skus: {SKUS}) {{ sku levels {{ available }} sources {{ status }} }} }}")
            named = await gateway.graph(
                f"{{ inventory(skus: {SKUS}) {{ sku ...Stock }} }}"
                " fragment Stock on InventoryItem { where: levels { available } who: sources { status } }"
            )
            totals = await gateway.graph(f"{{ inventory(skus: {SKUS}) {{ sku available }} }}")
        for item, same, total in zip(plain["inventory"], named["inventory"], totals["inventory"], strict=True):
            assert (same["where"], same["who"]) == (item["levels"], item["sources"])
            assert len(item["sources"]) == 3
            assert total["available"] == sum(level["available"] for level in item["levels"]) > 0

    run(story)


def test_a_follower_gets_the_levels_as_they_are_then_only_what_changed_here_or_at_the_source(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path, tune=attentive) as gateway, gateway.socket() as line:
            dallas = (await gateway.graph(DALLAS))["location"]["id"]
            await line.ask("1", CHANGES, skus=["SKU-0010", "SKU-0009"])
            first = await levels(line)
            assert {level["sku"] for level in first} == {"SKU-0010", "SKU-0009"}
            assert len(first) == len({(level["sku"], level["location"]["code"]) for level in first}) > 5

            held = await hold(gateway.graph, dallas, units=10)
            assert await levels(line) == [level_in_dallas(available=5_000, reserved=10)]
            await gateway.graph(RELEASE, id=held)
            assert await levels(line) == [level_in_dallas(available=5_000, reserved=0)]
            await gateway.sandboxes["odoo"].count("wh-dallas", "SKU-0010", 4_321)
            assert await levels(line) == [level_in_dallas(available=4_321, reserved=0)]

    run(story)


def test_of_many_changes_in_an_interval_only_the_last_is_told(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path, tune=attentive) as gateway, gateway.socket() as line:
            dallas = (await gateway.graph(DALLAS))["location"]["id"]
            await line.ask("1", CHANGES, skus=["SKU-0010"], locations=[dallas], every=1_000)
            assert await levels(line) == [level_in_dallas(available=5_000, reserved=0)]
            for units in range(1, 6):
                await hold(gateway.graph, dallas, units=units)
            told = [await levels(line)]
            while told[-1] != [level_in_dallas(available=5_000, reserved=15)]:
                told.append(await levels(line))
            assert len(told) < 5

    run(story)


def test_what_cannot_be_followed_is_refused_with_the_argument_to_blame(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path) as gateway, gateway.socket() as line:
            refused: list[tuple[dict[str, Any], list[str]]] = [
                ({"skus": []}, ["skus"]),
                ({"skus": ["x"] * 251}, ["skus"]),
                ({"skus": ["SKU-0001", "tab\there"]}, ["skus", "1"]),
                ({"skus": ["SKU-0001"], "every": -1}, ["minIntervalMs"]),
                ({"skus": ["SKU-0001"], "every": 60_001}, ["minIntervalMs"]),
                ({"skus": ["SKU-0001"], "locations": ["x"]}, ["locations"]),
            ]
            for number, (variables, blamed) in enumerate(refused):
                await line.ask(str(number), CHANGES, **variables)
                message = await line.hear()
                (error,) = message["payload"]["errors"] if message["type"] == "next" else message["payload"]
                assert error["extensions"]["argumentPath"] == blamed
                if message["type"] == "next":
                    assert (await line.hear())["type"] == "complete"

    run(story)


def level_in_dallas(*, available: int, reserved: int) -> Level:
    return {
        "sku": "SKU-0010",
        "available": available,
        "reserved": reserved,
        "availableToPromise": available - reserved,
        "location": {"code": "dallas-warehouse"},
    }


async def levels(line: Line) -> list[Level]:
    async with asyncio.timeout(60):
        found: list[Level] = (await line.next("1"))["inventoryChanged"]["levels"]
        return found


async def hold(graph: Graph, location: str, *, units: int) -> str:
    wanted = {"idempotencyKey": f"hold {units}", "location": location, "lines": [{"sku": "SKU-0010", "units": units}]}
    made = (await graph(HOLD, input=wanted))["reservationCreate"]
    assert made["userErrors"] == []
    reservation: str = made["reservation"]["id"]
    return reservation
