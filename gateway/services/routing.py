"""Where an order would come from, and where it does: the view that the pure rule decides on, and what is kept of its decision."""

import hashlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

import msgspec

from connectors.contract import Address, Method, Sku
from gateway.domain.books import Books, ShelfKey
from gateway.domain.fulfillments import FulfillmentOrder, Units, tally
from gateway.domain.geography import Centroids
from gateway.domain.identity import FulfillmentOrderId, LocationId, OrderId, SourceName
from gateway.domain.locations import Location
from gateway.domain.orders import Order
from gateway.domain.refusals import (
    InsufficientStock,
    Invalid,
    NoCandidate,
    NotFound,
    ReadingOutdated,
    Refusal,
    Refusals,
    StockUnknown,
)
from gateway.domain.routing import Candidate, Decision, Demand, Preference, Problem, Tariff, Unroutable, decide, explain
from gateway.domain.sourcing import DecisionRecord
from gateway.domain.stock import NETWORK, Reading, Shelf, available_to_promise, network_available_to_promise, outdated
from gateway.ports import Clock, NewId, Sources, Store
from gateway.services.inventory import current_readings, never_carried, silent_sources
from gateway.services.network import Network
from gateway.services.readings import Readings

POLICY = "least-cost"
POLICY_VERSION = 1
LOOKS_MAX = 3

R = TypeVar("R")

ShelfOf = Callable[[Sku, LocationId], Shelf]
Promisable = Mapping[LocationId, Mapping[Sku, int | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to go where, and how."""

    lines: tuple[Units, ...]
    to: Address
    method: Method = Method.SHIP
    preference: Preference = Preference.CHEAPEST
    pickup_at: LocationId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Landscape:
    """What was seen of the world before deciding: it is decided on later, on locked books, but never on other stock than this.

    ``silent`` sources said nothing current; what they may have is unknown. ``unheard`` SKUs are carried by nobody.
    """

    locations: tuple[Location, ...]
    readings: Mapping[ShelfKey, Reading]
    silent: frozenset[SourceName]
    unheard: frozenset[Sku]
    safety_units: Mapping[SourceName, int]
    centroids: Centroids
    tariff: Tariff

    def promisable(self, sku: Sku, location: Location, shelf: Shelf) -> int | None:
        """Units that may be promised there. None: unknown.

        Raises:
            ReadingOutdated: Somebody decided on a newer reading in the meantime.
        """
        reading = self.readings.get((sku, location.id))
        if reading is None:
            return None if location.source in self.silent else 0
        if outdated(reading, shelf):
            raise ReadingOutdated(sku=sku)
        return available_to_promise(reading, shelf, safety_units=self.safety_units.get(location.source, 0))

    def promisable_everywhere(self, skus: Iterable[Sku], shelf_of: ShelfOf) -> Promisable:
        """Units that may be promised at each location, of each of these SKUs."""
        wanted = tuple(skus)
        return {
            location.id: {sku: self.promisable(sku, location, shelf_of(sku, location.id)) for sku in wanted}
            for location in self.locations
        }

    def short_in_network(self, wanted: Mapping[Sku, int], promisable: Promisable, shelf_of: ShelfOf) -> dict[Sku, tuple[int, int]]:
        """SKUs of which fewer units may be promised altogether than are wanted: holds without a location count as well."""
        short = {}
        for sku, units in wanted.items():
            available = network_available_to_promise((here[sku] for here in promisable.values()), shelf_of(sku, NETWORK))
            if available is None or available < units:
                short[sku] = (units, max(available or 0, 0))
        return short

    def route(self, wish: Wish, shelf_of: ShelfOf, excluded: Mapping[LocationId, str]) -> tuple[Problem, Decision]:
        """Decide where it comes from.

        Raises:
            Refusals: It cannot come from anywhere; one for each SKU that is short.
        """
        wanted = tally(wish.lines)
        promisable = self.promisable_everywhere(wanted, shelf_of)
        short = self.short_in_network(wanted, promisable, shelf_of)
        if short:
            raise Refusals(tuple(self.refusal(sku, *units) for sku, units in short.items()))
        problem = Problem(
            demand=tuple(Demand(sku=sku, units=units) for sku, units in wanted.items()),
            destination=self.centroids.locate(wish.to),
            method=wish.method,
            candidates=tuple(_candidate(each, promisable[each.id], excluded) for each in self.locations),
            tariff=self.tariff,
            preference=wish.preference,
            pickup_at=wish.pickup_at,
        )
        try:
            return problem, decide(problem)
        except Unroutable as unroutable:
            raise Refusals(self._why(unroutable)) from unroutable

    def refusal(self, sku: Sku, wanted_units: int, available_units: int) -> Refusal:
        """Why so many units of that SKU cannot be promised."""
        path = ("input", "lines")
        if sku in self.unheard:
            return NotFound(what="SKU", name=sku, path=path)
        if self.silent:
            return StockUnknown(sku=sku, silent=" and ".join(sorted(self.silent)), path=path)
        return InsufficientStock(sku=sku, wanted_units=wanted_units, available_units=available_units, path=path)

    def record(
        self, problem: Problem, decision: Decision, *, order: OrderId | None, decision_id: str, at: datetime
    ) -> DecisionRecord:
        """The decision as it is kept, with its explanation and a fingerprint of what it was made on."""
        return DecisionRecord(
            id=decision_id,
            order=order,
            decided_at=at,
            policy=POLICY,
            policy_version=POLICY_VERSION,
            inputs_hash=hash_of(problem),
            decision=decision,
            explanation=explain(decision, {each.id: each.name for each in self.locations}),
        )

    def _why(self, unroutable: Unroutable) -> tuple[Refusal, ...]:
        excluded = [each.excluded_because for each in unroutable.considered]
        rules = {reason.code for reason in excluded if reason is not None} - {"STOCK", "SOURCE_UNKNOWN"}
        if all(reason is not None and reason.code in rules for reason in excluded):
            return (NoCandidate(why=f"No location can do this: {', '.join(sorted(rules))}."),)
        return tuple(self.refusal(sku, *units) for sku, units in unroutable.short.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """Sees the world for a decision, and previews decisions."""

    readings: Readings
    store: Store
    network: Network
    sources: Sources
    centroids: Centroids
    tariff: Tariff
    clock: Clock
    new_id: NewId
    deadline_s: float

    async def survey(self, skus: Iterable[Sku]) -> Landscape:
        """Look at everything that could matter for these SKUs, live where the source's freshness window has passed."""
        answers = await self.readings.read(tuple(skus), deadline_s=self.deadline_s)
        return Landscape(
            locations=self.network.all(),
            readings=current_readings(answers),
            silent=silent_sources(answers),
            unheard=never_carried(answers),
            safety_units={name: source.safety_units for name, source in self.sources.items()},
            centroids=self.centroids,
            tariff=self.tariff,
        )

    async def decided(self, skus: Iterable[Sku], decide: Callable[[Landscape], Awaitable[R]]) -> R:
        """What comes of deciding on what is seen now; seen again, where others decided on something newer in between."""
        wanted = frozenset(skus)
        for _ in range(LOOKS_MAX - 1):
            try:
                return await decide(await self.survey(wanted))
            except ReadingOutdated:
                continue
        return await decide(await self.survey(wanted))

    async def preview(self, wish: Wish) -> DecisionRecord:
        """Where it would come from if it were ordered now; nothing is stored.

        Raises:
            Refusals: It could not come from anywhere.
        """
        check_pickup(wish, self.network)
        skus = frozenset(line.sku for line in wish.lines)

        async def decide_on(landscape: Landscape) -> DecisionRecord:
            shelves = await self.store.shelves(skus)
            problem, decision = landscape.route(wish, lambda sku, at: shelves.get((sku, at)) or Shelf(sku=sku, location=at), {})
            return landscape.record(problem, decision, order=None, decision_id=self.new_id(), at=self.clock.now())

        return await self.decided(skus, decide_on)


def check_pickup(wish: Wish, network: Network) -> None:
    """A pickup, and nothing else, has a location where it is picked up.

    Raises:
        Invalid: It is missing, or out of place.
        NotFound: There is no such location.
    """
    path = ("input", "pickupAt")
    if wish.method is Method.PICKUP and wish.pickup_at is None:
        raise Invalid(problem="A pickup needs the location where it is picked up.", path=path)
    if wish.method is not Method.PICKUP and wish.pickup_at is not None:
        raise Invalid(problem="Only a pickup has a location where it is picked up.", path=path)
    if wish.pickup_at is not None:
        network.require(wish.pickup_at, path=path)


def allocate(books: Books, order: Order, landscape: Landscape, *, lines: tuple[Units, ...]) -> Order:
    """Give these units of an order locations: bind the stock, make the work, keep the decision and see to the requests.

    What is returned is not recorded yet. Locations that turned some of this order down before are not asked again.

    Raises:
        Refusals: They cannot come from anywhere; nothing was written.
    """
    pickup_at = None if order.pickup_at is None else LocationId(order.pickup_at)
    wish = Wish(lines=lines, to=order.to, method=order.method, preference=order.preference, pickup_at=pickup_at)
    refused = {work.location: "REJECTED_BEFORE" for work in order.fulfillment_orders if work.rejection is not None}
    own_demand = tally(order.unrouted) if order.id in books.orders else {}

    def shelf_of(sku: Sku, location: LocationId) -> Shelf:
        """Our promises there, but for the demand of this very order: it must not stand in its own way."""
        shelf = books.shelf(sku, location)
        return shelf if location != NETWORK else replace(shelf, committed_units=shelf.committed_units - own_demand.get(sku, 0))

    problem, decision = landscape.route(wish, shelf_of, refused)
    works = tuple(_work(books, order, landscape.locations, package.location, package.lines) for package in decision.packages)
    for work in works:
        books.commit(work)
        books.submit(work)
    books.settle(landscape.readings)
    books.keep(landscape.record(problem, decision, order=order.id, decision_id=books.new_id(), at=books.now))
    return replace(order, fulfillment_orders=(*order.fulfillment_orders, *works))


def hash_of(problem: Problem) -> str:
    """A fingerprint of everything that the decision was made on."""
    return hashlib.sha256(msgspec.json.encode(problem, order="sorted")).hexdigest()


def _candidate(location: Location, available: Mapping[Sku, int | None], excluded: Mapping[LocationId, str]) -> Candidate:
    return Candidate(
        location=location.id,
        position=location.position,
        available=available,
        methods=location.methods,
        excluded_because=excluded.get(location.id) or (None if location.active else "INACTIVE"),
    )


def _work(books: Books, order: Order, locations: Sequence[Location], at: LocationId, lines: Sequence[Demand]) -> FulfillmentOrder:
    source = next(each.source for each in locations if each.id == at)
    return FulfillmentOrder(
        id=FulfillmentOrderId(books.new_id()),
        location=at,
        source=source,
        method=order.method,
        lines=tuple(Units(sku=line.sku, units=line.units) for line in lines),
    )
