"""Orders of many lines: a bound by dual ascent, a good plan by search, and what no better plan can use.

Here each location and service is a facility that costs something to open and then something for each lot, which together is at most
what it really asks. Bids of the lines bound every plan from below (the Lagrangian relaxation of plant location, where Erlenkotter
1978 climbed by coordinates): whatever the bids, no plan costs less than their sum, less what is gained by them.
By how much the bound rises if a location has to be used says which locations no better plan can use.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from operator import attrgetter
from typing import Final

import numpy as np

from gateway.domain.plans.instance import Floats, Ints
from gateway.domain.plans.lots import FORBIDDEN_CENTS, Offers
from gateway.domain.plans.packages import Packages

# What effort is spent on, in its steps.
STEPS_OF_A_CELL: Final = 10
"""For looking at what one facility asks for one line."""
STEPS_OF_A_TRIAL: Final = 2_000
"""For each line of a plan that is tried."""
STEPS_OF_A_START: Final = 100
"""For each cell, until a plan is complete."""

ASCENT_STEPS_MAX: Final = 100
ASCENT_STEPS_MIN: Final = 10
PATIENCE: Final = 6
"""Steps of the ascent without a better bound, after which they become shorter."""
MEMORY: Final = 0.6
"""How much of its direction a step takes over from the one before: without it, steps zigzag."""

STARTS_MAX: Final = 12
PROMISING: Final = 2
"""Starts that are worth improving."""
LEAVING_MAX: Final = 2
"""Locations that may be closed at a time."""
LIKELY_MAX: Final = 2
"""Locations that are tried in their place."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bids:
    """What each line bids for a lot ``[m]``, the bound ``cents`` that this gives, and what each location has ``left`` of its price.

    ``left`` ``[L]`` is how much the bound rises if the location has to be used; what is below zero is in the bound already.
    """

    lot_cents: Floats
    cents: float
    left: Floats

    def needed(self, cents: float) -> Ints:
        """The locations that a plan that costs less may use."""
        return np.flatnonzero(self.left <= cents - self.cents)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Facilities:
    """What V services let L locations ask at least: to open, ``[V, L]``, and for each lot, ``[V, m, L]``.

    ``stock`` is what each has, if it has room for all of it; None: not all have. ``[V, m, L]``
    """

    offers: Offers
    lots: Ints
    open_cents: Floats
    lot_cents: Floats
    stock: Floats | None

    @classmethod
    def of(cls, offers: Offers) -> "Facilities":
        """Of all locations."""
        instance, cut = offers.instance, offers.cut
        lots = np.array(cut.shape) - 1
        grams, units = cut.units @ instance.grams, cut.units.sum(axis=1)
        package, gram, unit = (cents[instance.lane].T for cents in instance.postage.floor(int(grams.min()), int(grams @ lots)))
        lot_cents = offers.lot_cents + gram[:, None] * grams[:, None] + unit[:, None] * units[:, None]
        ample = instance.room.min() >= instance.wanted.sum()
        return cls(
            offers=offers,
            lots=lots,
            open_cents=offers.package_cents + package,
            lot_cents=lot_cents,
            stock=np.broadcast_to(offers.stock.astype(np.float64), lot_cents.shape) if ample else None,
        )

    @property
    def sufficient(self) -> bool:
        """Whether there is enough of every line, rooms aside."""
        reached = np.isfinite(self.open_cents).any(axis=0)
        return bool((self.offers.stock[:, reached].sum(axis=1) >= self.lots).all())

    def search(self, effort: int) -> tuple[Packages, Bids]:
        """A good plan, and the bids that bound all plans; there is enough of every line."""
        first = self.opened_greedily(np.ones(len(self.lots)))
        steps = effort // (STEPS_OF_A_CELL * self.lot_cents.size)
        bids = self.ascend(first.cents, min(max(steps, ASCENT_STEPS_MIN), ASCENT_STEPS_MAX))
        trials = effort // (STEPS_OF_A_TRIAL * len(self.lots) + STEPS_OF_A_CELL * self.lot_cents.size // LIKELY_MAX)
        starts = min(effort // (STEPS_OF_A_START * self.lot_cents.size), STARTS_MAX)
        likely = np.argsort(bids.left, kind="stable")[:starts].tolist()
        found = first, self.opened_greedily(bids.lot_cents), *(self.opened_from(location) for location in likely)
        promising = sorted(found, key=attrgetter("cents"))[:PROMISING]
        return min((self.improved(each, trials) for each in promising), key=attrgetter("cents")), bids

    def bound(self, bids: Floats) -> tuple[Bids, Floats]:
        """What those bids prove, and how many lots of each line they leave unsold (below zero: sell twice)."""
        gains = np.maximum(bids[:, None] - self.lot_cents, 0.0)
        sells = self._sells(gains) if self.stock is None else self.stock
        by_service = self.open_cents - np.einsum("vml,vml->vl", gains, sells)
        service = by_service.argmin(axis=0)
        left = by_service[service, np.arange(len(service))]
        opened = np.flatnonzero(left < 0)
        sold = sells[service[opened], :, opened] * (gains[service[opened], :, opened] > 0)
        cents = float(bids @ self.lots + left[opened].sum())
        return Bids(lot_cents=bids, cents=cents, left=left), self.lots - sold.sum(axis=0)

    def _sells(self, gains: Floats) -> Floats:
        """The lots by which each gains most where rooms are small, parts of lots allowed. ``[V, m, L]``."""
        stock, instance = self.offers.stock.astype(np.float64), self.offers.instance
        units = self.offers.cut.units.sum(axis=1)[:, None]
        order = (-gains / units).argsort(axis=1, kind="stable")
        offered = np.take_along_axis(np.broadcast_to(stock * units, gains.shape), order, axis=1)
        before = offered.cumsum(axis=1) - offered
        sells = np.empty_like(gains)
        np.put_along_axis(sells, order, np.clip(instance.room - before, 0, offered), axis=1)
        sells /= units
        return sells

    def ascend(self, target_cents: float, steps: int) -> Bids:
        """The best bids found on the way up from the cheapest shares; ``target_cents`` is what a plan costs, if there is one."""
        stock = self.offers.stock
        share = self.lot_cents + (self.open_cents / np.maximum(stock.sum(axis=0), 1))[:, None]
        best, unsold = self.bound(np.where(stock > 0, share, np.inf).min(axis=(0, 2)))
        bids, direction, length, idle = best.lot_cents, np.zeros(len(self.lots)), 1.0, 0
        target_cents = min(target_cents, 2 * abs(best.cents))
        for _ in range(steps):
            direction = unsold + MEMORY * direction
            square = float(direction @ direction)
            if square == 0 or best.cents >= target_cents:
                break
            bids = bids + length * max(target_cents - best.cents, 1.0) / square * direction
            now, unsold = self.bound(bids)
            idle = 0 if now.cents > best.cents else idle + 1
            best = max(best, now, key=attrgetter("cents"))
            if idle == PATIENCE:
                bids, length, idle = best.lot_cents, length / 2, 0
        return best

    def assigned(self, locations: Sequence[int]) -> Packages:
        """Every lot from where it is cheapest among some locations, at what that really costs."""
        opened = sorted(locations)
        return self.priced(opened, self._filled(opened)[0].T)

    def _filled(self, opened: list[int]) -> tuple[Ints, Floats]:
        """How many lots come from each of these locations when they fill up the cheapest first, and what one costs. ``[m, k]``."""
        lot_cents = self.lot_cents[:, :, opened].min(axis=0)
        lots = np.zeros(lot_cents.shape, dtype=np.int64)
        order, stock = lot_cents.argsort(axis=1, kind="stable"), self.offers.stock[:, opened]
        if self.stock is None:
            self._fill_rooms(lots, order, stock, self.offers.instance.room[opened].tolist())
        else:
            lines = np.arange(len(lots))[:, None]
            offered = stock[lines, order]
            before = offered.cumsum(axis=1) - offered
            lots[lines, order] = np.minimum(np.maximum(self.lots[:, None] - before, 0), offered)
        return lots, lot_cents

    def priced(self, locations: Sequence[int], lots: Ints) -> Packages:
        """What packages of so many lots ``[k, m]`` cost; there is no price for what is not covered, or for too many packages."""
        used = np.flatnonzero(lots.any(axis=1))
        places, lots = [locations[index] for index in used.tolist()], lots[used]
        lacking = int((self.lots - lots.sum(axis=0)).sum())
        few = self.offers.packages_max
        too_many = 0 if few is None else max(len(places) - few, 0)
        cents = float(self.offers.cents_of(np.array(places, dtype=np.int64), lots).sum()) + FORBIDDEN_CENTS * (lacking + too_many)
        return Packages(locations=tuple(places), lots=lots, cents=cents)

    def opened_greedily(self, worth: Floats) -> Packages:
        """Always open the location that asks least for what it adds, by what a lot of each line is ``worth``."""
        opened: list[int] = []
        left, stock, worth = self.lots.copy(), self.offers.stock, np.maximum(worth, 1.0)
        room, units = self.offers.instance.room, self.offers.cut.units.sum(axis=1)
        while left.any():
            useful = np.minimum(stock, left[:, None])
            useful[:, opened] = 0
            asked = (self.open_cents + (self.lot_cents * useful).sum(axis=1)).min(axis=0)
            value = worth @ useful
            if not value.any():
                break
            opened.append(int(np.where(value > 0, asked / np.maximum(value, 1.0), np.inf).argmin()))
            offered = useful[:, opened[-1]] * units
            left -= np.clip(room[opened[-1]] + offered - offered.cumsum(), 0, offered) // units
        return self.assigned(opened)

    def opened_from(self, location: int) -> Packages:
        """Always open the location with which everything would cost least."""
        opened = [location]
        most = min(int(self.lots.sum()), self.offers.stock.shape[1])
        while len(opened) < most and (self._filled(opened)[0].sum(axis=1) < self.lots).any():
            opened.append(int(self._with_another(opened).argmin()))
        return self.assigned(opened)

    def improved(self, best: Packages, trials: int) -> Packages:
        """Where so many trials with up to two locations fewer, and one more, lead to, as long as there is a better one."""
        neighbors = self._neighbors(best.locations)
        for _ in range(trials):
            locations = next(neighbors, None)
            if locations is None:
                break
            trial = self.assigned(locations)
            if trial.cents < best.cents:
                best, neighbors = trial, self._neighbors(trial.locations)
        return best

    def _neighbors(self, locations: Sequence[int]) -> Iterator[list[int]]:
        """What is left without none, one or two of the locations, alone and each with the likeliest other ones."""
        for leaving in chain.from_iterable(combinations(locations, many) for many in range(min(len(locations), LEAVING_MAX) + 1)):
            staying = [location for location in locations if location not in leaving]
            if leaving and staying:
                yield staying
            asked = self._with_another(staying)
            for another in np.argsort(asked, kind="stable")[:LIKELY_MAX].tolist():
                if np.isfinite(asked[another]):
                    yield [*staying, another]

    def _with_another(self, staying: list[int]) -> Floats:
        """What everything costs, about, if one more location is opened; infinity, if it is open. ``[L]``."""
        lots, lot_cents = self._filled(staying)
        filled_cents, lacking = (lots * lot_cents).sum(axis=1), self.lots - lots.sum(axis=1)
        stock, asked = self.offers.stock, self.lot_cents.min(axis=0)
        rest = np.where(stock >= lacking[:, None], filled_cents[:, None] + lacking[:, None] * asked, FORBIDDEN_CENTS)
        whole = np.where(stock >= self.lots[:, None], self.lots[:, None] * asked, FORBIDDEN_CENTS)
        total: Floats = self.open_cents.min(axis=0) + np.minimum(rest, whole).sum(axis=0)
        total[staying] = np.inf
        return total

    def _fill_rooms(self, lots: Ints, order: Ints, stock: Ints, rooms: list[int]) -> None:
        """Fill ``lots[m, k]``, line by line, as far as there is room."""
        units = self.offers.cut.units.sum(axis=1).tolist()
        for line, wanted in enumerate(self.lots.tolist()):
            for place in order[line].tolist():
                given = min(wanted, int(stock[line, place]), rooms[place] // units[line])
                lots[line, place] = given
                wanted -= given  # noqa: PLW2901 - what is left of it
                rooms[place] -= given * units[line]
