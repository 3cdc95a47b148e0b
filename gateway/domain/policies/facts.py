"""What rules ask about: an order, and a location."""

from dataclasses import dataclass
from datetime import datetime

import msgspec

from connectors.contract import Method, Sku
from gateway.domain.geography import PostalArea
from gateway.domain.identity import LocationId
from gateway.domain.locations import LocationKind


class OrderFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An order that is to be routed. ``customer_class`` and ``value_cents`` None: nobody said; ``area`` is where it goes.

    ``tags`` are those of any of its SKUs, sorted. A structure, since it has a fingerprint: what has a default is left out where it
    is not said, so that facts which were kept before anybody could say it are still the same.
    """

    channel: str
    method: Method
    skus: frozenset[Sku]
    area: PostalArea
    placed_at: datetime
    customer_class: str | None
    value_cents: int | None = None
    tags: tuple[str, ...] = ()

    @property
    def country(self) -> str:
        """Where it goes, ISO 3166-1 alpha-2."""
        return self.area[:2]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationFacts:
    """A location that could be asked, and the ``groups`` that the merchant has put it in."""

    location: LocationId
    code: str
    kind: LocationKind
    source: str
    groups: frozenset[str] = frozenset()
