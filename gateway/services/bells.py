"""Waking up early: a loop that looks every so often looks at once when its bell is rung."""

import asyncio


async def rung(bell: asyncio.Event, timeout_s: float) -> None:
    """Wait until the bell is rung, and no longer than ``timeout_s``."""
    try:
        async with asyncio.timeout(timeout_s):
            await bell.wait()
    except TimeoutError:
        pass
