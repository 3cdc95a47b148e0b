"""Many orders at once: what is planned is possible, costs what it says, and is never cheaper than what is proven."""

from dataclasses import dataclass, replace
from itertools import accumulate, pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.plans.batch import WAITING, BatchPlan, Wave, plan_together, wave_of, wave_of_orders
from gateway.domain.plans.instance import Floats, Instance, Ints
from gateway.domain.plans.pool import Pool, pool_of
from gateway.domain.plans.postage import NO_POSTAGE, Postage
from gateway.domain.plans.solve import solve
from gateway.domain.rates import US_GROUND

EXACTLY = 1e-6  # cents; prices are not whole


@dataclass(frozen=True, kw_only=True)
class Day:
    """Orders as they came in, and all there is for them."""

    items: list[Ints]
    units: list[Ints]
    package_cents: list[Floats]  # [R, L] by how many lines
    unit_cents: list[Floats]  # [R, L, n]
    stock: Ints
    room: Ints | None
    split_cents: float = 0.0
    back_order_cents: float = 3_000.0

    @property
    def pools(self) -> list[Pool]:
        return [
            pool_of(
                items=items,
                units=units,
                package_cents=package_cents,
                unit_cents=unit_cents,
                stock=self.stock,
                split_cents=self.split_cents,
            )
            for items, units, package_cents, unit_cents in zip(
                self.items, self.units, self.package_cents, self.unit_cents, strict=True
            )
        ]

    def planned(self, **options: object) -> BatchPlan:
        given: dict[str, object] = {"generator": np.random.default_rng(3), "effort": 2, **options}
        wave = wave_of(self.pools, self.stock, self.room, back_order_cents=self.back_order_cents)
        return plan_together(wave, **given)  # type: ignore[arg-type] # as given

    def order_cents(self, pool: int, order: int, locations: tuple[int, ...]) -> float:
        """What one order costs, worked out as a person would."""
        cents = sum(
            self.units[pool][order, line]
            * (self.back_order_cents if location == WAITING else self.unit_cents[pool][order, location, line])
            for line, location in enumerate(locations)
        )
        packages = set(locations)
        cents += sum(self.package_cents[pool][order, each] for each in packages if each != WAITING)
        return float(cents + self.split_cents * (len(packages) - 1))

    def cents(self, plans: tuple[Ints, ...]) -> float:
        return sum(
            self.order_cents(pool, order, tuple(locations.tolist()))
            for pool, plan in enumerate(plans)
            for order, locations in enumerate(plan)
        )

    def left(self, plans: tuple[Ints, ...]) -> tuple[Ints, Ints]:
        """Stock and room once all of it is sent."""
        stock, room = self.stock.copy(), (np.full(len(self.stock), 10**6) if self.room is None else self.room.copy())
        for items, units, plan in zip(self.items, self.units, plans, strict=True):
            for wanted, many, locations in zip(items, units, plan, strict=True):
                for item, each, location in zip(wanted, many, locations, strict=True):
                    if location != WAITING:
                        stock[location, item] -= each
                        room[location] -= each
        return stock, room


def a_day(seed: int, *, orders: tuple[int, ...], locations: int, goods: int, rooms: bool = False) -> Day:
    """So many orders of one line, of two, …; most stock is of one unit."""
    draw = np.random.default_rng(seed)
    counts = [(many, lines) for lines, many in enumerate(orders, start=1)]
    return Day(
        items=[draw.permuted(np.tile(np.arange(goods), (many, 1)), axis=1)[:, :n] for many, n in counts],
        units=[draw.choice([1, 1, 1, 2], (many, n)) for many, n in counts],
        package_cents=[draw.integers(500, 1_500, (many, locations)).astype(float) for many, _ in counts],
        unit_cents=[draw.integers(0, 300, (many, locations, n)).astype(float) for many, n in counts],
        stock=draw.choice([0, 1, 2, 3], (locations, goods)),
        room=draw.integers(0, 5, locations) if rooms else None,
        split_cents=float(draw.choice([0, 75])),
    )


def sent_cents(wave: Wave, plan: BatchPlan) -> list[Floats]:
    """Of each order, by table."""
    every = zip(wave.tables, plan.plans, strict=True)
    return [table.sent_cents(np.where(locations == WAITING, wave.waiting, locations)) for table, locations in every]


days = st.builds(
    a_day,
    st.integers(0, 10_000),
    orders=st.tuples(st.integers(0, 6), st.integers(0, 4), st.integers(0, 3)),
    locations=st.integers(1, 5),
    goods=st.integers(3, 6),
    rooms=st.booleans(),
)
tiny_days = st.builds(
    a_day,
    st.integers(0, 10_000),
    orders=st.tuples(st.integers(0, 2), st.integers(1, 2)),
    locations=st.integers(1, 2),
    goods=st.just(2),
    rooms=st.booleans(),
)


@settings(deadline=None, max_examples=15)
@given(days)
def test_nothing_is_sent_that_is_not_there_and_every_line_is_sent_or_waits(day: Day) -> None:
    plan = day.planned()

    for items, locations in zip(day.items, plan.plans, strict=True):
        assert locations.shape == items.shape
        assert ((locations == WAITING) | (locations >= 0)).all()
        assert (locations < len(day.stock)).all()
    stock, room = day.left(plan.plans)
    assert (stock >= 0).all()
    assert (room >= 0).all()


@settings(deadline=None, max_examples=15)
@given(days)
def test_it_costs_what_its_packages_cost_one_by_one_and_no_less_than_the_bound(day: Day) -> None:
    plan = day.planned()

    assert plan.cents == day.cents(plan.plans)
    assert plan.bound_cents <= plan.cents + EXACTLY
    assert plan.gap == pytest.approx(max(0.0, plan.cents - plan.bound_cents) / abs(plan.bound_cents or 1.0), abs=1e-9)


@settings(deadline=None, max_examples=15)
@given(tiny_days)
def test_the_bound_is_below_the_best_of_all_plans_and_the_plan_is_not(day: Day) -> None:
    options = [
        list(product([*range(len(day.stock)), WAITING], repeat=items.shape[1])) for items in day.items for _ in range(len(items))
    ]
    ends = [0, *accumulate(len(items) for items in day.items)]
    best = np.inf
    for choice in product(*options):
        of_pools = [choice[start:end] for start, end in pairwise(ends)]
        plans = tuple(
            np.array(some, dtype=np.int64).reshape(-1, items.shape[1]) for some, items in zip(of_pools, day.items, strict=True)
        )
        stock, room = day.left(plans)
        if (stock >= 0).all() and (room >= 0).all():
            best = min(best, day.cents(plans))

    plan = day.planned()

    assert plan.bound_cents <= best + EXACTLY
    assert plan.cents >= best - EXACTLY


@settings(deadline=None, max_examples=15)
@given(days, st.integers(0, 150))
def test_a_search_that_is_stopped_at_any_moment_has_a_plan_that_is_possible(day: Day, steps: int) -> None:
    asked = iter(range(steps))

    plan = day.planned(keep_going=lambda: next(asked, None) is not None)

    stock, room = day.left(plan.plans)
    assert (stock >= 0).all()
    assert (room >= 0).all()
    assert plan.bound_cents <= plan.cents + EXACTLY


def test_the_last_unit_goes_to_the_order_that_has_no_other_choice() -> None:
    """The first order would save 10 with it, the second 900."""
    day = Day(
        items=[np.array([[0], [0]])],
        units=[np.array([[1], [1]])],
        package_cents=[np.array([[500.0, 510.0], [500.0, 1_400.0]])],
        unit_cents=[np.zeros((2, 2, 1))],
        stock=np.array([[1], [5]]),
        room=None,
    )

    plan = day.planned()

    assert plan.plans[0].tolist() == [[1], [0]]
    assert plan.cents == 1_010
    assert plan.gap == pytest.approx(0, abs=1e-3)
    # One more unit would save the first order its 10; the last one is not worth less.
    assert 10 - 1 <= plan.pi[0, 0] <= 900 + 1


def test_what_can_come_from_nowhere_waits_and_the_rest_of_the_order_leaves() -> None:
    day = Day(
        items=[np.array([[0, 1]])],
        units=[np.array([[1, 3]])],
        package_cents=[np.array([[500.0]])],
        unit_cents=[np.zeros((1, 1, 2))],
        stock=np.array([[1, 2]]),
        room=None,
        split_cents=75,
    )

    plan = day.planned()

    assert plan.plans[0].tolist() == [[0, WAITING]]
    assert plan.cents == 500 + 75 + 3 * day.back_order_cents


def test_a_location_without_room_for_two_sends_one_and_its_room_has_a_price() -> None:
    day = Day(
        items=[np.array([[0], [1]])],
        units=[np.array([[1], [1]])],
        package_cents=[np.array([[500.0, 900.0], [500.0, 1_100.0]])],
        unit_cents=[np.zeros((2, 2, 1))],
        stock=np.full((2, 2), 9),
        room=np.array([1, 9]),
    )

    plan = day.planned()

    assert plan.plans[0].tolist() == [[1], [0]]
    assert plan.kappa[0] > 0
    assert plan.kappa[1] == 0


def test_single_orders_with_plenty_of_everything_cost_what_each_costs_alone() -> None:
    """With steps of weight, lines that stay together, and a location that has one of two lines."""
    draw = np.random.default_rng(4)
    postage = Postage(services=(US_GROUND,), zone=np.array([1, 4, 8]), package_cents=np.zeros((3, 1)), unit_cents=np.zeros((3, 1)))
    orders = [
        Instance(
            wanted=draw.integers(1, 4, lines),
            stock=np.where(draw.random((3, lines)) < 0.7, 99, 0),
            room=np.full(3, 99),
            package_cents=draw.integers(0, 300, 3).astype(float),
            unit_cents=draw.integers(0, 400, (3, lines)).astype(float),
            postage=postage,
            lane=np.array([0, 1, 2]),
            grams=draw.integers(100, 900, lines),
            split_cents=50.0,
            whole_lines=True,
            together=((0, 1),) if lines == 3 else (),
            miles=np.zeros(3),
            rank=np.arange(3),
        )
        for lines in [1, 3, 2, 3, 1, 2] * 4
    ]
    items = [np.arange(len(order.wanted)) for order in orders]

    wave, numbers = wave_of_orders(orders, items, np.full((3, 3), 999), back_order_cents=9_000.0)
    plan = plan_together(wave, generator=draw, effort=0)

    alone = [solve(replace(order, stock=np.minimum(order.stock, order.wanted))) for order in orders]
    served = [number for number, each in enumerate(alone) if each is not None]
    cents = dict(zip(np.concatenate(numbers).tolist(), np.concatenate(sent_cents(wave, plan)).tolist(), strict=True))
    assert len(served) > len(orders) / 2
    assert [cents[number] for number in served] == [each.cents for each in alone if each is not None]
    assert plan.gap < 1e-9


def test_the_same_orders_are_planned_the_same_way_again() -> None:
    day = a_day(5, orders=(60, 30, 10), locations=8, goods=12)

    one, other = day.planned(effort=10), day.planned(effort=10)

    assert [plan.tobytes() for plan in one.plans] == [plan.tobytes() for plan in other.plans]
    assert (one.cents, one.bound_cents) == (other.cents, other.bound_cents)


def test_more_effort_costs_no_more_and_all_at_once_is_cheaper_than_one_after_another() -> None:
    day = a_day(11, orders=(30, 10, 5), locations=8, goods=8)
    in_turn = day
    cents = 0.0
    for pool, items in enumerate(day.items):
        for order in range(len(items)):
            one = replace(
                in_turn,
                items=[items[order : order + 1]],
                units=[day.units[pool][order : order + 1]],
                package_cents=[day.package_cents[pool][order : order + 1]],
                unit_cents=[day.unit_cents[pool][order : order + 1]],
            )
            plan = one.planned(effort=0)
            cents += plan.cents
            in_turn = replace(in_turn, stock=one.left(plan.plans)[0])

    quick, slow = day.planned(effort=0), day.planned(effort=20)

    assert slow.cents <= quick.cents < cents


def test_nothing_to_plan_costs_nothing() -> None:
    nobody = a_day(0, orders=(0, 0), locations=2, goods=3).planned()
    nothing = plan_together(wave_of([], np.ones((2, 3), dtype=np.int64), back_order_cents=1), generator=np.random.default_rng(0))

    for plan in (nobody, nothing):
        assert sum(each.size for each in plan.plans) == 0
        assert plan.cents == plan.bound_cents == plan.gap == 0


def test_orders_of_several_markets_or_that_stand_for_many_are_refused() -> None:
    pool = a_day(0, orders=(3,), locations=2, goods=3).pools[0]
    stock = np.ones((2, 3), dtype=np.int64)

    for wrong in (replace(pool, weight=pool.weight * 2), replace(pool, market=np.array([0, 1, 0]))):
        with pytest.raises(ValueError, match="one market"):
            wave_of([wrong], stock, back_order_cents=1)


def test_an_order_that_may_have_fewer_packages_than_lines_or_has_too_many_lines_is_refused() -> None:
    order = Instance(
        wanted=np.ones(2, dtype=np.int64),
        stock=np.ones((1, 2), dtype=np.int64),
        room=np.full(1, 9),
        package_cents=np.zeros(1),
        unit_cents=np.zeros((1, 2)),
        postage=NO_POSTAGE,
        lane=np.zeros(1, dtype=np.int64),
        grams=np.ones(2, dtype=np.int64),
        packages_max=1,
        miles=np.zeros(1),
        rank=np.zeros(1, dtype=np.int64),
    )
    long = a_day(0, orders=(0,) * 8 + (1,), locations=1, goods=9).pools[-1]

    with pytest.raises(ValueError, match="so many packages"):
        wave_of_orders([order], [np.array([0, 1])], np.ones((1, 2), dtype=np.int64), back_order_cents=1)
    with pytest.raises(ValueError, match="at most 8 lines"):
        wave_of([long], np.ones((1, 9), dtype=np.int64), back_order_cents=1)
