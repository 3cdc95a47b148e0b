"""Exchanges over httpx: over a transport that was handed in, or over connections of our own."""

import ssl
from collections.abc import Callable
from functools import cache
from typing import Final, cast

import httpx

from connectors.client.failures import Inconclusive, NotSent
from connectors.client.letter import Letter
from connectors.client.reply import Reply
from connectors.client.wire import refuse_beyond, whole_reply
from connectors.contract import ContractBroken

# Shorter than the five seconds after which many servers hang up: what we send in that moment is lost, and a write in doubt.
IDLE_S: Final = 4.0


@cache
def public_trust() -> ssl.SSLContext:
    """Whom we believe to be who they say. Reading the certificates takes some 30 ms: once for all sources."""
    return httpx.create_ssl_context(trust_env=False)


class Lent:
    """A ``Wire`` over a transport that was handed in: tests answer from memory. It is not ours to close."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport

    async def exchange(self, letter: Letter, *, timeout_s: float, bytes_max: int) -> Reply:
        """See ``Wire.exchange``."""
        return await exchanged(self._transport, letter, timeout_s=timeout_s, bytes_max=bytes_max)

    async def aclose(self) -> None:
        """See ``Wire.aclose``."""


class Connections:
    """A ``Wire`` over as many connections as are needed at once, the one that rested last first: the others get old and go.

    Each has a transport to itself: the pool of a shared one asks all its idle connections twice for every exchange whether they
    are still alive.
    """

    def __init__(self, *, trust: Callable[[], ssl.SSLContext] = public_trust) -> None:
        self._trust = trust
        self._idle: list[httpx.AsyncHTTPTransport] = []
        self._all: set[httpx.AsyncHTTPTransport] = set()

    async def exchange(self, letter: Letter, *, timeout_s: float, bytes_max: int) -> Reply:
        """See ``Wire.exchange``."""
        connection = self._idle.pop() if self._idle else self._new(tls=letter.url.scheme == "https")
        try:
            return await exchanged(connection, letter, timeout_s=timeout_s, bytes_max=bytes_max)
        finally:
            self._idle.append(connection)  # httpx has closed what cannot be used again, and connects anew

    async def aclose(self) -> None:
        """See ``Wire.aclose``."""
        self._idle.clear()
        while self._all:
            await self._all.pop().aclose()

    def _new(self, *, tls: bool) -> httpx.AsyncHTTPTransport:
        one = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=IDLE_S)
        made = httpx.AsyncHTTPTransport(verify=self._trust() if tls else False, limits=one, trust_env=False)
        self._all.add(made)
        return made


async def exchanged(transport: httpx.AsyncBaseTransport, letter: Letter, *, timeout_s: float, bytes_max: int) -> Reply:
    """One exchange, as ``Wire.exchange`` says."""
    request = httpx.Request(
        letter.method,
        letter.url,
        headers=dict(letter.headers),
        content=letter.content,
        extensions={"timeout": {"connect": timeout_s / 2, "pool": timeout_s / 2}},
    )
    try:
        response = await transport.handle_async_request(request)
        try:
            body = await _raw_body(response, bytes_max)
        finally:
            await response.aclose()
    except (httpx.ConnectTimeout, httpx.PoolTimeout):
        raise NotSent(f"no connection within {timeout_s / 2:.1f} s") from None
    except httpx.ConnectError as error:
        raise NotSent(f"no connection: {str(error) or type(error).__name__}") from error
    except (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.DecodingError, httpx.TooManyRedirects) as error:
        # h11 quotes the header that it dislikes, which may be the credential: neither its words nor the cause go on.
        raise ContractBroken(f"not an exchange that HTTP allows: {type(error).__name__}") from None
    except (httpx.TransportError, OSError) as error:
        raise Inconclusive(f"no whole answer: {str(error) or type(error).__name__}") from error
    return whole_reply(status=response.status_code, headers=dict(response.headers), body=body, bytes_max=bytes_max)


async def _raw_body(response: httpx.Response, bytes_max: int) -> bytes:
    """Read up to the cap, without httpx's own decoders: they know none."""
    body = bytearray()
    async for chunk in cast(httpx.AsyncByteStream, response.stream):  # what an asynchronous transport gives
        body += chunk
        refuse_beyond(bytes_max, len(body))
    return bytes(body)
