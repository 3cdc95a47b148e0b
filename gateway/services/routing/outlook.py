"""What is known beside stock when an order is routed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.domain.identity import LocationId
from gateway.domain.plans import Strategy
from gateway.domain.plans.strategies import STRATEGIES
from gateway.domain.policies import BUILT_IN, DEFAULT, RoutingPolicy, Tags
from gateway.domain.pricing import PriceBook
from gateway.domain.refusals import NotFound

UNTAGGED: Final = Tags()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """How the merchant wants orders routed: the ``policies`` in force, and the ``strategies`` and ``tags`` that they may name.

    ``prices`` of what is scarce; None: all are zero. ``odds`` is how likely locations are to turn work down, where they ever
    did, and ``reroute_cents`` what it costs to route it again.
    """

    policies: Mapping[str, RoutingPolicy] = field(default_factory=dict)
    strategies: Mapping[str, Strategy] = field(default_factory=lambda: STRATEGIES)
    tags: Tags = UNTAGGED
    prices: PriceBook | None = None
    odds: Mapping[LocationId, float] = field(default_factory=dict)
    reroute_cents: int = 0

    def policy(self, name: str | None) -> RoutingPolicy:
        """The policy with that name, or the one for orders that name none.

        Raises:
            NotFound: None of that name is in force.
        """
        found = self.policies.get(name or DEFAULT)
        if found is not None:
            return found
        if name in {None, DEFAULT}:
            return BUILT_IN
        raise NotFound(what="routing policy", name=name or "", path=("input", "policy"))


NO_POLICIES: Final = Outlook()
"""Nothing but stock is known."""
