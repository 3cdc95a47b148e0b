"""What carries a letter to a source and its reply back, within bounds."""

import zlib
from collections.abc import Mapping
from typing import Protocol

from connectors.client.letter import Letter
from connectors.client.reply import Reply
from connectors.contract import ContractBroken

_GZIP = 16 + zlib.MAX_WBITS


class Wire(Protocol):
    """One HTTP exchange after another with one origin. It follows no redirects and keeps no cookies."""

    async def exchange(self, letter: Letter, *, timeout_s: float, bytes_max: int) -> Reply:
        """Send once and read all of the answer. Only connecting is bounded here: the caller bounds the whole, by canceling.

        Connecting gets half of ``timeout_s``, so that it fails as such before the whole does, which cannot tell what was sent.

        Raises:
            NotSent: There was no connection to send it on.
            Inconclusive: Sent, and no whole answer came.
            ContractBroken: The answer is too large, or not HTTP as we asked for it.
        """

    async def aclose(self) -> None:
        """Close what is ours."""


def whole_reply(*, status: int, headers: Mapping[str, str], body: bytes, bytes_max: int) -> Reply:
    """The reply, unpacked: up to the cap, and not a byte more of memory. 64 KiB of gzip may hold 64 MiB.

    Raises:
        ContractBroken: It holds more than that, or was packed in a way that nobody asked for.
    """
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding in {"gzip", "x-gzip"} and body:
        body = _unzipped(body, bytes_max)
    elif encoding not in {"identity", "gzip", "x-gzip", ""}:
        raise ContractBroken("a content encoding that was not asked for")
    refuse_beyond(bytes_max, len(body))
    return Reply(status=status, headers=headers, body=body)


def refuse_beyond(bytes_max: int, size_bytes: int) -> None:
    """Stop reading what is larger than it may be."""
    if size_bytes > bytes_max:
        raise ContractBroken(f"an answer of more than {bytes_max} bytes")


def _unzipped(body: bytes, bytes_max: int) -> bytes:
    unzip = zlib.decompressobj(_GZIP)
    try:
        plain = unzip.decompress(body, bytes_max + 1)
    except zlib.error:
        raise ContractBroken("gzip that cannot be read") from None
    refuse_beyond(bytes_max, len(plain))
    if not unzip.eof:
        raise ContractBroken("gzip that ends too soon")
    if unzip.unused_data:
        raise ContractBroken("bytes after the end of the gzip")
    return plain
