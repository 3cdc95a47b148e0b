"""The first minute of a new user."""

import json
import subprocess
import sys

STEPS = [
    "live_query",
    "partial_answer",
    "hold",
    "split_order",
    "requests_arrive",
    "tracking_returns",
    "pick_rejected",
    "cancel",
    "asked_twice",
    "subscription",
]


def dom(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gateway", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)  # noqa: S603  # our own command


def test_the_tour_plays_the_whole_story_for_machines() -> None:
    played = dom("demo", "--tour", "--json", "--products", "60")
    assert played.returncode == 0, played.stderr
    told = json.loads(played.stdout)
    assert told["ok"]
    assert [step["name"] for step in told["steps"]] == STEPS
    assert all(step["ok"] for step in told["steps"])
    facts = {step["name"]: step for step in told["steps"]}
    assert facts["live_query"]["upstreamRequests"] == {"odoo": 1, "square": 1, "shipbob": 1}
    assert len(facts["split_order"]["plan"]) == 2
    assert len(facts["split_order"]["candidates"]) == 12
    assert facts["pick_rejected"]["reroutedTo"] != facts["pick_rejected"]["rejectedBy"]


def test_the_tour_tells_a_person_what_happens() -> None:
    played = dom("demo", "--tour", "--products", "40")
    assert played.returncode == 0, played.stderr
    assert "All 10 steps were as told." in played.stdout


def test_json_without_the_tour_is_refused_with_a_reason() -> None:
    refused = dom("demo", "--json")
    assert refused.returncode == 2
    assert "--json goes with --tour" in refused.stderr
