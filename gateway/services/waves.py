"""Waves: orders that wait for each other are planned together, then routed one by one on locked books.

The job that routes an order is due when its wave is; the first of them has all orders of the wave planned. Should that fail, or
take too long, each is decided alone: no order waits for a plan.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

import numpy as np
import structlog

from connectors.contract import Sku
from gateway.domain.fulfillments import tally
from gateway.domain.identity import LocationId, OrderId
from gateway.domain.orders import Order, OrderStatus
from gateway.domain.plans import Instance, Ints
from gateway.domain.plans.batch import WAITING, plan_together, wave_of_orders
from gateway.domain.policies import Pass, RoutingPolicy, course
from gateway.domain.routing import BACK_ORDER_CENTS, EXACT, FREE, Decision, Demand, Problem, chosen_together, ruled
from gateway.domain.routing.pricing import Pricing
from gateway.domain.routing.problem import UNITS_MAX
from gateway.domain.sourcing import DecisionRecord
from gateway.ports import Clock, OrderFilter, PageRequest, Store
from gateway.services.routing import Landscape, Routed, Routing, Shelves, Wish, record
from gateway.services.routing.deciding import promises
from gateway.services.routing.stating import facts, state

log = structlog.get_logger(__name__)

PAGE: Final = 100
LINES_MAX: Final = 6
"""Orders of more lines are decided alone."""
KEPT: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class WavePlan:
    """A wave as it was planned. No plan of its ``orders`` costs less than the bound; ``alone`` others are decided by themselves."""

    at: datetime
    orders: int
    alone: int
    cost_cents: int
    bound_cents: int
    took_s: float

    @property
    def gap(self) -> float:
        """The most that a better plan could save, as a share of the cost."""
        return 0.0 if self.cost_cents <= self.bound_cents else (self.cost_cents - self.bound_cents) / self.cost_cents


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An order of a wave: its problem, what its rule ``asked`` of it, and that as arrays."""

    order: Order
    policy: RoutingPolicy
    by: Pass
    problem: Problem
    asked: Problem
    instance: Instance


@dataclass(slots=True, kw_only=True)
class Waves:
    """Plans waves of at most ``orders_max`` orders, each within ``seconds_max``."""

    store: Store
    routing: Routing
    clock: Clock
    orders_max: int
    seconds_max: float
    planned: deque[WavePlan] = field(init=False, default_factory=lambda: deque(maxlen=KEPT))
    _plans: dict[datetime, asyncio.Task[Mapping[OrderId, DecisionRecord]]] = field(init=False, default_factory=dict)

    async def plan(self, order: Order) -> DecisionRecord | None:
        """The order's part of the plan of its wave. None: it is to be decided alone."""
        if order.wave_at is None:
            return None
        task = self._plans.get(order.wave_at)
        if task is None:
            task = self._plans[order.wave_at] = asyncio.create_task(self._plan(order.wave_at))
            while len(self._plans) > KEPT:
                del self._plans[next(iter(self._plans))]
        try:
            return (await asyncio.shield(task)).get(order.id)
        except Exception:  # a plan is a help, not a need
            log.exception("wave_not_planned", at=order.wave_at.isoformat())
            return None

    async def _plan(self, at: datetime) -> Mapping[OrderId, DecisionRecord]:
        began_s = self.clock.monotonic()
        orders = await self._waiting(at)
        seen = await self.routing.survey({line.sku for order in orders for line in order.lines})
        shelves = await self.store.shelves({line.sku for order in orders for line in order.lines} | seen.made_up(None, None))
        until_s = began_s + self.seconds_max
        # What takes a processor takes it beside the event loop: there may be thousands of orders.
        found = await asyncio.to_thread(_together, seen, orders, shelves, lambda: self.clock.monotonic() < until_s)
        cost_cents = sum(each.decision.cost_cents for each in found.records)
        self.planned.append(
            WavePlan(
                at=at,
                orders=len(found.records),
                alone=len(orders) - len(found.records),
                cost_cents=cost_cents,
                bound_cents=min(round(found.bound_cents), cost_cents),
                took_s=self.clock.monotonic() - began_s,
            )
        )
        log.info("wave_planned", at=at.isoformat(), orders=len(found.records), gap=round(self.planned[-1].gap, 5))
        return {each.order: each for each in found.records if each.order is not None}

    async def _waiting(self, at: datetime) -> list[Order]:
        """The orders of that wave, by when they were placed."""
        found: list[Order] = []
        page = PageRequest(size=PAGE, newest_first=False)
        while len(found) < self.orders_max:
            answer = await self.store.page(OrderFilter(status=frozenset({OrderStatus.PLACED})), page)
            found += [order for order in answer.orders if order.wave_at == at and order.unrouted]
            if not answer.has_next:
                break
            last = answer.orders[-1]
            page = replace(page, position=(last.placed_at, last.id))
        return found[: self.orders_max]


def _member(seen: Landscape, order: Order, shelves: Shelves) -> Member | None:
    """The order, stated. None: it is to be decided alone, since its rule asks for more than that it costs least."""
    wish = Wish.of(order, order.unrouted)
    policy = seen.outlook.policy(wish.policy)
    by = course(policy, facts(seen, wish)).passes[0]
    demand = tuple(Demand(sku=sku, units=units) for sku, units in tally(wish.lines).items())
    problem = state(seen, wish, demand, shelves, excluded={})
    asked = ruled(problem, by.rule)
    if len(demand) > LINES_MAX or asked.constraints != FREE or asked.strategy != EXACT or order.directed is not None:
        return None
    return Member(order=order, policy=policy, by=by, problem=problem, asked=asked, instance=Pricing.of(asked).instance)


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """The decisions of those of a wave that have one, and what no plans of all of them cost less than."""

    records: Sequence[DecisionRecord] = ()
    bound_cents: float = 0.0


def _together(seen: Landscape, orders: Sequence[Order], shelves: Shelves, keep_going: Callable[[], bool]) -> Together:
    """Plan all of them that can be planned together."""
    members = [each for order in orders if (each := _member(seen, order, shelves)) is not None]
    if not members:
        return Together()
    skus = sorted({line.sku for each in members for line in each.problem.demand})
    place = {sku: number for number, sku in enumerate(skus)}
    items = [np.array([place[line.sku] for line in each.problem.demand], dtype=np.int64) for each in members]
    stock = np.zeros((len(members[0].problem.sites), len(skus)), dtype=np.int64)
    for each, columns in zip(members, items, strict=True):
        stock[:, columns] = np.clip(each.problem.available, 0, UNITS_MAX)
    wave, tables = wave_of_orders(
        [each.instance for each in members], items, stock, members[0].problem.room, back_order_cents=BACK_ORDER_CENTS
    )
    planned = plan_together(wave, generator=np.random.default_rng(len(members)), keep_going=keep_going)
    found = (
        _record(seen, members[row], where)
        for rows, locations in zip(tables, planned.plans, strict=True)
        for row, where in zip(rows.tolist(), locations, strict=True)
    )
    return Together(records=[each for each in found if each is not None], bound_cents=planned.bound_cents)


def _record(seen: Landscape, member: Member, where: Ints) -> DecisionRecord | None:
    """The decision as it is kept; it gets its id when it is taken. None: there is none."""
    decision = _decision(member, where)
    if decision is None:
        return None
    routed = Routed(
        policy=member.policy,
        course=course(member.policy, member.problem.facts),
        by=member.by,
        problem=member.problem,
        decision=decision,
        promises=promises(seen, Wish.of(member.order, member.order.unrouted), decision),
    )
    return record(seen, routed, order=member.order.id, decision_id="", at=seen.at)


def _decision(member: Member, where: Ints) -> Decision | None:
    """The decision that has each line come from there. None: some of it waits, or nothing of it can be had."""
    if (where == WAITING).any():
        return None
    sites, packages = member.asked.sites.all, defaultdict[LocationId, dict[Sku, int]](dict)
    for line, row in zip(member.asked.demand, where.tolist(), strict=True):
        packages[sites[row].location][line.sku] = line.units
    return chosen_together(member.asked, packages)
