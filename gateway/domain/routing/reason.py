"""Why a location does not send what it might have sent."""

from datetime import time
from enum import StrEnum
from typing import Final

import msgspec

from connectors.contract import Sku
from gateway.domain.identity import LocationId


class Code(StrEnum):
    """What can be against a location. Rules that are decided elsewhere have codes of their own beside these.

    Attributes:
        CLOSED: It does nothing for the time being.
        HARD_RULE: A rule of the merchant's; the detail says which.
        NOT_THE_PICKUP_LOCATION: The customer comes to another.
        METHOD: It does not send, or hand over, or whatever was wanted.
        STOCK: It has too little of something.
        SAFETY_STOCK: It would have enough, but for what is kept back.
        SOURCE_UNKNOWN: Nobody knows how much it has.
        CAPACITY: It has no room for so much.
        CUTOFF: It would be late, and would not be, had its cutoff of today not passed.
        PROMISE: It would be late.
        ZONE: It is farther; nothing else makes a difference.
        DOMINATED_BY: The location that was chosen is no worse in anything: stock, room, or any part of the cost.
        COST: It is dearer, though it is better in something; or it is as good, and the other comes first.
        STRATEGY: It is cheaper, but cost is not what the plan was chosen by.
    """

    CLOSED = "CLOSED"
    HARD_RULE = "HARD_RULE"
    NOT_THE_PICKUP_LOCATION = "NOT_THE_PICKUP_LOCATION"
    METHOD = "METHOD"
    STOCK = "STOCK"
    SAFETY_STOCK = "SAFETY_STOCK"
    SOURCE_UNKNOWN = "SOURCE_UNKNOWN"
    CAPACITY = "CAPACITY"
    CUTOFF = "CUTOFF"
    PROMISE = "PROMISE"
    ZONE = "ZONE"
    DOMINATED_BY = "DOMINATED_BY"
    COST = "COST"
    STRATEGY = "STRATEGY"


LACKS: Final = frozenset({Code.STOCK, Code.SAFETY_STOCK, Code.SOURCE_UNKNOWN})
"""What more stock, or a word about it, would change."""

LATE: Final = frozenset({Code.CUTOFF, Code.PROMISE})


class Reason(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Why a location cannot take part, or why it does not send what another one does.

    Attributes:
        code: One of ``Code``, or the name of a rule decided elsewhere.
        detail: Which rule, or what else there is to say.
        sku: Of STOCK, SAFETY_STOCK and SOURCE_UNKNOWN: the first that it lacks.
        more_skus: How many others it lacks as well.
        needs: Units that it would have to send: of the SKU, or, of CAPACITY, altogether.
        has: Units that may be promised there, or that it has room for.
        kept_back: Units of safety stock there.
        age_s: Seconds since its source last said something; None: it never did.
        days: Days that it would be late; None: too late to be sent at all.
        cutoff: Of CUTOFF: by when it would have been in time, on the clock there.
        zone: Which zone it would be sent to from there.
        than: The location that sends instead what this one could send.
        terms: What the package would cost more from here than from there, term by term; those that are alike are left out.
    """

    code: str
    detail: str = ""
    sku: Sku | None = None
    more_skus: int = 0
    needs: int | None = None
    has: int | None = None
    kept_back: int | None = None
    age_s: int | None = None
    days: int | None = None
    cutoff: time | None = None
    zone: int | None = None
    than: LocationId | None = None
    terms: tuple[tuple[str, int], ...] = ()

    @property
    def cents(self) -> int:
        """What the package would cost more from here."""
        return sum(cents for _, cents in self.terms)

    def __str__(self) -> str:
        told = self.detail or self._lack() or self._difference()
        return f"{self.code}: {told}" if told else str(self.code)

    def _lack(self) -> str:
        more = f"; and {self.more_skus} more" if self.more_skus else ""
        if self.code == Code.SOURCE_UNKNOWN and self.sku is not None:
            return self.sku + ("" if self.age_s is None else f", last heard of {self.age_s} s ago") + more
        if self.needs is None:
            return ""
        if self.sku is None:
            return f"needs room for {self.needs}, has it for {self.has}"
        kept = f" beside {self.kept_back} kept back" if self.kept_back else ""
        return f"{self.sku} needs {self.needs}, has {self.has}{kept}{more}"

    def _difference(self) -> str:
        late = f"{self.days} day{'' if self.days == 1 else 's'} late" if self.days else "too late" if self.code in LATE else ""
        cutoff = "" if self.cutoff is None else f"after the cutoff at {self.cutoff:%H:%M}"
        parts = (f"{name} {money(cents, signed=True)}" for name, cents in self.terms)
        return ", ".join(filter(None, (late, cutoff, *parts)))


def money(cents: int, *, signed: bool = False) -> str:
    """As people write it; with its sign where it is a difference."""
    sign = "-" if cents < 0 else "+" if signed else ""
    return f"{sign}{abs(cents) // 100:,}.{abs(cents) % 100:02}"
