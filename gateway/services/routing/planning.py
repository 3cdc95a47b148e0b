"""Seeing the world for a decision, planning ahead of it, and previewing it."""

from collections import ChainMap
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from connectors.contract import Method, Sku
from gateway.domain.books import ShelfKey
from gateway.domain.geography import Centroids
from gateway.domain.rates import Weights
from gateway.domain.refusals import Invalid, ReadingOutdated, Refusal, Refusals
from gateway.domain.reservations import Reservation, ReservationState
from gateway.domain.routing import Tariff, World
from gateway.domain.sourcing import DecisionRecord
from gateway.domain.stock import Shelf
from gateway.ports import Clock, NewId, Sources, Store, Upkeep
from gateway.services.inventory import current_readings, never_carried, silent_sources
from gateway.services.network import Network
from gateway.services.readings import Readings
from gateway.services.routing.deciding import foreseen, record, route
from gateway.services.routing.landscape import UNWEIGHED, Landscape, Shelves
from gateway.services.routing.outlook import Outlook
from gateway.services.routing.wish import Wish
from gateway.services.timetable import Timetable

LOOKS_MAX: Final = 3
SHELVES_KNOWN_MAX: Final = 100_000
WORLDS_KNOWN_MAX: Final = 1_000

R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """Sees the world for a decision, plans ahead of it, and previews it."""

    readings: Readings
    store: Store
    upkeep: Upkeep
    network: Network
    sources: Sources
    centroids: Centroids
    tariff: Tariff
    clock: Clock
    new_id: NewId
    deadline_s: float
    weights: Weights = UNWEIGHED
    outlook: Callable[[], Outlook] = Outlook
    timetable: Timetable | None = None
    _learned: dict[ShelfKey, Shelf] = field(default_factory=dict)
    _kept: set[str] = field(default_factory=set)

    def learn(self, shelves: Iterable[Shelf]) -> None:
        """Remember what was just committed, to plan on: a hint, which is looked up again on locked books before it counts.

        The shelves that were learned longest ago are forgotten.
        """
        for shelf in shelves:
            key = (shelf.sku, shelf.location)
            self._learned.pop(key, None)
            self._learned[key] = shelf
        while len(self._learned) > SHELVES_KNOWN_MAX:
            del self._learned[next(iter(self._learned))]

    async def survey(self, skus: Iterable[Sku]) -> Landscape:
        """Look at everything that could matter for these SKUs, live where the source's freshness window has passed."""
        answers = await self.readings.read(tuple(skus), deadline_s=self.deadline_s)
        atlas = self.network.atlas()
        await self._keep(atlas.world(self.tariff))
        return Landscape(
            at=self.clock.now(),
            atlas=atlas,
            readings=current_readings(answers),
            silent=silent_sources(answers),
            unheard=never_carried(answers),
            safety_units={name: source.safety_units for name, source in self.sources.items()},
            centroids=self.centroids,
            tariff=self.tariff,
            weights=self.weights,
            outlook=self.outlook(),
            prospects=None if self.timetable is None else await self.timetable.prospects(self.clock.now()),
        )

    async def _keep(self, world: World) -> None:
        """See to it that it can be looked up what decisions were made in, before the first of them is."""
        if world.digest in self._kept:
            return
        await self.upkeep.remember_world(world)
        if len(self._kept) >= WORLDS_KNOWN_MAX:
            self._kept.clear()
        self._kept.add(world.digest)

    async def decided(self, skus: Iterable[Sku], decide: Callable[[Landscape], Awaitable[R]]) -> R:
        """What comes of deciding on what is seen now; seen again, where others decided on something newer in between."""
        wanted = frozenset(skus)
        for _ in range(LOOKS_MAX - 1):
            try:
                return await decide(await self.survey(wanted))
            except ReadingOutdated:
                await self.readings.renew(wanted)
        return await decide(await self.survey(wanted))

    def plan(self, wish: Wish, landscape: Landscape) -> DecisionRecord | None:
        """Where it would come from, as far as our promises are remembered here. None: from nowhere; only locked books know."""
        try:
            routed = route(landscape, wish, _without(wish.kept, self._learned), {})
        except (Refusal, Refusals):
            return None
        return None if routed.waits else record(landscape, routed, order=None, decision_id=self.new_id(), at=landscape.at)

    async def preview(self, wish: Wish) -> DecisionRecord:
        """Where it would come from if it were ordered now; nothing is stored.

        Raises:
            Refusals: It could not come from anywhere.
        """
        await check_pickup(wish, self.network)
        skus = frozenset(line.sku for line in wish.lines)

        async def decide_on(landscape: Landscape) -> DecisionRecord:
            shelves = await self.store.shelves(skus | landscape.made_up(wish.pickup_at, wish.pickup_slot))
            return foreseen(landscape, wish, shelves, {}, decision_id=self.new_id())

        return await self.decided(skus, decide_on)


async def check_pickup(wish: Wish, network: Network) -> None:
    """A pickup, and nothing else, has a location where it is picked up, and perhaps a time.

    Raises:
        Invalid: It is missing, or out of place.
        NotFound: There is no such location.
    """
    path = ("input", "pickupAt")
    if wish.method is Method.PICKUP and wish.pickup_at is None:
        raise Invalid(problem="A pickup needs the location where it is picked up.", path=path)
    if wish.method is not Method.PICKUP and wish.pickup_at is not None:
        raise Invalid(problem="Only a pickup has a location where it is picked up.", path=path)
    if wish.method is not Method.PICKUP and wish.pickup_slot is not None:
        raise Invalid(problem="Only a pickup has a slot.", path=("input", "pickupSlot"))
    if wish.pickup_at is not None:
        await network.require(wish.pickup_at, path=path)


def _without(kept: Reservation | None, shelves: dict[ShelfKey, Shelf]) -> Shelves:
    """Our promises but for this hold: it is about to become what is planned."""
    if kept is None or kept.state is not ReservationState.ACTIVE:
        return shelves
    own = {}
    for line in kept.lines:
        shelf = shelves.get((line.sku, line.location))
        if shelf is not None:
            own[line.sku, line.location] = replace(shelf, held_units=max(shelf.held_units - line.units, 0))
    return ChainMap(own, shelves)
