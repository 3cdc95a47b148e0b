"""What must hold once all is calm again."""

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gateway.api.identifiers import parts_of
from gateway.domain.fulfillments import RequestStatus
from gateway.domain.identity import ReservationId
from gateway.domain.orders import Order, UnitState
from gateway.domain.reservations import ReservationState
from gateway.domain.tasks import JobKind, JobState
from gateway.ports import OrderFilter, PageRequest
from gateway.storage.queries import SqlStore
from tests.chaos.customers import Customers
from tests.chaos.followers import Follower
from tests.harness import Sandbox
from tests.scenarios.processes import SECRETS

PAGE = 500
OVER = {"cancel", "CANCELED", "FAILED", "Cancelled"}


async def all_orders(store: SqlStore) -> AsyncIterator[Order]:
    position = None
    while True:
        page = await store.page(OrderFilter(), PageRequest(size=PAGE, newest_first=False, position=position))
        for order in page.orders:
            yield order
        if not page.has_next:
            return
        position = page.orders[-1].placed_at, page.orders[-1].id


def parked(order: Order) -> bool:
    """Whether nothing but a person's word can take it further."""
    return any(work.request_status is RequestStatus.NEEDS_REVIEW for work in order.fulfillment_orders)


def rests(order: Order) -> bool:
    """Whether nothing is under way: what is left waits for a person or for stock."""
    open_work = [work for work in order.fulfillment_orders if work.is_open]
    waits_for_a_person = all(work.request_status is RequestStatus.NEEDS_REVIEW for work in open_work)
    return waits_for_a_person and (order.backordered or not order.unrouted)


async def unrest(store: SqlStore) -> str | None:
    """What is still to be done. None: everything rests."""
    backlog = await store.backlog()
    if backlog.events_unsequenced:
        return f"{backlog.events_unsequenced} events without a number"
    waiting = [order.id async for order in all_orders(store) if not rests(order)]
    if waiting:
        return f"{len(waiting)} orders under way, such as {min(waiting)}"
    jobs = [
        each for each in await store.jobs(JobState.READY, after=None, limit=PAGE) if each.kind in {JobKind.SUBMIT, JobKind.STOP}
    ]
    return f"{len(jobs)} jobs" if jobs else None


async def ends(store: SqlStore) -> Counter[str]:
    """How many orders ended how."""
    found: Counter[str] = Counter()
    async for order in all_orders(store):
        found["orders that wait for a person" if parked(order) else f"orders {order.status.lower()}"] += 1
    return found


# ---------------------------------------------------------------------------------------------- what customers were told
async def broken_promises(store: SqlStore, customers: Customers) -> list[str]:
    """Orders, cancellations and releases that were acknowledged, and are not there; and orders that nobody was told of."""
    orders = {str(each.id): each async for each in all_orders(store)}
    acknowledged = {key_of(each) for each in customers.orders.values()}
    found = [f"order {each} was acknowledged and is lost" for each in acknowledged - set(orders)]
    found += [f"order {each} is there, and nobody was told" for each in set(orders) - acknowledged]
    for each in map(key_of, customers.canceled):
        if each in orders and orders[each].cancellation is None:
            found.append(f"the cancellation of {each} was acknowledged and is lost")
    for each in map(key_of, customers.released):
        held = await store.reservation(ReservationId(each))
        if held is None or held.state is not ReservationState.RELEASED:
            found.append(f"the release of {each} was acknowledged and is lost")
    return found


def key_of(word: str) -> str:
    return parts_of(word)[1]


# ---------------------------------------------------------------------------------------------- what sources did
def is_over(arrived: Mapping[str, Any]) -> bool:
    return arrived["state"] in OVER or bool(arrived["packages"])


async def wrong_effects(store: SqlStore, sandboxes: Mapping[str, Sandbox]) -> list[str]:
    """Work that its source has not exactly as often, as much and as far as our books say."""
    arrived: dict[str, list[dict[str, Any]]] = {}
    for sandbox in sandboxes.values():
        for each in await sandbox.orders():
            arrived.setdefault(str(each["key"]), []).append(each)
    found = [f"{key} arrived {len(each)} times" for key, each in arrived.items() if len(each) > 1]
    known = set()
    async for order in all_orders(store):
        for work in order.fulfillment_orders:
            known.add(str(work.id))
            there = arrived.get(str(work.id), [])
            sent = Counter({line["sku"]: line["units"] for each in there if each["packages"] for line in each["lines"]})
            if sent != Counter(work.shipped) and not (work.is_open and parked(order)):
                found.append(f"{work.id} of {order.number}: {dict(sent)} left, our books say {dict(work.shipped)}")
            going_on = [each["state"] for each in there if not is_over(each)]
            if not work.is_open and going_on:
                found.append(f"{work.id} of {order.number}: {work.request_status} for us, {going_on} at {work.source}")
    return found + [f"{key} arrived, and is no work of ours" for key in set(arrived) - known]


async def oversold(store: SqlStore, stocked: Mapping[str, int]) -> list[str]:
    """SKUs of which more was sold, and not called off, than there ever was."""
    sold: Counter[str] = Counter()
    async for order in all_orders(store):
        quantities = order.quantities()
        for line in order.lines:
            kept = {state: units for state, units in quantities[line.id].items() if state is not UnitState.CANCELED}
            sold[line.sku] += sum(units for state, units in kept.items() if state is not UnitState.BACKORDERED)
    return [f"{units} of {sku} are sold, {stocked[sku]} were there" for sku, units in sold.items() if units > stocked[sku]]


# ---------------------------------------------------------------------------------------------- what followers saw
async def told(store: SqlStore) -> list[tuple[str, int]]:
    """Every event, in order."""
    found: list[tuple[str, int]] = []
    after = 0
    while events := await store.events(after=after, limit=PAGE):
        found += [(each.order.number, each.order.version) for each in events]
        after = events[-1].seq
    return found


async def missed(store: SqlStore, followers: Sequence[Follower], *, wait_s: float) -> list[str]:
    """Followers who did not see everything exactly once and in order, although they were given so long to catch up."""
    happened = await told(store)
    deadline = asyncio.get_running_loop().time() + wait_s
    while any(len(each.seen) < len(happened) for each in followers) and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.1)
    return [
        f"follower {place} saw {len(each.seen)} of {len(happened)} events, {len(set(each.seen))} different ones"
        for place, each in enumerate(followers)
        if each.seen != happened
    ]


# ---------------------------------------------------------------------------------------------- what dom verify says
async def differences(config: Path) -> list[str]:
    """What ``dom verify --sources`` finds."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "verify", "--config", str(config), "--sources", "--json"),
        env={**os.environ, **SECRETS},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, errors = await process.communicate()
    if process.returncode == 0:
        return []
    if not said:
        return [f"dom verify ended with {process.returncode}: {errors.decode()}"]
    return [f"dom verify: {each}" for each in json.loads(said)["differences"]]
