"""For all tests."""

import signal
from collections.abc import Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

from tests.postgres import Server, server
from tests.storages import NewStorage, Storage, in_file, on_server

settings.register_profile("dom", deadline=None)  # how long an example takes says how busy the machine is
settings.load_profile("dom")

# Drawing tracebacks with all local variables takes seconds each; a line does.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.processors.format_exc_info,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server, started for the first test that asks for it; it ends with the run, however that ends but by SIGKILL."""
    before = signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    with server() as started:
        yield started
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(params=["sqlite", "postgres"])
def new_storage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> NewStorage:
    """For tests that need several: makes one after another."""
    if request.param == "postgres":
        return partial(on_server, request.getfixturevalue("postgres"))
    return lambda: nullcontext(in_file(tmp_path_factory.mktemp("store")))


@pytest.fixture
def storage(new_storage: NewStorage) -> Iterator[Storage]:
    """An empty database, of each kind in turn."""
    with new_storage() as new:
        yield new


@pytest.fixture(params=["sqlite", "postgres"])
def blank_storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    """A database of each kind in turn, without a table."""
    if request.param == "postgres":
        with on_server(request.getfixturevalue("postgres"), migrated=False) as new:
            yield new
    else:
        yield Storage(url=f"sqlite:///{tmp_path / 'dom.sqlite3'}")


@pytest.fixture
def shared_storage(postgres: Server) -> Iterator[Storage]:
    """An empty database for several gateways."""
    with on_server(postgres) as new:
        yield new
