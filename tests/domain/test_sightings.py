"""A source that shows our orders late, and two gateways that sell from it: nothing twice, and nothing kept back for long."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.contract import Method
from gateway.domain.books import Books
from gateway.domain.fulfillments import FulfillmentOrder
from gateway.domain.identity import FulfillmentOrderId
from gateway.domain.sightings import SLOTS, Sightings
from gateway.domain.stock import Reading, available_to_promise, outdated
from tests.samples import EAST, MUG, SOURCE_OF, START, numbered, reading, units

HERE = (MUG, EAST)
DELAY_S = 8
SLOT_S = DELAY_S / SLOTS


@dataclass
class Shop:
    """A source with ``stock`` mugs. What it took on is missing from its number ``late`` seconds later, at most ``DELAY_S``."""

    stock: int
    now: float = 0.0
    books: Books = field(default_factory=lambda: Books(now=START, new_id=numbered()))
    unasked: list[FulfillmentOrder] = field(default_factory=list)
    unheard: list[FulfillmentOrder] = field(default_factory=list)
    hidden: list[tuple[float, int]] = field(default_factory=list)
    sold: int = 0

    @property
    def number(self) -> int:
        """What it would say now: of what it took on, only what has become visible is off."""
        return self.stock - sum(count for visible_at, count in self.hidden if visible_at <= self.now)

    def takes_on(self, late_s: float) -> None:
        for work in self.unasked[:1]:
            self.hidden.append((self.now + late_s, work.lines[0].units))
            self.unheard.append(self.unasked.pop(0))

    def is_heard(self) -> None:
        for work in self.unheard[:1]:
            self.books.acknowledge(work, work.lines)
            del self.unheard[0]


@dataclass
class Gateway:
    """One of several: a clock of its own, and what it saw with it."""

    shop: Shop
    ahead_s: float
    sightings: Sightings
    begun: tuple[int, int] | None = None
    kept: Reading | None = None

    @property
    def clock_s(self) -> float:
        return self.shop.now + self.ahead_s

    def begins_to_read(self) -> None:
        self.sightings.see(self.shop.books.epochs.get(SOURCE_OF[EAST], 0), self.clock_s)
        self.begun = self.sightings.shown(self.clock_s), self.shop.number

    def is_answered(self, *, late: bool) -> None:
        """``late``: with the number of now, not of when the request came in."""
        if self.begun is not None:
            epoch, number = self.begun
            self.kept, self.begun = reading(MUG, EAST, self.shop.number if late else number, epoch=epoch), None

    def reads(self) -> None:
        self.begins_to_read()
        self.is_answered(late=False)

    def promisable(self) -> int:
        """What it may sell: read again, once, if another has sold on something newer."""
        shelf = self.shop.books.shelf(*HERE)
        if self.kept is None or outdated(self.kept, shelf):
            self.sightings.prove(shelf.settled_epoch)
            self.reads()
        found = available_to_promise(self.kept, shelf)
        assert found is not None, "one look more is enough"
        return found

    def sells(self, wanted: int) -> None:
        if self.promisable() < wanted:
            return
        books, name = self.shop.books, FulfillmentOrderId(self.shop.books.new_id())
        work = FulfillmentOrder(id=name, location=EAST, source=SOURCE_OF[EAST], method=Method.SHIP, lines=units((MUG, wanted)))
        books.changed_shelves.clear()
        books.commit(work)
        if self.kept is not None:
            books.settle({HERE: self.kept})
        self.shop.unasked.append(work)
        self.shop.sold += wanted


def world(stock: int, *, delay_s: float = DELAY_S) -> tuple[Shop, tuple[Gateway, Gateway]]:
    shop = Shop(stock)
    one, other = (Gateway(shop, ahead_s, Sightings(delay_s=delay_s)) for ahead_s in (0.0, 5_000.0))
    return shop, (one, other)


GATEWAY = st.integers(0, 1)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.sampled_from((0.25, DELAY_S / 4, 3 * DELAY_S / 4, DELAY_S + SLOT_S))),
        st.tuples(st.just("begin"), GATEWAY),
        st.tuples(st.just("answer"), GATEWAY, st.booleans()),
        st.tuples(st.just("sell"), GATEWAY, st.integers(1, 3)),
        st.tuples(st.just("take on"), st.sampled_from((0, DELAY_S))),
        st.tuples(st.just("hear")),
        st.tuples(st.just("restart"), GATEWAY),
    ),
    min_size=20,
    max_size=60,
)


def play(shop: Shop, gateways: tuple[Gateway, Gateway], steps: list[tuple[object, ...]]) -> None:
    for step in steps:
        match step:
            case ("wait", float(seconds)):
                shop.now += seconds
            case ("begin", int(number)):
                gateways[number].begins_to_read()
            case ("answer", int(number), bool(late)):
                gateways[number].is_answered(late=late)
            case ("sell", int(number), int(wanted)):
                gateways[number].sells(wanted)
            case ("take on", int() | float() as late_s):
                shop.takes_on(late_s)
            case ("restart", int(number)):
                gone = gateways[number]
                gone.sightings, gone.kept, gone.begun = Sightings(delay_s=gone.sightings.delay_s), None, None
            case _:
                shop.is_heard()
        assert shop.sold <= shop.stock, "oversold"


@settings(max_examples=250, deadline=None)
@given(stock=st.integers(1, 8), steps=STEPS)
def test_two_gateways_never_sell_twice_what_a_source_shows_late(stock: int, steps: list[tuple[object, ...]]) -> None:
    play(*world(stock), steps)


@settings(max_examples=200, deadline=None)
@given(stock=st.integers(1, 8), steps=STEPS)
def test_what_was_sold_counts_once_a_delay_and_one_read_after_it_was_heard_of(stock: int, steps: list[tuple[object, ...]]) -> None:
    shop, gateways = world(stock)
    play(shop, gateways, steps)
    while shop.unasked or shop.unheard:
        shop.takes_on(DELAY_S)
        shop.is_heard()
    for each in gateways:
        each.reads()
    shop.now += DELAY_S + SLOT_S
    for each in gateways:
        each.reads()
        assert each.promisable() == shop.stock - shop.sold


def test_to_believe_a_late_source_at_once_would_sell_the_same_mugs_again() -> None:
    story: list[tuple[object, ...]] = [("sell", 0, 5), ("take on", DELAY_S), ("hear",), ("begin", 1), ("answer", 1, False)]
    for believed_s, promisable in ((0, 5), (DELAY_S, 0)):
        shop, gateways = world(5, delay_s=believed_s)
        play(shop, gateways, story)
        assert gateways[1].promisable() == promisable


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3))))
def test_without_a_delay_a_read_contains_whatever_was_committed_before_it(steps: list[tuple[int, int]]) -> None:
    seen, epoch, now = Sightings(delay_s=0), 0, 0
    for later, more in steps:
        epoch, now = epoch + more, now + later
        seen.see(epoch, now)
        assert seen.shown(now) == epoch


@given(st.lists(st.tuples(st.integers(0, 16 * DELAY_S).map(lambda parts: parts / 16), st.integers(0, 3)), max_size=300))
def test_however_often_one_looks_an_epoch_counts_after_the_delay_and_at_most_a_slot_later(steps: list[tuple[float, int]]) -> None:
    seen = Sightings(delay_s=DELAY_S)
    known, now = [(0.0, 0)], 0.0
    for later, more in steps:
        now += later
        known.append((now, known[-1][1] + more))
        seen.see(known[-1][1], now)
        shown = seen.shown(now)
        assert shown <= max(epoch for at, epoch in known if at <= now - DELAY_S or not epoch)
        assert shown >= max((epoch for at, epoch in known if at <= now - DELAY_S - SLOT_S), default=0)


def test_what_is_remembered_is_bounded_however_often_the_source_takes_something_on() -> None:
    seen = Sightings(delay_s=DELAY_S)
    for tick in range(20_000):  # an acknowledgment and a look every millisecond
        seen.see(tick, tick / 1_000)
        shown = seen.shown(tick / 1_000)
        assert shown <= max(tick - 1_000 * DELAY_S, 0)
        assert shown >= tick - 1_000 * (DELAY_S + SLOT_S)
    assert len(seen._ripening) <= 2 * SLOTS + 2


def test_a_restarted_gateway_learns_from_what_others_took_off() -> None:
    shop, (one, other) = world(10)
    play(shop, (one, other), [("sell", 0, 4), ("take on", 0), ("hear",), ("begin", 0), ("answer", 0, False)])
    shop.now += DELAY_S
    one.reads()
    one.sells(1)
    assert shop.books.shelf(*HERE).settled_epoch == 1
    other.reads()
    assert other.kept is not None
    assert outdated(other.kept, shop.books.shelf(*HERE)), "of its own it knows nothing yet"
    assert other.promisable() == 5
