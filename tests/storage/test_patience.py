"""Those who stop waiting for the database."""

import asyncio
import gc
from pathlib import Path

from tests.harness import run
from tests.samples import desk


def test_whoever_stops_waiting_leaves_no_broken_connection_behind(tmp_path: Path) -> None:
    async def story() -> None:
        async with desk(tmp_path) as working:
            impatient = [asyncio.create_task(working.store.epochs()) for _ in range(20)]
            for turns, task in enumerate(impatient):
                for _ in range(turns):
                    await asyncio.sleep(0)
                task.cancel()
            await asyncio.gather(*impatient, return_exceptions=True)
            assert await working.store.epochs() == {}
        gc.collect()  # a connection that nobody could close would say so now

    run(story)
