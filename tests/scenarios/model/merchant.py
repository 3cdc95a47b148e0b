"""Whatever customers, locations and sources do, step by step: an operation of the public graph, or something outside of it."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.harness import CHICAGO
from tests.scenarios.model.comparison import (
    hold_is_shown,
    order_is_shown,
    sources_were_asked_once,
    stock_is_shown,
    whoever_comes_back_is_told_all,
)
from tests.scenarios.model.paper import Hold, Order, Paper, Units, Work, total_of
from tests.scenarios.model.questions import LOOK, OTHERWISE
from tests.scenarios.model.world import EAGER, LATE_S, SAFETY_UNITS, SITES, Worlds

T = TypeVar("T")

STORE: Final = "chicago-store"
REROUTED_AFTER_S: Final = 31
"""By then a place has been looked for again, for all that has none, and sources are asked anew, whatever they said before."""

SHELVES = st.lists(st.integers(0, 3), min_size=2 * len(SITES), max_size=2 * len(SITES))
UNITS = st.sampled_from((1, 1, 2, 3))
WANTED = st.lists(st.tuples(st.sampled_from((0, 0, 1)), UNITS), min_size=1, max_size=2)
"""Mostly of the same, and there is so little of it that the last unit is often asked for."""
PLACE = st.sampled_from((None, None, *SITES))
SECONDS = st.sampled_from((30, 90, 600))
ANY = st.integers(0, 30)
CLICKS = st.sampled_from((1, 1, 2))
"""How often somebody clicks: the same is asked for at once, under the same key."""


class Merchant(RuleBasedStateMachine):
    """``answered`` is what was asked for and granted, with the answer; ``refused`` is what must not be possible after this step.

    ``is_stirred``: something may have changed since it was looked. ``is_sound``: no step has gone wrong.
    """

    worlds: Worlds

    def __init__(self) -> None:
        super().__init__()
        self.world = self.worlds.inhabited()
        self.is_sound = self.is_stirred = False
        self.keys = 0
        self.answered: list[tuple[str, dict[str, Any], dict[str, Any]]] = []
        self.refused: list[tuple[Units, str | None]] = []

    @initialize(units=SHELVES, bought=WANTED, kept=WANTED)
    def begin(self, units: list[int], bought: list[tuple[int, int]], kept: list[tuple[int, int]]) -> None:
        self.world.is_sound = False
        self.skus = self.world.goods.pop()
        self.paper = Paper(
            now=self.world.clock.now(),
            safety_units={place: SAFETY_UNITS[site.source] for place, site in SITES.items()},
            eager=frozenset(place for place, site in SITES.items() if site.source == EAGER),
        )
        shelves = [(place, sku) for place in SITES for sku in self.skus]
        for (place, sku), count in zip(shelves, units, strict=True):
            self.count(place, sku, count)
        self.cursor = self.world.cursor
        self.arrived = {name: len(orders) for name, orders in self.world.arrived().items()}
        self.buy(bought, picked_up=False, kept=None, clicks=1)
        self.both_say_the_same()
        self.keep(kept, place=None, seconds=90, clicks=1)

    # ------------------------------------------------------------------------------------------ what the rules share
    def send(self, operation: str, sent: Mapping[str, Any], because: str | None, *, clicks: int = 1) -> dict[str, Any] | None:
        """What comes of it. ``because`` is the code with which it must be refused; None: it must not be."""
        asked = self.keyed(sent)
        payload, *others = self.ask(*[(operation, asked)] * clicks)
        assert all(each == payload for each in others), "the same key is answered with the same"
        assert {each["code"] for each in payload["userErrors"]} == (set() if because is None else {because})
        assert (payload["shown"] is None) is (because is not None)
        self.errors = payload["userErrors"]
        shown: dict[str, Any] | None = payload["shown"]
        if shown is not None:
            self.answered.append((operation, asked, payload))
        return shown

    def ask(self, *asked: tuple[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The payloads of these, asked for at once."""
        self.is_sound = False
        payloads = self.world.send(*asked)
        self.is_stirred |= any(each["shown"] is not None for each in payloads)
        return payloads

    def keyed(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        self.keys += 1
        return {"idempotencyKey": f"{self.skus[0]} {self.keys}", **sent}

    def send_if_there(
        self, operation: str, sent: Mapping[str, Any], wanted: Units, place: str | None, own: Hold | None = None, *, clicks: int = 1
    ) -> dict[str, Any] | None:
        """What comes of asking for so much, which is granted where there is so much."""
        short = self.paper.short(wanted, place, own)
        shown = self.send(operation, sent, "INSUFFICIENT_STOCK" if short else None, clicks=clicks)
        for each in self.errors:
            assert each["requested"] == wanted[each["sku"]]
            assert short[each["sku"]] <= each["available"] < each["requested"]
            assert place is not None or each["available"] == short[each["sku"]]
        return shown

    def lines(self, wanted: list[tuple[int, int]]) -> list[dict[str, Any]]:
        return [{"sku": self.skus[which], "units": units} for which, units in wanted]

    def at(self, place: str | None) -> dict[str, Any]:
        return {} if place is None else {"location": self.world.places[place]}

    def wait(self, seconds: float) -> None:
        self.is_sound, self.is_stirred = False, True
        self.world.clock.wait(seconds)
        self.paper.now = self.world.clock.now()

    def count(self, place: str, sku: str, extra_units: int) -> None:
        """Somebody counts a shelf: there is what is promised, and so much more."""
        site = SITES[place]
        units = self.paper.promised(place, sku) + SAFETY_UNITS[site.source] + extra_units
        self.world.sandboxes[site.source].set_stock(site.key, sku, units)
        self.paper.stock[place, sku] = units

    # ------------------------------------------------------------------------------------------ holds
    @rule(wanted=WANTED, place=PLACE, seconds=SECONDS, clicks=CLICKS)
    def keep(self, wanted: list[tuple[int, int]], place: str | None, seconds: int, clicks: int) -> None:
        lines = self.lines(wanted)
        sent = {"lines": lines, "ttlSeconds": seconds, **self.at(place)}
        if shown := self.send_if_there("reservationCreate", sent, total_of(lines), place, clicks=clicks):
            hold_is_shown(self.paper.keep(shown["id"], total_of(lines), place, seconds), shown, self.paper)

    @precondition(lambda self: self.paper.holds)
    @rule(number=ANY, place=PLACE)
    def move(self, number: int, place: str | None) -> None:
        name, hold = self.pick_hold(number)
        sent = {"id": name, **self.at(place)}
        if self.is_over(hold):
            self.send("reservationMove", sent, "RESERVATION_EXPIRED")
        elif shown := self.send_if_there("reservationMove", sent, hold.lines, place, hold):
            hold.place = place
            hold_is_shown(hold, shown, self.paper)

    @precondition(lambda self: self.paper.holds)
    @rule(number=ANY, seconds=SECONDS)
    def extend(self, number: int, seconds: int) -> None:
        name, hold = self.pick_hold(number)
        because = "RESERVATION_EXPIRED" if self.is_over(hold) else None
        if shown := self.send("reservationExtend", {"id": name, "ttlSeconds": seconds}, because):
            self.paper.extend(hold, seconds)
            hold_is_shown(hold, shown, self.paper)

    @precondition(lambda self: self.paper.holds)
    @rule(number=ANY, clicks=CLICKS)
    def release(self, number: int, clicks: int) -> None:
        name, hold = self.pick_hold(number)
        because = "RESERVATION_EXPIRED" if self.is_over(hold) and hold.ended != "RELEASED" else None
        if self.send("reservationRelease", {"id": name}, because, clicks=clicks):
            hold.ended = "RELEASED"

    def pick_hold(self, number: int) -> tuple[str, Hold]:
        return _pick(number, list(self.paper.holds.items()), lambda each: not self.is_over(each[1]))

    def is_over(self, hold: Hold) -> bool:
        return hold.state(self.paper.now) != "ACTIVE"

    # ------------------------------------------------------------------------------------------ orders
    @rule(wanted=WANTED, picked_up=st.sampled_from((False, False, True)), kept=st.none() | ANY, clicks=CLICKS)
    def buy(self, wanted: list[tuple[int, int]], *, picked_up: bool, kept: int | None, clicks: int) -> None:
        lines, place = self.lines(wanted), STORE if picked_up else None
        name, hold = (None, None) if kept is None or not self.paper.holds else self.pick_hold(kept)
        sent = {**self.purchase(lines, place), "reservation": name}
        if hold is not None and self.is_over(hold):
            self.send("orderPlace", sent, "RESERVATION_EXPIRED")
        elif shown := self.send_if_there("orderPlace", sent, total_of(lines), place, hold, clicks=clicks):
            assert [{"sku": each["sku"], "units": each["units"]} for each in shown["lines"]] == lines
            assert (shown["status"], shown["version"]) == ("ROUTED", 2)
            self.paper.buy(shown["id"], total_of(lines), place, hold)

    def purchase(self, lines: list[dict[str, Any]], pickup_at: str | None) -> dict[str, Any]:
        sent = {"channel": "web", "lines": lines, "to": CHICAGO}
        return sent if pickup_at is None else {**sent, "method": "PICKUP", "pickupAt": self.world.places[pickup_at]}

    @rule(wishes=st.lists(st.tuples(st.booleans(), WANTED, PLACE), min_size=2, max_size=4))
    def whoever_comes_first(self, wishes: list[tuple[bool, list[tuple[int, int]], str | None]]) -> None:
        """Who is first is not known; but whoever gets nothing would get nothing after all the others either."""
        wanted = [(to_keep, self.lines(lines), place if to_keep or place == STORE else None) for to_keep, lines, place in wishes]
        payloads = self.ask(
            *(
                ("reservationCreate", self.keyed({"lines": lines, "ttlSeconds": 90, **self.at(place)}))
                if to_keep
                else ("orderPlace", self.keyed(self.purchase(lines, place)))
                for to_keep, lines, place in wanted
            )
        )
        for (to_keep, lines, place), payload in zip(wanted, payloads, strict=True):
            if payload["shown"] is None:
                assert {each["code"] for each in payload["userErrors"]} == {"INSUFFICIENT_STOCK"}
                self.refused.append((total_of(lines), place))
            elif to_keep:
                self.paper.keep(payload["shown"]["id"], total_of(lines), place, 90)
            else:
                self.paper.buy(payload["shown"]["id"], total_of(lines), place, None)

    @precondition(lambda self: self.paper.orders)
    @rule(number=ANY, clicks=CLICKS, wrong=st.sampled_from((0, 0, -1, 1)))
    def call_off(self, number: int, clicks: int, wrong: int) -> None:
        """``wrong``: by so much is the version that it is asked for."""
        name, order = _pick(number, list(self.paper.orders.items()), lambda each: each[1].actions)
        sent = {"id": name, "reasonCode": "CUSTOMER", "expectedVersion": len(order.told) + wrong}
        because = "VERSION_CONFLICT" if wrong else None if order.actions else "NOT_ALLOWED_IN_STATE"
        if self.send("orderCancel", sent, because, clicks=clicks):
            self.paper.call_off(order)
        elif wrong:
            assert self.errors[0]["currentVersion"] == len(order.told)

    # ------------------------------------------------------------------------------------------ at locations
    @precondition(lambda self: self.paper.works())
    @rule(number=ANY, action=st.sampled_from(("ACCEPT", "REJECT", "SHIP")), count=UNITS, clicks=CLICKS)
    def somebody_says(self, number: int, action: str, count: int, clicks: int) -> None:
        name, order, work = _pick(number, self.paper.works(), lambda each: each[2].rest)
        leaving = Counter(sorted(work.lines.elements())[:count])
        *_, actions = work.standing
        because = None if action in actions else "NOT_ALLOWED_IN_STATE"
        sent: dict[str, Any] = {"id": name}
        if action == "REJECT":
            sent["reasonCode"] = "BROKEN"
        if action == "SHIP":
            packed = [{"sku": sku, "units": units} for sku, units in leaving.items()]
            sent["packages"] = [{"carrier": "UPS", "lines": packed}]
            because = because if leaving <= work.lines - work.left else "INVALID"
        if self.send(f"fulfillmentOrder{action.title()}", sent, because, clicks=clicks):
            self.paper.said(order, work, action, leaving)
        elif because == "NOT_ALLOWED_IN_STATE":
            assert self.errors[0]["supportedActions"] == actions

    @precondition(lambda self: self.at_sources())
    @rule(number=ANY, verb=st.sampled_from(("accept", "reject", "ship")), too_late=st.booleans())
    def a_source_acts(self, number: int, verb: str, too_late: bool) -> None:
        """``too_late``: the order is called off after it has left, but before that is heard."""
        _, order, work = _pick(number, self.at_sources(), lambda each: each[2].rest)
        self.is_sound, self.is_stirred = False, True
        source = SITES[work.place].source
        sandbox = self.world.sandboxes[source]
        if verb == "accept" and not work.confirmed:
            sandbox.accept(work.ref)
            self.paper.taken_on(order, work)
        elif verb == "reject":
            sandbox.reject(work.ref, "BROKEN")
            self.paper.given_up(order, work)
        elif verb == "ship":
            sandbox.ship(work.ref, carrier="UPS", tracking_number=f"1Z{work.ref}")
            self.paper.counted_off(work)
            if too_late and order.actions:
                order_id = next(each for each, other in self.paper.orders.items() if other is order)
                self.send("orderCancel", {"id": order_id, "reasonCode": "CUSTOMER"}, None)
                self.paper.call_off(order)
                self.world.come_to_rest()
            self.paper.heard_gone(order, work)
        self.world.hear(source)

    def at_sources(self) -> list[tuple[str, Order, Work]]:
        return [each for each in self.paper.works() if each[2].at_source]

    # ------------------------------------------------------------------------------------------ everything else
    @rule(place=st.sampled_from(tuple(SITES)), which=st.sampled_from((0, 0, 1)), extra_units=st.integers(0, 3))
    def a_shelf_is_counted(self, place: str, which: int, extra_units: int) -> None:
        self.count(place, self.skus[which], extra_units)
        self.time_passes(REROUTED_AFTER_S)

    @rule(seconds=st.sampled_from((1, 30, 31, 90, 600)))
    def time_passes(self, seconds: int) -> None:
        self.wait(seconds)
        if seconds >= REROUTED_AFTER_S:
            self.paper.look_for_places()

    @precondition(lambda self: self.answered)
    @rule(number=ANY, other=st.booleans())
    def a_key_is_used_again(self, number: int, other: bool) -> None:
        """For the same, which is answered as before, or for something ``other``."""
        operation, asked, before = self.answered[number % len(self.answered)]
        if not other:
            assert self.ask((operation, asked)) == [before]
        elif operation in OTHERWISE:
            (payload,) = self.ask((operation, {**asked, **OTHERWISE[operation]}))
            assert (payload["shown"], [each["code"] for each in payload["userErrors"]]) == (None, ["IDEMPOTENCY_MISMATCH"])

    # ------------------------------------------------------------------------------------------ what always holds
    @invariant()
    def both_say_the_same(self) -> None:
        """Looked at is what must have changed, and what may have; what else did change is announced, or seen in the end.

        After a refusal nothing is: had it left anything behind, the next look would show it.
        """
        if self.is_stirred:
            self.look(
                {name: hold for name, hold in self.paper.holds.items() if hold.seen != self.paper.standing(hold)},
                {name: order for name, order in self.paper.orders.items() if order.news or order.homeless},
            )
        assert all(self.paper.short(lines, place) for lines, place in self.refused), "it would have fitted"
        self.refused.clear()
        self.is_sound = True

    def look(self, holds: Mapping[str, Hold], orders: Mapping[str, Order]) -> None:
        self.world.come_to_rest()
        seen = self.world.ask(LOOK, holds=list(holds), orders=list(orders), skus=self.skus)
        for order, shown in zip(orders.values(), seen["orders"], strict=True):
            self.paper.copy(order, shown["fulfillmentOrders"])
        for order, shown in zip(orders.values(), seen["orders"], strict=True):
            self.paper.place_was_looked_for(order)
            order_is_shown(order, shown)
        for hold, shown in zip(holds.values(), seen["holds"], strict=True):
            hold_is_shown(hold, shown, self.paper)
        stock_is_shown(self.world, self.paper, self.skus, seen["inventory"])
        self.news_came(sum(shown["version"] - len(orders[shown["id"]].told) for shown in seen["orders"]))
        self.is_stirred = False

    def news_came(self, count: int) -> None:
        """Every change was announced, each once and in order, and nothing else was."""
        news = {name: Counter[str]() for name in self.paper.orders}
        for event in self.world.news(count):
            name = event["order"]["id"]
            news[name][event["type"]] += 1
            self.paper.orders[name].told.append(event["type"])
            assert event["version"] == event["order"]["version"] == len(self.paper.orders[name].told)
        for name, order in self.paper.orders.items():
            assert news[name] == order.news
            order.news.clear()

    # ------------------------------------------------------------------------------------------ the end
    def teardown(self) -> None:
        if self.is_sound:
            self.everything_is_given_back()
            sources_were_asked_once(self.world, self.paper, self.arrived)
            whoever_comes_back_is_told_all(self.world, self.paper, self.cursor)
            self.wait(LATE_S)
            self.world.come_to_rest()
            assert self.world.jobs("READY") == self.world.jobs("DEAD") == []
            self.world.is_sound = True

    def everything_is_given_back(self) -> None:
        holds = {name: hold for name, hold in self.paper.holds.items() if not self.is_over(hold)}
        orders = {name: order for name, order in self.paper.orders.items() if order.actions}
        payloads = self.ask(
            *(("reservationRelease", self.keyed({"id": name})) for name in holds),
            *(("orderCancel", self.keyed({"id": name, "reasonCode": "CLOSED"})) for name in orders),
        )
        assert all(each["userErrors"] == [] for each in payloads)
        for hold in holds.values():
            hold.ended = "RELEASED"
        for order in orders.values():
            self.paper.call_off(order)
        for _, _, work in self.at_sources():
            self.world.sandboxes[SITES[work.place].source].ship(work.ref, carrier="UPS", tracking_number=f"1Z{work.ref}")
            self.paper.counted_off(work)
            self.world.hear(SITES[work.place].source)
        self.look(self.paper.holds, self.paper.orders)


def _pick(number: int, among: Sequence[T], is_alive: Callable[[T], object]) -> T:
    """Mostly one with which something can still be done."""
    alive = [each for each in among if is_alive(each)]
    chosen = alive if alive and number % 6 else among
    return chosen[number % len(chosen)]
