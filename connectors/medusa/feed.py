"""What has moved in Medusa's inventory.

Medusa cannot tell: it has no webhooks, an item's ``updated_at`` stays when its levels move, and levels cannot be filtered by time.
So all items are gone through again and again, one page at a time, and compared with a digest of what each few of them said last.
The cursor carries the digests, and so outlives us: four bytes for each ``GROUP_ITEMS`` items, some 11 KB of text for 100,000.

Where one item moved, its whole group is told. Where one was deleted, those behind it close up, and all of them are told, but for
the one that is gone: nobody remembers its name.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from connectors.client import chunked
from connectors.contract import Cursor, Rejected, Sku, StockChanges
from connectors.medusa.inventory import PAGE_ITEMS, Inventory
from connectors.medusa.wire import ItemRow, ItemsPage, LevelRow

GROUP_ITEMS: Final = 50
DIGEST_BYTES: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """How far a round through all pages has come, and the digests of each page when it was last seen."""

    page: int = 0
    digests: tuple[tuple[bytes, ...], ...] = ()

    @property
    def offset(self) -> int:
        """The first item of the page that comes next."""
        return self.page * PAGE_ITEMS

    def with_page(self, rows: Sequence[ItemRow], *, is_last: bool) -> "Round":
        """One page further, or at the beginning again."""
        after = () if is_last else self.digests[self.page + 1 :]
        digests = (*self.digests[: self.page], _digests(rows), *after)
        return Round(page=0 if is_last else self.page + 1, digests=digests)

    def moved(self, rows: Sequence[ItemRow]) -> frozenset[Sku]:
        """The SKUs in groups of the page that said something else when it was last seen."""
        before = self.digests[self.page] if self.page < len(self.digests) else ()
        groups = enumerate(zip(chunked(rows, GROUP_ITEMS), _digests(rows), strict=True))
        moved = (group for place, (group, digest) in groups if before[place : place + 1] != (digest,))
        return frozenset(Sku(row.sku) for group in moved for row in group if row.sku)


async def changes(inventory: Inventory, cursor: Cursor | None) -> StockChanges:
    """One page compared; for a beginning all pages read, so that whatever moves from now on is noticed.

    Raises:
        Rejected: It is no cursor of ours.
    """
    if cursor is None:
        return StockChanges(skus=frozenset(), cursor=_written(await _begun(inventory)))
    at = _read(cursor)
    page = await inventory.page(at.offset)
    is_last = _is_last(page, at)
    return StockChanges(skus=at.moved(page.rows), cursor=_written(at.with_page(page.rows, is_last=is_last)), more=not is_last)


async def _begun(inventory: Inventory) -> Round:
    at, is_last = Round(), False
    while not is_last:  # as often as the inventory's own bound allows
        page = await inventory.page(at.offset)
        is_last = _is_last(page, at)
        at = at.with_page(page.rows, is_last=is_last)
    return at


def _is_last(page: ItemsPage, at: Round) -> bool:
    return at.offset + len(page.rows) >= page.count


def _digests(rows: Sequence[ItemRow]) -> tuple[bytes, ...]:
    return tuple(_digest(group) for group in chunked(rows, GROUP_ITEMS))


def _digest(rows: Iterable[ItemRow]) -> bytes:
    said = [(row.id, row.sku, sorted(map(_numbers, row.location_levels))) for row in rows]
    return hashlib.blake2b(msgspec.json.encode(said), digest_size=DIGEST_BYTES).digest()


def _numbers(level: LevelRow) -> tuple[str, ...]:
    quantities = (level.stocked_quantity, level.reserved_quantity, level.available_quantity, level.incoming_quantity)
    return (level.location_id, *map(str, quantities))


# ---------------------------------------------------------------------------------------------- the cursor
def _written(at: Round) -> Cursor:
    pages = "/".join(base64.urlsafe_b64encode(b"".join(digests)).decode() for digests in at.digests)
    return Cursor(f"{at.page}/{pages}")


def _read(cursor: Cursor) -> Round:
    page, *pages = cursor.split("/")
    try:
        at = Round(page=int(page), digests=tuple(_split(base64.b64decode(each, altchars=b"-_", validate=True)) for each in pages))
    except (ValueError, binascii.Error):
        at = None
    if at is None or not 0 <= at.page <= len(at.digests):
        raise Rejected("not a place in this feed", reason="BAD_CURSOR", field="cursor")
    return at


def _split(digests: bytes) -> tuple[bytes, ...]:
    return tuple(digests[place : place + DIGEST_BYTES] for place in range(0, len(digests), DIGEST_BYTES))
