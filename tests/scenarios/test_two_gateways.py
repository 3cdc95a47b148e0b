"""Two gateways on one database: what one has taken off our promises, the other reads anew before it sells."""

from dataclasses import replace
from pathlib import Path

from gateway.settings import Settings, StoreUrl
from tests.harness import gateway, line, network, place, run
from tests.postgres import Server
from tests.scenarios.questions import eventually, item, requests_are, settled


def test_a_gateway_with_an_older_reading_sells_at_its_first_attempt(tmp_path: Path, postgres: Server) -> None:
    with postgres.database(clocked=False) as name:
        _sell(tmp_path, postgres, name)


def _sell(tmp_path: Path, postgres: Server, name: str) -> None:
    def shared(settings: Settings) -> Settings:
        sources = tuple(replace(each, connection=replace(each.connection, fresh_for_s=600.0)) for each in settings.sources)
        work = replace(settings.work, status_poll_s=0.1)
        return replace(settings, sources=sources, work=work, store=replace(settings.store, url=StoreUrl(postgres.url(name))))

    async def story() -> None:
        async with (
            network(products=12) as (urls, sandboxes),
            gateway(urls, tmp_path / "unused", tune=shared) as one,
            gateway(urls, tmp_path / "unused", tune=shared) as other,
        ):
            assert (await item(other, "SKU-0006"))["availableToPromise"] == 1_000
            order = (await place(one, line("SKU-0006", 4), key="first"))["order"]
            await settled(one, order["id"], lambda found: all(work["remoteRef"] for work in found["fulfillmentOrders"]))
            (arrived,) = await sandboxes["odoo"].orders()
            await sandboxes["odoo"].act(arrived["ref"], "accept")
            await settled(one, order["id"], requests_are("ACCEPTED"))
            await item(one, "SKU-0006", age=0)
            assert (await place(one, line("SKU-0006", 1), key="second"))["userErrors"] == []
            assert (await place(other, line("SKU-0006", 1), key="third"))["userErrors"] == []

            async def counted_once() -> bool:
                return bool((await item(other, "SKU-0006", age=0))["availableToPromise"] == 994)

            await eventually(counted_once)

    run(story)
