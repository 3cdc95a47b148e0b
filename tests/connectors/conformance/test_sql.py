"""A merchant's database keeps the contract."""

import sqlite3
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from typing import Any, ClassVar
from unittest import SkipTest

import pytest

from connectors.conformance import ConnectorContract, Stage
from connectors.conformance.subject import PATIENT_S, WRONG
from connectors.contract import Connector, Observed, RemoteLocationId, Secret, Sku
from connectors.sandbox.faults import Fault, FaultKind
from connectors.sandbox.network import seeded
from connectors.sandbox.sql import CHANGES, PLACES, SKUS, STOCK, SqlSandbox
from connectors.sql import SPEC, SqlSettings


class LockedStage(Stage):
    """A SQLite file that fails by being locked for good: nobody answers, and a question ends with its time."""

    def __init__(self, *, connector: Connector, fake: SqlSandbox) -> None:
        super().__init__(connector=connector, fake=fake)
        self.file = fake.file
        self._lock: sqlite3.Connection | None = None

    def requests(self) -> int:
        assert isinstance(self.connector, Observed)
        return self.connector.traffic()["READ"].calls

    def fail(self, fault: Fault) -> None:
        if fault.kind is not FaultKind.HANG:
            super().fail(fault)
        self._lock = sqlite3.connect(self.file, isolation_level=None)
        self._lock.execute("BEGIN EXCLUSIVE")

    def heal(self) -> None:
        if self._lock is not None:
            self._lock.close()
        self._lock = None


class TestSql(ConnectorContract):
    spec = SPEC
    place = "erp-saltlake"
    location = RemoteLocationId("ERP-SALTLAKE")
    sku, another = Sku("SKU-0005"), Sku("SKU-0010")
    statements: ClassVar[dict[str, Any]] = {"stock": STOCK, "places_statement": PLACES, "skus": SKUS, "changes": CHANGES}

    def settings(self, url: str, patience_s: float) -> SqlSettings:
        address = url if url.startswith("sqlite:") else "sqlite:////nowhere/erp.db"
        return SqlSettings(url=Secret(address), attempt_timeout_s=patience_s, total_timeout_s=patience_s, **self.statements)

    def test_its_settings_cannot_be_changed_and_show_no_secret(self) -> None:
        """The whole address is a secret, and not any text is one."""
        settings = replace(self.settings("", PATIENT_S), url=Secret(f"postgresql://user:{WRONG}@db.example/erp"))
        assert WRONG not in repr(settings)
        with pytest.raises(FrozenInstanceError):
            settings.url = Secret("")  # type: ignore[misc]  # that is what is tried

    @asynccontextmanager
    async def stage(self, *, patience_s: float = PATIENT_S, credential: Secret | None = None) -> AsyncIterator[Stage]:
        if credential is not None:
            raise SkipTest("a file has no credential")
        with tempfile.TemporaryDirectory() as folder:
            fake = SqlSandbox(seeded(products=40, systems=["sql"]), Path(folder) / "erp.db", journal="DELETE")
            connector = self.spec.open(self.settings(fake.url, patience_s), self.tools())
            stage = LockedStage(connector=connector, fake=fake)
            try:
                yield stage
            finally:
                stage.heal()
                await connector.aclose()
