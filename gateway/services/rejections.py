"""Who turns work down how often, as far as orders tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from gateway.domain.events import OrderEvent
from gateway.domain.identity import LocationId
from gateway.domain.locations import Location
from gateway.domain.rejections import PickRecord, PickSuccess, RejectionTerms, outcome
from gateway.ports import Clock, Store
from gateway.services.network import Network

log = structlog.get_logger(__name__)

PAGE: Final = 200
RECALLED_MAX: Final = 20_000
TELLING: Final = frozenset({"fulfillment.rejected", "fulfillment.shipped"})


@dataclass(slots=True, kw_only=True)
class Rejections:
    """Learns from events, whichever gateway wrote them; after a start, from the newest that the database still has.

    ``odds`` is how likely each location is to turn work down; where nothing was ever turned down, it is left out.
    """

    store: Store
    network: Network
    clock: Clock
    terms: RejectionTerms
    odds: Mapping[LocationId, float] = field(init=False, default_factory=dict)
    _record: PickRecord = field(init=False)

    def __post_init__(self) -> None:
        self._record = PickRecord(terms=self.terms)

    async def run(self, newest: int) -> None:
        """Recall what happened up to that event: those after it are heard."""
        try:
            oldest, _ = await self.store.event_bounds()
            position = max(oldest - 1, newest - RECALLED_MAX, 0)
            while position < newest:
                events = await self.store.events(after=position, limit=PAGE)
                if not events:
                    break
                self.hear([event for event in events if event.seq <= newest])
                position = events[-1].seq
        except Exception:  # the database is away: what is heard from now on has to do
            log.exception("rejections_not_recalled")

    def hear(self, events: Sequence[OrderEvent]) -> None:
        """Learn from what has just happened."""
        if sum(self._learn(event) for event in events if event.type in TELLING):
            self.odds = {
                place.id: 1 - found.probability for place in self.network.all() if (found := self.success(place)).probability < 1
            }

    def success(self, place: Location) -> PickSuccess:
        """How likely that location is to do what it is given now."""
        return self._record.success(place.id, place.kind, self.clock.now())

    def _learn(self, event: OrderEvent) -> int:
        """How much work ended by it. The order is as it was then: of the works that ended, those ended just then."""
        learned = 0
        for work in event.order.fulfillment_orders:
            ended, place = outcome(work), self.network.get(work.location)
            if ended is not None and ended[0] == event.occurred_at and place is not None:
                self._record.note(place.id, place.kind, ended[0], turned_down=ended[1])
                learned += 1
        return learned
