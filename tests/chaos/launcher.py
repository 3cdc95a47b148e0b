"""``dom serve`` with a clock that is as wrong as a file says, in seconds: ``python -m tests.chaos.launcher CONFIG FILE``."""

import os
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn

from gateway.app import Parts, create_app
from gateway.configuration import load


@dataclass(frozen=True, slots=True)
class WrongClock:
    """The machine's clock, and what it is ahead."""

    ahead: Path

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=float(self.ahead.read_text() or 0))

    def monotonic(self) -> float:
        return time.monotonic()


def main() -> None:
    config, ahead = map(Path, sys.argv[1:])
    settings = load(config, os.environ)
    app = create_app(settings, Parts(clock=WrongClock(ahead)))
    uvicorn.run(app, host=settings.server.host, port=settings.server.port, ws="none", log_config=None, access_log=False)


if __name__ == "__main__":
    main()
