"""Loading and saving routing policies: a version in force, and those beside it that a command has to see."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.books import Books
from gateway.domain.policies import PolicyKey, PolicyState, RoutingPolicy
from gateway.storage.documents import document, read
from gateway.storage.statements import add, in_given, keep
from gateway.storage.tables import routing_policy


async def load_policies(connection: AsyncConnection, touched: Collection[PolicyKey]) -> dict[PolicyKey, RoutingPolicy]:
    """Those of these versions that exist; and of each name the version in force and the newest. All are locked."""
    if not touched:
        return {}
    names, versions = (sorted(set(part)) for part in zip(*touched, strict=True))
    rows = await connection.execute(_TOUCHED, {"names": names, "versions": versions})
    return {policy.key: policy for policy in (read(row[0], RoutingPolicy) for row in rows)}


async def save_policies(connection: AsyncConnection, books: Books) -> None:
    """Write down the changed ones. A version that goes makes room for the one that comes into force: it is written first.

    A new one is added, and never put in the place of one that another gateway has just added under the same version.
    """
    changed = [books.policies[key] for key in sorted(books.changed_policies)]
    for policy in sorted(changed, key=lambda each: each.state is PolicyState.ACTIVE):
        row = (policy.name, policy.version, policy.state.value, document(policy))
        if books.changed_policies[policy.key]:
            await add(connection, routing_policy, [row])
        else:
            await keep(connection, routing_policy, [row], newer=("state", "body"))


_OF_NAME: Final = routing_policy.alias()
_NEWEST: Final = select(func.max(_OF_NAME.c.version)).where(_OF_NAME.c.name == routing_policy.c.name).scalar_subquery()
_TOUCHED: Final = (
    select(routing_policy.c.body)
    .where(
        in_given(routing_policy.c.name, "names"),
        or_(
            in_given(routing_policy.c.version, "versions"),
            routing_policy.c.state == PolicyState.ACTIVE,
            routing_policy.c.version == _NEWEST,
        ),
    )
    .order_by(routing_policy.c.name, routing_policy.c.version)
    .with_for_update(of=routing_policy)
)
