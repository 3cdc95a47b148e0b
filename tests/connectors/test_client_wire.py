"""The client against real sockets that misbehave."""

import asyncio
import gzip
import tracemalloc
import zlib
from typing import Any

import pytest
import stamina

from connectors.client import Client, Intent, Limits
from connectors.contract import ContractBroken, OutcomeUnknown, SourceError, Transient
from tests.connectors.misbehaving import CAP_BYTES, TOOLS, Answer, hang_up, raw, say_nothing, speaking, whole


def ask(answer: Answer, intent: Intent = Intent.READ, *, attempt_timeout_s: float = 2.0) -> Any:
    async def once() -> Any:
        async with speaking(answer, attempt_timeout_s=attempt_timeout_s) as (client, _):
            return await client.call("POST", "/stock", returns=dict[str, int], intent=intent, json={"skus": ["A"]})

    return asyncio.run(once())


def test_a_plain_answer_and_a_zipped_one_read_the_same() -> None:
    assert ask(whole(b'{"A": 3}')) == {"A": 3}
    assert ask(whole(gzip.compress(b'{"A": 3}'), "content-encoding: gzip")) == {"A": 3}


def test_an_empty_answer_that_claims_to_be_zipped_is_just_empty() -> None:
    async def once() -> None:
        async with speaking(raw("204 No Content\r\ncontent-encoding: gzip")) as (client, _):
            assert await client.call("GET", "/", returns=object) is None

    asyncio.run(once())


def test_connections_are_kept() -> None:
    async def thrice() -> int:
        async with speaking(whole(gzip.compress(b'{"A": 3}'), "content-encoding: gzip")) as (client, source):
            for _ in range(3):
                await client.call("GET", "/stock", returns=dict[str, int])
            return source.connections

    assert asyncio.run(thrice()) == 1


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(hang_up, id="hangs up"),
        pytest.param(raw("200 OK\r\ncontent-length: 50", b'{"A": ', close=True), id="hangs up within the body"),
        pytest.param(raw("200 OK\r\ntransfer-encoding: chunked", b"5\r\n{'A'", close=True), id="hangs up within a chunk"),
        pytest.param(raw("garbage", close=True), id="does not speak HTTP"),
        pytest.param(raw("200 OK\r\n" + "x: y\r\n" * 40_000, close=True), id="headers without end"),
        pytest.param(raw("500 Oops\r\ncontent-length: 0"), id="500"),
    ],
)
def test_a_lost_answer_is_transient_to_a_read_and_unknown_to_a_write(answer: Answer) -> None:
    with pytest.raises(Transient):
        ask(answer)
    with pytest.raises(OutcomeUnknown):
        ask(answer, Intent.WRITE)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(raw("200 OK", b'{"A": 3, "B": ', close=True), id="half a JSON"),
        pytest.param(whole(b"<html>Please log in</html>", "content-type: application/json"), id="HTML"),
        pytest.param(whole(b'{"A": "3"}'), id="wrong type"),
        pytest.param(raw("302 Found\r\nlocation: http://[::1\r\ncontent-length: 0"), id="redirect to nowhere"),
        pytest.param(whole(b'{"A": 3}', "content-encoding: gzip"), id="not really zipped"),
        pytest.param(whole(gzip.compress(b'{"A": 3}')[:-9], "content-encoding: gzip"), id="zipped and cut"),
        pytest.param(whole(gzip.compress(b'{"A": 3}') + b"more", "content-encoding: gzip"), id="zipped and more"),
        pytest.param(whole(zlib.compress(b'{"A": 3}'), "content-encoding: deflate"), id="an encoding not asked for"),
        pytest.param(whole(gzip.compress(gzip.compress(b"{}")), "content-encoding: gzip, gzip"), id="zipped twice"),
        pytest.param(whole(b'{"A": 3}' + b" " * CAP_BYTES), id="larger than the cap"),
    ],
)
def test_an_unreadable_answer_breaks_the_contract_of_a_read_and_leaves_a_write_unknown(answer: Answer) -> None:
    with pytest.raises(ContractBroken):
        ask(answer)
    with pytest.raises(OutcomeUnknown):
        ask(answer, Intent.WRITE)


def test_silence_ends_at_the_attempts_deadline() -> None:
    with pytest.raises(Transient, match="within"):
        ask(say_nothing, attempt_timeout_s=0.05)
    with pytest.raises(OutcomeUnknown):
        ask(say_nothing, Intent.WRITE, attempt_timeout_s=0.05)


def test_an_answer_that_drips_for_ever_ends_at_the_attempts_deadline() -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)

    with pytest.raises(Transient, match="within"):
        ask(drip, attempt_timeout_s=0.1)


def test_an_answer_without_end_is_cut_off_at_the_cap() -> None:
    async def pour(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"[" * 65_536)
            await writer.drain()

    async def drink() -> None:
        async with speaking(pour) as (client, source):
            with pytest.raises(ContractBroken, match="more than"):
                await client.call("GET", "/", returns=dict[str, int])
            await source.dropped.wait()  # we hung up: it cannot pour any longer

    asyncio.run(drink())


def test_a_gzip_bomb_is_defused_at_the_cap() -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    assert len(bomb) < CAP_BYTES
    tracemalloc.start()
    with pytest.raises(ContractBroken, match="more than"):
        ask(whole(bomb, "content-encoding: gzip"))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 10_000_000


@pytest.mark.parametrize("intent", Intent)
def test_a_refused_connection_is_transient_even_to_a_write(intent: Intent) -> None:
    async def once() -> None:
        server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        client = Client(base_url=f"http://127.0.0.1:{port}", tools=TOOLS, limits=Limits(attempts_max=1))
        with pytest.raises(Transient, match="no connection"):
            await client.call("POST", "/", returns=dict[str, int], intent=intent, json={})
        await client.aclose()

    asyncio.run(once())


def test_a_lost_answer_is_asked_for_again_only_where_that_is_safe() -> None:
    async def count(intent: Intent, *, repeatable: bool | None) -> tuple[int, type[Exception]]:
        async with speaking(hang_up, attempts_max=4) as (client, source):
            with pytest.raises(SourceError) as caught:
                await client.call("POST", "/", returns=dict[str, int], intent=intent, repeatable=repeatable, json={"key": "k1"})
            assert len(set(source.requests)) == 1  # every attempt is the same
            return len(source.requests), type(caught.value)

    with stamina.set_testing(True, attempts=9):  # attempts do not wait for each other
        assert asyncio.run(count(Intent.WRITE, repeatable=None)) == (1, OutcomeUnknown)
        assert asyncio.run(count(Intent.WRITE, repeatable=True)) == (4, OutcomeUnknown)
        attempts, error = asyncio.run(count(Intent.READ, repeatable=None))
    assert attempts == 4
    assert issubclass(error, Transient)


def test_giving_up_hangs_up_and_leaves_the_client_usable() -> None:
    async def once() -> None:
        async with speaking(say_nothing) as (client, source):
            calls = [asyncio.create_task(client.call("GET", "/", returns=dict[str, int])) for _ in range(20)]
            for _ in range(8):
                await source.busy.acquire()
            for call in calls:
                call.cancel()
            await asyncio.wait(calls)
            assert all(call.cancelled() for call in calls)
            source.answer = whole(b'{"A": 3}')
            assert await client.call("GET", "/", returns=dict[str, int]) == {"A": 3}
            line = client.traffic()[Intent.READ]
            assert (line.in_flight, line.failures, line.calls) == (0, 0, 9)

    asyncio.run(once())
