"""The client that a connector calls: all layers of resilience around one HTTP exchange."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import MappingProxyType
from typing import Generic, TypeVar

import httpx
import msgspec
import stamina
from aiolimiter import AsyncLimiter

from connectors.client.exchange import exchange, ignore_location
from connectors.client.failures import Inconclusive, NotSent
from connectors.client.lane import Lane, Line
from connectors.client.limits import Intent, Limits
from connectors.client.reply import Classify, by_status, verdict
from connectors.client.retry import Persistence
from connectors.contract import ContractBroken, NotFound, OutcomeUnknown, Rejected, SourceError, Unsupported
from connectors.registry import Tools

T = TypeVar("T")
Params = Mapping[str, str | int | Sequence[str | int]]

# Answers that speak for the whole call, earlier attempts that got none included: a source that knows our key says so.
_SETTLING = (Rejected, NotFound, Unsupported)

# ``Persistence.wait_s`` alone decides when to stop.
_retrying = stamina.AsyncRetryingCaller(attempts=None, timeout=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call(Generic[T]):
    """What every attempt of one call has in common."""

    request: httpx.Request
    returns: type[T]
    classify: Classify
    lane: Lane
    persistence: Persistence


class Client:
    """Speaks HTTP with one source, for one event loop.

    Nothing is sent to another origin than ``base_url``'s, redirects are not followed, cookies are not kept, and neither
    proxies nor credentials are taken from the environment.
    """

    def __init__(
        self,
        *,
        base_url: str,
        tools: Tools,
        limits: Limits | None = None,
        headers: Mapping[str, str] = MappingProxyType({}),
        classify: Classify = by_status,
    ) -> None:
        self._base_url = base_url
        self._tools = tools
        self._limits = limits or Limits()
        self._headers = headers
        self._classify = classify
        self._lanes = {intent: Lane(self._limits, tools.monotonic) for intent in Intent}
        self._rate = _limiter(self._limits.rate_per_s) if self._limits.rate_per_s else None
        self._opened: httpx.AsyncClient | None = None

    async def call(
        self,
        method: str,
        path: str,
        *,
        returns: type[T],
        intent: Intent = Intent.READ,
        repeatable: bool | None = None,
        params: Params | None = None,
        json: object = None,
        headers: Mapping[str, str] | None = None,
        classify: Classify | None = None,
    ) -> T:
        """Ask the source, as often as is safe and sensible, and read its answer.

        Args:
            method: Of HTTP. It says nothing about ``intent``.
            path: Below ``base_url``, or a whole URL of the same origin, as a source's links to a next page are.
            returns: What the JSON of the answer is; an empty body reads as null.
            intent: Picks the breaker and the bulkhead, and says whether a lost answer matters.
            repeatable: The source does not mind getting it twice. None: true for reads, false for writes.
            params: A sequence repeats its name.
            json: None: no body.
            headers: On top of the client's.
            classify: In place of the client's.

        Raises:
            SourceError: A subclass of it, and nothing else. ``Transient`` of a write: it surely did not happen.
            OutcomeUnknown: A write was sent, and no attempt got an answer that settles whether it happened.
        """
        lane = self._lanes[intent]
        persistence = Persistence(
            repeatable=intent is Intent.READ if repeatable is None else repeatable,
            attempts_left=self._limits.attempts_max,
            deadline_at=asyncio.get_running_loop().time() + self._limits.total_timeout_s,
            breaker=lane.breaker,
            budget=lane.budget,
        )
        call = _Call(
            request=self._request(method, path, params=params, json=json, headers=headers),
            returns=returns,
            classify=classify or self._classify,
            lane=lane,
            persistence=persistence,
        )
        try:
            return await _retrying(persistence.wait_s, self._attempt, call)
        except _SETTLING:
            raise
        except SourceError as error:
            if intent is Intent.WRITE and persistence.in_doubt:
                raise OutcomeUnknown(error.detail) from error
            raise

    async def aclose(self) -> None:
        """Close the connections. A transport that was handed in stays open: it is not ours."""
        opened, self._opened = self._opened, None
        if opened is not None and self._tools.transport is None:
            await opened.aclose()

    def stats(self) -> Mapping[Intent, Line]:
        """How reads and writes fare."""
        return {intent: lane.line() for intent, lane in self._lanes.items()}

    async def _attempt(self, call: _Call[T]) -> T:
        call.lane.breaker.check()
        async with self._turn(call):
            with call.lane.watch():
                try:
                    return await self._answer(call)
                except (Inconclusive, ContractBroken):
                    call.persistence.in_doubt = True
                    raise

    @asynccontextmanager
    async def _turn(self, call: _Call[T]) -> AsyncIterator[None]:
        """Wait for the rate and for a place among the concurrent exchanges."""
        bulkhead = call.lane.bulkhead
        try:
            async with asyncio.timeout_at(call.persistence.deadline_at):
                if self._rate is not None:
                    await self._rate.acquire()
                await bulkhead.acquire()
        except TimeoutError:
            raise NotSent(f"no turn within {self._limits.total_timeout_s:.1f} s") from None
        try:
            yield
        finally:
            bulkhead.release()

    async def _answer(self, call: _Call[T]) -> T:
        timeout_s = min(self._limits.attempt_timeout_s, call.persistence.remaining_s())
        if timeout_s <= 0:
            raise NotSent(f"no time left of {self._limits.total_timeout_s:.1f} s")
        bytes_max = self._limits.response_bytes_max
        reply = await exchange(self._http(), call.request, timeout_s=timeout_s, bytes_max=bytes_max)
        if error := verdict(reply, call.classify):
            raise error
        return reply.read(call.returns)

    def _request(
        self, method: str, path: str, *, params: Params | None, json: object, headers: Mapping[str, str] | None
    ) -> httpx.Request:
        """Build what every attempt sends.

        Raises:
            ContractBroken: It cannot be put on the wire, or would carry our credentials to another origin.
        """
        try:
            content = None if json is None else msgspec.json.encode(json, enc_hook=_plain_text)
            own = httpx.Headers({} if content is None else {"content-type": "application/json"})
            own.update(headers)
            # An empty mapping would strip the query from a link to the next page.
            request = self._http().build_request(method, path, params=params or None, content=content, headers=own)
        except (httpx.InvalidURL, UnicodeError) as error:  # either may quote a credential; JSON text may hold half a surrogate
            raise ContractBroken(f"a request that HTTP does not allow: {type(error).__name__}") from None
        if not all(value.isprintable() for value in request.headers.values()):
            raise ContractBroken("a request header with a control character")
        if _origin(request.url) != _origin(self._http().base_url) or request.url.scheme not in {"http", "https"}:
            raise ContractBroken("a URL of another origin than the source's")
        return request

    def _http(self) -> httpx.AsyncClient:
        """The one httpx client, opened by the first call: it costs some 30 ms."""
        if self._opened is None:
            connections = len(Intent) * self._limits.concurrency_max
            headers = httpx.Headers({"accept": "application/json", "user-agent": "dom-gateway"})
            headers.update(self._headers)
            headers["accept-encoding"] = "gzip"  # the one that ``exchange`` unpacks within bounds
            self._opened = httpx.AsyncClient(
                base_url=self._base_url,
                headers=headers,
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                transport=self._tools.transport,
                limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
                event_hooks={"response": [ignore_location]},
                follow_redirects=False,
                trust_env=False,
            )
        return self._opened


def _limiter(rate_per_s: float) -> AsyncLimiter:
    """A bucket of one second's worth, but never of less than one call."""
    burst = max(1.0, rate_per_s)
    return AsyncLimiter(burst, burst / rate_per_s)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _plain_text(value: object) -> str:
    """What msgspec does not know to encode: text of a kind of its own, as ``Secret`` is."""
    if isinstance(value, str):
        return str.__str__(value)
    raise TypeError(f"{type(value).__name__} has no place in a request")
