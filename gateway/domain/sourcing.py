"""How an order was routed, as it is kept."""

from dataclasses import dataclass
from datetime import datetime

from gateway.domain.delivery import Promise
from gateway.domain.identity import OrderId
from gateway.domain.policies import PolicyKey, Rule
from gateway.domain.routing import Decision, Inputs


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRecord:
    """A decision, what it was made on, and when.

    ``rule`` is the one of the policy that it was made by, without the parts that were ``relaxed``. ``inputs_hash`` is the digest
    of the ``inputs``, which are None of decisions that were kept before inputs were. ``own_rule`` is the rule itself, where it
    is of no policy that is kept: somebody chose the locations. ``promises`` are what the customer was told of its packages.
    ``price_book`` is the version of the prices that counted; None: there were none.
    """

    id: str
    order: OrderId | None
    decided_at: datetime
    policy: str
    policy_version: int
    inputs_hash: str
    decision: Decision
    explanation: str
    inputs: Inputs | None = None
    rule: str = ""
    relaxed: tuple[str, ...] = ()
    promises: tuple[Promise, ...] = ()
    own_rule: Rule | None = None
    price_book: int | None = None

    @property
    def policy_key(self) -> PolicyKey:
        """By which version of which policy; version 0: by none that is kept."""
        return self.policy, self.policy_version
