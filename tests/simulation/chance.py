"""Everything that is left to chance, drawn from one seed: how long things take, what fails, who does what."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """How rough it is, as probabilities: every schedule has its own."""

    slow_statement: float
    statement_fails: float
    commit_is_lost: float
    request_is_lost: float
    answer_is_lost: float
    delivered_twice: float
    asker_stalls: float
    source_refuses: float
    source_ponders: float


@dataclass(slots=True, kw_only=True)
class Chance:
    """The dice of one schedule. Once it is ``calm``, nothing fails any more."""

    random: Random
    weather: Weather
    calm: bool = False

    def happens(self, probability: float) -> bool:
        """Whether something that is this likely is so."""
        return self.random.random() < probability

    def fails(self, probability: float) -> bool:
        """Whether something goes wrong that is this likely to."""
        return not self.calm and self.random.random() < probability

    def seconds(self, low: float, high: float) -> float:
        """So long, in seconds of the virtual clock."""
        return low + (high - low) * self.random.random()

    def units(self, low: int, high: int) -> int:
        """So many."""
        return self.random.randint(low, high)

    def one_of(self, things: Sequence[T]) -> T:
        """One of these."""
        return self.random.choice(things)

    def some_of(self, things: Sequence[T], count: int) -> list[T]:
        """That many of these, none twice."""
        return self.random.sample(things, count)

    async def way_to_the_database(self) -> None:
        """Others may go first; now and then it takes long."""
        if self.random.random() < self.weather.slow_statement:
            await asyncio.sleep(self.random.random() ** 3 * 2.0)
        else:
            await asyncio.sleep(0)

    def statement_fails(self) -> bool:
        """Whether the server has another transaction in the way and gives this one up."""
        return self.fails(self.weather.statement_fails)

    def commit_is_lost(self) -> bool | None:
        """Whether the connection breaks over a commit: False before it is done, True after it, None not at all."""
        return self.happens(0.5) if self.fails(self.weather.commit_is_lost) else None


def weather(random: Random) -> Weather:
    """From a fine day to a storm."""

    def rough(probability: float) -> float:
        """Often nothing at all, so that the rest can be seen."""
        return random.choice((0.0, probability / 4, probability))

    return Weather(
        slow_statement=random.choice((0.005, 0.02, 0.1)),
        statement_fails=rough(0.004),
        commit_is_lost=rough(0.05),
        request_is_lost=rough(0.1),
        answer_is_lost=rough(0.2),
        delivered_twice=rough(0.1),
        asker_stalls=rough(0.3),
        source_refuses=rough(0.3),
        source_ponders=rough(0.4),
    )
