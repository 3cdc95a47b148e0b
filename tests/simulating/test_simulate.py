"""``dom simulate``: ways of routing side by side, on simulated orders or on those of a merchant."""

import asyncio
import json
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from gateway.__main__ import main
from gateway.domain.policies import HardRules, RoutingPolicy, Rule
from gateway.domain.whatif import Contender, compare, ruled_by
from gateway.ports import Once
from gateway.simulating import made_up_ground, picture
from tests.harness import run
from tests.samples import MUG
from tests.services.shops import Place, shop
from tests.storages import in_file

MISTAKEN = 2
CONFIG = """[store]
url = "sqlite:///{file}"
[[tokens]]
name = "me"
role = "OPERATOR"
secret = "file:{secret}"
[sources.till]
connector = "square"
access_token = "file:{secret}"
"""


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without a configuration."""
    monkeypatch.chdir(tmp_path)


def simulated(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(main, ["simulate", *arguments])


def compared(*arguments: str) -> dict[str, Any]:
    result = simulated("--json", *arguments)
    assert result.exit_code == 0, result.output
    told: dict[str, Any] = json.loads(result.stdout)
    return told


def configured(folder: Path) -> str:
    """A configuration whose source is never asked."""
    secret = folder / "secret"
    secret.write_text("s3cret", encoding="utf-8")
    file = folder / "dom.toml"
    file.write_text(CONFIG.format(file=folder / "dom.sqlite3", secret=secret), encoding="utf-8")
    return str(file)


async def sold(folder: Path, orders: int) -> None:
    """A merchant with a history, who has a draft."""
    async with shop(folder, {"east": Place(stock={MUG: 50}), "west": Place(stock={MUG: 2})}) as on:
        for number in range(orders):
            await on.bought(1, key=f"k{number}")
        asked = Once(principal="me", operation="routingPolicyCreate", key="k", request_hash="r")
        none_left = Rule(name="nowhere else", hard=HardRules(packages_max=1))
        await on.services.policies.create("default", (none_left,), note="a try", by="me", once=asked)


def test_without_any_configuration_it_compares_on_a_made_up_network() -> None:
    result = simulated("--orders", "40", "--seed", "3")
    assert result.exit_code == 0, result.output
    assert "40 simulated orders to a made-up network of 12 locations (seed 3)" in result.stdout
    for way in ("least cost", "fewest_splits", "closest", "priority"):
        assert f"\n {way} " in result.stdout
    assert "in time" not in result.stdout, "nothing was promised"


def test_the_same_seed_gives_the_same_and_another_seed_another() -> None:
    first, again, other = (compared("--orders", "30", "--strategy", "closest", "--seed", seed) for seed in "112")
    assert first == again
    assert first["comparison"]["scores"] != other["comparison"]["scores"]
    assert [score["name"] for score in first["comparison"]["scores"]] == ["least cost", "closest"]
    assert first["comparison"]["unlike"] is None


def test_the_picture_has_every_way_with_a_cross_inside_its_frame(tmp_path: Path) -> None:
    drawn = tmp_path / "trade-off.svg"
    simulated("--orders", "40", "--svg", str(drawn))
    root = ET.fromstring(drawn.read_text(encoding="utf-8"))  # noqa: S314  # our own
    names = {"svg": "http://www.w3.org/2000/svg"}
    texts = [each.text for each in root.findall("svg:text", names)]
    assert {"least cost", "fewest_splits", "closest", "priority"} <= set(texts)
    assert "prefers-color-scheme: dark" in (root.findtext("svg:style", namespaces=names) or "")
    crosses = [each.attrib for each in root.findall("svg:line", names) if "cross" in each.attrib["class"]]
    assert len(crosses) == 8
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    for cross in crosses:
        assert 0 <= float(cross["x1"]) <= float(cross["x2"]) <= width
        assert 0 <= float(cross["y2"]) <= float(cross["y1"]) <= height


def test_a_long_name_and_ways_that_come_to_the_same_stay_readable() -> None:
    cases = made_up_ground(orders=20, seed=1, strategies=["exact"]).cases
    same = [RoutingPolicy(name="n" * 60 + "<&>", version=number, rules=(), changes=()) for number in range(6)]
    found = compare(cases, Contender(name="in force"), [ruled_by(each, {}) for each in same], {})
    root = ET.fromstring(picture(found, "about <this> & that"))  # noqa: S314  # our own
    labels = [each for each in root.findall("{*}text") if (each.text or "").startswith("nnn")]
    heights = sorted(float(each.attrib["y"]) for each in labels)
    assert len(heights) == 6
    assert min(b - a for a, b in pairwise(heights)) >= 18
    assert max(heights) <= 460
    assert {len(each.text or "") for each in labels} == {21}
    assert "about <this> & that" in [each.text for each in root.findall("{*}text")]


def test_what_cannot_be_done_is_said_in_a_sentence(tmp_path: Path) -> None:
    written = str(Path(configured(tmp_path)).rename("other.toml"))
    for arguments, sentence in (
        (("--strategy", "hope"), "no strategy 'hope' is installed; there is exact, priority"),
        (("--policy", "default"), "A made-up network has no policies"),
        (("--config", "missing.toml"), "missing.toml: cannot be read"),
        (("--orders", "1", "--svg", str(tmp_path / "no" / "such.svg")), "No such file or directory"),
        (("--config", written), "there is no file"),
    ):
        result = simulated(*arguments)
        assert result.exit_code == MISTAKEN, arguments
        assert sentence in result.stderr, arguments
        assert "Traceback" not in result.output


def test_a_merchants_history_is_replayed_as_it_was_and_a_draft_beside_it(tmp_path: Path) -> None:
    async def story() -> None:
        await sold(tmp_path, 6)
        config = configured(tmp_path)
        told = await asyncio.to_thread(compared, "--config", config, "--policy", "default", "--strategy", "closest", "--last", "5")
        assert told["about"] == "the last 5 decisions"
        assert told["comparison"]["unlike"] == 0
        assert [score["name"] for score in told["comparison"]["scores"]] == ["in force", "default@2", "closest"]

        found = await asyncio.to_thread(compared, "--policy", "default@2")  # dom.toml of this folder
        assert found["comparison"]["orders"] == 6
        drawn = await asyncio.to_thread(compared, "--orders", "9")
        assert drawn["about"] == "9 simulated orders (seed 7), drawn from the last 6 decisions"
        made_up = await asyncio.to_thread(compared, "--demo", "--orders", "5")
        assert "made-up" in made_up["about"]

        for named in ("default@7", "express"):
            result = await asyncio.to_thread(simulated, "--policy", named)
            assert (result.exit_code, result.stderr) == (MISTAKEN, f"there is no policy {named!r}; there is default\n")

    run(story)


def test_a_store_without_orders_says_so(tmp_path: Path) -> None:
    in_file(tmp_path)
    result = simulated("--config", configured(tmp_path))
    assert result.exit_code == MISTAKEN
    assert "no order was routed here yet" in result.stderr
