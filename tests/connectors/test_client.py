"""What leaves the client and what its answers mean: one exchange at a time."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from datetime import UTC, datetime
from time import monotonic
from typing import Any

import httpx
import msgspec
import pytest
import respx

from connectors.client import Client, Intent, Limits, Reply, by_status
from connectors.contract import (
    AuthFailed,
    ContractBroken,
    NotFound,
    OutcomeUnknown,
    Rejected,
    Secret,
    SourceError,
    Throttled,
    Transient,
)
from connectors.registry import Tools

STOCK = {"A": 3}
READ, WRITE = Intent.READ, Intent.WRITE
ONCE = Limits(attempts_max=1)


class Source:
    """A source that always says the same. ``requests`` is what it saw."""

    def __init__(self, says: httpx.Response | Exception) -> None:
        self.router = respx.MockRouter()
        self.router.route().mock(side_effect=[says] * 9)

    @property
    def requests(self) -> list[httpx.Request]:
        return [call.request for call in self.router.calls]

    def client(self, base_url: str = "https://source.test/api", limits: Limits = ONCE, **settings: Any) -> Client:
        transport = httpx.MockTransport(self.router.async_handler)
        tools = Tools(now=lambda: datetime.now(UTC), monotonic=monotonic, transport=transport)
        return Client(base_url=base_url, tools=tools, limits=limits, **settings)


def answer(status: int = 200, json: object = STOCK, **headers: str) -> httpx.Response:
    return httpx.Response(status, json=json, headers={name.replace("_", "-"): value for name, value in headers.items()})


def ask(client: Client, intent: Intent = READ, **more: Any) -> Coroutine[Any, Any, dict[str, int]]:
    return client.call("POST", "/stock", returns=dict[str, int], intent=intent, **more)


def failure_of(story: Coroutine[Any, Any, object]) -> SourceError:
    with pytest.raises(SourceError) as caught:
        asyncio.run(story)
    return caught.value


@pytest.mark.parametrize(
    ("failure", "of_read", "of_write"),
    [
        (httpx.ConnectError, Transient, Transient),
        (httpx.ConnectTimeout, Transient, Transient),
        (httpx.PoolTimeout, Transient, Transient),
        (httpx.ReadTimeout, Transient, OutcomeUnknown),
        (httpx.WriteTimeout, Transient, OutcomeUnknown),
        (httpx.ReadError, Transient, OutcomeUnknown),
        (httpx.WriteError, Transient, OutcomeUnknown),
        (httpx.CloseError, Transient, OutcomeUnknown),
        (httpx.RemoteProtocolError, Transient, OutcomeUnknown),
        (httpx.DecodingError, ContractBroken, OutcomeUnknown),
        (httpx.TooManyRedirects, ContractBroken, OutcomeUnknown),
        (ConnectionResetError, Transient, OutcomeUnknown),
    ],
)
def test_every_failure_of_the_wire_is_one_of_the_closed_errors(
    failure: type[Exception], of_read: type[SourceError], of_write: type[SourceError]
) -> None:
    source = Source(failure("scripted"))
    assert isinstance(failure_of(ask(source.client())), of_read)
    assert isinstance(failure_of(ask(source.client(), WRITE)), of_write)


@pytest.mark.parametrize(
    ("status", "of_read", "of_write"),
    [
        (302, ContractBroken, OutcomeUnknown),
        (401, AuthFailed, AuthFailed),
        (404, NotFound, NotFound),
        (408, Transient, OutcomeUnknown),
        (422, Rejected, Rejected),
        (429, Throttled, Throttled),
        (500, Transient, OutcomeUnknown),
        (503, Transient, OutcomeUnknown),
    ],
)
def test_a_status_that_proves_nothing_leaves_a_write_unknown(
    status: int, of_read: type[SourceError], of_write: type[SourceError]
) -> None:
    source = Source(answer(status))
    assert isinstance(failure_of(ask(source.client())), of_read)
    assert isinstance(failure_of(ask(source.client(), WRITE)), of_write)


def test_503_with_a_time_to_come_back_is_throttling_even_of_a_write() -> None:
    error = failure_of(ask(Source(answer(503, retry_after="7")).client(), WRITE))
    assert isinstance(error, Throttled)
    assert error.retry_after_s == 7.0


def test_an_answer_from_memory_is_capped_too() -> None:
    transport = httpx.MockTransport(lambda _request: answer(json="x" * 100))
    tools = Tools(now=lambda: datetime.now(UTC), monotonic=monotonic, transport=transport)
    client = Client(base_url="https://source.test", tools=tools, limits=Limits(response_bytes_max=50))
    assert "more than 50 bytes" in failure_of(ask(client)).detail


def test_an_answer_that_is_given_up_is_closed_at_once() -> None:
    class Stream(httpx.AsyncByteStream):
        closed = False

        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                yield b"[" * 1000

        async def aclose(self) -> None:
            self.closed = True

    stream = Stream()
    transport = httpx.MockTransport(lambda _request: httpx.Response(200, stream=stream))
    tools = Tools(now=lambda: datetime.now(UTC), monotonic=monotonic, transport=transport)
    failure_of(ask(Client(base_url="https://source.test", tools=tools)))
    assert stream.closed


def in_body(reply: Reply) -> SourceError | None:
    if reply.read(dict[str, Any]).get("error") == "ROLLED_BACK":
        return Transient("rolled back")
    return by_status(reply)


def test_the_connector_may_know_that_a_write_did_not_happen_unless_a_5xx_says_it() -> None:
    rolled_back, perhaps = answer(json={"error": "ROLLED_BACK"}), answer(500, json={"error": "ROLLED_BACK"})
    assert isinstance(failure_of(ask(Source(rolled_back).client(), WRITE, classify=in_body)), Transient)
    assert isinstance(failure_of(ask(Source(perhaps).client(), WRITE, classify=in_body)), OutcomeUnknown)


def test_a_proxy_page_that_the_connector_cannot_read_is_judged_by_its_status() -> None:
    page = httpx.Response(502, html="<html>Bad gateway</html>")
    assert isinstance(failure_of(ask(Source(page).client(classify=in_body))), Transient)


def sent(**call: Any) -> httpx.Request:
    source = Source(answer())
    client = source.client(headers={"Authorization": f"Bearer {Secret('s3cret')}", "Accept-Encoding": "br"})
    asyncio.run(client.call(**{"method": "POST", "path": "/stock", "returns": dict[str, int], **call}))
    return source.requests[0]


def test_a_request_carries_what_it_should() -> None:
    request = sent(params={"sku": ["A", "B"], "page": 2}, json={"key": Secret("k")}, headers={"X-Key": "1"})
    assert str(request.url) == "https://source.test/api/stock?sku=A&sku=B&page=2"
    assert msgspec.json.decode(request.content) == {"key": "k"}
    wanted = {
        "authorization": "Bearer s3cret",
        "x-key": "1",
        "content-type": "application/json",
        "accept-encoding": "gzip",  # the only one that is unpacked within bounds
        "user-agent": "dom-gateway",
    }
    assert wanted.items() <= dict(request.headers).items()


def test_a_form_is_sent_as_browsers_do() -> None:
    request = sent(form={"grant_type": "a b", "secret": Secret("x&y=ä")})
    assert request.content == b"grant_type=a+b&secret=x%26y%3D%C3%A4"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"


def test_a_witness_sees_what_was_asked_and_answered_whatever_it_was_and_no_secret() -> None:
    seen: list[tuple[str, bytes]] = []
    source = Source(answer(422, json="no"))
    tools = Tools(
        now=lambda: datetime.now(UTC),
        monotonic=monotonic,
        transport=httpx.MockTransport(source.router.async_handler),
        witness=lambda *told: seen.append(told),
    )
    client = Client(base_url="https://source.test/api", tools=tools, headers={"x-key": "s3cret"})
    failure_of(client.call("get", "/stock", returns=object, params={"sku": "A", "key": Secret("s3 cret")}))
    assert seen == [("GET /api/stock?sku=A&key=***", b'"no"')]


def test_a_link_to_the_next_page_is_followed_as_it_is() -> None:
    link = "https://source.test/api/stock?cursor=abc"
    assert str(sent(path=link, params={}).url) == link


@pytest.mark.parametrize("link", ["https://evil.test/api", "http://source.test/api", "https://source.test:1/", "ftp://x/"])
def test_credentials_do_not_leave_for_another_origin(link: str) -> None:
    with pytest.raises(ContractBroken, match="origin"):
        sent(path=link)


@pytest.mark.parametrize(
    "call",
    [{"path": "/a\nb"}, {"headers": {"x": "s3cret\n"}}, {"headers": {"x": "s3cret\xe9"}}, {"json": {"name": "s3cret\ud800"}}],
)
def test_what_cannot_be_sent_is_said_without_quoting_it(call: dict[str, Any]) -> None:
    with pytest.raises(ContractBroken) as caught:
        sent(intent=WRITE, **call)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None  # so that no traceback shows it either


@pytest.mark.parametrize("base_url", ["", "source.test", "http://[::1", "http:///x"])
def test_a_base_url_that_is_none_is_a_closed_error_too(base_url: str) -> None:
    assert isinstance(failure_of(ask(Source(answer()).client(base_url), WRITE)), ContractBroken)


def test_redirects_are_not_followed() -> None:
    source = Source(answer(307, location="https://evil.test/"))
    assert isinstance(failure_of(ask(source.client())), ContractBroken)
    assert len(source.requests) == 1


def test_cookies_are_not_kept() -> None:
    source = Source(answer(set_cookie="session=1"))

    async def twice() -> None:
        client = source.client()
        await ask(client)
        await ask(client)

    asyncio.run(twice())
    assert ["cookie" in request.headers for request in source.requests] == [False, False]


def test_closing_is_fine_before_the_first_call_and_leaves_a_shared_transport_open() -> None:
    class Shared(httpx.MockTransport):
        closed = False

        async def aclose(self) -> None:
            self.closed = True

    async def story() -> bool:
        shared = Shared(lambda _request: answer())
        tools = Tools(now=lambda: datetime.now(UTC), monotonic=monotonic, transport=shared)
        client = Client(base_url="https://source.test", tools=tools)
        await client.aclose()
        await ask(client)
        await client.aclose()
        return shared.closed

    assert asyncio.run(story()) is False


@pytest.mark.parametrize("limit", ["attempts_max", "concurrency_max", "rate_per_s", "total_timeout_s"])
def test_a_limit_of_nothing_is_refused(limit: str) -> None:
    with pytest.raises(ValueError, match=limit):
        Limits(**{limit: 0})
