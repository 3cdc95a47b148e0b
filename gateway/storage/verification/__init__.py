"""Recomputing everything that must be true from what is kept: the ledger, the events and the documents."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from gateway.domain.invariants import Report
from gateway.domain.refusals import StoreUnavailable
from gateway.storage.database import Database
from gateway.storage.failures import away
from gateway.storage.tables import event, hold, job, ledger, shelf
from gateway.storage.verification.events import check_last_told, check_sequence, check_versions_told
from gateway.storage.verification.findings import Advance, Findings
from gateway.storage.verification.orders import check_jobs, check_orders, check_owners
from gateway.storage.verification.reservations import check_reservations
from gateway.storage.verification.shelves import check_counters, check_holds, check_sellable, check_versions
from gateway.storage.verification.snapshot import snapshot

DIFFERENCES_MAX: Final = 1_000


async def verify(
    database: Database, *, advance: Advance | None = None, limit: int = DIFFERENCES_MAX, pause_s: float = 0.0
) -> Report:
    """What differs in this database, seen in one snapshot while others go on writing to it; nothing is written.

    ``limit`` differences are kept, all are counted. ``pause_s`` is waited after each page of documents, for others in this process.

    Raises:
        StoreUnavailable: It is away, or of another version.
    """
    stopped = asyncio.Event()

    async def examined_in_a_snapshot() -> Report:
        async with snapshot(database) as connection:
            findings = Findings(
                connection=connection, limit=limit, pause_s=pause_s, advance=advance or _nobody_looks, stopped=stopped
            )
            return await examine(findings, now=await database.now(connection), monotonic=database.clock.monotonic)

    try:
        return await database.finish(examined_in_a_snapshot())
    except asyncio.CancelledError:
        stopped.set()
        raise
    except Exception as error:
        if (reason := away(error)) is not None:
            raise StoreUnavailable(reason=reason) from error
        raise


async def examine(findings: Findings, *, now: datetime, monotonic: Callable[[], float]) -> Report:
    """What differs in what is seen over the connection of these findings. ``now`` is the store's."""
    began_s = monotonic()
    for name, table in {"ledger entries": ledger, "shelves": shelf, "holds": hold, "events": event, "jobs": job}.items():
        findings.checked[name] = await findings.count(table)
    checks: dict[str, Callable[[Findings], Awaitable[None]]] = {
        "counters": check_counters,
        "holds": check_holds,
        "what was sellable": check_sellable,
        "versions of shelves": check_versions,
        "owners": check_owners,
        "jobs": check_jobs,
        "versions of orders": check_versions_told,
        "newest events": check_last_told,
    }
    for done, (what, check) in enumerate(checks.items()):
        findings.advance(what, done, len(checks))
        await check(findings)
    await check_sequence(findings, now)
    await check_reservations(findings)
    await check_orders(findings)
    return Report(
        differences=tuple(findings.differences),
        violations=dict(findings.violations),
        checked=dict(findings.checked),
        unchecked=tuple(findings.unchecked),
        took_s=monotonic() - began_s,
    )


def _nobody_looks(_what: str, _done: int, _of: int) -> None:
    pass
