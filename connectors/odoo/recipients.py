"""Whom deliveries go to: contacts (``res.partner``) of Odoo."""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from cachetools import TTLCache

from connectors.client import Intent
from connectors.contract import Address, OutcomeUnknown, Rejected
from connectors.odoo.settings import OdooSettings
from connectors.odoo.wire import Wire

_PLACES_MAX: Final = 10_000


class Row(msgspec.Struct):
    """A record of which only the id matters."""

    id: int


async def id_of_first(wire: Wire, model: str, domain: Sequence[object]) -> int | None:
    """The first record that matches."""
    rows = await wire.execute(model, "search_read", returns=list[Row], domain=domain, fields=["id"], limit=1)
    return rows[0].id if rows else None


async def made(wire: Wire, model: str, values: dict[str, object]) -> int:
    """The id of a new record.

    Raises:
        OutcomeUnknown: The answer is not that of one record made.
    """
    created = await wire.execute(model, "create", returns=list[int], intent=Intent.WRITE, vals_list=[values])
    if len(created) != 1:
        raise OutcomeUnknown(f"{model}.create answered {created[:5]!r} for one record")
    return created[0]


class Recipients:
    """Makes contacts, and remembers them for a short while; countries and states, which do not change, for longer."""

    def __init__(self, wire: Wire, settings: OdooSettings, monotonic: Callable[[], float]) -> None:
        self._wire = wire
        self._places: TTLCache[tuple[str, ...], int] = TTLCache(_PLACES_MAX, settings.known_for_s, timer=monotonic)
        self._contacts: TTLCache[Address, int] = TTLCache(_PLACES_MAX, settings.recipient_known_for_s, timer=monotonic)

    async def id_of(self, recipient: Address) -> int:
        """The contact of that address.

        Raises:
            Rejected: Odoo does not know the country.
        """
        if (known := self._contacts.get(recipient)) is None:
            known = self._contacts[recipient] = await made(self._wire, "res.partner", await self._contact(recipient))
        return known

    def forget(self, recipient: Address) -> None:
        """Make a new one the next time: that one may be gone."""
        self._contacts.pop(recipient, None)

    async def _contact(self, recipient: Address) -> dict[str, object]:
        country_id = await self._place("res.country", recipient.country_code)
        if country_id is None:
            raise Rejected(f"Odoo has no country {recipient.country_code}", reason="UNKNOWN_COUNTRY", field="country_code")
        state_id = await self._place("res.country.state", recipient.region, country_id) if recipient.region else None
        # A region that Odoo does not list still has to reach the label.
        city = recipient.city if state_id or not recipient.region else f"{recipient.city}, {recipient.region}"
        optional = {"email": recipient.email, "phone": recipient.phone, "state_id": state_id}
        return {
            "type": "delivery",
            "name": recipient.name or "Recipient",
            "street": recipient.lines[0] if recipient.lines else "",
            "street2": ", ".join(recipient.lines[1:]),
            "city": city,
            "zip": recipient.postal_code,
            "country_id": country_id,
            **{field: value for field, value in optional.items() if value is not None},
        }

    async def _place(self, model: str, code: str, country_id: int | None = None) -> int | None:
        key = (model, code, str(country_id))
        if (known := self._places.get(key)) is not None:
            return known
        domain: list[list[object]] = [["code", "=", code]]
        if country_id is not None:
            domain.insert(0, ["country_id", "=", country_id])
        found = await id_of_first(self._wire, model, domain)
        if found is not None:
            self._places[key] = found
        return found
