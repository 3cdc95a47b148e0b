"""What is on the shelves of a way of routing that was never tried."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np

from connectors.contract import Sku
from gateway.domain.identity import LocationId
from gateway.domain.locations import LocationKind
from gateway.domain.plans import Ints
from gateway.domain.routing import UNKNOWN, Problem, Sites
from gateway.domain.whatif.cases import Case


@dataclass(slots=True, kw_only=True)
class Shelves:
    """How many units more, or fewer, there are than were recorded: what was really taken so far, less what this way has taken.

    Whatever arrived, was counted again or was sold elsewhere in the meantime is in the record, and so in here. Work that a location
    has room for on a day is kept in the same manner; days are those of UTC.
    """

    _more: defaultdict[Sku, Counter[LocationId]] = field(default_factory=lambda: defaultdict(Counter))
    _room: defaultdict[date, Counter[LocationId]] = field(default_factory=lambda: defaultdict(Counter))
    _first: dict[Sku, tuple[Sites, Ints]] = field(default_factory=dict)
    _last: dict[Sku, tuple[Sites, Ints]] = field(default_factory=dict)

    def seen(self, problem: Problem) -> Problem:
        """The problem as this way of routing would have met it; the same object where nothing differs."""
        available, room = problem.available.copy(), None if problem.room is None else problem.room.copy()
        for column, line in enumerate(problem.demand):
            _shift(available[:, column], problem.sites, self._more[line.sku])
        if room is not None:
            _shift(room, problem.sites, self._room[problem.at.date()])
        same_room = room is None or problem.room is None or np.array_equal(room, problem.room)
        if same_room and np.array_equal(available, problem.available):
            return problem
        return replace(problem, available=available, room=room)

    def take(self, case: Case, problem: Problem, taken: Ints) -> None:
        """This way has taken that for the order, of the stock in ``problem``."""
        really = np.zeros_like(taken) if case.taken is None else case.taken
        more = really - taken
        for row, column in zip(*map(np.ndarray.tolist, more.nonzero()), strict=True):
            self._more[problem.demand[column].sku][problem.sites.all[row].location] += int(more[row, column])
        if problem.room is not None:
            for row in more.sum(axis=1).nonzero()[0].tolist():
                self._room[problem.at.date()][problem.sites.all[row].location] += int(more[row].sum())
        for column, line in enumerate(problem.demand):
            self._first.setdefault(line.sku, (problem.sites, problem.available[:, column]))
            self._last[line.sku] = (problem.sites, problem.available[:, column] - taken[:, column])

    def emptied_in_stores(self) -> int:
        """Shelves of stores that had something when they were first seen, and had nothing when they were last."""
        return sum(_emptied(*self._first[sku], *last) for sku, last in self._last.items())


def _emptied(sites: Sites, first: Ints, sites_then: Sites, last: Ints) -> int:
    """Stores' shelves of one SKU, each time with the sites that the numbers are about."""
    rows = [
        (row, sites_then.row[site.location])
        for row, site in enumerate(sites.all)
        if site.kind is LocationKind.STORE and site.location in sites_then.row
    ]
    return sum(bool(first[row] > 0 and UNKNOWN < last[then] <= 0) for row, then in rows)


def _shift(column: Ints, sites: Sites, more: Counter[LocationId]) -> None:
    for location, units in more.items():
        row = sites.row.get(location)
        if row is not None and column[row] != UNKNOWN:
            column[row] += units
