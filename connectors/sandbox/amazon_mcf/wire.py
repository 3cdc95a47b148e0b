"""Reading what Amazon is asked."""

from typing import Any

import msgspec

from connectors.sandbox.amazon_mcf.seller import Refused


def decoded(body: bytes, kind: type[Any]) -> Any:
    """The request's body.

    Raises:
        Refused: It is not JSON, or not what the operation takes.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refused(f"Request has missing or invalid parameters and cannot be parsed: {error}") from error
