"""An order, and four places that could send it."""

from datetime import UTC, datetime
from typing import Any

from connectors.contract import Method, Sku
from gateway.domain.geography import PostalArea
from gateway.domain.identity import LocationId
from gateway.domain.locations import LocationKind
from gateway.domain.policies import OrderFacts
from tests.domain.policies.plainly import Spot

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MUG, CUP, GAS = Sku("MUG-1"), Sku("CUP-1"), Sku("GAS-1")


def order(*skus: Sku, **more: Any) -> OrderFacts:
    """An order from the web shop to Chicago, for mugs unless it says otherwise."""
    facts: dict[str, Any] = {
        "channel": "web",
        "method": Method.SHIP,
        "area": PostalArea("US:60601"),
        "placed_at": NOON,
        "customer_class": None,
    }
    return OrderFacts(skus=frozenset(skus or {MUG}), **(facts | more))


def location(code: str, kind: LocationKind = LocationKind.WAREHOUSE, source: str = "erp", **more: Any) -> Spot:
    """A place that its source calls as people do."""
    return Spot(location=LocationId(f"{source}:{code}"), code=code, kind=kind, source=source, **more)


DEPOT = location("depot-east", miles=700.0, stock_age_s=10.0, groups=frozenset({"east"}))
LOOP = location("store-loop", LocationKind.STORE, "pos", miles=1.5, stock_age_s=300.0)
SOHO = location("store-soho", LocationKind.STORE, "pos", miles=None, stock_age_s=None, groups=frozenset({"east", "flagship"}))
PARTNER = location("3pl-west", LocationKind.THIRD_PARTY, "bobs", miles=1800.0, stock_age_s=60.0)
ALL = (DEPOT, LOOP, SOHO, PARTNER)
