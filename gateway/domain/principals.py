"""Who may do what."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.domain.refusals import Forbidden


class Role(StrEnum):
    """What somebody is to the merchant."""

    STOREFRONT = "STOREFRONT"  # a web shop, an app or a till: sells, and shows customers their order
    AGENT = "AGENT"  # customer service: finds, explains and repairs every order
    PARTNER = "PARTNER"  # follows events and stock
    OPERATOR = "OPERATOR"  # runs the gateway


class Right(StrEnum):
    """One thing that can be allowed."""

    READ_STOCK = "READ_STOCK"
    RESERVE = "RESERVE"
    PLACE_ORDERS = "PLACE_ORDERS"
    READ_ORDERS = "READ_ORDERS"
    FOLLOW_EVENTS = "FOLLOW_EVENTS"
    CHANGE_ORDERS = "CHANGE_ORDERS"
    FULFILL = "FULFILL"
    READ_SOURCES = "READ_SOURCES"
    READ_POLICIES = "READ_POLICIES"
    CHANGE_POLICIES = "CHANGE_POLICIES"


_SHOP: Final = frozenset({Right.READ_STOCK, Right.RESERVE, Right.PLACE_ORDERS, Right.READ_ORDERS, Right.CHANGE_ORDERS})

RIGHTS: Final[Mapping[Role, frozenset[Right]]] = {
    Role.STOREFRONT: _SHOP,
    Role.AGENT: _SHOP | {Right.FULFILL, Right.FOLLOW_EVENTS, Right.READ_SOURCES, Right.READ_POLICIES},
    Role.PARTNER: frozenset({Right.READ_STOCK, Right.READ_ORDERS, Right.FOLLOW_EVENTS}),
    Role.OPERATOR: frozenset(Right),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who is asking. ``name`` is who acts, in events and idempotency keys."""

    name: str
    role: Role

    def must(self, right: Right) -> None:
        """See to it that this is allowed.

        Raises:
            Forbidden: It is not.
        """
        if right not in RIGHTS[self.role]:
            able = [role.value for role, rights in RIGHTS.items() if right in rights]
            raise Forbidden(role=self.role.value, needs=" or ".join(able))
