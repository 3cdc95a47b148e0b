"""From when an order is placed to when it is ready, for all locations at once: tables of the spells in which they work."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from gateway.domain.delivery.schedules import Ints, Spells

NEVER: Final = 2**40
"""Later than everything, and small enough that whatever is added to it stays a number."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Work:
    """The spells of work of T rows of hours. Instants are minutes since 1970; behind the last spell stands one that never comes.

    In what follows, ``rows`` are indices of rows, ``[X]``, and everything else is as long.

    Attributes:
        opens: When each begins. ``[T, K + 1]``
        cutoff: Until when something is taken up in it, ascending. ``[T, K + 1]``
        closes: When it ends. ``[T, K + 1]``
        before: Minutes worked before it. ``[T, K + 1]``
        done: Minutes worked by its end. ``[T, K + 1]``
        nth: Which day of work it belongs to, from 0. ``[T, K + 1]``
        starts: The first spell of each day of work. ``[T, N + 1]``
        days: The days of work, in days since 1970. ``[T, N + 1]``
    """

    opens: Ints
    cutoff: Ints
    closes: Ints
    before: Ints
    done: Ints
    nth: Ints
    starts: Ints
    days: Ints

    @classmethod
    def of(cls, spells: Sequence[Spells]) -> Self:
        """The tables of these rows of hours."""
        opens = table([each.opens for each in spells])
        return cls(
            opens=opens,
            cutoff=table([each.cutoff for each in spells]),
            closes=table([each.closes for each in spells]),
            before=table([each.before for each in spells]),
            done=table([each.done for each in spells]),
            nth=table([np.searchsorted(each.days, each.day) for each in spells]),
            starts=np.minimum(table([each.starts for each in spells]), opens.shape[1] - 1),
            days=table([each.days for each in spells]),
        )

    def taken(self, rows: Ints, placed: Ints) -> Ints:
        """The spell in which an order is taken up that is placed then."""
        passed: Ints = (self.cutoff[rows] < placed[:, None]).sum(axis=1)
        return passed

    def later(self, rows: Ints, spell: Ints, days: Ints) -> Ints:
        """Where work stands so many days of work later: at the start of a day, unless it is the same."""
        nth = np.minimum(self.nth[rows, spell] + days, self.starts.shape[1] - 1)
        found: Ints = np.where(days > 0, self.starts[rows, nth], spell)
        return found

    def after(self, rows: Ints, spell: Ints, begins: Ints, minutes: Ints) -> Ints:
        """The instant by which so many minutes were worked since it began, in that spell."""
        target = self.before[rows, spell] + begins - self.opens[rows, spell] + minutes
        last = self.opens.shape[1] - 1
        ends = np.minimum((self.done[rows] < target[:, None]).sum(axis=1), last)
        found = np.where(ends < last, self.opens[rows, ends] + target - self.before[rows, ends], NEVER)
        # No work at all is not done when the spell before was over, but when this one begins.
        return np.maximum(found, begins)

    def within(self, rows: Ints, at: Ints) -> Ints:
        """The first instant from then on that is in a spell."""
        spell = (self.closes[rows] < at[:, None]).sum(axis=1)
        found: Ints = np.maximum(at, self.opens[rows, np.minimum(spell, self.opens.shape[1] - 1)])
        return found

    def waits(self, rows: Ints, spell: Ints, backlog: "Backlog", units: int) -> Ints:
        """How many days of work go by until there is room for so many units more, taken up in that spell.

        Work waits in a queue: each day has room for ``units_per_day``, and what does not fit moves to the next. By day n, the room
        that nothing was there to fill is the most by which room ever exceeded work until then; an order is through once that has
        grown by its own units.
        """
        days = self.days[rows, :-1]
        booked = np.zeros(self.days[rows].shape, dtype=np.int64)
        places, columns = np.nonzero(backlog.booked)
        done_on = (days[places] < backlog.days[columns, None]).sum(axis=1)  # of what falls on a day off: the next day of work
        np.add.at(booked, (places, done_on), backlog.booked[places, columns])
        room = backlog.units_per_day[:, None] * np.arange(1, days.shape[1] + 1)
        unused = np.maximum.accumulate(np.maximum(room - booked[:, :-1].cumsum(axis=1), 0), axis=1)
        taken_on = np.minimum(self.nth[rows, spell], days.shape[1])
        unused_before = np.pad(unused, ((0, 0), (1, 0)))[np.arange(len(rows)), taken_on]
        through: Ints = (unused < (unused_before + units)[:, None]).sum(axis=1)
        return np.maximum(through - taken_on, 0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Backlog:
    """What some locations have promised already, by the local day on which they are to do it.

    Attributes:
        units_per_day: What each can do on a day. ``[X]``
        days: In days since 1970, ascending. ``[B]``
        booked: Units. ``[X, B]``
    """

    units_per_day: Ints
    days: Ints
    booked: Ints


def table(rows: Sequence[Ints]) -> Ints:
    """The rows one below the other, filled up with ``NEVER``, of which each has one at least."""
    found = np.full((len(rows), max(map(len, rows), default=0) + 1), NEVER, dtype=np.int64)
    for place, row in enumerate(rows):
        found[place, : len(row)] = row
    return found
