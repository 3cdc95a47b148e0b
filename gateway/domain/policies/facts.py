"""What rules ask about: an order, and a location."""

from dataclasses import dataclass
from datetime import datetime

from connectors.contract import Method, Sku
from gateway.domain.geography import PostalArea
from gateway.domain.identity import LocationId
from gateway.domain.locations import LocationKind


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFacts:
    """An order that is to be routed. ``customer_class`` None: nobody said; ``area`` is where it goes."""

    channel: str
    method: Method
    skus: frozenset[Sku]
    area: PostalArea
    placed_at: datetime
    customer_class: str | None = None

    @property
    def country(self) -> str:
        """Where it goes, ISO 3166-1 alpha-2."""
        return self.area[:2]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationFacts:
    """A location that could be asked."""

    location: LocationId
    code: str
    kind: LocationKind
    source: str
