"""Reservations against what they keep."""

from typing import Any

import msgspec
from sqlalchemy import select

from gateway.domain.invariants import Invariant
from gateway.domain.reservations import Reservation, ReservationState
from gateway.storage.documents import micros, read
from gateway.storage.tables import hold, reservation
from gateway.storage.verification.findings import Findings
from gateway.storage.verification.orders import Beside

RESERVATIONS = "reservations"


async def check_reservations(findings: Findings) -> None:
    """An active one keeps what it says, for as long as it says; one that is over keeps nothing."""
    rows = select(hold.c.reservation_id, hold).join(reservation, reservation.c.id == hold.c.reservation_id)
    holds = Beside(findings.rows(rows.order_by(hold.c.reservation_id)))
    count = await findings.count(reservation)
    async for row in findings.rows(select(reservation).order_by(reservation.c.id)):
        kept = await holds.of(row.id)
        await findings.done(RESERVATIONS, count)
        try:
            known = read(row.body, Reservation)
        except msgspec.MsgspecError as error:
            findings.add(Invariant.READABLE, row.id, expected="a reservation", found=error, says="It cannot be read.")
            continue
        _check(findings, row, known, sorted((each.sku, each.location_id, each.units, each.expires_at) for each in kept))


def _check(findings: Findings, row: Any, known: Reservation, kept: list[tuple[str, str, int, int]]) -> None:
    expires_at = micros(known.expires_at)
    if (row.id, row.state, row.expires_at) != (known.id, known.state, expires_at):
        expected, found = f"{known.id} {known.state} {expires_at}", f"{row.id} {row.state} {row.expires_at}"
        says = "The columns by which it can be found say something else than the reservation."
        findings.add(Invariant.COLUMNS, row.id, expected=expected, found=found, says=says)
    is_active = known.state is ReservationState.ACTIVE
    expected_rows = sorted((line.sku, line.location, line.units, expires_at) for line in known.lines if is_active)
    if expected_rows != kept:
        says = f"It is {known.state}, and keeps something else than it says."
        findings.add(Invariant.HOLDS, row.id, expected=expected_rows, found=kept, says=says)
