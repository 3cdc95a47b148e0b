"""Writing routing policies, putting them into force, and knowing those in force."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from gateway.domain.books import Books
from gateway.domain.plans import Strategy
from gateway.domain.plans.strategies import STRATEGIES, UnknownStrategy, strategy_of
from gateway.domain.policies import (
    Contradiction,
    PolicyChange,
    PolicyKey,
    PolicyState,
    PolicyStep,
    RoutingPolicy,
    Rule,
    contradictions,
)
from gateway.domain.refusals import ContradictoryRule, Invalid, Refusals
from gateway.ports import Once, Store, Touches, Writer

log = structlog.get_logger(__name__)

RENEW_EVERY_S: Final = 1.0


@dataclass(slots=True, kw_only=True)
class Policies:
    """How merchants say what routing shall do.

    ``in_force`` are the versions by which orders are routed, by name, and ``strategies`` those that they may go by. What is changed
    here is in force here at once; other gateways on the same database go by it ``renew_every_s`` later at most.
    """

    writer: Writer
    store: Store
    renew_every_s: float = RENEW_EVERY_S
    in_force: Mapping[str, RoutingPolicy] = field(init=False, default_factory=dict)
    strategies: Mapping[str, Strategy] = field(init=False, default_factory=lambda: STRATEGIES)
    _asked: int = field(init=False, default=0)
    _answered: int = field(init=False, default=0)

    async def load(self) -> None:
        """Go by what is in force now. An answer that has been overtaken by a later one is not listened to."""
        self._asked = asked = self._asked + 1
        found = await self.store.policies_in_force()
        if asked > self._answered:
            self._answered, self.in_force = asked, {policy.name: policy for policy in found}
            self.strategies = {**STRATEGIES, **_installed(found)}

    async def run(self) -> None:
        """Go by what other gateways have put into force, until canceled."""
        while True:
            await asyncio.sleep(self.renew_every_s)
            try:
                await self.load()
            except Exception:  # the database is away: what was in force stays in force
                log.exception("policies_not_renewed")

    async def create(self, name: str, rules: tuple[Rule, ...], *, note: str, by: str, once: Once) -> RoutingPolicy:
        """Write a new version of that policy; orders are not routed by it before it is activated.

        Raises:
            Refusals: Of the rules that contradict themselves or each other, each a ``ContradictoryRule``; and of strategies that
                nobody offers.
        """
        if wrong := (*map(_refused, contradictions(rules)), *_unknown_strategies(rules)):
            raise Refusals(wrong)
        return await self.writer.submit(WritePolicy(name=name, rules=rules, note=note, by=by), returns=RoutingPolicy, once=once)

    async def activate(self, key: PolicyKey, *, reason: str, by: str, once: Once) -> RoutingPolicy:
        """Put that version into force, and archive the one before, at one instant."""
        return await self._change(key, PolicyStep.ACTIVATE, reason, by, once)

    async def archive(self, key: PolicyKey, *, reason: str, by: str, once: Once) -> RoutingPolicy:
        """Put that version out of force, or away."""
        return await self._change(key, PolicyStep.ARCHIVE, reason, by, once)

    async def find(self, key: PolicyKey) -> RoutingPolicy | None:
        """That version."""
        return await self.store.policy(key)

    async def page(
        self, *, name: str | None, state: PolicyState | None, after: PolicyKey | None, limit: int
    ) -> tuple[RoutingPolicy, ...]:
        """Versions of that policy, or of all, in that state, or in any: by name, the newest version first."""
        return await self.store.policies(name=name, state=state, after=after, limit=limit)

    async def _change(self, key: PolicyKey, step: PolicyStep, reason: str, by: str, once: Once) -> RoutingPolicy:
        command = ChangePolicy(key=key, step=step, reason=reason, by=by)
        changed = await self.writer.submit(command, returns=RoutingPolicy, once=once)
        await self.load()
        return changed


def _refused(found: Contradiction) -> ContradictoryRule:
    return ContradictoryRule(rule=found.rule, problem=found.problem, path=("input", "rules", *found.path))


def _installed(policies: Iterable[RoutingPolicy]) -> dict[str, Strategy]:
    """The strategies of other people that these policies go by. One that is not installed here is left out, and said."""
    found = {}
    for name in {rule.objective.strategy for policy in policies for rule in policy.rules} - STRATEGIES.keys():
        try:
            found[name] = strategy_of(name)
        except UnknownStrategy as error:
            log.warning("strategy_missing", reason=str(error))
    return found


def _unknown_strategies(rules: Sequence[Rule]) -> Iterator[Invalid]:
    for place, rule in enumerate(rules):
        try:
            strategy_of(rule.objective.strategy)
        except UnknownStrategy as unknown:
            path = ("input", "rules", str(place), "objective", "strategy")
            yield Invalid(problem=f"{rule.name}: {unknown}.", path=path)


@dataclass(frozen=True, slots=True, kw_only=True)
class WritePolicy:
    """A new version of a policy, or the first of a new one."""

    name: str
    rules: tuple[Rule, ...]
    note: str
    by: str

    @property
    def touches(self) -> Touches:
        """Its newest version; none is numbered 0."""
        return Touches(policies=frozenset({(self.name, 0)}))

    def decide(self, books: Books) -> RoutingPolicy:
        """Give it the next number."""
        written = PolicyChange(step=PolicyStep.CREATE, at=books.now, by=self.by, note=self.note)
        version = books.newest_policy(self.name) + 1
        return books.keep_policy(RoutingPolicy(name=self.name, version=version, rules=self.rules, changes=(written,)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePolicy:
    """A version of a policy comes into force, or goes out of it."""

    key: PolicyKey
    step: PolicyStep
    reason: str
    by: str

    @property
    def touches(self) -> Touches:
        """That version, and the one in force."""
        return Touches(policies=frozenset({self.key}))

    def decide(self, books: Books) -> RoutingPolicy:
        """What comes into force takes the place of what was.

        Raises:
            NotFound: There is no such version.
            NotAllowedInState: It is where it is to go already, or it is the default that orders are routed by.
        """
        changed = books.policy(self.key).after(self._change(books, self.step, self.reason))
        replaced = books.active_policy(changed.name) if self.step is PolicyStep.ACTIVATE else None
        if replaced is not None:
            note = f"Version {changed.version} takes its place."
            books.keep_policy(replaced.after(self._change(books, PolicyStep.ARCHIVE, note), replaced=True))
        return books.keep_policy(changed)

    def _change(self, books: Books, step: PolicyStep, note: str) -> PolicyChange:
        return PolicyChange(step=step, at=books.now, by=self.by, note=note)
