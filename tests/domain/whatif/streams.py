"""A shop in miniature: orders that come one after another to the same shelves, and how they were routed, as it is kept."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random

import msgspec
import numpy as np

from connectors.contract import Method, Sku
from gateway.domain.geography import GeoPoint
from gateway.domain.identity import LocationId, OrderId
from gateway.domain.locations import LocationKind
from gateway.domain.policies import DEFAULT, OrderFacts, RoutingPolicy, course
from gateway.domain.routing import (
    NOWHERE,
    UNKNOWN,
    Decision,
    Demand,
    Problem,
    Site,
    Sites,
    Unroutable,
    World,
    decide,
    inputs_of,
    ruled,
    weighed,
)
from gateway.domain.sourcing import DecisionRecord
from gateway.domain.whatif import Case, Contender, Past, history, strategies_of
from tests.domain.problems import NOON, TARIFF

PLACES = 6
SKUS = tuple(Sku(f"S{number}") for number in range(8))


def places(seed: int) -> Sites:
    """Warehouses and stores over the country."""
    random = Random(seed)
    return Sites.of(
        Site(
            location=LocationId(f"L{number}"),
            position=GeoPoint(latitude=random.uniform(28, 47), longitude=random.uniform(-120, -75)),
            methods=frozenset({Method.SHIP}),
            code=f"place-{number}",
            kind=LocationKind.STORE if number % 2 else LocationKind.WAREHOUSE,
        )
        for number in range(PLACES)
    )


@dataclass(kw_only=True)
class Street:
    """What happens: who orders what, and what else becomes of the shelves. All of it comes of the seed, whoever routes it."""

    seed: int = 1
    orders: int = 60
    units_max: int = 40
    room: int | None = None
    sites: Sites = field(init=False)

    def __post_init__(self) -> None:
        self.sites = places(self.seed)
        self.world = World(sites=self.sites.all, tariff=TARIFF)

    def routed_by(self, contender: Contender) -> list[DecisionRecord]:
        """How it was, had this been in force all the time. What cannot be routed leaves no trace."""
        random, records = Random(self.seed), []
        strategies = strategies_of([contender])
        stock = {sku: np.array(self._begun(random)) for sku in SKUS}
        done: Counter[int] = Counter()
        for number in range(self.orders):
            problem = self._order(random, stock)
            if self.room is not None:
                left = [self.room - done[row] for row in range(PLACES)]
                problem = replace(problem, room=np.array(left, dtype=np.int64))
            self._elsewhere(random, stock)
            policy = contender.policy(DEFAULT)
            try:
                decision = decide(ruled(problem, course(policy, problem.facts).passes[0].rule), strategies)
            except Unroutable:
                continue
            for package in decision.packages:
                row = self.sites.row[package.location]
                for line in package.lines:
                    stock[line.sku][row] -= line.units
                    done[row] += line.units
            records.append(self._record(number, problem, decision, policy))
        return records

    def kept(self, records: list[DecisionRecord]) -> list[Case]:
        """The same once it has been written down and read again."""
        past = msgspec.json.decode(msgspec.json.encode(records), type=list[Past])
        return history(past, {self.world.digest: self.world})

    def _begun(self, random: Random) -> list[int]:
        """The first two places have everything, so that no order need be refused soon, should one of them be silent."""
        return [self.units_max, self.units_max, *(random.choice([0, 3, self.units_max]) for _ in range(PLACES - 2))]

    def _order(self, random: Random, stock: Mapping[Sku, np.ndarray]) -> Problem:
        skus = random.sample(SKUS, random.choice([1, 1, 1, 2, 3]))
        demand = tuple(Demand(sku=sku, units=random.choice([1, 1, 2])) for sku in skus)
        available = np.column_stack([stock[sku] for sku in skus]).astype(np.int64)
        if random.random() < 0.2:
            available[random.randrange(PLACES)] = UNKNOWN
        return Problem(
            facts=OrderFacts(
                channel="web", method=Method.SHIP, skus=frozenset(skus), area=NOWHERE, placed_at=NOON, customer_class=None
            ),
            at=NOON + timedelta(minutes=random.randrange(60)),
            demand=demand,
            grams=weighed(demand, {}),
            sites=self.sites,
            available=available,
            method=Method.SHIP,
            destination=GeoPoint(latitude=random.uniform(28, 47), longitude=random.uniform(-120, -75)),
            tariff=TARIFF,
        )

    def _elsewhere(self, random: Random, stock: Mapping[Sku, np.ndarray]) -> None:
        """Goods arrive, and are sold over the counter."""
        stock[random.choice(SKUS)][random.randrange(PLACES)] += random.choice([0, 0, 0, -1, 10])

    def _record(self, number: int, problem: Problem, decision: Decision, policy: RoutingPolicy) -> DecisionRecord:
        inputs = inputs_of(problem, self.world)
        return DecisionRecord(
            id=f"{number:04}",
            order=OrderId(f"order-{number:04}"),
            decided_at=problem.at,
            policy=DEFAULT,
            policy_version=policy.version,
            inputs_hash=inputs.digest,
            decision=decision,
            explanation="",
            inputs=inputs,
        )


Allocations = list[dict[LocationId, tuple[Demand, ...]]]


def allocations(records: list[DecisionRecord]) -> Allocations:
    """What came from where, order by order."""
    return [{package.location: package.lines for package in each.decision.packages} for each in records]
