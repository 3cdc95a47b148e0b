"""Files on another machine: the connector against a real SFTP server on loopback."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.contract import (
    AuthFailed,
    CancelOutcome,
    FulfillmentRequest,
    Method,
    RemoteState,
    RequestKey,
    RequestLine,
    Secret,
    Sku,
    SourceError,
    Transient,
)
from connectors.flat_file import FlatFileWithOrders
from connectors.flat_file.connector import opened
from connectors.registry import Tools
from connectors.sandbox.faults import Fault, FaultKind
from connectors.sandbox.flat_file import FlatFileSandbox
from connectors.sandbox.flat_file.sftp import PASSWORD, SftpServer, serving_sftp
from tests.connectors.mill import CHARLOTTE, RECIPIENT, new_mill, settings_of

SKU = Sku("SKU-0009")


@asynccontextmanager
async def connected(server: SftpServer, **more: Any) -> AsyncIterator[FlatFileWithOrders]:
    defaults = {"folder": server.url("mill"), "host_key": server.host_key, "password": Secret(PASSWORD)}
    connector = opened(settings_of(Path(), **{**defaults, **more}), Tools(now=lambda: datetime.now(UTC), monotonic=time.monotonic))
    assert isinstance(connector, FlatFileWithOrders)
    try:
        yield connector
    finally:
        await connector.aclose()


@pytest.fixture
def mill(tmp_path: Path) -> FlatFileSandbox:
    return new_mill(tmp_path / "mill")


REQUEST = FulfillmentRequest(
    key=RequestKey("key-1"),
    location=CHARLOTTE,
    lines=(RequestLine(sku=SKU, units=2),),
    recipient=RECIPIENT,
    method=Method.SHIP,
    order_number="1001",
)


@pytest.mark.parametrize("renames", [True, False])
def test_stock_is_read_and_an_order_goes_through(mill: FlatFileSandbox, *, renames: bool) -> None:
    async def story() -> None:
        async with serving_sftp(mill.folder.parent, renames=renames) as server, connected(server) as connector:
            mill.set_stock("mill-charlotte", SKU, 12)
            assert {each.available for each in (await connector.read_stock([SKU])).levels} == {12, 0}
            taken = await connector.request(REQUEST)
            assert [order.key for order in mill.orders()] == ["key-1"]
            assert [file.name for file in (mill.folder / "sent").iterdir()] == ["order-key-1.csv"]
            mill.accept(taken.ref)
            mill.ship(taken.ref, carrier="UPS", tracking_number="1Z")
            (shipped,) = await connector.status([taken.ref])
            assert (shipped.state, shipped.packages[0].tracking_number) == (RemoteState.SHIPPED, "1Z")
            assert await connector.cancel(taken.ref) is CancelOutcome.TOO_LATE
            assert (await connector.health()).ok

    asyncio.run(story())


def test_a_lost_connection_is_opened_again_and_an_order_goes_out_once(mill: FlatFileSandbox) -> None:
    async def story() -> None:
        async with serving_sftp(mill.folder.parent) as server, connected(server) as connector:
            server.active.append(Fault(kind=FaultKind.LOST_ANSWER, match="rename", times=2))
            await connector.request(REQUEST)
            assert connector.traffic()["WRITE"].retries == 2
            assert [order.key for order in mill.orders()] == ["key-1"]
            server.active.append(Fault(kind=FaultKind.LOST_ANSWER, times=1))
            assert (await connector.read_stock([SKU])).levels

    asyncio.run(story())


@pytest.mark.parametrize("kind", [FaultKind.STATUS, FaultKind.HANG, FaultKind.LOST_ANSWER])
def test_every_way_to_fail_is_transient_and_over_in_time(mill: FlatFileSandbox, kind: FaultKind) -> None:
    async def story() -> None:
        impatient = {"attempt_timeout_s": 0.3, "total_timeout_s": 0.6}
        async with serving_sftp(mill.folder.parent) as server, connected(server, **impatient) as connector:
            await connector.read_stock([SKU])
            server.active.append(Fault(kind=kind))
            with pytest.raises(Transient):
                await connector.read_stock([SKU])
            server.active.clear()
            assert (await connector.read_stock([SKU])).levels

    asyncio.run(story())


def test_neither_a_wrong_password_nor_another_server_is_taken(mill: FlatFileSandbox) -> None:
    async def story() -> None:
        async with serving_sftp(mill.folder.parent) as server, serving_sftp(mill.folder.parent) as another:
            async with connected(server, password=Secret("wr-ng-password")) as connector:
                with pytest.raises(AuthFailed, match="does not take our credential") as refused:
                    await connector.read_stock([SKU])
                assert "wr-ng" not in repr(refused.value) + repr(await connector.health())
            async with connected(server, host_key=another.host_key) as connector:
                with pytest.raises(AuthFailed, match="host key"):
                    await connector.read_stock([SKU])
            async with connected(server, host_key="ssh-ed25519 nonsense") as connector:
                with pytest.raises(AuthFailed, match="cannot be read"):
                    await connector.read_stock([SKU])

    asyncio.run(story())


def test_a_server_that_is_not_there_is_an_answer(mill: FlatFileSandbox) -> None:
    async def story() -> None:
        async with serving_sftp(mill.folder.parent) as server:
            gone = server
        async with connected(gone) as connector:
            with pytest.raises(SourceError, match="no connection"):
                await connector.read_stock([SKU])
            assert not (await connector.health()).ok

    asyncio.run(story())


def test_a_server_that_lets_nobody_in_and_says_nothing_is_given_up(mill: FlatFileSandbox) -> None:
    async def story() -> None:
        async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(ConnectionError):
                await reader.read()
            writer.close()

        silent = await asyncio.start_server(listen, "127.0.0.1", 0)
        port = silent.sockets[0].getsockname()[1]
        async with serving_sftp(mill.folder.parent) as server:
            elsewhere = f"sftp://gateway@127.0.0.1:{port}/mill"
            async with connected(server, folder=elsewhere, attempt_timeout_s=0.2, total_timeout_s=0.4) as connector:
                with pytest.raises(Transient):
                    await connector.read_stock([SKU])
        silent.close()
        await asyncio.sleep(0.01)  # for its connections to end

    asyncio.run(story())


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"password": None}, "a password or a private_key"),
        ({"private_key": Secret("PEM")}, "a password or a private_key"),
        ({"host_key": None}, "host_key"),
        ({"folder": "sftp://host.example/mill"}, "sftp://user@host/path"),
        ({"folder": "sftp://user:secret@host.example/mill"}, "env:NAME or file:/path"),
    ],
)
def test_a_server_is_described_in_full_or_refused(wrong: dict[str, Any], said: str) -> None:
    right = {"folder": "sftp://user@host.example/mill", "host_key": "ssh-ed25519 AAAA", "password": Secret("p")}
    with pytest.raises(ValueError, match=said) as raised:
        settings_of(Path(), **{**right, **wrong})
    assert "secret" not in str(raised.value)
