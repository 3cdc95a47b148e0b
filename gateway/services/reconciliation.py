"""Now and then, everything is read again and compared with what we had: what a source forgot to tell is found and mended so.

A level has drifted if it differs from what was kept of it although nobody had said that it moved. What is read replaces what was
kept, so that finding a difference mends it; promises that it leaves short are looked after by whoever oversees them.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import structlog

from connectors.client import chunked
from connectors.contract import ContractBroken, Cursor, Sku, SourceError, StockLister, Transient
from gateway.domain.identity import SourceName
from gateway.ports import Clock
from gateway.services.readings import Desk, Epochs, Kept

log = structlog.get_logger(__name__)

PAGES_MAX: Final = 100_000
PAUSE_S: Final = 0.05
SHARE_OF_RATE: Final = 0.25
FIRST_AFTER: Final = 0.1
"""The first one comes after this share of the interval."""


@dataclass(slots=True, kw_only=True)
class Reconciled:
    """What comparing one source came to; ``finished_at`` is None while it goes on.

    ``skus`` were read; of ``levels`` something was known before, and ``drifted_levels`` of them differed, by ``drifted_units``.
    """

    started_at: datetime
    finished_at: datetime | None = None
    skus: int = 0
    levels: int = 0
    drifted_levels: int = 0
    drifted_units: int = 0
    failure: str | None = None


@dataclass(slots=True, kw_only=True)
class Reconciliation:
    """Compares each source with what we know of it every ``every_s``; 0: never. ``done`` holds the newest report of each."""

    desks: Mapping[SourceName, Desk]
    clock: Clock
    spread: Callable[[], float]
    every_s: float
    deadline_s: float
    done: dict[SourceName, Reconciled] = field(default_factory=dict)

    async def run(self) -> None:
        """Compare until canceled, each source at its own pace."""
        if self.every_s:
            async with asyncio.TaskGroup() as group:
                for desk in self.desks.values():
                    if isinstance(desk.reader, StockLister):
                        group.create_task(self._again_and_again(desk))

    async def _again_and_again(self, desk: Desk) -> None:
        wait_s = self.every_s * FIRST_AFTER
        while True:
            await asyncio.sleep(max(PAUSE_S, self.spread() * wait_s))
            wait_s = self.every_s
            try:
                await self.reconcile(desk)
            except Exception:  # another author's bug is that source's failure, not everybody's
                log.exception("connector_crashed", source=desk.source.name)

    async def reconcile(self, desk: Desk) -> Reconciled:
        """Read all that the source lists, page by page, and compare. A failure ends it; the next one begins anew."""
        report = self.done[desk.source.name] = Reconciled(started_at=self.clock.now())
        try:
            await self._read_all(desk, report)
        except (SourceError, TimeoutError) as error:
            report.failure = str(error) or str(Transient("no answer in time"))
        report.finished_at = self.clock.now()
        found = {"skus": report.skus, "drifted_levels": report.drifted_levels, "drifted_units": report.drifted_units}
        log.info("source_reconciled", source=desk.source.name, failure=report.failure, **found)
        return report

    async def _read_all(self, desk: Desk, report: Reconciled) -> None:
        lister = desk.reader
        if not isinstance(lister, StockLister):
            return
        about, cursor = desk.source.connector.info, None
        pause_s = PAUSE_S if about.rate_per_s is None else 1 / (about.rate_per_s * SHARE_OF_RATE)
        seen: set[Cursor] = set()
        for _ in range(PAGES_MAX):
            page = await lister.skus(cursor)
            for some in chunked(page.skus, about.batch_skus_max):
                await self._compare(desk, some, report)
                await asyncio.sleep(pause_s)
            cursor = page.next
            if cursor is None:
                return
            if cursor in seen:
                raise ContractBroken("its list of SKUs comes back to where it was")
            seen.add(cursor)
        raise ContractBroken(f"its list of SKUs did not end after {PAGES_MAX} pages")

    async def _compare(self, desk: Desk, skus: Sequence[Sku], report: Reconciled) -> None:
        before = {sku: kept for sku in skus if (kept := desk.known(sku)) is not None and not kept.moved}
        said = await desk.read(skus, age_s_max=0, deadline_s=self.deadline_s, epochs=Epochs(desk.store))
        if not all(each.is_current for each in said.values()):
            raise desk.failure or Transient("no answer in time")
        report.skus += len(skus)
        for sku, was in before.items():
            now = said[sku].kept
            units = _differences(was, now) if now is not None else []
            report.levels += len(units)
            report.drifted_levels += sum(each != 0 for each in units)
            report.drifted_units += sum(units)


def _differences(was: Kept, now: Kept) -> list[int]:
    """By how many units each level differs. What had become known, or unknown, differs by all of it, and by one at least."""
    before, after = ({each.location: each.available for each in kept.readings} for kept in (was, now))
    found = []
    for location in before.keys() | after.keys():
        old, new = before.get(location), after.get(location)
        if old is None or new is None:
            found.append(0 if old == new else max(1, abs(old or new or 0)))
        else:
            found.append(abs(new - old))
    return found
