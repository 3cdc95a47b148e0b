"""A warehouse that exchanges files keeps the contract, over SFTP as it does in a folder."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from unittest import SkipTest

from connectors.conformance import ConnectorContract, Stage
from connectors.conformance.subject import PATIENT_S
from connectors.contract import Connector, Observed, RemoteLocationId, Secret, Sku
from connectors.described import Place
from connectors.flat_file import SPEC, Columns, Exchange, FlatFileSettings
from connectors.sandbox.faults import Fault, FaultKind
from connectors.sandbox.flat_file import FlatFileSandbox
from connectors.sandbox.flat_file.sftp import PASSWORD, SftpServer, serving_sftp
from connectors.sandbox.network import seeded

FAULTS = {FaultKind.STATUS, FaultKind.HANG, FaultKind.LOST_ANSWER}


class FolderStage(Stage):
    """A folder. What lies in it fails in ways of its own, which are told elsewhere."""

    def requests(self) -> int:
        assert isinstance(self.connector, Observed)
        return self.connector.traffic()["READ"].calls


class SftpStage(FolderStage):
    """A folder behind a socket."""

    def __init__(self, *, connector: Connector, fake: FlatFileSandbox, server: SftpServer) -> None:
        super().__init__(connector=connector, fake=fake)
        self._server = server

    def fail(self, fault: Fault) -> None:
        if fault.kind not in FAULTS:
            super().fail(fault)
        self._server.active.append(fault)

    def heal(self) -> None:
        self._server.active.clear()


class Mill(ConnectorContract):
    spec = SPEC
    place = "mill-charlotte"
    location = RemoteLocationId("MILL-CHARLOTTE")
    sku, another = Sku("SKU-0009"), Sku("SKU-0002")

    def settings(self, url: str, patience_s: float) -> FlatFileSettings:
        return FlatFileSettings(
            folder=url if url.startswith("/") else "/nowhere",
            places=(Place(id=self.location), Place(id="MILL-STLOUIS", time_zone="America/Chicago")),
            columns=Columns(sku="item", location="site", on_hand="on_hand", available="free", committed="allocated"),
            orders=Exchange(outbox="orders", inbox="answers", sent="sent"),
            name_time="%Y%m%dT%H%M%S%f",
            list_every_s=0.0,
            attempt_timeout_s=patience_s,
            total_timeout_s=patience_s,
        )

    def test_a_source_that_is_not_there_is_no_surprise(self) -> None:
        """Its places are configured, and known without asking."""

        async def story() -> None:
            connector = self.absent()
            assert not (await connector.health()).ok
            assert self.location in [location.id for location in await connector.locations()]
            await connector.aclose()

        asyncio.run(story())

    def mill(self, folder: str) -> FlatFileSandbox:
        return FlatFileSandbox(seeded(products=40, systems=["flat_file"]), Path(folder) / "mill")


class TestFolder(Mill):
    @asynccontextmanager
    async def stage(self, *, patience_s: float = PATIENT_S, credential: Secret | None = None) -> AsyncIterator[Stage]:
        if credential is not None:
            raise SkipTest("a folder has no credential")
        with tempfile.TemporaryDirectory() as folder:
            fake = self.mill(folder)
            connector = self.spec.open(self.settings(str(fake.folder), patience_s), self.tools())
            try:
                yield FolderStage(connector=connector, fake=fake)
            finally:
                await connector.aclose()


class TestSftp(Mill):
    @asynccontextmanager
    async def stage(self, *, patience_s: float = PATIENT_S, credential: Secret | None = None) -> AsyncIterator[Stage]:
        with tempfile.TemporaryDirectory() as folder:
            fake = self.mill(folder)
            async with serving_sftp(Path(folder)) as server:
                settings = replace(
                    self.settings("", patience_s),
                    folder=server.url("mill"),
                    host_key=server.host_key,
                    password=credential or Secret(PASSWORD),
                )
                connector = self.spec.open(settings, self.tools())
                try:
                    yield SftpStage(connector=connector, fake=fake, server=server)
                finally:
                    await connector.aclose()
