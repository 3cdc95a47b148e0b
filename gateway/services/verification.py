"""Looking again and again whether everything is as it must be, and whether sources have done what we say."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import structlog

from connectors.contract import Fulfiller, Idempotency, RemoteFulfillment, RequestKey, SourceError
from gateway.domain.effects import effect_astray, may_have_an_effect
from gateway.domain.fulfillments import FulfillmentOrder
from gateway.domain.identity import FulfillmentOrderId
from gateway.domain.invariants import Difference, Invariant, Report
from gateway.ports import Clock, Execution, Source, Sources, Works

log = structlog.get_logger(__name__)

PAGE: Final = 100
LOOK_UPS_AT_ONCE_MAX: Final = 8
LOOK_UP_S: Final = 15.0
FAILURES_MAX: Final = 5
"""So many look-ups may fail at a source before it is left alone."""

EFFECTS: Final = "requests at sources"


@dataclass(slots=True, kw_only=True)
class Verification:
    """Has everything ``examine``d every ``every_s`` (0: never); each difference is an error in the log.

    ``report`` is what came of it last, ``examined_at`` when; None: it has not been done yet.
    """

    examine: Callable[[], Awaitable[Report]]
    clock: Clock
    every_s: float
    report: Report | None = None
    examined_at: datetime | None = None

    async def run(self) -> None:
        """Look until canceled."""
        while self.every_s:
            await asyncio.sleep(self.every_s)
            try:
                await self.look()
            except Exception:  # the database is away: promises wait for it as well
                log.exception("not_verified")

    async def look(self) -> None:
        """Look now."""
        report = await self.examine()
        self.report, self.examined_at = report, self.clock.now()
        for each in report.differences:
            log.error(
                "invariant_violated",
                invariant=each.invariant.value,
                about=each.about,
                expected=each.expected,
                found=each.found,
                says=each.says,
            )
        log.info("verified", violations=sum(report.violations.values()), took_s=round(report.took_s, 3), **report.checked)


@dataclass(slots=True, kw_only=True)
class Effects:
    """Asks sources for every request that they were sent. A source that does not answer could not be checked: that is no violation.

    ``advance`` is told how many were asked for; nobody knows of how many.
    """

    sources: Sources
    works: Works
    advance: Callable[[str, int, int | None], None]
    _differences: list[Difference] = field(default_factory=list)
    _unchecked: list[str] = field(default_factory=list)
    _checked: int = 0

    async def check(self) -> Report:
        """What differs between our books and theirs."""
        async with asyncio.TaskGroup() as tasks:
            for source in self.sources.values():
                if source.execution is Execution.BY_SOURCE:
                    tasks.create_task(self._check(source))
        return Report(
            differences=tuple(self._differences),
            violations={Invariant.EFFECTS: len(self._differences)} if self._differences else {},
            checked={EFFECTS: self._checked},
            unchecked=tuple(sorted(self._unchecked)),
        )

    async def _check(self, source: Source) -> None:
        failures: list[str] = []
        at_once = asyncio.Semaphore(LOOK_UPS_AT_ONCE_MAX)

        async def look(work: FulfillmentOrder) -> None:
            async with at_once:
                if len(failures) < FAILURES_MAX:
                    await self._look(source, work, failures)

        after: FulfillmentOrderId | None = None
        while len(failures) < FAILURES_MAX and (works := await self.works.at(source.name, after=after, limit=PAGE)):
            await asyncio.gather(*(look(work) for work in works if may_have_an_effect(work)))
            after = works[-1].id
        if failures:
            rest = ", and was left alone" if len(failures) >= FAILURES_MAX else ""
            self._unchecked.append(f"{source.name}: {len(failures)} look-ups failed{rest}: {failures[0]}")

    async def _look(self, source: Source, work: FulfillmentOrder, failures: list[str]) -> None:
        try:
            async with asyncio.timeout(LOOK_UP_S):
                found = await _found(source, work)
        except (SourceError, TimeoutError) as error:
            failures.append(str(error) or "no answer in time")
            return
        self._checked += 1
        self.advance(EFFECTS, self._checked, None)
        difference = effect_astray(work, found)
        if difference is not None and await self.works.find(work.id) == work:  # else something happened to it meanwhile
            self._differences.append(difference)


async def _found(source: Source, work: FulfillmentOrder) -> RemoteFulfillment | None:
    """What the source has: by our key where it knows that, else by its own name for it."""
    connector = source.connector
    if not isinstance(connector, Fulfiller):
        return None
    if connector.info.idempotency is not Idempotency.NONE:
        return await connector.find(RequestKey(work.id))
    if work.remote_ref is None:
        return None
    return next(iter(await connector.status((work.remote_ref,))), None)
