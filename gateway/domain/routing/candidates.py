"""Every location that was considered for an order, and what there is to say of each."""

from collections.abc import Iterator, Mapping

import msgspec

from connectors.contract import Sku
from gateway.domain.identity import LocationId
from gateway.domain.routing.reason import Reason


class Shortage(msgspec.Struct, frozen=True, kw_only=True):
    """So many units of a SKU a location would have needed, and so many may be promised there. ``has`` None: nobody knows."""

    sku: Sku
    needs: int
    has: int | None


class Counterfactual(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The least that a location would have needed to be chosen; with one unit less of anything, it would not have been.

    ``room`` is how many units it would have needed room for; None: it has enough. ``saves_cents`` 0: it would have saved a package.
    """

    saves_cents: int
    short: tuple[Shortage, ...] = ()
    room: int | None = None


class Considered(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One candidate.

    ``excluded_because`` is why it could not take part; ``against`` what was against one that could: why it does not send what one
    of those chosen does. ``regret_cents``: the best plan in which it sends at least one unit, less the chosen plan; None when it
    cannot take part, or the order is too large to say. ``alone_cents``: what the order would cost from there alone; None when it
    cannot be.
    """

    location: LocationId
    chosen: bool = False
    excluded_because: Reason | None = None
    against: Reason | None = None
    regret_cents: int | None = None
    alone_cents: int | None = None
    counterfactual: Counterfactual | None = None

    @property
    def cheaper_cents(self) -> int | None:
        """A package from there would have had to cost so much less for it to be chosen whatever comes first. None: no telling."""
        return None if self.chosen or self.regret_cents is None else self.regret_cents + 1


class Candidates(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Every candidate once: the chosen, then by regret, then those of unknown regret, then the excluded.

    They are kept column by column, because there are so many of them, and few reasons; one at a time they are ``Considered``.

    Attributes:
        locations: Which they are.
        chosen: So many were, the first.
        excluded: So many could not take part, the last.
        regret_cents: Of all those whose regret is known.
        alone_cents: Of all that could take part.
        reasons: Each that there is, once.
        why: Which of these is against each; −1: none.
        counterfactuals: Of those that have one, by their place.
    """

    locations: tuple[LocationId, ...] = ()
    chosen: int = 0
    excluded: int = 0
    regret_cents: tuple[int, ...] = ()
    alone_cents: tuple[int | None, ...] = ()
    reasons: tuple[Reason, ...] = ()
    why: tuple[int, ...] = ()
    counterfactuals: Mapping[int, Counterfactual] = {}

    def __len__(self) -> int:
        return len(self.locations)

    def __iter__(self) -> Iterator[Considered]:
        return map(self.__getitem__, range(len(self.locations)))

    def __getitem__(self, place: int) -> Considered:
        out = place >= len(self.locations) - self.excluded
        why = None if self.why[place] < 0 else self.reasons[self.why[place]]
        return Considered(
            location=self.locations[place],
            chosen=place < self.chosen,
            excluded_because=why if out else None,
            against=None if out else why,
            regret_cents=self.regret_cents[place] if place < len(self.regret_cents) else None,
            alone_cents=self.alone_cents[place] if place < len(self.alone_cents) else None,
            counterfactual=self.counterfactuals.get(place),
        )
