"""How orders are routed, as merchants have written it."""

from typing import Final

import strawberry

from gateway.api.describe import described
from gateway.api.enums import PolicyState, PolicyStep
from gateway.api.errors import UserError
from gateway.api.identifiers import global_id, opaque, parts_of
from gateway.api.mirror import several, shown
from gateway.api.node import Node
from gateway.api.order_pages import PageInfo
from gateway.api.scalars import Instant
from gateway.domain import policies
from gateway.domain.refusals import Invalid
from gateway.services.policies import Policies

POLICIES_DEFAULT: Final = 20
POLICIES_MAX: Final = 100


@described
@strawberry.type
class RoutingPolicy(Node):
    """One version of a routing policy. What it says never changes; another version does.

    Attributes:
        name: Which policy; `default` is the one by which orders are routed that name no other.
        version: Counted from 1.
        state: Whether orders are routed by it.
        rules: The first that matches an order counts; an order that none matches comes from where it costs least.
        note: What it is for.
        author: Who wrote it.
        created_at: When it was written.
        activated_at: Since when it is, or was last, in force; null if it never was.
        changes: All that happened to it, oldest first.
        supported_actions: What can be done with it now.
    """

    name: str
    version: int
    state: PolicyState
    rules: list[policies.Rule] = strawberry.field(graphql_type=several(shown(policies.Rule)))
    note: str
    author: str
    created_at: Instant
    activated_at: Instant | None
    changes: list[policies.PolicyChange] = strawberry.field(graphql_type=several(shown(policies.PolicyChange)))
    supported_actions: list[PolicyStep]

    @staticmethod
    def of(policy: policies.RoutingPolicy) -> "RoutingPolicy":
        """The version as the graph shows it."""
        return RoutingPolicy(
            id=global_id("RoutingPolicy", f"{policy.version}/{policy.name}"),
            name=policy.name,
            version=policy.version,
            state=policy.state,
            rules=list(policy.rules),
            note=policy.note,
            author=policy.author,
            created_at=Instant(policy.created_at),
            activated_at=None if policy.activated_at is None else Instant(policy.activated_at),
            changes=list(policy.changes),
            supported_actions=list(policy.supported_steps),
        )


@described
@strawberry.type
class RoutingPolicyEdge:
    """A version of a routing policy on a page.

    Attributes:
        cursor: Where it stands.
        node: The version.
    """

    cursor: str
    node: RoutingPolicy


@described
@strawberry.type
class RoutingPolicyConnection:
    """One page of versions of routing policies (Relay), forward only.

    Attributes:
        edges: The versions with their cursors.
        nodes: The versions.
        page_info: Where the page stands.
    """

    edges: list[RoutingPolicyEdge]
    nodes: list[RoutingPolicy]
    page_info: PageInfo

    @staticmethod
    async def page(
        known: Policies, name: str | None, state: policies.PolicyState | None, first: int | None, after: str | None
    ) -> "RoutingPolicyConnection":
        """Those of that name and in that state, from the cursor on.

        Raises:
            Invalid: There is no such page.
        """
        size = POLICIES_DEFAULT if first is None else first
        if not 1 <= size <= POLICIES_MAX:
            raise Invalid(problem=f"A page has 1 to {POLICIES_MAX} policies.", path=("first",))
        found = await known.page(name=name, state=state, after=_position(after), limit=size + 1)
        edges = [
            RoutingPolicyEdge(cursor=opaque("p", each.name, str(each.version)), node=RoutingPolicy.of(each))
            for each in found[:size]
        ]
        return RoutingPolicyConnection(
            edges=edges,
            nodes=[edge.node for edge in edges],
            page_info=PageInfo(
                has_next_page=len(found) > size,
                has_previous_page=after is not None,
                start_cursor=edges[0].cursor if edges else None,
                end_cursor=edges[-1].cursor if edges else None,
            ),
        )


@described
@strawberry.type
class RoutingPolicyPayload:
    """What became of the request.

    Attributes:
        routing_policy: The version as it is now; null when it was refused.
        user_errors: Why it was refused; empty when it was not.
    """

    routing_policy: RoutingPolicy | None
    user_errors: list[UserError]


def _position(cursor: str | None) -> policies.PolicyKey | None:
    match None if cursor is None else parts_of(cursor):
        case None:
            return None
        case ("p", name, version) if version.isascii() and version.isdecimal() and len(version) < 10:
            return name, int(version)
        case _:
            raise Invalid(problem="This is not a cursor of `routingPolicies`.", path=("after",))
