"""A problem as it is kept beside its decision, before any rule was applied: it can be decided again, by that rule or another."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from functools import cached_property
from hashlib import sha256

import msgspec
import numpy as np

from connectors.contract import Method
from gateway.domain.geography import GeoPoint
from gateway.domain.identity import LocationId, SourceName
from gateway.domain.plans import Ints
from gateway.domain.policies import OrderFacts
from gateway.domain.routing.problem import Demand, Preference, Problem, Tariff, Term
from gateway.domain.routing.reason import Reason
from gateway.domain.routing.sites import Site, Sites

Rows = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, kw_only=True)  # without slots: its digest stays with it
class World:
    """What changes seldom, and is kept once for all the decisions that were made in it."""

    sites: tuple[Site, ...]
    tariff: Tariff

    @cached_property
    def body(self) -> bytes:
        """As it is kept."""
        return msgspec.json.encode({"sites": self.sites, "tariff": self.tariff}, order="sorted")

    @cached_property
    def digest(self) -> str:
        """A fingerprint of it."""
        return sha256(self.body).hexdigest()


class Inputs(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is particular to one decision; arrays are kept row by row. ``world`` is the digest of the rest.

    What came later has a default, and is left out where there is none of it: digests stay what they were.
    """

    world: str
    facts: OrderFacts
    at: datetime
    demand: tuple[Demand, ...]
    grams: tuple[int, ...]
    available: Rows
    method: Method
    destination: GeoPoint | None
    preference: Preference
    read_at: Mapping[SourceName, datetime]
    safety_units: Mapping[SourceName, int]
    excluded: Mapping[LocationId, Reason]
    room: tuple[int, ...] | None
    pickup_at: LocationId | None
    package_terms: Mapping[Term, tuple[int, ...]]
    unit_terms: Mapping[Term, Rows]
    days_late: Rows | None
    back_order_cents: int | None
    missed: Mapping[LocationId, time] = {}

    @property
    def digest(self) -> str:
        """A fingerprint of everything that was decided on."""
        return sha256(msgspec.json.encode(self, order="sorted")).hexdigest()


def inputs_of(problem: Problem, world: World) -> Inputs:
    """What is to be kept of a problem, beside its world."""
    return Inputs(
        world=world.digest,
        facts=problem.facts,
        at=problem.at,
        demand=problem.demand,
        grams=problem.grams,
        available=_rows(problem.available),
        method=problem.method,
        destination=problem.destination,
        preference=problem.preference,
        read_at=problem.read_at,
        safety_units=problem.safety_units,
        excluded=problem.excluded,
        room=None if problem.room is None else tuple(problem.room.tolist()),
        pickup_at=problem.pickup_at,
        package_terms={term: tuple(cents.tolist()) for term, cents in problem.package_terms.items()},
        unit_terms={term: _rows(cents) for term, cents in problem.unit_terms.items()},
        days_late=None if problem.days_late is None else _rows(problem.days_late),
        back_order_cents=problem.back_order_cents,
        missed=problem.missed,
    )


def problem_of(inputs: Inputs, world: World) -> Problem:
    """The problem that these were kept of."""
    return Problem(
        facts=inputs.facts,
        at=inputs.at,
        demand=inputs.demand,
        grams=inputs.grams,
        sites=Sites(all=world.sites),
        available=_array(inputs.available).reshape(len(world.sites), len(inputs.demand)),
        method=inputs.method,
        destination=inputs.destination,
        tariff=world.tariff,
        preference=inputs.preference,
        read_at=inputs.read_at,
        safety_units=inputs.safety_units,
        excluded=inputs.excluded,
        room=None if inputs.room is None else _array(inputs.room),
        pickup_at=inputs.pickup_at,
        package_terms={term: _array(cents) for term, cents in inputs.package_terms.items()},
        unit_terms={term: _array(cents) for term, cents in inputs.unit_terms.items()},
        days_late=None if inputs.days_late is None else _array(inputs.days_late),
        back_order_cents=inputs.back_order_cents,
        missed=inputs.missed,
    )


def _rows(array: Ints) -> Rows:
    return tuple(map(tuple, array.tolist()))


def _array(rows: object) -> Ints:
    return np.array(rows, dtype=np.int64)
