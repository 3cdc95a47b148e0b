"""Places that can fulfill."""

from dataclasses import dataclass
from enum import StrEnum

from connectors.contract import Address, Method, OpeningHours, RemoteLocationId
from gateway.domain.geography import GeoPoint
from gateway.domain.identity import LocationId, SourceName


class LocationKind(StrEnum):
    """What a place is to its customers.

    Attributes:
        WAREHOUSE: Nobody but staff goes there.
        STORE: Customers shop there.
        THIRD_PARTY: Somebody else stores and ships there.
    """

    WAREHOUSE = "WAREHOUSE"
    STORE = "STORE"
    THIRD_PARTY = "THIRD_PARTY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A place that can fulfill. ``code`` is for people, ``remote_id`` is the source's; ``position`` None: nobody knows where.

    ``units_per_day`` is what it can send or hand over on one local day, ``pickups_per_slot`` how many customers it can serve in
    each of its pickup slots of ``slot_minutes``; None: no limit, and no slots. ``schedule`` is the name of the hours it works by;
    None: those of its kind. ``groups`` are what routing policies may call it, together with others.
    """

    id: LocationId
    code: str
    name: str
    kind: LocationKind
    source: SourceName
    remote_id: RemoteLocationId
    time_zone: str
    position: GeoPoint | None = None
    address: Address | None = None
    methods: frozenset[Method] = frozenset({Method.SHIP})
    hours: tuple[OpeningHours, ...] = ()
    active: bool = True
    units_per_day: int | None = None
    slot_minutes: int | None = None
    pickups_per_slot: int | None = None
    schedule: str | None = None
    groups: frozenset[str] = frozenset()
