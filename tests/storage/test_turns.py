from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.orders import Order
from gateway.domain.refusals import Overloaded
from gateway.storage.turns import Turns
from tests.harness import run
from tests.samples import all_of, desk, once, place
from tests.storages import Storage

CALLERS = st.sampled_from("abc")


@dataclass(eq=False)
class Wish:
    caller: str
    number: int = 0
    refused: list[Exception] = field(default_factory=list)

    def refuse(self, why: Exception) -> None:
        self.refused.append(why)


def queue(callers: str, *, size_max: int = 100) -> Turns[Wish]:
    """One wish for each letter, in that order."""
    turns = Turns[Wish](size_max=size_max)
    for number, caller in enumerate(callers):
        turns.add(Wish(caller, number))
    return turns


def taken(turns: Turns[Wish]) -> str:
    """Whose turn it is until nothing waits."""
    return "".join(each.caller for each in iter(turns.take, None))


def test_callers_take_turns_however_much_one_of_them_wants() -> None:
    assert taken(queue("aaaaabbc")) == "abcabaaa"


def test_who_comes_later_is_next_but_for_those_who_wait_already() -> None:
    turns = queue("aaab")
    first = turns.take()
    assert first is not None
    assert first.caller == "a"
    turns.add(Wish("c"))
    assert taken(turns) == "baca"


def test_what_is_put_back_is_its_callers_next() -> None:
    turns = queue("aab")
    first = turns.take()
    assert first is not None
    turns.put_back(first)
    assert [each.number for each in iter(turns.take, None)] == [2, 0, 1]


def test_when_all_is_full_the_longest_line_gives_up_its_newest() -> None:
    turns = queue("aaab", size_max=4)
    newest = turns._lines["a"][-1]
    turns.add(Wish("c"))
    assert [type(each) for each in newest.refused] == [Overloaded]
    assert len(turns) == 4
    assert taken(turns) == "abca"


def test_when_all_is_full_the_longest_line_may_not_grow() -> None:
    turns = queue("aaab", size_max=4)
    with pytest.raises(Overloaded):
        turns.add(Wish("a"))
    assert taken(turns) == "abaa"


def test_when_all_is_full_nobody_gives_up_what_the_newcomer_would_then_have_himself() -> None:
    turns = queue("ab", size_max=2)
    for caller in "abc":
        with pytest.raises(Overloaded):
            turns.add(Wish(caller))
    assert taken(turns) == "ab"


@given(st.lists(CALLERS | st.none(), max_size=60), st.integers(1, 8))
def test_nothing_is_lost_or_doubled_and_each_caller_is_served_in_order(steps: list[str | None], size_max: int) -> None:
    turns = Turns[Wish](size_max=size_max)
    waiting: list[Wish] = []
    for number, caller in enumerate(steps):
        if caller is None:
            served = turns.take()
            assert (served is None) == (not waiting)
            if served is not None:
                assert served is next(each for each in waiting if each.caller == served.caller)
                waiting.remove(served)
        else:
            new = Wish(caller, number)
            try:
                turns.add(new)
            except Overloaded:
                assert len(waiting) == size_max
            else:
                waiting = [each for each in [*waiting, new] if not each.refused]
        assert len(turns) == len(waiting) <= size_max
    assert set(turns.clear()) == set(waiting)
    assert len(turns) == 0


def test_a_flash_sale_of_one_caller_does_not_keep_another_waiting(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage, batch_max=10) as on:
            served: list[str] = []

            async def buy(caller: str, number: int) -> None:
                mine = once(f"{caller}-{number}", principal=caller)
                await on.writer.submit(place(1, of=999), returns=Order, once=mine)
                served.append(caller)

            await all_of(*(buy("flash", number) for number in range(100)), *(buy("quiet", number) for number in range(10)))
            assert len(served) == 110
            assert served[:20].count("quiet") == 10, "half of each of the first two transactions"

    run(story)


def test_when_everything_is_full_of_one_callers_wishes_another_still_gets_in(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage, queue_max=5) as on:
            greedy = [on.writer.submit(place(1, of=99), returns=Order, once=once(str(each), principal="g")) for each in range(8)]
            modest = on.writer.submit(place(1, of=99), returns=Order, once=once("m", principal="m"))
            *outcomes, mine = await all_of(*greedy, modest)
            assert isinstance(mine, Order)
            assert [type(each) for each in outcomes] == [Order] * 4 + [Overloaded] * 4

    run(story)
