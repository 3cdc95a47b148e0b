"""Minutes of trouble in seconds: as many seeds as ``DOM_SEEDS`` says. The long form is ``python -m tests.simulation``."""

import os
import subprocess
import sys
from itertools import islice
from random import Random

import pytest

from tests.simulation.bugs import BUGS, planted
from tests.simulation.loop import Stuck, VirtualLoop
from tests.simulation.runner import judge, judged, kept_seeds
from tests.simulation.world import play

SEEDS = range(1_000, 1_000 + int(os.environ.get("DOM_SEEDS", "100")))
TOGETHER = 25
FOUND_WITHIN = 40
DIGEST = """
import sys
from tests.simulation.world import play
for seed in sys.argv[1:]:
    play(int(seed))
print(*(play(seed).digest for seed in (1, 2, 3)))
"""


@pytest.mark.parametrize("seeds", [range(first, first + TOGETHER) for first in SEEDS[::TOGETHER]], ids=str)
def test_nothing_is_lost_sold_twice_or_left_undone_whatever_fails(seeds: range) -> None:
    wrong = [verdict for verdict in judged(seeds, workers=1) if verdict.violations]
    assert not wrong, "\n".join(map(str, wrong))


def test_what_once_went_wrong_goes_right() -> None:
    wrong = [verdict for verdict in judged(kept_seeds(), workers=1) if verdict.violations]
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.parametrize("bug", ["no-answers", "tail-skips", "uncommit-twice"])
def test_a_planted_bug_is_found(bug: str) -> None:
    verdicts = islice(judged(range(FOUND_WITHIN), workers=1, bug=bug), FOUND_WITHIN)
    assert any(verdict.violations for verdict in verdicts), BUGS[bug].says


@pytest.mark.parametrize("bug", BUGS)
def test_every_bug_can_be_planted(bug: str) -> None:
    with planted(bug):
        assert all(getattr(target, attribute) is value for target, attribute, value in BUGS[bug].changes)


def test_a_planted_bug_is_gone_afterwards() -> None:
    first = play(7).digest
    judge(7, "no-answers")
    assert play(7).digest == first


def test_a_seed_is_one_story_in_every_process_whatever_it_played_before() -> None:
    digests = {
        subprocess.run(  # noqa: S603  # our own words
            [sys.executable, "-c", DIGEST, *before],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for hash_seed, before in (("1", ()), ("2", ("9",)))
    }
    assert len(digests) == 1


def test_waiting_for_what_never_comes_is_noticed() -> None:

    loop = VirtualLoop(Random(1))  # type: ignore[abstract]  # what it lacks is never asked for

    async def wait() -> None:
        await loop.create_future()

    with pytest.raises(Stuck):
        loop.run_until_complete(wait())
    loop.clear_up()
