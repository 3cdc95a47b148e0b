"""The board of the day, and what can be promised to a customer by it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta

from connectors.contract import Address, Method
from gateway.domain.capacity import day_named, day_of
from gateway.domain.delivery import AHEAD_DAYS, Board, Booked, Prospect, Terms, first_day
from gateway.domain.geography import Centroids
from gateway.domain.identity import LocationId
from gateway.domain.rates import ZoneTable
from gateway.domain.routing import Tariff
from gateway.ports import Store
from gateway.services.atlas import Atlas
from gateway.services.network import Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospects:
    """What can be promised to anybody: the board of the day, and what locations have promised to others."""

    board: Board
    terms: Terms
    zones: ZoneTable
    centroids: Centroids
    booked: Booked

    def with_cutoffs(self, cutoffs: Mapping[LocationId, time], now: datetime) -> "Prospects":
        """The same, if these locations took orders until then."""
        locations, terms = self.terms.with_cutoffs(self.board.locations, cutoffs)
        return replace(self, board=Board.of(locations, self.board.road.services, terms, now), terms=terms)

    def of(self, to: Address, now: datetime, method: Method = Method.SHIP) -> Prospect:
        """What can be promised there now."""
        return Prospect(
            board=self.board,
            terms=self.terms,
            zones=self.zones,
            to=to,
            there=self.centroids.locate(to),
            now=now,
            booked=self.booked,
            method=method,
        )


@dataclass(slots=True, kw_only=True)
class Timetable:
    """When every location works and every carrier comes: worked out once a day, and when locations change."""

    network: Network
    store: Store
    centroids: Centroids
    tariff: Tariff
    terms: Terms
    _atlas: Atlas | None = field(default=None, init=False)
    _board: Board | None = field(default=None, init=False)

    def board(self, now: datetime) -> Board:
        """All locations by id, and the services by which orders are sent as the tariff has them."""
        atlas = self.network.atlas()
        if self._board is None or self._board.first != first_day(now) or self._atlas is not atlas:
            self._atlas, self._board = atlas, Board.of(atlas.in_order, self.tariff.routed, self.terms, now)
        return self._board

    async def prospects(self, now: datetime) -> Prospects:
        """What can be promised to anybody now.

        Raises:
            StoreUnavailable: Nobody can tell how much our locations have to do.
        """
        board = self.board(now)
        booked = await self.booked(board)
        return Prospects(board=board, terms=self.terms, zones=self.tariff.zones, centroids=self.centroids, booked=booked)

    async def prospect(self, to: Address, now: datetime, method: Method = Method.SHIP) -> Prospect:
        """What can be promised there now.

        Raises:
            StoreUnavailable: Nobody can tell how much our locations have to do.
        """
        return (await self.prospects(now)).of(to, now, method)

    async def booked(self, board: Board) -> Booked:
        """What is held and committed of the days of those locations that can only do so much on one."""
        if not board.is_limited:
            return {}
        shelves = await self.store.shelves([day_of(board.first + timedelta(days=day)) for day in range(AHEAD_DAYS)])
        days = ((location, day_named(sku), shelf.held_units + shelf.committed_units) for (sku, location), shelf in shelves.items())
        return {(location, day): units for location, day, units in days if day is not None}
