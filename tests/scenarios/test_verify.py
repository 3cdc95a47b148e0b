"""``dom verify``: beside a gateway at work, on a database with something wrong in it, with sources that answer and that do not."""

import asyncio
import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from gateway.__main__ import main
from gateway.settings import Settings
from tests.harness import Graph, gateway, line, network, place, run, world
from tests.scenarios.processes import SECRETS, configured
from tests.scenarios.questions import eventually, requests_are, settled

SOMETHING_DIFFERS, MISTAKEN = 1, 2
STOCK = "SKU-0002"


async def verified(file: Path, *arguments: str) -> Result:
    """In a thread: the command has a loop of its own."""
    runner = CliRunner(env=SECRETS)
    return await asyncio.to_thread(runner.invoke, main, ["verify", "--config", str(file), *arguments])


async def broken(file: Path, *statements: str) -> None:
    """In a thread: it may have to wait for the gateway, which must be able to go on."""

    def execute() -> None:
        with closing(sqlite3.connect(file)) as connection, connection:
            for each in statements:
                connection.execute(each)

    await asyncio.to_thread(execute)


async def accepted(graph: Graph, key: str) -> str:
    payload = await place(graph, line(STOCK, 1), key=key)
    order: str = payload["order"]["id"]
    await settled(graph, order, requests_are("ACCEPTED"))
    return order


def told(result: Result) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(result.stdout)
    return report


def test_nothing_differs_beside_a_gateway_at_work_and_sources_have_what_they_were_asked_for(tmp_path: Path) -> None:
    async def story() -> None:
        async with network() as (urls, sandboxes), gateway(urls, tmp_path / "dom.sqlite3") as graph:
            config, _ = configured(tmp_path, urls)
            for key in ("one", "two"):
                await accepted(graph, key)
            result = await verified(config)
            assert (result.exit_code, result.stderr) == (0, "")
            assert result.stdout.startswith("nothing differs: ")
            assert "2 orders" in result.stdout

            result = await verified(config, "--sources", "--json")
            assert result.exit_code == 0, result.output
            report = told(result)
            assert (report["differences"], report["unchecked"]) == ([], [])
            assert report["checked"]["requests at sources"] == 2

            for sandbox in sandboxes.values():
                await sandbox.fault("STATUS", status=503)
            result = await verified(config, "--sources")
            assert result.exit_code == 0, "what cannot be checked is no violation"
            assert "Could not be checked: " in result.stdout

    run(story)


def test_what_differs_is_shown_in_a_table_and_the_exit_status_says_so(tmp_path: Path) -> None:
    async def story() -> None:
        async with network() as (urls, _), gateway(urls, tmp_path / "dom.sqlite3") as graph:
            config, _ = configured(tmp_path, urls)
            await accepted(graph, "one")
            await broken(
                tmp_path / "dom.sqlite3",
                "UPDATE shelf SET committed_units = committed_units + 1 WHERE location_id <> ''",
                "UPDATE customer_order SET status = 'CANCELED'",
            )
            result = await verified(config)
            assert result.exit_code == SOMETHING_DIFFERS
            assert "2 differences: " in result.stdout
            report = told(await verified(config, "--json", "--limit", "1"))
            assert len(report["differences"]) == 1
            assert report["violations"] == {"LEDGER": 1, "COLUMNS": 1}
            (column,) = [each for each in told(await verified(config, "--json"))["differences"] if each["invariant"] == "COLUMNS"]
            assert (column["expected"], column["found"]) == ("status ROUTED", "status CANCELED")

    run(story)


def test_a_database_that_cannot_be_used_is_told_in_a_line(tmp_path: Path) -> None:
    async def story() -> None:
        config, _ = configured(tmp_path, dict.fromkeys(("odoo", "square", "shipbob"), "http://127.0.0.1:1"))
        missing = await verified(config)
        assert missing.exit_code == MISTAKEN
        assert "there is no file" in missing.stderr
        assert not (tmp_path / "dom.sqlite3").exists()
        (tmp_path / "dom.sqlite3").touch()
        empty = await verified(config)
        assert empty.exit_code == MISTAKEN
        assert "its schema is not ours" in empty.stderr
        assert "Traceback" not in missing.output + empty.output
        unconfigured = await verified(tmp_path / "nowhere.toml")
        assert unconfigured.exit_code == MISTAKEN

    run(story)


def often(settings: Settings) -> Settings:
    return replace(settings, store=replace(settings.store, verify_s=0.05))


def test_a_gateway_verifies_by_itself_and_its_metrics_say_what_came_of_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path, tune=often) as (graph, _):
            await accepted(graph, "one")

            async def violations() -> Mapping[str, float]:
                lines = (await graph.client.get("/metrics")).text.splitlines()
                found = (each.split(" ") for each in lines if each.startswith("dom_invariant_violations{"))
                return {name.split('"')[1]: float(value) for name, value in found}

            async def looked() -> bool:
                return bool(await violations())

            await eventually(looked)
            assert set((await violations()).values()) == {0}
            await broken(tmp_path / "dom.sqlite3", "UPDATE customer_order SET number = 'X'")

            async def noticed() -> bool:
                return (await violations())["COLUMNS"] == 1

            await eventually(noticed)

    run(story)
