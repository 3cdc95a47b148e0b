"""Holds: Medusa's reservations, one for each line.

Medusa ignores ``Idempotency-Key``: a repeated request reserves twice. What it does keep is a line item's id, which may be any text
and can be asked for, so ours says which line of which hold it is, and every hold begins with a look-up.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from urllib.parse import quote

from connectors.client import Client, Intent, chunked
from connectors.contract import (
    ContractBroken,
    HoldRequest,
    NotFound,
    OutcomeUnknown,
    Rejected,
    RemoteHold,
    RemoteRef,
    RequestKey,
    RequestLine,
    Sku,
    SourceError,
)
from connectors.medusa.inventory import Inventory
from connectors.medusa.pages import every_row
from connectors.medusa.stock import whole_units
from connectors.medusa.wire import ReservationReply, ReservationRow, ReservationsPage

RESERVATIONS_PATH: Final = "/admin/reservations"
FIELDS: Final = "id,line_item_id,quantity,metadata"
LINES_MAX: Final = 100
LINES_PER_LOOK_UP: Final = 50  # their ids stand in the URL

Reservations = Mapping[str, Sequence[ReservationRow]]
"""By line item id, the oldest first: more than one where two attempts met."""


class Holds:
    """What is set aside under our keys. A hold's reference is its key."""

    def __init__(self, client: Client, inventory: Inventory) -> None:
        self._client = client
        self._inventory = inventory

    async def hold(self, request: HoldRequest) -> RemoteHold:
        """Reserve line after line; where one is refused, give back the others.

        Raises:
            Rejected: There is not enough of something; nothing is set aside.
            OutcomeUnknown: Some of it may be set aside.
        """
        item_ids = await self._item_ids(request)
        lines = dict(zip(_line_ids(request.key, len(request.lines)), request.lines, strict=True))
        made = dict(await self._made(lines))
        try:
            for line_id in [each for each in lines if each not in made]:
                made[line_id] = (await self._reserve(request, line_id, lines[line_id], item_ids),)
            await self._give_back(row for rows in made.values() for row in rows[1:])
        except (Rejected, NotFound) as refusal:
            await self._undo(request, made)
            reason = refusal.reason if isinstance(refusal, Rejected) else "NOT_STOCKED"
            raise Rejected(refusal.detail, reason=reason, field="lines") from refusal
        except OutcomeUnknown:
            raise
        except SourceError as error:
            if not made:
                raise
            raise OutcomeUnknown(f"{len(made)} of {len(lines)} lines are set aside: {error}") from error
        return _hold(request.key, made)

    async def find(self, key: RequestKey) -> RemoteHold | None:
        """Every line that is set aside, also of a hold that was not completed."""
        made = await self._made(_line_ids(key, LINES_MAX))
        return _hold(key, made) if made else None

    async def release(self, ref: RemoteRef) -> None:
        """Give back every line, and every second reservation of one."""
        made = await self._made(_line_ids(RequestKey(ref), LINES_MAX))
        await self._give_back(row for rows in made.values() for row in rows)

    async def _item_ids(self, request: HoldRequest) -> Mapping[Sku, str]:
        if len(request.lines) > LINES_MAX:
            raise Rejected(f"a hold has at most {LINES_MAX} lines", reason="TOO_MANY_LINES", field="lines")
        skus = [line.sku for line in request.lines]
        item_ids = await self._inventory.ids(skus)
        if missing := next((sku for sku in skus if sku not in item_ids), None):
            raise Rejected(f"Medusa has no item {missing}", reason="SKU_NOT_CARRIED", field=missing)
        return item_ids

    async def _made(self, line_ids: Iterable[str]) -> Reservations:
        made: dict[str, list[ReservationRow]] = defaultdict(list)
        wanted = list(line_ids)
        for some in chunked(wanted, LINES_PER_LOOK_UP):
            params = {"line_item_id[]": some, "fields": FIELDS, "order": "id"}
            rows = await every_row(
                self._client, RESERVATIONS_PATH, returns=ReservationsPage, params=params, page_rows=2 * LINES_PER_LOOK_UP
            )
            for row in rows:
                if row.line_item_id is not None and row.line_item_id in some:
                    made[row.line_item_id].append(row)
        return made

    async def _reserve(self, request: HoldRequest, line_id: str, line: RequestLine, item_ids: Mapping[Sku, str]) -> ReservationRow:
        body = {
            "line_item_id": line_id,
            "inventory_item_id": item_ids[line.sku],
            "location_id": request.location,
            "quantity": line.units,
            "description": f"Held by the order gateway: {request.key}",
            "metadata": {"sku": line.sku},
        }
        reply = await self._client.call(
            "POST", RESERVATIONS_PATH, json=body, intent=Intent.WRITE, repeatable=False, returns=ReservationReply
        )
        return reply.reservation

    async def _undo(self, request: HoldRequest, made: Reservations) -> None:
        """Leave nothing of a hold that was refused."""
        self._inventory.forget(line.sku for line in request.lines)
        try:
            await self._give_back(row for rows in made.values() for row in rows)
        except SourceError as error:
            raise OutcomeUnknown(f"refused, and what was set aside could not be given back: {error}") from error

    async def _give_back(self, rows: Iterable[ReservationRow]) -> None:
        for row in rows:
            path = f"{RESERVATIONS_PATH}/{quote(row.id, safe='')}"
            try:
                await self._client.call("DELETE", path, intent=Intent.WRITE, repeatable=True, returns=object)
            except NotFound:
                continue  # somebody was faster


def _line_ids(key: RequestKey, lines: int) -> list[str]:
    return [f"dom:{key}:{number}" for number in range(1, lines + 1)]


def _hold(key: RequestKey, made: Reservations) -> RemoteHold:
    rows = [made[line_id][0] for line_id in sorted(made, key=lambda line_id: int(line_id.rpartition(":")[2]))]
    return RemoteHold(ref=RemoteRef(key), key=key, lines=tuple(_line(row) for row in rows))


def _line(row: ReservationRow) -> RequestLine:
    units = whole_units(row.quantity)
    if units is None or row.metadata is None:
        raise ContractBroken(f"reservation {row.id} does not say what it holds")
    return RequestLine(sku=Sku(row.metadata.sku), units=units)
