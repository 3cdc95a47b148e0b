"""``dom connectors``: which kinds there are, what they want to know, and whether a configured source works."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from connectors.registry import installed
from gateway.__main__ import main
from tests.harness import network, run
from tests.scenarios.processes import SECRETS, configured

BROKEN, MISTAKEN = 1, 2

CRASHING = '''
from dataclasses import dataclass
from connectors.contract import *
from connectors.registry import ConnectorSpec

@dataclass(frozen=True, kw_only=True)
class Settings:
    """``password`` is repeated by everything."""
    password: Secret

class Crashing:
    def __init__(self, settings, tools):
        about = dict(kind=SourceKind.WAREHOUSE, connector="crashing", stock_drop=StockDrop.ON_SHIP, idempotency=Idempotency.NONE)
        self.info = ConnectorInfo(**about, visibility_delay_s=0, batch_skus_max=1, fresh_for_s=1)
        self.password, self.tools = settings.password, tools
    async def aclose(self): ...
    async def health(self): return Health(ok=True)
    async def locations(self): raise KeyError(f"no {self.password!s} here")
    async def read_stock(self, skus):
        self.tools.witness("GET /stock", f"<p>{self.password!s}</p>".encode())
        return StockBatch(levels=(), unknown=frozenset(skus))

SPEC = ConnectorSpec(id="crashing", label="Crashing", kind=SourceKind.WAREHOUSE, settings=Settings, open=Crashing)
'''


def dom(*arguments: str) -> Result:
    return CliRunner(env={**SECRETS, "COLUMNS": "200"}).invoke(main, ["connectors", *arguments])


async def told(*arguments: str) -> Result:
    """In a thread: the command has a loop of its own."""
    return await asyncio.to_thread(dom, *arguments)


@pytest.fixture
def other_peoples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three packages of other authors on the path: one that works badly, one that cannot be imported, one that is not there."""
    folder = tmp_path / "site"
    about = folder / "acme_dom-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-dom\nVersion: 1.0\n", encoding="utf-8")
    points = "[dom.connectors]\ncrashing = crashing_source:SPEC\nrude = rude_source:SPEC\ngone = gone_source:SPEC\n"
    (about / "entry_points.txt").write_text(points, encoding="utf-8")
    (folder / "crashing_source.py").write_text(CRASHING, encoding="utf-8")
    (folder / "rude_source.py").write_text("raise RuntimeError('not before noon')", encoding="utf-8")
    monkeypatch.syspath_prepend(folder)
    return tmp_path


def test_every_kind_is_listed_and_a_package_that_fails_says_why(other_peoples: Path) -> None:
    result = dom("list", "--json")
    assert result.exit_code == 0
    kinds = {each["name"]: each for each in json.loads(result.stdout)}
    assert set(kinds) == set(installed()) >= {"odoo", "square", "shipbob", "crashing", "rude", "gone"}
    assert (kinds["square"]["kind"], kinds["square"]["problem"]) == ("STORE_POS", None)
    for name, not_there in (("odoo", "HOLD"), ("square", "QUOTE"), ("shipbob", "FEED")):
        assert "READ_STOCK" in kinds[name]["capabilities"]
        assert not_there not in kinds[name]["capabilities"]
    assert kinds["crashing"]["capabilities"] == ["READ_STOCK"]
    assert (kinds["rude"]["package"], kinds["rude"]["capabilities"]) == ("acme-dom", None)
    assert "RuntimeError: not before noon" in kinds["rude"]["problem"]
    assert "No module named 'gone_source'" in kinds["gone"]["problem"]
    table = dom("list").stdout
    assert "Square (store point of sale)" in table
    assert "not before noon" in table


def test_a_kind_describes_its_settings_as_a_table_and_as_json_schema() -> None:
    table = dom("describe", "odoo").stdout
    (key,) = (line for line in table.splitlines() if line.startswith(" api_key"))
    assert "env:NAME or file:/path" in key
    assert "required" in key
    assert "expires after three months" in table
    schema: dict[str, Any] = json.loads(dom("describe", "odoo", "--json").stdout)
    assert schema["required"] == ["url", "database", "login", "api_key"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["protocol"]["enum"] == ["json2", "jsonrpc"]
    assert schema["properties"]["products_max"] == {"type": "integer", "default": 100_000}
    secret = schema["properties"]["api_key"]
    assert (secret["pattern"], secret["writeOnly"]) == ("^(env|file):.+", True)
    assert "expires after three months" in secret["description"]
    unknown = dom("describe", "sap")
    assert (unknown.exit_code, unknown.stdout) == (MISTAKEN, "")
    assert "no connector 'sap' is installed" in unknown.stderr


def test_a_source_that_works_shows_what_we_read_beside_what_it_said(tmp_path: Path) -> None:
    async def story() -> None:
        async with network() as (urls, sandboxes):
            config, _ = configured(tmp_path, urls)
            await sandboxes["square"].count("store-denver", "SKU-0004", 3)
            for name in ("odoo", "square", "shipbob"):
                result = await told("check", name, "--config", str(config), "--json")
                assert result.exit_code == 0, result.output
                assert json.loads(result.stdout)["read"]["levels"]
            result = await told("check", "square", "--sku", "SKU-0004", "--config", str(config), "--json")
            assert result.exit_code == 0, result.output
            check = json.loads(result.stdout)
            assert (check["problems"], check["health"]["ok"], len(check["locations"])) == ([], True, 5)
            units = {level["location"]: level["available"] for level in check["read"]["levels"]}
            assert units["LSTOREDENVER"] == 3
            *_, counts = check["read"]["answers"]
            assert counts["asked"].startswith("POST /v2/inventory/counts/batch-retrieve")
            said = {row["location_id"]: row["quantity"] for row in json.loads(counts["answered"])["counts"]}
            assert said["LSTOREDENVER"] == "3"
            assert check["traffic"]["READ"]["failures"] == 0

            people = await told("check", "square", "--sku", "SKU-0004", "--config", str(config))
            assert people.exit_code == 0
            for words in ("what we read", "what the source said", '"quantity": "3"', "Denver Store"):
                assert words in people.stdout
            unknown = await told("check", "square", "--sku", "nonsense", "--config", str(config))
            assert unknown.exit_code == 0, "a source need not carry everything"
            assert "unknown to the source, which is not zero" in unknown.stdout
            assert not any(secret in each.output for each in (result, people, unknown) for secret in SECRETS.values())

    run(story)


def test_a_source_that_does_not_work_says_what_is_broken_and_the_exit_status_says_so(tmp_path: Path) -> None:
    async def story() -> None:
        async with network() as (urls, sandboxes):
            config, _ = configured(tmp_path, urls)
            await sandboxes["odoo"].fault("STATUS", status=403)
            broken = await told("check", "odoo", "--sku", "SKU-0001", "--config", str(config))
            assert broken.exit_code == BROKEN
            assert "broken: health: AUTH_FAILED" in broken.stdout
            await sandboxes["shipbob"].fault("HTML", match="/inventory-level/")
            result = await told("check", "shipbob", "--sku", "SKU-0001", "--config", str(config), "--json")
            assert result.exit_code == BROKEN
            check = json.loads(result.stdout)
            assert (check["health"]["ok"], check["read"]) == (True, None)
            (problem,) = check["problems"]
            assert problem.startswith("stock of SKU-0001: CONTRACT_BROKEN")
            nobody = await told("check", "nobody", "--config", str(config))
            assert (nobody.exit_code, nobody.stdout) == (MISTAKEN, "")
            assert "it has odoo, square, shipbob" in nobody.stderr

    run(story)


def test_a_connector_that_crashes_is_broken_and_what_it_repeats_of_a_credential_is_hidden(other_peoples: Path) -> None:
    config = other_peoples / "dom.toml"
    config.write_text(
        '[sources.theirs]\nconnector = "crashing"\npassword = "env:ODOO_KEY"\n'
        '[[tokens]]\nname = "a"\nrole = "OPERATOR"\nsecret = "env:DOM_OPERATOR"\n',
        encoding="utf-8",
    )
    result = dom("check", "theirs", "--sku", "A", "--config", str(config), "--json")
    assert result.exit_code == BROKEN
    check = json.loads(result.stdout)
    (problem,) = check["problems"]
    assert problem.startswith("locations: the connector crashed: KeyError")
    assert check["read"]["answers"] == [{"asked": "GET /stock", "answered": "<p>***</p>"}]
    assert SECRETS["ODOO_KEY"] not in result.output
    without = dom("check", "theirs", "--config", str(config))
    assert without.exit_code == BROKEN
    assert "name a SKU" in without.stdout
