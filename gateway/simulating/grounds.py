"""Which orders ways of routing are tried on, and which ways there are to try."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from gateway.domain.policies import RoutingPolicy
from gateway.domain.whatif import Case, Contender, going_by, history, resampled, ruled_by
from gateway.ports import Store
from gateway.services.whatif import IN_FORCE, recorded
from gateway.simulating.network import made_up

STRATEGIES: Final = ("fewest_splits", "closest", "priority")
"""What is tried when nothing is named: what others do."""
KNOWN_MAX: Final = 100


class Untried(ValueError):
    """It cannot be tried; the message says why, and what can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Orders, how they are routed now, and how else they may be. ``about`` says in words what orders these are."""

    about: str
    cases: Sequence[Case]
    in_force: Contender
    others: Sequence[Contender]


def made_up_ground(*, orders: int, seed: int, strategies: Sequence[str]) -> Ground:
    """A network for those who have none yet."""
    return Ground(
        about=f"{orders:,} simulated orders to a made-up network of 12 locations (seed {seed})",
        cases=made_up(orders=orders, seed=seed),
        in_force=Contender(name="least cost"),
        others=_others((), strategies or STRATEGIES),
    )


async def recorded_ground(
    store: Store, *, last: int, orders: int | None, seed: int, policies: Sequence[str], strategies: Sequence[str]
) -> Ground:
    """The last orders of a merchant; with ``orders``, so many that might come next, drawn from these.

    Raises:
        Untried: There is no such policy, or nothing to try it on.
    """
    in_force = {policy.name: policy for policy in await store.policies_in_force()}
    tried = [ruled_by(await _policy(store, named), in_force) for named in policies]
    cases = history(*await recorded(store, last))
    if not cases:
        raise Untried("no order was routed here yet: without --config, ways are tried on a network that is made up")
    about = f"the last {len(cases):,} decisions"
    if orders is not None:
        cases, about = (
            resampled(cases, orders, np.random.default_rng(seed)),
            f"{orders:,} simulated orders (seed {seed}), drawn from {about}",
        )
    return Ground(
        about=about,
        cases=cases,
        in_force=Contender(name=IN_FORCE, policies=in_force),
        others=_others(tried, strategies or (() if tried else STRATEGIES)),
    )


def _others(policies: Iterable[Contender], strategies: Iterable[str]) -> tuple[Contender, ...]:
    return (*policies, *map(going_by, strategies))


async def _policy(store: Store, named: str) -> RoutingPolicy:
    """``NAME@VERSION``, or the newest version of ``NAME``."""
    name, _, version = named.rpartition("@")
    if name and version.isascii() and version.isdecimal():
        found = await store.policy((name, int(version)))
    else:
        found = next(iter(await store.policies(name=named, state=None, after=None, limit=1)), None)
    if found is None:
        known = sorted({policy.name for policy in await store.policies(name=None, state=None, after=None, limit=KNOWN_MAX)})
        raise Untried(f"there is no policy {named!r}; there is {', '.join(known) or 'none yet'}")
    return found
