"""One HTTP exchange: a request goes out, a whole reply of bounded size comes back in bounded time, or an error says why not."""

import asyncio
import zlib

import httpx

from connectors.client.failures import Inconclusive, NotSent
from connectors.client.reply import Reply
from connectors.contract import ContractBroken

_GZIP = 16 + zlib.MAX_WBITS


async def exchange(http: httpx.AsyncClient, request: httpx.Request, *, timeout_s: float, bytes_max: int) -> Reply:
    """Send once and read all of the answer.

    Raises:
        NotSent: There was no connection to send it on.
        Inconclusive: Sent, and no whole answer came.
        ContractBroken: The answer is too large, or not HTTP as we asked for it.
    """
    # Connecting gets half, so that it fails as such before the attempt's own deadline, which cannot tell what was sent.
    waits = httpx.Timeout(None, connect=timeout_s / 2, pool=timeout_s / 2)
    request.extensions = {**request.extensions, "timeout": waits.as_dict()}
    try:
        async with asyncio.timeout(timeout_s):
            response = await http.send(request, stream=True)
            try:
                body = await _whole_body(response, bytes_max)
            finally:
                await response.aclose()
    except TimeoutError:
        raise Inconclusive(f"no whole answer within {timeout_s:.1f} s") from None
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise NotSent(f"no connection: {str(error) or type(error).__name__}") from error
    except (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.DecodingError, httpx.TooManyRedirects) as error:
        # h11 quotes the header that it dislikes, which may be the credential: neither its words nor the cause go on.
        raise ContractBroken(f"not an exchange that HTTP allows: {type(error).__name__}") from None
    except (httpx.TransportError, OSError) as error:
        raise Inconclusive(f"no whole answer: {str(error) or type(error).__name__}") from error
    return Reply(status=response.status_code, headers=dict(response.headers), body=body)


async def ignore_location(response: httpx.Response) -> None:
    """Make a redirect an answer like any other.

    httpx prepares the next request even where it is not to follow, and fails with a protocol error when ``Location`` is bad.
    """
    if response.has_redirect_location:
        del response.headers["location"]


async def _whole_body(response: httpx.Response, bytes_max: int) -> bytes:
    """Read up to the cap, and not a byte more of memory: httpx's own decoders turn 64 KiB into 64 MiB, or stack."""
    if response.is_stream_consumed:  # a transport that answers from memory, already decoded
        _refuse_beyond(bytes_max, response.content)
        return response.content
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip", "x-gzip", ""}:
        raise ContractBroken("a content encoding that was not asked for")
    unzip = zlib.decompressobj(_GZIP) if encoding.endswith("gzip") else None
    body, received_bytes = bytearray(), 0
    async for chunk in response.aiter_raw():
        received_bytes += len(chunk)
        body += _unzipped(unzip, chunk, room_bytes=bytes_max - len(body)) if unzip else chunk
        _refuse_beyond(bytes_max, body)
    if unzip and received_bytes and not unzip.eof:
        raise ContractBroken("gzip that ends too soon")
    return bytes(body)


def _unzipped(unzip: "zlib._Decompress", chunk: bytes, *, room_bytes: int) -> bytes:
    try:
        plain = unzip.decompress(chunk, room_bytes + 1)
    except zlib.error:
        raise ContractBroken("gzip that cannot be read") from None
    if unzip.unused_data:
        raise ContractBroken("bytes after the end of the gzip")
    return plain


def _refuse_beyond(bytes_max: int, body: bytes | bytearray) -> None:
    if len(body) > bytes_max:
        raise ContractBroken(f"an answer of more than {bytes_max} bytes")
