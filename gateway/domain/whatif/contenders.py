"""Ways of routing that can be compared."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from gateway.domain.plans import Strategy
from gateway.domain.plans.strategies import UnknownStrategy, strategy_of
from gateway.domain.policies import BUILT_IN, DEFAULT, Objective, RoutingPolicy, Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One way of routing all orders: those of a policy by the policy of that name, all others ``otherwise``."""

    name: str
    policies: Mapping[str, RoutingPolicy] = field(default_factory=dict)
    otherwise: RoutingPolicy = BUILT_IN

    def policy(self, name: str) -> RoutingPolicy:
        """By which orders are routed that are to be routed by that policy."""
        return self.policies.get(name, self.otherwise)


def activated(policy: RoutingPolicy, in_force: Mapping[str, RoutingPolicy]) -> Contender:
    """As things are once this version is in force: orders of other policies stay with theirs."""
    return Contender(name=f"{policy.name}@{policy.version}", policies={**in_force, policy.name: policy})


def ruled_by(policy: RoutingPolicy, in_force: Mapping[str, RoutingPolicy]) -> Contender:
    """The same, but where no policy of its name is in force, and so no order goes by it: in the place of the default."""
    if policy.name in in_force:
        return activated(policy, in_force)
    return replace(activated(policy, in_force), policies={**in_force, DEFAULT: policy})


def going_by(strategy: str) -> Contender:
    """Every order by that strategy, whatever policies say.

    Raises:
        UnknownStrategy: It is not installed.
    """
    strategy_of(strategy)
    rule = Rule(name=strategy, objective=Objective(strategy=strategy))
    return Contender(name=strategy, otherwise=RoutingPolicy(name=strategy, version=0, rules=(rule,), changes=()))


def strategies_of(contenders: Iterable[Contender]) -> dict[str, Strategy]:
    """Every strategy that they name and that is installed: without the others, orders are routed where they cost least."""
    policies = [policy for each in contenders for policy in (each.otherwise, *each.policies.values())]
    names = {rule.objective.strategy for policy in policies for rule in policy.rules}
    found: dict[str, Strategy] = {}
    for name in sorted(names):
        with suppress(UnknownStrategy):
            found[name] = strategy_of(name)
    return found
