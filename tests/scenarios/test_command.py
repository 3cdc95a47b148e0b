"""``dom serve``: what it says of a configuration file, of a database that is taken, and how it stops."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import websockets
from click.testing import CliRunner, Result

from gateway.__main__ import CONFIG_OF_WORKERS, main
from gateway.demo.world import TOKENS
from gateway.domain.principals import Role
from tests.harness import line, network, place, run
from tests.scenarios.processes import SECRETS, configured, ended, serving_process, started

FULL_OF_MISTAKES = """
[server]
port = "eighty"
sockets = 3

[sources.Warehouse]
connector = "odoo"
url = "http://127.0.0.1:1"
database = "demo"
login = "gateway"
api_key = "env:ODOO_KEY"

[sources.erp]
connector = "sap"

[sources.stores]
connector = "square"
access_token = "sq0-in-plain-sight"
safety_units = -1

[sources.boxes]
connector = "shipbob"
token = "env:NOWHERE_TO_BE_FOUND"
shipping_method = "Standard"

[[sources.boxes.locations]]
id = "101"
time_zone = "Mars/Phobos"

[[tokens]]
name = "king"
role = "KING"
secret = "env:DOM_OPERATOR"

[[tokens]]
name = "shop"
role = "STOREFRONT"
secret = "env:DOM_OPERATOR"

[[tokens]]
name = "shop"
role = "AGENT"
secret = "env:DOM_OPERATOR"

[colors]
"""
# The line of each mistake, its key, and a word of what is said about it.
MISTAKES = (
    (3, "server.port", "int"),
    (4, "server.sockets", "no such key"),
    (6, "sources.Warehouse", "lower-case"),
    (14, "sources.erp.connector", "'sap'"),
    (18, "sources.stores.access_token", "env:NAME"),
    (19, "sources.stores.safety_units", ">= 0"),
    (21, "sources.boxes.channel_id", "is missing"),
    (23, "sources.boxes.token", "NOWHERE_TO_BE_FOUND"),
    (28, "sources.boxes.locations.0.time_zone", "Mars/Phobos"),
    (32, "tokens.0.role", "KING"),
    (41, "tokens.2.name", "another token"),
    (43, "tokens.2.secret", "another token"),
    (45, "colors", "no such table"),
)


FOLLOW = "subscription ($after: String) { orderEvents(after: $after) { type } }"


def serve(file: Path, *arguments: str) -> Result:
    return CliRunner(env=SECRETS).invoke(main, ["serve", "--config", str(file), *arguments])


def test_every_mistake_of_a_configuration_is_told_at_once_with_its_line_and_key_and_no_secret(tmp_path: Path) -> None:
    file = tmp_path / "dom.toml"
    file.write_text(FULL_OF_MISTAKES, encoding="utf-8")
    result = serve(file)
    assert result.exit_code == 2
    assert result.stdout == ""
    told = result.stderr.splitlines()
    for (number, key, words), said in zip(MISTAKES, told, strict=True):
        assert said.startswith(f"{file}:{number}: {key}: "), said
        assert words in said
    assert "in-plain-sight" not in result.output


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[server\nport = 1", ":1: is not TOML"),
        ("", ": sources: at least one [sources.NAME] table is needed"),
        (b"\xff\xfe", ": cannot be read"),
        (None, ": cannot be read"),
    ],
)
def test_a_file_that_is_no_configuration_at_all_is_refused_in_a_line(tmp_path: Path, text: str | bytes | None, said: str) -> None:
    file = tmp_path / "dom.toml"
    if text is not None:
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    result = serve(file)
    assert result.exit_code == 2
    assert f"{file}{said}" in result.stderr
    assert "Traceback" not in result.output


def test_a_good_configuration_is_said_to_be_fine_without_serving_it(tmp_path: Path) -> None:
    file, _ = configured(tmp_path, dict.fromkeys(("odoo", "square", "shipbob"), "http://127.0.0.1:1"))
    result = serve(file, "--check")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "3 sources, 2 tokens" in result.stdout
    assert not (tmp_path / "dom.sqlite3").exists()


def test_the_collector_of_garbage_is_spared_what_a_worker_is_made_of(tmp_path: Path) -> None:
    file, _ = configured(tmp_path, dict.fromkeys(("odoo", "square", "shipbob"), "http://127.0.0.1:1"))
    spared = "import gc; from gateway.__main__ import application; application(); print(gc.get_freeze_count())"
    environment = {**os.environ, **SECRETS, CONFIG_OF_WORKERS: str(file)}
    told = subprocess.check_output([sys.executable, "-c", spared], env=environment)  # noqa: S603  # our own
    assert int(told) > 100_000


def test_a_second_gateway_on_the_same_file_gives_up_and_the_first_stops_cleanly_under_its_subscribers(tmp_path: Path) -> None:
    async def story() -> None:
        async with network() as (urls, _):
            config, port = configured(tmp_path, urls)
            async with serving_process(config, port) as running:
                code, told = await ended(await started(config))
                assert code == 2
                (said,) = told
                assert "dom.sqlite3 is open in another dom process" in said

                address = f"ws://127.0.0.1:{port}/graphql"
                async with websockets.connect(address, subprotocols=[websockets.Subprotocol("graphql-transport-ws")]) as socket:
                    token = {"Authorization": f"Bearer {TOKENS[Role.OPERATOR]}"}
                    await socket.send(json.dumps({"type": "connection_init", "payload": token}))
                    assert json.loads(await socket.recv())["type"] == "connection_ack"
                    cursor = (await running.graph("{ orders { eventCursor } }"))["orders"]["eventCursor"]
                    payload = {"query": FOLLOW, "variables": {"after": cursor}}
                    await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
                    placed = asyncio.create_task(place(running.graph, line("SKU-0001", 1), key="seen"))
                    assert json.loads(await socket.recv())["payload"]["data"]["orderEvents"]["type"] == "order.placed"
                    assert (await placed)["userErrors"] == []

                    running.process.send_signal(signal.SIGTERM)
                    async with asyncio.timeout(60):
                        await running.process.wait()
                        await socket.wait_closed()
                assert running.process.returncode in {0, -signal.SIGTERM}

    run(story)
