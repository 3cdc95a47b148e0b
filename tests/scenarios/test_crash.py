"""Power cuts: gateways are killed again and again, at any instant, and nothing that they acknowledged is lost or done twice.

The long form is ``python -m tests.chaos``.
"""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.chaos.grounds import Ground
from tests.chaos.story import Outcome, Plan, play
from tests.postgres import Server
from tests.storages import in_file

pytestmark = pytest.mark.timeout(600)  # on a busy machine it takes minutes until a killed gateway has started again

SHORT = Plan(kills=3, customers=3, followers=2, job_deadline_s=3.0)


def check(outcome: Outcome) -> None:
    assert outcome.violations == []
    assert outcome.counts["kills"] == SHORT.kills
    assert outcome.counts["orderPlace done"] > SHORT.kills
    assert outcome.counts["events followed"] > 0


def test_after_power_cuts_every_acknowledged_order_has_been_sent_exactly_once(tmp_path: Path) -> None:
    check(asyncio.run(play(SHORT, Ground(url=in_file(tmp_path).url))))


def test_after_power_cuts_of_two_gateways_on_one_database_as_well(postgres: Server) -> None:
    with postgres.database(clocked=False) as name:
        check(asyncio.run(play(replace(SHORT, gateways=2), Ground(url=postgres.url(name)))))
