"""How likely a location is to turn work down, learned from what became of the work that it was given.

Each location's rate is the mean of a beta distribution whose prior is the rate of its kind; that of a kind has the prior that
nothing is ever turned down. What is longer ago counts for less.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from gateway.domain.fulfillments import FulfillmentOrder, FulfillmentStatus
from gateway.domain.identity import LocationId
from gateway.domain.locations import LocationKind

LOCATIONS_MAX: Final = 10_000
CENTS_MAX: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectionTerms:
    """How work that is turned down weighs in routing.

    Routing it once again costs ``reroute_cents``; 0: it does not weigh. A location's own record counts as much as that of its kind
    after ``prior_picks``, and half as much after every ``half_life_days``.
    """

    reroute_cents: int = 300
    prior_picks: int = 20
    half_life_days: int = 30

    def __post_init__(self) -> None:
        for name, least, most in (
            ("reroute_cents", 0, CENTS_MAX),
            ("prior_picks", 1, 10_000),
            ("half_life_days", 1, 3_650),
        ):
            if not least <= getattr(self, name) <= most:
                raise ValueError(f"{name} is between {least} and {most}, not {getattr(self, name)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PickSuccess:
    """How likely a location is to do the work that it is given, and on how much work that rests; what is longer ago counts less."""

    probability: float
    picks: float


@dataclass(slots=True)
class _Tally:
    """Work that was done or turned down, and how much of it was turned down, as of some instant."""

    picks: float = 0.0
    rejections: float = 0.0
    at: datetime | None = None

    def faded(self, at: datetime, half_life: timedelta) -> tuple[float, float]:
        """Both, as they count then. Of an instant before its own, as they count now: clocks differ."""
        share = 1.0 if self.at is None else 0.5 ** max((at - self.at) / half_life, 0.0)
        return self.picks * share, self.rejections * share

    def note(self, at: datetime, half_life: timedelta, *, turned_down: bool) -> None:
        """One more."""
        picks, rejections = self.faded(at, half_life)
        self.picks, self.rejections = picks + 1, rejections + turned_down
        self.at = at if self.at is None else max(at, self.at)


@dataclass(slots=True, kw_only=True)
class PickRecord:
    """What is known of all locations. Of no more than so many each is known by itself."""

    terms: RejectionTerms
    _locations: dict[LocationId, _Tally] = field(default_factory=dict)
    _kinds: dict[LocationKind, _Tally] = field(default_factory=dict)

    def note(self, location: LocationId, kind: LocationKind, at: datetime, *, turned_down: bool) -> None:
        """It did a piece of work, or turned it down."""
        self._kinds.setdefault(kind, _Tally()).note(at, self._half_life, turned_down=turned_down)
        if location in self._locations or len(self._locations) < LOCATIONS_MAX:
            self._locations.setdefault(location, _Tally()).note(at, self._half_life, turned_down=turned_down)

    def success(self, location: LocationId, kind: LocationKind, at: datetime) -> PickSuccess:
        """How likely it is to do what it is given then."""
        prior = self.terms.prior_picks
        picks, rejections = self._kinds.get(kind, _Tally()).faded(at, self._half_life)
        of_kind = rejections / (picks + prior)
        picks, rejections = self._locations.get(location, _Tally()).faded(at, self._half_life)
        return PickSuccess(probability=1 - (rejections + prior * of_kind) / (picks + prior), picks=picks)

    @property
    def _half_life(self) -> timedelta:
        return timedelta(days=self.terms.half_life_days)


def outcome(work: FulfillmentOrder) -> tuple[datetime, bool] | None:
    """When a piece of work ended, and whether it was turned down. None: it goes on, or nobody wanted it any more."""
    if work.rejection is not None:
        return work.rejection.at, True
    if work.status is FulfillmentStatus.CLOSED and work.shipments:
        return work.shipments[-1].shipped_at, False
    return None
