"""What a merchant would keep on paper: what is on the shelves, what is kept back for whom, and what has become of every order.

It knows nothing of how the gateway does it. Where an order comes from is the gateway's choice: that is copied, and checked.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

Units = Counter[str]
"""By SKU."""
Standing = tuple[str, datetime, str | None]
"""Of a hold: its state, until when it holds, and where."""


@dataclass(kw_only=True)
class Hold:
    """``place`` None: wherever there is room. ``seen`` is how it stood when it was last looked at."""

    lines: Units
    expires_at: datetime
    place: str | None = None
    ended: str | None = None
    seen: Standing | None = None

    def state(self, now: datetime) -> str:
        return self.ended or ("ACTIVE" if now < self.expires_at else "EXPIRED")


@dataclass(kw_only=True)
class Work:
    """What one location is to send. ``left`` is what did; ``ended``: why the rest will not.

    ``accepted`` by somebody, ``confirmed`` by its source. ``at_source``: that will send it all, whatever anybody has said since.
    """

    place: str
    lines: Units
    ref: str
    accepted: bool
    confirmed: bool
    left: Units = field(default_factory=Counter)
    ended: str | None = None
    at_source: bool = True

    @property
    def rest(self) -> Units:
        return Counter() if self.ended else self.lines - self.left

    @property
    def standing(self) -> tuple[str, str, list[str]]:
        """Its status, how far the handshake is, and what may be said of it."""
        if self.left == self.lines:
            return "CLOSED", "ACCEPTED", []
        if self.ended == "REJECTED":
            return "INCOMPLETE", "REJECTED", []
        if self.ended == "CANCELED":
            return "CANCELED", "CANCELLATION_ACCEPTED", []
        if self.accepted or self.left:
            return "IN_PROGRESS", "ACCEPTED", ["REJECT", "SHIP"]
        return "OPEN", "SUBMITTED", ["ACCEPT", "REJECT", "SHIP"]


@dataclass(kw_only=True)
class Order:
    """``told`` is what was announced until it was last looked at, ``news`` what must have been since.

    ``tried``: a place has just been looked for, for everything that has none. ``waiting``: in vain, and that was announced.
    """

    lines: Units
    pickup_at: str | None = None
    canceled: bool = False
    works: dict[str, Work] = field(default_factory=dict)
    news: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)
    tried: bool = False
    waiting: bool = False

    @property
    def left(self) -> Units:
        return total(work.left for work in self.works.values())

    @property
    def allocated(self) -> Units:
        return total(work.rest for work in self.works.values())

    @property
    def homeless(self) -> Units:
        """What no place has been given yet, or any more."""
        return Counter() if self.canceled else self.lines - self.left - self.allocated

    @property
    def status(self) -> str:
        if self.is_over:
            return "FULFILLED" if self.left else "CANCELED"
        if self.left:
            return "PARTIALLY_FULFILLED"
        return "BACKORDERED" if self.homeless else "ROUTED"

    @property
    def quantities(self) -> Counter[tuple[str, str]]:
        """Units by SKU and what has become of them."""
        states = {"SHIPPED": self.left, "ALLOCATED": self.allocated, "BACKORDERED": self.homeless}
        found = Counter({(sku, state): count for state, units in states.items() for sku, count in units.items()})
        gone = self.lines - total(states.values())
        return found + Counter({(sku, "CANCELED"): count for sku, count in gone.items()})

    @property
    def is_over(self) -> bool:
        return not self.allocated and not self.homeless

    @property
    def actions(self) -> list[str]:
        return [] if self.canceled or self.is_over else ["CANCEL"]


@dataclass(kw_only=True)
class Paper:
    """Everything at the instant ``now``. ``stock`` is what each source has by its own count, in which it believes."""

    now: datetime
    safety_units: Mapping[str, int]
    eager: frozenset[str]
    stock: Counter[tuple[str, str]] = field(default_factory=Counter)
    holds: dict[str, Hold] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)

    # ------------------------------------------------------------------------------------------ how much there is
    def held(self, sku: str, place: str | None) -> int:
        return sum(hold.lines[sku] for hold in self.holds.values() if hold.place == place and hold.state(self.now) == "ACTIVE")

    def promised(self, place: str, sku: str) -> int:
        """What is kept there, and what its source has been asked to send."""
        asked = sum(work.lines[sku] for _, _, work in self.works() if work.place == place and work.at_source)
        return self.held(sku, place) + asked

    def at(self, place: str, sku: str) -> int:
        """What may still be promised from there."""
        free = self.stock[place, sku] - self.promised(place, sku)
        return max(free - self.safety_units[place], min(free, 0))

    def anywhere(self, sku: str) -> int:
        """What may still be promised at all."""
        homeless = sum(order.homeless[sku] for order in self.orders.values())
        return sum(self.at(place, sku) for place in self.safety_units) - self.held(sku, None) - homeless

    def standing(self, hold: Hold) -> Standing:
        return hold.state(self.now), hold.expires_at, hold.place

    def works(self) -> list[tuple[str, Order, Work]]:
        return [(name, order, work) for order in self.orders.values() for name, work in order.works.items()]

    def short(self, wanted: Units, place: str | None, own: Hold | None = None) -> dict[str, int]:
        """SKUs of which so much cannot be had there, with how much can. ``own`` is the hold that it is taken from."""
        found = {}
        for sku, units in wanted.items():
            kept = 0 if own is None else own.lines[sku]
            room = self.anywhere(sku) + kept
            if place is not None:
                room = min(room, self.at(place, sku) + (kept if own is not None and own.place == place else 0))
            if room < units:
                found[sku] = max(room, 0)
        return found

    # ------------------------------------------------------------------------------------------ what customers do
    def keep(self, hold: str, lines: Units, place: str | None, seconds: int) -> Hold:
        self.holds[hold] = Hold(lines=lines, place=place, expires_at=self.now + timedelta(seconds=seconds))
        return self.holds[hold]

    def extend(self, hold: Hold, seconds: int) -> None:
        hold.expires_at = self.now + timedelta(seconds=seconds)

    def buy(self, order: str, lines: Units, pickup_at: str | None, hold: Hold | None) -> Order:
        if hold is not None:
            hold.ended = "COMMITTED"
        self.orders[order] = Order(lines=lines, pickup_at=pickup_at, tried=True, news=Counter({"order.placed": 1}))
        return self.orders[order]

    def call_off(self, order: Order) -> None:
        """What has a place is stopped there; the rest is canceled at once."""
        open_works = [work for work in order.works.values() if work.rest]
        order.canceled = True
        order.news["order.cancellation_requested" if open_works else "order.canceled"] += 1
        for work in open_works:
            if work.at_source:
                work.ended, work.at_source = "CANCELED", False
                order.news["fulfillment.cancellation_accepted"] += 1
            else:  # it had left before anybody heard
                order.news["fulfillment.cancellation_rejected"] += 1

    # ------------------------------------------------------------------------------------------ what people at a place say
    def said(self, order: Order, work: Work, action: str, units: Units) -> None:
        """That the place does it, that it cannot do the rest, or that so many ``units`` left; its source need not know."""
        if action == "ACCEPT":
            work.accepted = True
            order.news["fulfillment.accepted"] += 1
        elif action == "SHIP":
            work.left += units
            order.news["fulfillment.shipped"] += 1
        else:  # its source is told to stop
            order.news["fulfillment.rejection_requested"] += 1
            self.given_up(order, work)

    # ------------------------------------------------------------------------------------------ what sources do
    def taken_on(self, order: Order, work: Work) -> None:
        if not work.accepted and not work.left:
            order.news["fulfillment.accepted"] += 1
        work.accepted = work.confirmed = True

    def given_up(self, order: Order, work: Work) -> None:
        """It is not sent from there; somebody else may."""
        work.at_source = False
        if work.rest:
            order.tried = not order.homeless  # else the next time that a place is looked for will do
            work.ended = "REJECTED"
            order.news["fulfillment.rejected"] += 1

    def counted_off(self, work: Work) -> None:
        """All of it has left, and its source has written that down."""
        work.at_source = False
        self.stock.subtract({(work.place, sku): units for sku, units in work.lines.items()})

    def heard_gone(self, order: Order, work: Work) -> None:
        if work.rest:
            work.left = work.lines.copy()
            order.news["fulfillment.shipped"] += 1

    # ------------------------------------------------------------------------------------------ where orders come from
    def copy(self, order: Order, works: Iterable[Mapping[str, Any]]) -> None:
        """Note the work that is new, and that it may be where it is."""
        new = {each["id"]: each for each in works if each["id"] not in order.works}
        refusing = {work.place for work in order.works.values() if work.ended == "REJECTED"}
        for name, each in new.items():
            place, lines = each["location"]["code"], total_of(each["lines"])
            eager = place in self.eager
            assert place not in refusing, "nobody is asked again who turned it down"
            assert order.pickup_at in {None, place}, "it is picked up where the customer comes to"
            assert lines <= order.homeless, "nothing is sent twice"
            assert all(units <= self.at(place, sku) for sku, units in lines.items()), "only what is there is promised"
            order.works[name] = Work(place=place, lines=lines, ref=each["remoteRef"], accepted=eager, confirmed=eager)
            order.news.update({"fulfillment.submitted": 1, "fulfillment.accepted": int(eager)})
        if new:
            assert not order.homeless, "all find a place together, or none"
            order.news["order.routed"] += 1
            order.waiting = False

    def look_for_places(self) -> None:
        """It is time to, for all that has none."""
        for order in self.orders.values():
            order.tried = bool(order.homeless)

    def place_was_looked_for(self, order: Order) -> None:
        """Whoever has none after that could not have had one."""
        if order.tried and order.homeless:
            assert not self.has_room(order), "there would have been room"
            if not order.waiting:
                order.news["order.backordered"] += 1
            order.waiting = True
        order.tried = False

    def has_room(self, order: Order) -> bool:
        """Whether what has no place could have one: not one that has turned some of the order down.

        What such a place has back is not counted: its source may not show it before it is asked anew.
        """
        refusing = {work.place for work in order.works.values() if work.ended == "REJECTED"}
        able = ({order.pickup_at} if order.pickup_at is not None else set(self.safety_units)) - refusing
        return all(
            sum(max(self.at(place, sku), 0) for place in able) >= units
            and self.anywhere(sku) >= sum(max(self.at(place, sku), 0) for place in refusing)
            for sku, units in order.homeless.items()
        )


def total(several: Iterable[Units]) -> Units:
    return sum(several, Counter())


def total_of(lines: Iterable[Mapping[str, Any]]) -> Units:
    """Units by SKU of lines as the graph writes them."""
    return total(Counter({line["sku"]: line["units"]}) for line in lines)
