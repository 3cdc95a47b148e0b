"""Decisions of many kinds: kept in a real database, read back, and made again."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import cache
from itertools import islice
from random import Random
from typing import Final

from connectors.contract import Address, Method, RemoteLocationId, Sku
from gateway.domain.books import Books
from gateway.domain.fulfillments import Units
from gateway.domain.geography import Centroids, GeoPoint
from gateway.domain.identity import LocationId, OrderId, SourceName
from gateway.domain.locations import Location, LocationKind
from gateway.domain.plans import Strategy
from gateway.domain.plans.strategies import closest, highest_stock
from gateway.domain.policies import (
    Ban,
    Candidacy,
    Fallback,
    FallbackStep,
    HardRules,
    Objective,
    PackageWeight,
    Places,
    PolicyChange,
    PolicyStep,
    RoutingPolicy,
    Rule,
    RulePart,
    Tags,
    UnitWeight,
    Weights,
    When,
)
from gateway.domain.pricing import PriceBook
from gateway.domain.refusals import Refusals
from gateway.domain.routing import Preference, Tariff
from gateway.domain.sourcing import DecisionRecord
from gateway.domain.stock import Reading
from gateway.ports import Touches
from gateway.services.atlas import Atlas
from gateway.services.routing import Landscape, Outlook, Replays, Wish, record, route
from tests.samples import START, Command, Desk

SKUS: Final = tuple(Sku(f"SKU-{number}") for number in range(6))
STRATEGIES: Final[dict[str, Strategy]] = {"closest": closest, "highest stock": highest_stock}
TAGS: Final = Tags(by_sku={SKUS[1]: frozenset({"fragile", "gift"}), SKUS[4]: frozenset({"gift"})})
BATCH: Final = 100
NETWORKS: Final = 8

POLICIES: Final = (
    RoutingPolicy(name="none", version=1, rules=(), changes=()),
    RoutingPolicy(
        name="careful",
        version=3,
        changes=(),
        rules=(
            Rule(name="the web, near", when=When(channels=("web",)), candidates=Candidacy(miles_max=400), fallbacks=(
                Fallback(step=FallbackStep.RELAX, relaxes=(RulePart.DISTANCE,)), Fallback(step=FallbackStep.NEXT_RULE))),
            Rule(name="one parcel", hard=HardRules(packages_max=1, together=(("SKU-1", "SKU-2"),)), fallbacks=(
                Fallback(step=FallbackStep.RELAX, relaxes=(RulePart.PACKAGES_MAX, RulePart.TOGETHER)),
                Fallback(step=FallbackStep.BACK_ORDER))),
        ),
    ),
    RoutingPolicy(
        name="weighed",
        version=2,
        changes=(),
        rules=(
            Rule(
                name="stores are dear",
                hard=HardRules(whole_lines=True, never_from=(Ban(skus=("SKU-0",), places=Places(kinds=(LocationKind.STORE,))),)),
                weights=Weights(
                    split_cents=700,
                    waiting_cents_per_unit_day=30,
                    packages=(PackageWeight(places=Places(kinds=(LocationKind.STORE,)), pick_cents=250, preference_cents=-40),),
                    units=(UnitWeight(skus=("SKU-3",), handling_cents=60, markdown_cents=25),),
                ),
            ),
        ),
    ),
    RoutingPolicy(
        name="by thumb",
        version=7,
        changes=(),
        rules=(
            Rule(name="near", when=When(channels=("web",)), objective=Objective(strategy="closest")),
            Rule(name="most", objective=Objective(strategy="highest stock")),
        ),
    ),
    RoutingPolicy(
        name="by what it is",
        version=1,
        changes=(),
        rules=(
            Rule(name="glass", when=When(tags=("frag*",)), candidates=Candidacy(places=(Places(groups=("east",)),)), fallbacks=(
                Fallback(step=FallbackStep.RELAX, relaxes=(RulePart.CANDIDATES,)),)),
            Rule(name="dear", when=When(value_cents_from=5_000), hard=HardRules(never_from=(Ban(places=Places(groups=("out*",))),)),
                fallbacks=(Fallback(step=FallbackStep.NEXT_RULE),)),
            Rule(name="rest"),
        ),
    ),
)  # fmt: skip


@cache
def atlas(number: int) -> Atlas:
    """Up to thirty places of three sources; some nobody knows where, some closed, some with little room."""
    random = Random(number)
    places = []
    for place in range(random.choice([3, 12, 30])):
        source = SourceName(f"source{place % 3}")
        position = GeoPoint(latitude=random.uniform(28, 47), longitude=random.uniform(-120, -75))
        places.append(
            Location(
                id=LocationId(f"{source}:{place}"),
                code=f"place-{place}",
                name=f"Place {place}",
                kind=random.choice([*LocationKind]),
                source=source,
                remote_id=RemoteLocationId(str(place)),
                time_zone="UTC",
                position=None if random.random() < 0.1 else position,
                methods=frozenset(Method) if random.random() < 0.5 else frozenset({Method.SHIP}),
                active=random.random() < 0.9,
                units_per_day=random.choice([None, None, None, 1, 2, 50]),
                groups=frozenset(random.sample(["east", "outlets"], k=random.choice([0, 1, 2]))),
            )
        )
    return Atlas(locations=tuple(places))


def landscape(random: Random) -> Landscape:
    """Something seen in one of a few networks, by one of a few tariffs."""
    where = atlas(random.randrange(NETWORKS))
    silent = frozenset({SourceName("source2")} if random.random() < 0.2 else ())
    read_at = START - timedelta(seconds=random.randrange(900))
    readings = {
        (sku, place.id): Reading(
            sku=sku, location=place.id, epoch=0, read_at=read_at, available=random.choice([None, 0, 0, 1, 2, 5, 40])
        )
        for sku in SKUS
        for place in where.locations
        if place.source not in silent and random.random() < 0.7
    }
    book = PriceBook(
        version=1,
        built_at=START,
        horizon=timedelta(days=7),
        bids={place.id: {sku: random.randrange(300) for sku in SKUS} for place in where.locations if random.random() < 0.5},
        rooms={place.id: random.randrange(50) for place in where.locations if random.random() < 0.2},
        bound_cents=0,
    )
    return Landscape(
        at=START,
        atlas=where,
        readings=readings,
        silent=silent,
        unheard=frozenset(),
        safety_units={SourceName("source0"): 1},
        centroids=Centroids(points={"606": GeoPoint(latitude=41.9, longitude=-87.6)}),
        tariff=Tariff(parcel_cents=random.choice([0, 150, 400])),
        outlook=Outlook(
            policies={policy.name: policy for policy in POLICIES},
            strategies=STRATEGIES,
            tags=TAGS,
            prices=book if random.random() < 0.5 else None,
        ),
    )


def wish(random: Random, seen: Landscape) -> Wish:
    """Of a few SKUs, to wherever, however."""
    pickup = random.choice(seen.atlas.locations).id if random.random() < 0.1 else None
    skus = random.sample(SKUS, k=random.choice([1, 1, 1, 2, 3, 4]))
    return Wish(
        lines=tuple(Units(sku=sku, units=random.choice([1, 1, 2, 4])) for sku in skus),
        to=Address(lines=("1 Main St",), city="Town", postal_code=random.choice(["60601", "99999"]), country_code="US"),
        method=Method.SHIP if pickup is None else Method.PICKUP,
        preference=random.choice([*Preference]),
        pickup_at=pickup,
        from_location=random.choice([None, None, seen.atlas.locations[0].id]),
        channel=random.choice(["web", "phone"]),
        value_cents=random.choice([None, 0, 4_999, 5_000]),
        policy=random.choice(POLICIES).name,
        placed_at=START - timedelta(days=1),
    )


def decided(seed: int) -> tuple[Landscape, DecisionRecord] | None:
    """What was seen, and what was decided on it; None: it could not come from anywhere."""
    random = Random(seed)
    seen = landscape(random)
    try:
        routed = route(seen, wish(random, seen), {}, {})
    except Refusals:
        return None
    found = record(seen, routed, order=OrderId(f"order-{seed}"), decision_id=f"decision-{seed:08}", at=START)
    return None if found is None else (seen, found)


async def keep_policies(on: Desk) -> None:
    """The policies, as if somebody had written them."""
    written = PolicyChange(step=PolicyStep.CREATE, at=START, by="test", note="")

    def write(books: Books) -> None:
        for policy in POLICIES:
            books.keep_policy(replace(policy, changes=(written,)))

    await on.writer.submit(Command(does=write, touches=Touches(policies=frozenset(each.key for each in POLICIES))), returns=object)


async def kept(on: Desk, seeds: Iterator[int], wanted: int) -> list[str]:
    """The ids of so many decisions, once they are in the database with all that they were made on."""
    worlds: set[str] = set()
    ids: list[str] = []
    while len(ids) < wanted:
        some = islice(seeds, min(BATCH, wanted - len(ids)))
        made = [each for each in map(decided, some) if each is not None]
        for seen, _ in made:
            world = seen.atlas.world(seen.tariff)
            if world.digest not in worlds:
                worlds.add(world.digest)
                await on.upkeep.remember_world(world)
        await on.writer.submit(Command(does=_keeping([found for _, found in made])), returns=object)
        ids += [found.id for _, found in made]
    return ids


async def replayed_otherwise(on: Desk, ids: list[str], advance: Callable[[int], object]) -> list[str]:
    """What differs, decision by decision."""
    replays = Replays(store=on.store, outlook=lambda: Outlook(strategies=STRATEGIES))
    wrong = []
    for decision in ids:
        replay = await replays.replay(decision)
        if replay is None or not replay.identical:
            wrong.append(f"{decision}: {'it is gone' if replay is None else '; '.join(replay.differences)}")
        advance(1)
    return wrong


def _keeping(records: list[DecisionRecord]) -> Callable[[Books], None]:
    def keep(books: Books) -> None:
        for each in records:
            books.keep(each)

    return keep
