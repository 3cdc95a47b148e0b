"""HTTP/1.1 over our own sockets: what an answer is, and what becomes of its connection."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.client import Inconclusive, NotSent, Reply
from connectors.client.answer import Answer as Reading
from connectors.client.sockets import Sockets
from connectors.contract import ContractBroken, SourceError
from tests.connectors.misbehaving import Answer, Source, hang_up, letter, listening, raw, say_nothing, whole

GOOD = whole(b'{"A": 3}')


@asynccontextmanager
async def connected(answer: Answer, **more: Any) -> AsyncIterator[tuple[Callable[[], Coroutine[Any, Any, Reply]], Source, Sockets]]:
    async with listening(answer) as (url, source):
        wire = Sockets(**more)

        async def ask() -> Reply:
            async with asyncio.timeout(5):
                return await wire.exchange(letter(url), timeout_s=2, bytes_max=1_000_000)

        try:
            yield ask, source, wire
        finally:
            await wire.aclose()


def reply_to(answer: Answer) -> Reply:
    async def once() -> Reply:
        async with connected(answer) as (ask, _, _):
            return await ask()

    return asyncio.run(once())


def connections_for_two(answer: Answer) -> int:
    async def twice() -> int:
        async with connected(answer) as (ask, source, _):
            assert (await ask()).read(dict[str, int]) == (await ask()).read(dict[str, int]) == {"A": 3}
            return source.connections

    return asyncio.run(twice())


# ---------------------------------------------------------------------------------------------- what goes out
def test_a_request_is_framed_so_that_it_cannot_be_misread() -> None:
    async def once() -> tuple[bytes, str]:
        async with listening(GOOD) as (url, source):
            wire = Sockets()
            await wire.exchange(
                letter(f"{url}/a b?c=ä&d=%0D%0A", headers={"authorization": "Bearer x"}), timeout_s=2, bytes_max=100
            )
            await wire.aclose()
            return source.requests[0], url.removeprefix("http://")

    request, netloc = asyncio.run(once())
    assert (
        request
        == (
            f"POST /a%20b?c=%C3%A4&d=%0D%0A HTTP/1.1\r\nhost: {netloc}\r\nauthorization: Bearer x\r\ncontent-length: 2\r\n\r\n{{}}"
        ).encode()
    )


@pytest.mark.parametrize(
    ("method", "content", "length"),
    [("GET", None, b""), ("DELETE", None, b""), ("POST", None, b"content-length: 0"), ("PUT", None, b"content-length: 0")],
)
def test_a_request_without_a_body_says_so_where_one_is_expected(method: str, content: bytes | None, length: bytes) -> None:
    async def once() -> bytes:
        async with listening(GOOD) as (url, source):
            wire = Sockets()
            await wire.exchange(letter(url, method, content), timeout_s=2, bytes_max=100)
            await wire.aclose()
            return source.requests[0]

    request = asyncio.run(once())
    assert request.split(b"\r\n")[2:] == ([length, b"", b""] if length else [b"", b""])


def test_a_body_larger_than_what_sockets_hold_arrives_whole() -> None:
    content = b'"' + b"x" * 5_000_000 + b'"'

    async def once() -> bytes:
        async with listening(GOOD) as (url, source):
            wire = Sockets()
            await wire.exchange(letter(url, content=content), timeout_s=5, bytes_max=100)
            await wire.aclose()
            return source.requests[0]

    assert asyncio.run(once()).endswith(content)


@pytest.mark.parametrize(
    "headers",
    [{"host": "evil.test"}, {"content-length": "0"}, {"transfer-encoding": "chunked"}, {"x y": "1"}, {"x\r\ny": "1"}, {"": "1"}],
)
def test_no_header_can_change_how_a_request_is_framed(headers: dict[str, str]) -> None:
    with pytest.raises(ContractBroken):
        letter("http://source.test", headers=headers)


@pytest.mark.parametrize("method", ["HEAD", "GET /x", "", "get", "GET\r\n"])
def test_a_method_is_one_whose_answer_can_be_read(method: str) -> None:
    with pytest.raises(ContractBroken):
        letter("http://source.test", method)


# ---------------------------------------------------------------------------------------------- what comes back
def test_what_comes_before_and_after_the_answer_is_none_of_it() -> None:
    said = (
        b"HTTP/1.1 100 Continue\r\nx-early: 1\r\n\r\n"
        b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\n"
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nX-Twice: a\r\nx-twice: b\r\ntrailer: x-late\r\n\r\n"
        b'4;ext=1\r\n{"A"\r\n4\r\n: 3}\r\n0\r\nx-late: 1\r\n\r\n'
    )

    async def say(writer: asyncio.StreamWriter) -> None:
        writer.write(said)

    reply = reply_to(say)
    assert reply.read(dict[str, int]) == {"A": 3}
    assert reply.headers == {"transfer-encoding": "chunked", "x-twice": "a, b", "trailer": "x-late"}


@pytest.mark.parametrize("status", ["200 OK", "204 No Content", "304 Not Modified"])
def test_an_answer_without_a_body_is_whole_with_its_head(status: str) -> None:
    headers = "" if status.startswith("2") and "No" in status else "\r\ncontent-length: 0"
    assert reply_to(raw(status + headers)).body == b""


def test_an_answer_without_a_length_ends_with_the_connection() -> None:
    assert connections_for_two(raw("200 OK", b'{"A": 3}', close=True)) == 2


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(raw("101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x"), id="another protocol"),
        pytest.param(raw("200 OK\r\ncontent-length: 3\r\ncontent-length: 4", b"null"), id="two lengths"),
        pytest.param(
            raw("200 OK\r\ncontent-length: 4\r\ntransfer-encoding: chunked", b"4\r\nnull\r\n0\r\n\r\n"), id="two framings"
        ),
        pytest.param(raw("200 OK\r\ncontent-length: -4", b"null"), id="negative length"),
        pytest.param(raw("200 OK\r\n continued: 1\r\ncontent-length: 4", b"null"), id="folded header"),
        pytest.param(raw("200 OK\r\ntransfer-encoding: chunked", b"x\r\nnull\r\n0\r\n\r\n"), id="a chunk of no size"),
        pytest.param(raw("200 OK\r\nx: " + "y" * 200_000), id="a header without end"),
    ],
)
def test_an_answer_whose_end_is_open_to_interpretation_is_none(answer: Answer) -> None:
    with pytest.raises(Inconclusive):
        reply_to(answer)


# ---------------------------------------------------------------------------------------------- what becomes of connections
@pytest.mark.parametrize(
    ("answer", "connections"),
    [
        (GOOD, 1),
        (raw("200 OK\r\ntransfer-encoding: chunked", b'8\r\n{"A": 3}\r\n0\r\n\r\n'), 1),
        (whole(b'{"A": 3}', "connection: close"), 2),
        (raw("200 OK\r\ncontent-length: 8", b'{"A": 3}garbage'), 2),
        (raw("200 OK\r\ncontent-length: 8", b'{"A": 3}HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n{"A": 9}'), 2),
    ],
)
def test_a_connection_is_used_again_only_where_nothing_is_left_on_it(answer: Answer, connections: int) -> None:
    assert connections_for_two(answer) == connections


def test_what_a_source_says_unasked_is_not_the_answer_to_the_next_question() -> None:
    async def answer_then_complain(writer: asyncio.StreamWriter) -> None:
        await GOOD(writer)
        await asyncio.sleep(0.02)
        await whole(b'{"A": 408}')(writer)

    async def story() -> None:
        async with connected(answer_then_complain, idle_s=60) as (ask, source, _), asyncio.timeout(5):
            assert (await ask()).read(dict[str, int]) == {"A": 3}
            await source.dropped.wait()
            assert (await ask()).read(dict[str, int]) == {"A": 3}

    asyncio.run(story())


def test_a_connection_that_was_closed_while_it_rested_is_not_written_to() -> None:
    async def answer_then_leave(writer: asyncio.StreamWriter) -> None:
        await GOOD(writer)
        await asyncio.sleep(0.01)
        writer.close()

    async def story() -> None:
        async with connected(answer_then_leave) as (ask, source, _):
            for _ in range(3):
                await ask()
                await asyncio.sleep(0.05)
            assert source.connections == 3

    asyncio.run(story())


def test_a_connection_that_rests_too_long_is_closed() -> None:
    async def story() -> None:
        async with connected(GOOD, idle_s=0.01) as (ask, source, _):
            await ask()
            await source.dropped.wait()

    asyncio.run(story())


def test_as_many_connections_as_there_are_questions_at_once_and_no_more() -> None:
    async def slowly(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.02)
        await GOOD(writer)

    async def story() -> None:
        async with connected(slowly) as (ask, source, _):
            for _ in range(3):
                await asyncio.gather(*(ask() for _ in range(5)))
            assert source.connections == 5

    asyncio.run(story())


def test_connections_that_are_too_many_for_what_is_asked_get_old_and_go() -> None:
    async def story() -> None:
        async with connected(GOOD, idle_s=0.1) as (ask, _, wire), asyncio.timeout(5):
            await asyncio.gather(*(ask() for _ in range(5)))
            while len(wire._open) > 1:
                await ask()
                await asyncio.sleep(0.005)

    asyncio.run(story())


def test_a_source_that_hangs_up_before_it_is_asked_has_not_been_asked() -> None:
    async def story() -> None:
        async with connected(GOOD) as (ask, source, wire):
            await ask()
            [connection] = wire._open
            connection.drop()
            with pytest.raises(NotSent):
                await connection.ask(b"", bytes_max=1)
            await ask()
            assert source.connections == 2

    asyncio.run(story())


def test_giving_up_hangs_up() -> None:
    async def story() -> None:
        async with connected(say_nothing) as (ask, source, wire), asyncio.timeout(5):
            call = asyncio.create_task(ask())
            await source.busy.acquire()
            [connection] = wire._open
            call.cancel()
            await connection.gone
            assert not wire._open

    asyncio.run(story())


def test_closing_hangs_up_on_those_who_still_wait() -> None:
    async def story() -> None:
        async with connected(say_nothing) as (ask, source, wire):
            waiting = asyncio.gather(ask(), ask(), return_exceptions=True)
            await source.busy.acquire()
            await source.busy.acquire()
            await wire.aclose()
            assert [type(end) for end in await waiting] == [Inconclusive, Inconclusive]

    asyncio.run(story())


def test_a_source_that_hangs_up_at_once_tells_nothing() -> None:
    with pytest.raises(SourceError) as caught:
        reply_to(hang_up)
    assert isinstance(caught.value, NotSent | Inconclusive)


def test_uvloops_transports_serve_as_well() -> None:
    uvloop = pytest.importorskip("uvloop")

    async def story() -> None:
        async with connected(GOOD, idle_s=0.05) as (ask, source, _):
            await asyncio.gather(*(ask() for _ in range(20)))
            source.answer = hang_up
            for _ in range(20):
                with pytest.raises(Inconclusive):
                    await ask()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(story())


# ---------------------------------------------------------------------------------------------- laws
SAID = (
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    b'3\r\n{"A\r\n5\r\n": 3}\r\n0\r\n\r\n'
)


async def read(pieces: list[bytes]) -> Reading:
    reading = Reading(asyncio.get_running_loop().create_future(), 1_000)
    for piece in pieces:
        if not reading.end.done():
            reading.feed(piece)
    reading.cut(None)
    return reading


@given(st.sets(st.integers(1, len(SAID) - 1)))
def test_an_answer_is_the_same_however_the_network_cuts_it(cuts: set[int]) -> None:
    edges = [0, *sorted(cuts), len(SAID)]
    reading = asyncio.run(read([SAID[start:end] for start, end in pairwise(edges)]))
    assert reading.end.exception() is None
    assert (reading.status, b"".join(reading.body), reading.leaves_open) == (200, b'{"A": 3}', True)


@given(st.integers(0, len(SAID) - 1))
def test_an_answer_that_was_cut_off_is_never_taken_for_whole(length: int) -> None:
    assert isinstance(asyncio.run(read([SAID[:length]])).end.exception(), Inconclusive)


@given(
    st.lists(
        st.one_of(st.binary(max_size=40), st.sampled_from([SAID, b"HTTP/1.1 200 OK\r\n", b"\r\n", b"content-length: 9999\r\n"]))
    )
)
def test_whatever_comes_there_is_an_end_and_it_is_an_answer_or_a_closed_error(pieces: list[bytes]) -> None:
    reading = asyncio.run(read(pieces))
    assert reading.end.done()
    assert reading.end.exception() is None or isinstance(reading.end.exception(), SourceError)
