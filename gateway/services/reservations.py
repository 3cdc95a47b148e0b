"""Holding stock for a customer who has not decided yet."""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from gateway.domain.books import Books
from gateway.domain.fulfillments import Units, tally
from gateway.domain.identity import LocationId, ReservationId
from gateway.domain.refusals import Invalid, NotFound, Refusals, ReservationExpired
from gateway.domain.reservations import HeldLine, Reservation, ReservationState, ReservationStep
from gateway.domain.stock import NETWORK
from gateway.ports import Clock, Once, Store, Touches, Writer
from gateway.services.network import Network
from gateway.services.routing import Landscape, Routing

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

    async def hold(self, lines: tuple[Units, ...], *, at: LocationId | None, ttl_s: int, once: Once) -> Reservation:
        """Keep these units for so many seconds: all of them, or none.

        Raises:
            Refusals: One for each SKU that is short.
        """
        ttl = _ttl(ttl_s)
        if at is not None:
            self.network.require(at, path=("input", "location"))

        async def hold_on(landscape: Landscape) -> Reservation:
            return await self.writer.submit(Hold(lines=lines, at=at, ttl=ttl, landscape=landscape), returns=Reservation, once=once)

        return await self.routing.decided(tally(lines), hold_on)

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Keep units, at one location or wherever routing will want them."""

    lines: tuple[Units, ...]
    at: LocationId | None
    ttl: timedelta
    landscape: Landscape

    @property
    def touches(self) -> Touches:
        """Our promises on these SKUs."""
        return Touches(skus=frozenset(line.sku for line in self.lines))

    def decide(self, books: Books) -> Reservation:
        """Count what is left; all or nothing."""
        wanted = tally(self.lines)
        promisable = self.landscape.promisable_everywhere(wanted, books.shelf)
        short = self.landscape.short_in_network(wanted, promisable, books.shelf)
        if self.at is not None:
            here = {sku: units or 0 for sku, units in promisable[self.at].items()}
            short |= {sku: (units, max(here[sku], 0)) for sku, units in wanted.items() if here[sku] < units}
        if short:
            raise Refusals(tuple(self.landscape.refusal(sku, *units) for sku, units in short.items()))
        place = self.at or NETWORK
        return books.hold(
            Reservation(
                id=ReservationId(books.new_id()),
                lines=tuple(HeldLine(sku=sku, units=units, location=place) for sku, units in wanted.items()),
                created_at=books.now,
                expires_at=books.now + self.ttl,
            )
        )


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
