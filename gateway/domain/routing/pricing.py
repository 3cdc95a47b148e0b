"""A problem as the arrays that a search looks at, and its answers put back into the words of the domain."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from math import isnan

import numpy as np
from numpy.typing import NDArray

from connectors.contract import Method
from gateway.domain.plans import NO_POSTAGE, UNLIMITED, Floats, Instance, Ints, Plan, Postage, priced_whole
from gateway.domain.routing.decision import CostTerm, Package
from gateway.domain.routing.problem import NEVER, UNITS_MAX, Demand, Preference, Problem, Tariff, Term
from gateway.domain.routing.sites import Sites

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pricing:
    """The problem in arrays; a row of ``instance`` is a site, and the one after the last, if there is one, the waiting list.

    ``usable`` are the sites that no rule keeps out. ``[L]``
    """

    problem: Problem
    usable: Bools
    instance: Instance
    zones: Ints
    miles: Floats
    package_terms: Mapping[Term, Ints]
    unit_terms: Mapping[Term, Ints]

    @classmethod
    def of(cls, problem: Problem) -> "Pricing":
        """Price the order from every site; those that are not usable have nothing."""
        usable = _usable(problem)
        sites, tariff, sent = problem.sites, problem.tariff, problem.method is not Method.PICKUP
        wanted = np.array([line.units for line in problem.demand], dtype=np.int64)
        miles = sites.miles_to(problem.destination)
        zones = sites.zones(tariff.zones, problem.destination, problem.facts.area) if sent else np.ones(len(sites), dtype=np.int64)
        postage, lane, waiting_lane = _lanes(problem, zones) if sent else (NO_POSTAGE, np.zeros(len(sites), dtype=np.int64), 0)
        package_terms = _package_terms(problem, postage, lane, miles)
        # All of a line or nothing, unless lines may be split.
        split = problem.constraints.split_lines
        counted = np.maximum(problem.available, 0)
        if not usable.all():
            counted *= usable[:, None]
        stock = np.minimum(counted, wanted) if split else np.where(counted >= wanted, wanted, 0)
        instance = Instance(
            wanted=wanted,
            stock=stock,
            room=sites.unlimited if problem.room is None else np.maximum(problem.room, 0),
            package_cents=_total(package_terms, (len(sites),)),
            unit_cents=_total(problem.unit_terms, stock.shape),
            postage=postage,
            lane=lane,
            grams=np.array(problem.grams, dtype=np.int64),
            split_cents=float(problem.split_cents),
            whole_lines=not split,
            together=_groups(problem),
            packages_max=problem.constraints.packages_max,
            miles=np.fmin(miles, np.inf),
            rank=_rank(package_terms, sites),
        )
        return cls(
            problem=problem,
            usable=usable,
            instance=instance
            if problem.back_order_cents is None
            else _with_waiting_list(instance, waiting_lane, problem.back_order_cents),
            zones=zones,
            miles=miles,
            package_terms=package_terms,
            unit_terms=problem.unit_terms,
        )

    def unclipped(self) -> Instance:
        """The instance with all that each site has, even beyond what is wanted, for whoever goes by that."""
        has = np.where(self.usable[:, None], np.clip(self.problem.available, 0, UNITS_MAX), 0)
        stock = self.instance.stock.copy()
        stock[: len(has)] = np.maximum(stock[: len(has)], np.where(stock[: len(has)] > 0, has, 0))
        return replace(self.instance, stock=stock)

    def packages(self, plan: Plan) -> tuple[tuple[Package, ...], tuple[Demand, ...]]:
        """What each site sends, the largest package first, and what waits. Every package but the first pays for being one more."""
        sites = self.problem.sites
        rows: list[tuple[int, list[int]]] = list(zip(plan.locations.tolist(), plan.units.tolist(), strict=True))
        rows.sort(key=lambda each: (each[0] == len(sites), -sum(each[1]), each[0]))
        waits: tuple[Demand, ...] = ()
        packages = []
        for number, (row, units) in enumerate(rows):
            wanted = zip(self.problem.demand, units, strict=True)
            lines = tuple(Demand(sku=line.sku, units=count) for line, count in wanted if count)
            if row == len(sites):
                waits = lines
            else:
                packages.append(self._package(row, units, lines, further=number > 0))
        return tuple(packages), waits

    def alone_cents(self) -> Floats:
        """What the order costs from each site alone; infinity where that is not enough. ``[L]``."""
        cents, able = priced_whole(self.instance)
        return np.where(able, cents, np.inf)[: len(self.problem.sites)]

    def _package(self, row: int, units: list[int], lines: tuple[Demand, ...], *, further: bool) -> Package:
        problem, sent = self.problem, self.problem.method is not Method.PICKUP
        count = sum(units)
        costs: list[tuple[Term, int]] = []
        zone, miles, service = int(self.zones[row]), float(self.miles[row]), None
        if sent:
            grams = sum(each * many for each, many in zip(problem.grams, units, strict=True))
            option = self.instance.postage.service(int(self.instance.lane[row]), grams, count)
            service = self.instance.postage.services[option]
            days_late = 0 if problem.days_late is None else int(problem.days_late[row, option])
            costs.append((Term.POSTAGE, service.price_cents(zone, grams)))
            costs.append((Term.WAITING, count * problem.unit_day_cents * service.transit_days[zone - 1]))
            costs.append((Term.LATE, days_late * problem.late_day_cents))
        costs.append((Term.PARCEL, int(self.instance.split_cents) if further else 0))
        if self.package_terms or self.unit_terms:
            costs += self._beside(row, units)
        return Package(
            location=problem.sites.all[row].location,
            lines=lines,
            zone=zone if sent else None,
            miles=None if isnan(miles) else miles,
            transit_days=0 if service is None else service.transit_days[zone - 1],
            service=None if service is None else service.name,
            carrier=None if service is None else service.carrier,
            costs=tuple([CostTerm(name=term, cents=cents) for term, cents in costs if cents]),
        )

    def _beside(self, row: int, units: list[int]) -> list[tuple[Term, int]]:
        """What a package costs beside what carriers take, and what a further one does, in the order of terms."""
        found = {term: int(cents[row]) for term, cents in self.package_terms.items()}
        found |= {term: int((cents[row] * units).sum()) for term, cents in self.unit_terms.items()}
        return [(term, found[term]) for term in Term if term in found]


def _usable(problem: Problem) -> Bools:
    """The sites that no rule keeps out. ``[L]``."""
    sites = problem.sites
    usable = sites.offering[problem.method].copy()
    for location in problem.excluded:
        if location in sites.row:
            usable[sites.row[location]] = False
    if problem.pickup_at is not None:
        here = sites.row.get(problem.pickup_at)
        usable[np.arange(len(sites)) != here] = False
    return usable


def _lanes(problem: Problem, zones: Ints) -> tuple[Postage, Ints, int]:
    """What carriers take; which row of it is about which site, and which about what waits: goods that are nowhere come from afar.

    Sites of one zone that are equally late share a row.
    """
    tariff, farthest = problem.tariff, problem.tariff.zones.farthest
    if problem.days_late is None:
        return _lanes_by_zone(tariff, problem.unit_day_cents), zones - 1, farthest - 1
    waiting = np.array([[farthest, *[0] * len(tariff.routed)]])
    kinds, lane = np.unique(np.vstack([np.column_stack([zones, problem.days_late]), waiting]), axis=0, return_inverse=True)
    late = np.where(kinds[:, 1:] == NEVER, np.inf, kinds[:, 1:] * float(problem.late_day_cents))
    *lanes, waiting_lane = lane.reshape(-1).tolist()
    return _postage(tariff, problem.unit_day_cents, kinds[:, 0], late), np.array(lanes, dtype=np.int64), waiting_lane


@lru_cache(maxsize=64)
def _lanes_by_zone(tariff: Tariff, unit_day_cents: int) -> Postage:
    zones = np.arange(1, tariff.zones.farthest + 1)
    return _postage(tariff, unit_day_cents, zones, np.zeros((len(zones), len(tariff.routed))))


def _postage(tariff: Tariff, unit_day_cents: int, zone: Ints, package_cents: Floats) -> Postage:
    days = np.array([service.transit_days for service in tariff.routed], dtype=np.float64).T[zone - 1]
    return Postage(services=tariff.routed, zone=zone, package_cents=package_cents, unit_cents=days * float(unit_day_cents))


def _package_terms(problem: Problem, postage: Postage, lane: Ints, miles: Floats) -> Mapping[Term, Ints]:
    """The terms of a package, with what the customer's preference adds; no parcel is ever sent for the sake of a preference."""
    terms = dict(problem.package_terms)
    if Term.PREFERENCE in terms:
        lightest = postage.cents(np.array([min(problem.grams)]), np.array([1]))[lane, 0]
        terms[Term.PREFERENCE] = np.maximum(terms[Term.PREFERENCE], -np.where(np.isinf(lightest), 0, lightest).astype(np.int64))
    if problem.preference is Preference.GREENEST and problem.method is not Method.PICKUP:
        far = np.where(np.isnan(miles), max(problem.tariff.zones.miles_max, default=0), miles)
        terms[Term.DISTANCE] = np.rint(far / 100 * problem.tariff.greenest_hundred_miles_cents).astype(np.int64)
    return terms


def _total(terms: Mapping[Term, Ints], shape: tuple[int, ...]) -> Floats:
    total = np.zeros(shape)
    for cents in terms.values():
        total += cents
    return total


def _rank(package_terms: Mapping[Term, Ints], sites: Sites) -> Ints:
    """The sites by how much they are preferred, those preferred alike by their order."""
    preferred = package_terms.get(Term.PREFERENCE)
    return sites.rows if preferred is None else preferred.argsort(kind="stable").argsort()


def _groups(problem: Problem) -> tuple[tuple[int, ...], ...]:
    """The lines that travel together, by number. Groups that share a line are one group."""
    groups: list[set[int]] = []
    for skus in problem.constraints.together:
        lines = {number for number, line in enumerate(problem.demand) if line.sku in skus}
        touching = [group for group in groups if group & lines]
        groups = [group for group in groups if not group & lines] + [lines.union(*touching)]
    return tuple(tuple(sorted(group)) for group in groups if len(group) > 1)


def _with_waiting_list(instance: Instance, lane: int, unit_cents: int) -> Instance:
    """The instance with one more location, which has everything, at a penalty for each unit."""
    return Instance(
        wanted=instance.wanted,
        stock=np.vstack([instance.stock, instance.wanted]),
        room=np.append(instance.room, UNLIMITED),
        package_cents=np.append(instance.package_cents, 0.0),
        unit_cents=np.vstack([instance.unit_cents, np.full(len(instance.wanted), float(unit_cents))]),
        postage=instance.postage,
        lane=np.append(instance.lane, lane),
        grams=instance.grams,
        split_cents=instance.split_cents,
        whole_lines=instance.whole_lines,
        together=instance.together,
        packages_max=instance.packages_max,
        miles=np.append(instance.miles, np.inf),
        rank=np.append(instance.rank, len(instance.rank)),
    )
