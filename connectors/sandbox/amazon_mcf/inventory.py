"""``getInventorySummaries``: pages of whatever the seller has in the network."""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from starlette.requests import Request

from connectors.sandbox.amazon_mcf.seller import Document, Refused, Seller, Shelf, instant

SKUS_MAX: Final = 50
TOKENS_KEPT: Final = 1_000


class Inventory:
    """The summaries of one marketplace.

    The strings: ``rows_per_page``; ``token_lives_s``, after which a page's token is refused; ``endless``: after the last page comes
    an empty one, and another; ``repeated``: whatever page is asked for, the first one comes.
    """

    def __init__(self, seller: Seller, *, marketplace_id: str) -> None:
        self.rows_per_page = 50
        self.token_lives_s = 30.0
        self.endless = False
        self.repeated = False
        self._seller = seller
        self._marketplace_id = marketplace_id
        self._tokens: dict[str, tuple[Mapping[str, str], int, float]] = {}  # the question, its place, when it was made
        self._given = 0

    def answer(self, request: Request, _body: bytes) -> tuple[int, object]:
        """One page."""
        query = dict(request.query_params)
        token = query.pop("nextToken", None)
        self._check(query)
        start = 0 if token is None else self._start(token, query)
        found = self._found(query)
        rows = found[start : start + self.rows_per_page]
        then = start + self.rows_per_page
        answer: Document = {
            "payload": {
                "granularity": {"granularityType": "Marketplace", "granularityId": self._marketplace_id},
                "inventorySummaries": [_summary(sku, shelf, details=query.get("details") == "true") for sku, shelf in rows],
            }
        }
        if len(found) > then or self.endless or self.repeated:
            answer["pagination"] = {"nextToken": self._token(query, 0 if self.repeated else then)}
        return 200, answer

    def forget_tokens(self) -> None:
        """Every page's token that was given so far expires now."""
        self._tokens.clear()

    def _check(self, query: Mapping[str, str]) -> None:
        if query.get("granularityType") != "Marketplace" or query.get("granularityId") != self._marketplace_id:
            raise Refused("Value for parameter granularityId is invalid. Reason: InvalidValue.")
        if query.get("marketplaceIds") != self._marketplace_id:
            raise Refused("Exactly one of the seller's marketplaces is expected in marketplaceIds.")
        if len(query.get("sellerSkus", "").split(",")) > SKUS_MAX:
            raise Refused("Number of sellerSkus is more than 50.")

    def _found(self, query: Mapping[str, str]) -> Sequence[tuple[str, Shelf]]:
        shelves = self._seller.shelves.items()
        if "startDateTime" in query:
            since = _instant(query["startDateTime"])
            return [(sku, shelf) for sku, shelf in shelves if shelf.updated_at >= since]
        if "sellerSkus" in query:
            wanted = frozenset(query["sellerSkus"].split(","))
            return [(sku, shelf) for sku, shelf in shelves if sku in wanted]
        if "sellerSku" in query:
            return [(sku, shelf) for sku, shelf in shelves if sku == query["sellerSku"]]
        return list(shelves)

    def _token(self, query: Mapping[str, str], start: int) -> str:
        self._given += 1
        token = f"{self._given}+{start}/=="  # it has to be encoded to come back as it is
        self._tokens[token] = (query, start, time.monotonic())
        if len(self._tokens) > TOKENS_KEPT:
            del self._tokens[next(iter(self._tokens))]
        return token

    def _start(self, token: str, query: Mapping[str, str]) -> int:
        asked, start, made_at = self._tokens.get(token, ({}, 0, 0.0))
        if asked != query or time.monotonic() - made_at > self.token_lives_s:
            raise Refused("Next token is invalid or expired")
        return start


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise Refused("Query parameter [startDateTime] value is not a valid ISO date-time object")
    return found


def _summary(sku: str, shelf: Shelf, *, details: bool) -> Document:
    quantities = {
        "fulfillableQuantity": shelf.fulfillable,
        "inboundWorkingQuantity": 0,
        "inboundShippedQuantity": 0,
        "inboundReceivingQuantity": 0,
        "reservedQuantity": {
            "totalReservedQuantity": shelf.reserved,
            "pendingCustomerOrderQuantity": shelf.reserved,
            "pendingTransshipmentQuantity": 0,
            "fcProcessingQuantity": 0,
        },
        "researchingQuantity": {"totalResearchingQuantity": 0, "researchingQuantityBreakdown": []},
        "unfulfillableQuantity": {"totalUnfulfillableQuantity": 0},
    }
    return {
        "asin": f"B0{shelf.number:08d}",
        "fnSku": f"X00{shelf.number:07d}",
        "sellerSku": sku,
        "condition": "NewItem",
        **({"inventoryDetails": quantities} if details else {}),
        "lastUpdatedTime": instant(shelf.updated_at),
        "productName": shelf.name,
        "totalQuantity": shelf.on_hand,
        "stores": [],
    }
