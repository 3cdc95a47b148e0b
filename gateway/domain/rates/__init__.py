"""What carriers charge, offline: zones, prices by weight, days on the way, and what goods weigh."""

from gateway.domain.rates.services import (
    CENTS_MAX,
    CURRENCY,
    TRANSIT_DAYS_MAX,
    US_EXPRESS,
    US_GROUND,
    CarrierService,
    PriceStep,
    ZoneRate,
    within,
)
from gateway.domain.rates.weights import GRAMS_MAX, UNIT_GRAMS, Weights, parse_weights
from gateway.domain.rates.zones import US_ZONES, ZoneRule, ZoneTable

__all__ = [
    "CENTS_MAX",
    "CURRENCY",
    "GRAMS_MAX",
    "TRANSIT_DAYS_MAX",
    "UNIT_GRAMS",
    "US_EXPRESS",
    "US_GROUND",
    "US_ZONES",
    "CarrierService",
    "PriceStep",
    "Weights",
    "ZoneRate",
    "ZoneRule",
    "ZoneTable",
    "parse_weights",
    "within",
]
