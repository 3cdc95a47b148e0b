"""Whether the chunks of one read are asked for at once."""

import asyncio
from collections.abc import Sequence

import httpx

from connectors.contract import Sku, StockReader


async def together(
    connector: StockReader, skus: Sequence[Sku], controls: httpx.AsyncClient, *, requests: int, patience_s: float = 4.0
) -> set[str]:
    """The paths of a read's requests when there are so many, of which none has been answered, nor is it going to be.

    Raises:
        TimeoutError: There are fewer: one waits for the end of another. (After 5 s they would be asked a second time.)
    """
    await controls.delete("/_sandbox/journal")
    await controls.post("/_sandbox/faults", json={"kind": "HANG"})
    read = asyncio.create_task(connector.read_stock(skus))
    try:
        async with asyncio.timeout(patience_s):
            while len(seen := (await controls.get("/_sandbox/journal")).json()["requests"]) < requests:
                await asyncio.sleep(0.01)
        assert [each["status"] for each in seen] == [None] * requests
        return {each["path"] for each in seen}
    finally:
        read.cancel()
        await asyncio.wait([read])
        await controls.delete("/_sandbox/faults")
