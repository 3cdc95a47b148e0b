"""The mill's folder: what it puts there, what it takes from there, and the strings that a demo or a test pulls."""

import asyncio
import csv
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Final, NoReturn

from starlette.routing import BaseRoute

from connectors.contract import Sku
from connectors.sandbox.controls import SandboxLine, SandboxOrder, SandboxPackage
from connectors.sandbox.flat_file.mill import Mill, MillOrder, Shelf, shelves_of, site_of
from connectors.sandbox.network import Network

FOLDERS: Final = ("stock", "orders", "answers", "sent")
FILES_KEPT: Final = 5
DELTAS_MAX: Final = 50
STOCK_COLUMNS: Final = ("item", "site", "on_hand", "allocated", "free", "description")
ANSWER_COLUMNS: Final = ("key", "state", "carrier", "tracking", "sku", "units", "reason")


class FlatFileSandbox:
    """A mill that is spoken to through a folder: its stock in ``stock``, orders for it in ``orders``, its answers in ``answers``.

    Every change is exported at once, as another snapshot, or with ``deltas`` mostly as a file of what has changed. Orders are
    looked for whenever somebody asks the mill something, and by ``run``.
    """

    system = "flat_file"

    def __init__(self, network: Network, folder: Path, *, deltas: bool = False) -> None:
        self.mill = Mill(network)
        self.folder = folder
        self._deltas = deltas
        self._since = 0
        self._answers = 0
        for name in FOLDERS:
            (folder / name).mkdir(parents=True, exist_ok=True)
        self.export()

    async def run(self, *, every_s: float, export_every_s: float) -> NoReturn:
        """Work as a mill does: look for orders every so often, and count everything anew now and then."""
        looks = max(1, round(export_every_s / every_s))
        while True:
            for _ in range(looks):
                self.look()
                await asyncio.sleep(every_s)
            self.export()

    # ------------------------------------------------------------------------------------------ files
    def export(self, shelves: Iterable[Shelf] | None = None) -> Path:
        """Write a file of these shelves, or of all."""
        rows = [self._row(shelf) for shelf in (self.mill.on_hand if shelves is None else shelves)]
        kind = "stock" if shelves is None else "delta"
        self._since = 0 if shelves is None else self._since + 1
        now = datetime.now(UTC)  # noqa: TID251  a stand-in for a remote system has a clock of its own
        file = self.drop("stock", f"{kind}-{now:%Y%m%dT%H%M%S%f}.csv", csv_of(STOCK_COLUMNS, rows))
        if shelves is None:
            self._clear()
        return file

    def _clear(self) -> None:
        """Keep the newest snapshots, and the deltas that follow the oldest of them."""
        files = sorted((self.folder / "stock").glob("*.csv"), key=lambda file: file.stem.partition("-")[2])
        snapshots = [place for place, file in enumerate(files) if file.name.startswith("stock-")]
        for old in files[: snapshots[-FILES_KEPT:][0]]:
            old.unlink()

    def _row(self, shelf: Shelf) -> Sequence[object]:
        site, sku = shelf
        on_hand, allocated = self.mill.on_hand[shelf], self.mill.allocated[shelf]
        return sku, site, on_hand, allocated, on_hand - allocated, self.mill.products[sku].name

    def _changed(self, shelves: Iterable[Shelf]) -> None:
        self.export(shelves if self._deltas and self._since < DELTAS_MAX else None)

    def drop(self, where: str, name: str, content: str) -> Path:
        """Put a file there as a whole."""
        part = self.folder / where / f".{name}.part"
        part.write_text(content, encoding="utf-8", newline="")
        return part.replace(self.folder / where / name)

    def look(self) -> None:
        """Take what lies in ``orders``, and answer what can be answered without anybody deciding it."""
        for file in sorted((self.folder / "orders").glob("*.csv"), key=lambda each: (each.name.startswith("cancel"), each.name)):
            rows = list(csv.DictReader(StringIO(file.read_text(encoding="utf-8"), newline="")))
            if file.name.startswith("cancel-"):
                self._cancel(rows[0]["key"])
            else:
                self._take(rows)
            file.unlink()

    def _take(self, rows: Sequence[Mapping[str, str]]) -> None:
        units: dict[Sku, int] = {}
        for row in rows:
            sku = Sku(row["sku"])
            units[sku] = units.get(sku, 0) + int(row["units"])
        order = MillOrder(key=rows[0]["key"], site=rows[0]["location"], units=units)
        if (reason := self.mill.take(order)) is not None:
            self._answer(order.key, "rejected", reason=reason)

    def _cancel(self, key: str) -> None:
        try:
            order = self.mill.move(key, "CANCELED")
        except LookupError:  # should the order come after all, it is canceled
            self.mill.orders[key] = MillOrder(key=key, site="", units={}, state="CANCELED")
        except ValueError as refusal:
            self._answer(key, "not_canceled", reason=str(refusal))
            return
        else:
            self._changed(shelves_of(order))
        self._answer(key, "canceled")

    def _answer(self, key: str, state: str, *, carrier: str = "", tracking: str = "", reason: str = "") -> None:
        self._answers += 1
        row = (key, state, carrier, tracking, "", "", reason)
        self.drop("answers", f"answer-{self._answers:06d}.csv", csv_of(ANSWER_COLUMNS, [row]))

    # ------------------------------------------------------------------------------------------ the strings
    def routes(self) -> list[BaseRoute]:
        """None: it is not asked over HTTP."""
        return []

    def orders(self) -> list[SandboxOrder]:
        """What has arrived, oldest first."""
        self.look()
        return [self._order(order) for order in self.mill.orders.values() if order.site in self.mill.sites]

    def _order(self, order: MillOrder) -> SandboxOrder:
        parcel = SandboxPackage(carrier=order.carrier, tracking_number=order.tracking)
        return SandboxOrder(
            ref=order.key,
            key=order.key,
            place=self.mill.sites[order.site].key,
            state=order.state,
            lines=[SandboxLine(sku=sku, units=units) for sku, units in order.units.items()],
            packages=[parcel] if order.state == "SHIPPED" else [],
        )

    def accept(self, ref: str) -> None:
        """The mill takes the order on: its units are not free any more."""
        self._move(ref, "ACCEPTED")

    def reject(self, ref: str, reason: str) -> None:
        """The mill turns the order down."""
        self._move(ref, "REJECTED", reason=reason)

    def ship(self, ref: str, *, carrier: str, tracking_number: str) -> None:
        """The goods leave."""
        self._move(ref, "SHIPPED", carrier=carrier, tracking=tracking_number)

    def _move(self, ref: str, state: str, *, carrier: str = "", tracking: str = "", reason: str = "") -> None:
        self.look()
        order = self.mill.move(ref, state, carrier=carrier, tracking=tracking)
        self._changed(shelves_of(order))
        self._answer(ref, state.lower(), carrier=carrier, tracking=tracking, reason=reason)

    def set_stock(self, place: str, sku: str, units: int) -> None:
        """The mill counted a shelf."""
        shelf = (site_of(place), Sku(sku))
        self.mill.count(shelf, units)
        self._changed([shelf])

    def stock(self, sku: str) -> Mapping[str, int]:
        """Units on hand by place key, where the SKU is carried."""
        return {self.mill.sites[site].key: units for (site, each), units in self.mill.on_hand.items() if each == sku}


def csv_of(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Rows as the mill writes them."""
    text = StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()
