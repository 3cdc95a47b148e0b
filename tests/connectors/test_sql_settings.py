"""What a merchant may write about his database, and what is refused at once."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from connectors.contract import (
    Secret,
    Sku,
    SourceError,
)
from connectors.described import Place
from connectors.sandbox.sql import PLACES
from connectors.sql import SqlSettings
from tests.connectors.erp import (
    connected,
    settings_of,
)

RIGHT = "SELECT sku, available FROM stock WHERE sku IN :skus"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"stock": "SELECT sku, available FROM stock"}, "stock: has no :skus"),
        ({"stock": "SELECT ':skus' AS sku -- :skus"}, "stock: has no :skus"),
        ({"stock": "DELETE FROM stock WHERE sku IN :skus"}, "begin with SELECT or WITH"),
        ({"stock": "/* SELECT */ UPDATE stock SET available = 0 WHERE sku IN :skus"}, "begin with SELECT or WITH"),
        ({"stock": f"{RIGHT}; DROP TABLE stock"}, "single statement"),
        ({"stock": f"{RIGHT} AND place = :place"}, "nothing is known of :place"),
        ({"skus": "SELECT sku FROM stock LIMIT :limit"}, "skus: has no :after"),
        ({"changes": "SELECT sku FROM stock"}, "changes: has no :since"),
        ({"url": Secret("mysql://user:s3cret@host/db")}, "asynchronous driver"),
        ({"url": Secret("mysql+nosuchdriver://user:s3cret@host/db")}, "nosuchdriver is not installed"),
        ({"url": Secret("s3cret")}, "not the URL of a database"),
        ({"places": ()}, "places"),
        ({"places": (Place(id="A"), Place(id="A"))}, "places"),
        ({"places_statement": PLACES}, "places"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"batch_skus_max": 0}, "at least 1"),
    ],
)
def test_what_cannot_work_is_refused_at_once(wrong: dict[str, Any], said: str) -> None:
    right: dict[str, Any] = {"url": Secret("sqlite:///erp.db"), "stock": RIGHT, "places": (Place(id="A"),)}
    assert SqlSettings(**right).stock == RIGHT
    with pytest.raises(ValueError, match=said) as raised:
        SqlSettings(**{**right, **wrong})
    assert "s3cret" not in str(raised.value)


def test_neither_errors_nor_settings_show_the_password(tmp_path: Path) -> None:
    async def story() -> None:
        settings = settings_of("postgresql://user:s3cret-word@127.0.0.1:1/erp")
        assert "s3cret" not in repr(settings)
        async with connected(settings.url) as connector:
            with pytest.raises(SourceError) as raised:
                await connector.read_stock([Sku("A")])
            assert "s3cret" not in repr(raised.value) + str(raised.value) + repr(raised.value.__cause__)

    asyncio.run(story())
