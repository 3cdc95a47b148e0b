"""Holding stock for a customer who has not decided yet."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from connectors.contract import Sku
from gateway.domain.books import Books, Sellable, ShelfKey
from gateway.domain.capacity import limit_at
from gateway.domain.fulfillments import Units, tally
from gateway.domain.identity import LocationId, ReservationId
from gateway.domain.refusals import Invalid, NotFound, Refusal, Refusals, ReservationExpired
from gateway.domain.reservations import HeldLine, Reservation, ReservationState, ReservationStep
from gateway.domain.stock import NETWORK
from gateway.ports import Clock, Once, Store, Touches, Writer
from gateway.services.network import Network
from gateway.services.routing import Landscape, Routing, promised

log = structlog.get_logger(__name__)

TTL_S_MAX: Final = 24 * 3600
SWEEP_EVERY_S: Final = 30.0
SWEEP_MAX: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservations:
    """Holds, extends and releases."""

    writer: Writer
    store: Store
    routing: Routing
    network: Network
    clock: Clock

    async def hold(
        self, lines: tuple[Units, ...], *, at: LocationId | None, slot: datetime | None = None, ttl_s: int, once: Once
    ) -> Reservation:
        """Keep these units for so many seconds, and with them what they need of the location's day and pickup slot: all or nothing.

        Raises:
            Refusals: One for each SKU that is short, and for each limit that is reached.
        """
        ttl = _ttl(ttl_s)
        await self._check(at, slot)

        async def hold_on(landscape: Landscape) -> Reservation:
            command = Hold(lines=lines, at=at, slot=slot, ttl=ttl, landscape=landscape)
            return await self.writer.submit(command, returns=Reservation, once=once)

        return await self.routing.decided(tally(lines), hold_on)

    async def move(
        self, reservation: ReservationId, *, to: LocationId | None, slot: datetime | None = None, once: Once
    ) -> Reservation:
        """Keep the units elsewhere from now on, without a gap: if they cannot be kept there, they stay where they are.

        Raises:
            Refusals: One for each SKU that is short there, and for each limit that is reached.
        """
        await self._check(to, slot)
        found = await self.store.reservation(reservation)
        if found is None:
            raise NotFound(what="reservation", name=reservation, path=("input", "id"))

        async def move_on(landscape: Landscape) -> Reservation:
            command = Move(reservation=reservation, to=to, slot=slot, landscape=landscape)
            return await self.writer.submit(command, returns=Reservation, once=once)

        return await self.routing.decided({line.sku for line in found.stock}, move_on)

    async def extend(self, reservation: ReservationId, *, ttl_s: int, once: Once) -> Reservation:
        """Keep them for so many seconds from now."""
        return await self.writer.submit(Extend(reservation=reservation, ttl=_ttl(ttl_s)), returns=Reservation, once=once)

    async def release(self, reservation: ReservationId, *, once: Once) -> Reservation:
        """Keep them no longer."""
        return await self.writer.submit(Release(reservation=reservation), returns=Reservation, once=once)

    async def sweep(self) -> None:
        """End holds whose time is up, until canceled. They have stopped counting already: this only keeps the books small."""
        while True:
            await asyncio.sleep(SWEEP_EVERY_S)
            try:
                if due := await self.store.due_reservations(limit=SWEEP_MAX):
                    await self.writer.submit(End(reservations=due), returns=type(None))
            except Exception:  # the database is away: they keep until it is back
                log.exception("holds_not_swept")

    async def find(self, reservation: ReservationId) -> Reservation | None:
        """That hold, as it is now: one whose time is up is over, though nobody has come by to say so."""
        found = await self.store.reservation(reservation)
        return None if found is None else as_of(found, self.clock.now())

    async def _check(self, at: LocationId | None, slot: datetime | None) -> None:
        if at is not None:
            await self.network.require(at, path=("input", "location"))
        elif slot is not None:
            raise Invalid(problem="A pickup slot is one of a location.", path=("input", "pickupSlot"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Keep units, at one location (perhaps for a pickup slot of it) or wherever routing will want them."""

    lines: tuple[Units, ...]
    at: LocationId | None
    ttl: timedelta
    landscape: Landscape
    slot: datetime | None = None

    @property
    def touches(self) -> Touches:
        """Our promises on these SKUs, and on the day and the slot."""
        return Touches(skus=frozenset(line.sku for line in self.lines) | _made_up(self.landscape, self.at, self.slot))

    def decide(self, books: Books) -> Reservation:
        """Count what is left; all or nothing."""
        lines, sellable = _found(books, self.landscape, tally(self.lines), at=self.at, slot=self.slot)
        reservation = Reservation(
            id=ReservationId(books.new_id()),
            lines=lines,
            created_at=books.now,
            expires_at=books.now + self.ttl,
            pickup_slot=self.slot,
        )
        return books.hold(reservation, sellable=sellable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Keep held units elsewhere."""

    reservation: ReservationId
    to: LocationId | None
    landscape: Landscape
    slot: datetime | None = None

    @property
    def touches(self) -> Touches:
        """The hold, and the day and the slot that it is moved to."""
        return Touches(reservations=frozenset({self.reservation}), skus=_made_up(self.landscape, self.to, self.slot))

    def decide(self, books: Books) -> Reservation:
        """Take the units up, then find room for them as for new ones: so they do not stand in their own way."""
        lifted = books.lift(books.reservation(self.reservation))
        wanted = {line.sku: line.units for line in lifted.stock}
        lines, sellable = _found(books, self.landscape, wanted, at=self.to, slot=self.slot)
        return books.hold(replace(lifted, lines=lines, pickup_slot=self.slot), sellable=sellable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extend:
    """Keep held units longer."""

    reservation: ReservationId
    ttl: timedelta

    @property
    def touches(self) -> Touches:
        """The hold."""
        return Touches(reservations=frozenset({self.reservation}))

    def decide(self, books: Books) -> Reservation:
        """Only a hold that is not over can be extended."""
        reservation = books.reservation(self.reservation).after(ReservationStep.EXTEND)
        return books.amend(replace(reservation, expires_at=books.now + self.ttl))


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Keep held units no longer."""

    reservation: ReservationId

    @property
    def touches(self) -> Touches:
        """The hold."""
        return Touches(reservations=frozenset({self.reservation}))

    def decide(self, books: Books) -> Reservation:
        """Releasing what is released already changes nothing: it is what was asked for."""
        reservation = books.reservation(self.reservation)
        if reservation.state is ReservationState.RELEASED:
            return reservation
        return books.end(reservation, ReservationStep.RELEASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """Write down that these holds are over. Loading them does it: the books end what is due before anything is decided."""

    reservations: frozenset[ReservationId]

    @property
    def touches(self) -> Touches:
        """The holds."""
        return Touches(reservations=self.reservations)

    def decide(self, _books: Books) -> None:
        """Nothing is left to decide."""


def _made_up(landscape: Landscape, at: LocationId | None, slot: datetime | None) -> frozenset[Sku]:
    """A hold without a location takes nobody's capacity."""
    return frozenset() if at is None else landscape.made_up(at, slot)


def _found(
    books: Books, landscape: Landscape, wanted: Mapping[Sku, int], *, at: LocationId | None, slot: datetime | None
) -> tuple[tuple[HeldLine, ...], Sellable]:
    """Where these units are kept, and how far the shelves there may fill.

    Raises:
        Refusals: Something of it cannot be kept.
    """
    shelves = books.shelves
    short = landscape.short_in_network(wanted, shelves)
    booked: tuple[Units, ...] = ()
    sellable: dict[ShelfKey, int] = {}
    full: tuple[Refusal, ...] = ()
    if at is None:
        sellable = {(sku, NETWORK): landscape.network_units(sku, shelves) for sku in wanted}
    else:
        if slot is not None:
            landscape.must_offer(at, slot, books.now)
        place = landscape.places[at]
        booked = landscape.bookings(place, sum(wanted.values()), slot=slot, kept=None)
        full = landscape.full(place, booked, shelves)
        for sku, units in wanted.items():
            key = (sku, at)
            sellable[key] = landscape.sellable(key, shelves.get(key)) or 0
            left = sellable[key] - promised(shelves.get(key))
            if left < units:
                _, elsewhere = short.get(sku, (units, left))
                short[sku] = (units, max(min(left, elsewhere), 0))
        sellable |= {(each.sku, at): limit for each in booked if (limit := limit_at(place, each.sku)) is not None}
    if short or full:
        raise Refusals((*(landscape.refusal(sku, *units) for sku, units in short.items()), *full))
    lines = (*(Units(sku=sku, units=units) for sku, units in wanted.items()), *booked)
    return tuple(HeldLine(sku=line.sku, units=line.units, location=at or NETWORK) for line in lines), sellable


def as_of(reservation: Reservation, now: datetime) -> Reservation:
    """The hold as it counts at that instant."""
    if reservation.state is ReservationState.ACTIVE and reservation.expires_at <= now:
        return reservation.after(ReservationStep.EXPIRE)
    return reservation


def usable(reservation: ReservationId, books: Books) -> Reservation:
    """The hold, if it still keeps its units.

    Raises:
        NotFound: There is none.
        ReservationExpired: It is over.
    """
    path = ("input", "reservation")
    found = books.reservations.get(reservation)
    if found is None:
        raise NotFound(what="reservation", name=reservation, path=path)
    if found.state is not ReservationState.ACTIVE:
        raise ReservationExpired(reservation=reservation, state=found.state.value, path=path)
    return found


def _ttl(ttl_s: int) -> timedelta:
    if not 1 <= ttl_s <= TTL_S_MAX:
        raise Invalid(problem=f"A hold lasts between 1 and {TTL_S_MAX} seconds.", path=("input", "ttlSeconds"))
    return timedelta(seconds=ttl_s)
