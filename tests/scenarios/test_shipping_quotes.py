"""A shopper's question before the checkout: what would shipping cost, and when would it come?"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from starlette.applications import Starlette

from connectors.contract import Secret
from connectors.rates import KarrioSettings
from connectors.sandbox.karrio import KarrioSandbox
from connectors.sandbox.servers import serving
from gateway.domain.principals import Role
from gateway.settings import Quotes, Settings
from tests.harness import CHICAGO, Graph, Sandbox, line, run, world

QUOTES = """query ($lines: [LineInput!]!, $to: AddressInput!, $method: FulfillmentMethod! = SHIP) {
  shippingQuotes(lines: $lines, to: $to, method: $method) {
    provider source { name } locations { code } carrier service amount { amount currencyCode }
    transitDays shipsBy arrivesBy failure } }"""
PREVIEW = """query ($input: RoutingInput!) { routingPreview(input: $input) {
  decision { explanation plan { carrier service transitDays location { code } } } userErrors { code } } }"""

Answer = list[dict[str, Any]]


@asynccontextmanager
async def with_karrio(folder: Path, *, url: str) -> AsyncIterator[tuple[Graph, dict[str, Sandbox]]]:
    """The whole network, and a gateway that knows of a Karrio server there."""

    def tune(settings: Settings) -> Settings:
        karrio = KarrioSettings(url=url, token=Secret("key_sandbox"), total_timeout_s=1.0)
        return replace(settings, quotes=Quotes(deadline_s=5.0, karrio=karrio))

    async with world(folder, tune=tune) as (graph, sandboxes):
        yield graph, dict(sandboxes)


async def asked(graph: Graph, *lines: tuple[str, int], **more: Any) -> Answer:
    data = await graph(QUOTES, role=Role.STOREFRONT, lines=[line(*each) for each in lines], to=CHICAGO, **more)
    found: Answer = data["shippingQuotes"]
    return found


def of(found: Answer, provider: str) -> Answer:
    return [each for each in found if each["provider"] == provider]


def test_tables_carriers_and_3pls_are_asked_at_once_and_one_that_is_dead_is_only_missing(tmp_path: Path) -> None:
    karrio = KarrioSandbox()

    async def story() -> None:
        async with serving(Starlette(routes=karrio.routes())) as url, with_karrio(tmp_path, url=url) as (graph, sandboxes):
            found = await asked(graph, ("SKU-0008", 2))
            assert [each["service"] for each in of(found, "rates")] == ["Ground", "Express"]
            assert [each["service"] for each in of(found, "karrio")] == ["usps_ground_advantage", "ups_ground", "ups_2nd_day_air"]
            assert [each["service"] for each in of(found, "shipbob")] == ["Standard", "Expedited"]
            amounts = [Decimal(each["amount"]["amount"]) for each in found]
            assert amounts == sorted(amounts)
            assert {each["amount"]["currencyCode"] for each in found} == {"USD"}
            assert {each["failure"] for each in found} == {None}
            ours, theirs = of(found, "rates")[0], of(found, "shipbob")[0]
            assert ours["locations"] == of(found, "karrio")[0]["locations"] != []
            assert ours["shipsBy"] < ours["arrivesBy"]
            assert (ours["source"], theirs["source"]) == (None, {"name": "shipbob"})
            (request, *_) = karrio.asked
            assert request.recipient.postal_code == CHICAGO["postalCode"]

            await sandboxes["shipbob"].fault("STATUS", match="estimate")
            karrio.carriers["ups-main"].down = "Service unavailable"
            found = await asked(graph, ("SKU-0008", 2))
            assert [each["provider"] for each in found if each["failure"] is None] == ["karrio", "rates", "rates"]
            told = {each["provider"]: each["failure"] for each in found if each["failure"] is not None}
            assert told == {"karrio": "ups: Service unavailable", "shipbob": "TRANSIENT: HTTP 503"}

    run(story)


def test_without_karrio_and_without_stock_there_is_still_an_answer(tmp_path: Path) -> None:
    async def story() -> None:
        async with with_karrio(tmp_path, url="http://127.0.0.1:1") as (graph, _):
            found = await asked(graph, ("SKU-0008", 2))
            assert [each["service"] for each in of(found, "rates")] == ["Ground", "Express"]
            (dead,) = of(found, "karrio")
            assert dead["failure"].startswith("TRANSIENT: no connection")
            assert dead["amount"] is None

            short = await asked(graph, ("SKU-0008", 100_000))
            assert {each["provider"]: each["failure"].partition(":")[0] for each in short} == {
                "karrio": "INSUFFICIENT_STOCK",
                "rates": "INSUFFICIENT_STOCK",
            }
            assert await asked(graph, ("SKU-0008", 1), method="PICKUP") == []

    run(story)


def test_what_makes_no_sense_is_refused_at_the_argument(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path) as (graph, _):
            nowhere = {**CHICAGO, "countryCode": "usa"}
            body = {"query": QUOTES, "variables": {"lines": [line("SKU-0008", 0)], "to": nowhere}}
            (error,) = (await graph.post(body)).json()["errors"]
            assert error["extensions"] == {"code": "BAD_USER_INPUT", "argumentPath": ["lines", "0", "units"]}
            assert "two capital letters" in error["message"]
            body["variables"] = {"lines": [line("SKU-0008", 1)], "to": nowhere}
            (error,) = (await graph.post(body)).json()["errors"]
            assert error["extensions"]["argumentPath"] == ["to", "countryCode"]

    run(story)


def test_a_plan_names_its_service_and_how_long_that_takes(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path) as (graph, _):
            data = await graph(PREVIEW, input={"lines": [line("SKU-0008", 1)], "to": CHICAGO})
            (package,) = data["routingPreview"]["decision"]["plan"]
            assert (package["carrier"], package["service"]) == ("US parcel carrier", "Ground")
            days = package["transitDays"]
            assert f" by Ground in about {days} day" in data["routingPreview"]["decision"]["explanation"]

    run(story)
