"""Whom deliveries go to: contacts that are made once, for a while."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from connectors.contract import Address, Secret, Traffic
from connectors.odoo import OdooSettings
from connectors.odoo.recipients import Recipients, Row
from tests.samples import HandClock

ANN = Address(lines=("1 Main St",), city="Reno", region="NV", postal_code="89501", country_code="US", name="Ann")
SETTINGS = OdooSettings(url="http://odoo.example", database="d", login="l", api_key=Secret("k"))


@dataclass
class Odoo:
    """Has every country and state, and makes what it is told to."""

    calls: list[str] = field(default_factory=list)

    async def execute(self, model: str, method: str, **_: Any) -> Any:
        self.calls.append(f"{model}.{method}")
        return [len(self.calls)] if method == "create" else [Row(id=7)]

    async def version(self) -> str:
        return "19.0"

    def traffic(self) -> Mapping[str, Traffic]:
        return {}

    async def aclose(self) -> None:
        pass


def test_an_address_is_one_contact_for_a_while_and_countries_are_known_for_longer() -> None:
    async def story() -> None:
        odoo, clock = Odoo(), HandClock()
        recipients = Recipients(odoo, SETTINGS, clock.monotonic)
        places = ["res.country.search_read", "res.country.state.search_read"]
        first = await recipients.id_of(ANN)
        assert await recipients.id_of(replace(ANN)) == first
        assert odoo.calls == [*places, "res.partner.create"]
        assert await recipients.id_of(replace(ANN, phone="555")) != first
        clock.wait(SETTINGS.recipient_known_for_s + 1)
        assert await recipients.id_of(ANN) != first, "somebody there may have corrected it for another order"
        assert odoo.calls[3:] == ["res.partner.create"] * 2

    asyncio.run(story())


def test_a_contact_that_odoo_does_not_take_is_made_anew() -> None:
    async def story() -> None:
        recipients = Recipients(Odoo(), SETTINGS, HandClock().monotonic)
        gone = await recipients.id_of(ANN)
        recipients.forget(ANN)
        assert await recipients.id_of(ANN) != gone
        recipients.forget(replace(ANN, name="nobody we know"))

    asyncio.run(story())
