"""Locations that turn work down are asked less, by every gateway, and the decision says so."""

import asyncio
from pathlib import Path

from connectors.contract import RemoteState
from gateway.domain.fulfillments import RequestStatus
from tests.harness import run
from tests.samples import MUG, HandClock
from tests.services.shops import Place, Shop, shop

SUCCESS = "{ locations { source { name } pickSuccess { probability picks } } }"


async def success(on: Shop) -> dict[str, tuple[float, float]]:
    found = (await on.graph(SUCCESS))["locations"]
    return {each["source"]["name"]: (each["pickSuccess"]["probability"], each["pickSuccess"]["picks"]) for each in found}


async def learned(on: Shop, source: str) -> tuple[float, float]:
    """What is known of it, once something is."""
    async with asyncio.timeout(60):
        while not (found := (await success(on))[source])[1]:
            await asyncio.sleep(0.01)
    return found


def test_who_turned_work_down_is_dearer_from_then_on_also_after_a_restart(tmp_path: Path) -> None:
    east, west, clock = Place(stock={MUG: 9}), Place(stock={MUG: 9}), HandClock()

    async def story() -> None:
        async with shop(tmp_path, {"east": east, "west": west}, clock=clock) as on:
            assert await success(on) == {"east": (1, 0), "west": (1, 0)}
            order = await on.bought(1)
            (work,) = await on.until(order, RequestStatus.SUBMITTED)
            assert work.source == "east", "both are alike, and it comes first"
            east.now("r1", RemoteState.REJECTED)
            await on.services.tracking.catch_up(on.services.sources[work.source])
            await on.until(order, RequestStatus.REJECTED, RequestStatus.SUBMITTED)
            probability, picks = await learned(on, "east")
            assert (round(probability, 3), picks) == (0.907, 1)

            next_order = await on.bought(1, key="next")
            (work,) = await on.until(next_order, RequestStatus.SUBMITTED)
            assert work.source == "west", "what is turned down is dear"
            (decision,) = (await on.store.decisions([next_order]))[next_order]
            (other,) = (each for each in decision.decision.considered if not each.chosen)
            assert str(other.against) == "DOMINATED_BY: rejection +0.14"
        async with shop(tmp_path, {"east": east, "west": west}, clock=clock) as on:
            assert await learned(on, "east") == (probability, picks), "the database remembers"

    run(story)
