"""What carriers charge at this moment, asked of somebody who has contracts with them. None of these looks after stock."""

from connectors.rates.karrio import Karrio, KarrioSettings
from connectors.rates.words import CarrierRate, Parcel, RateProvider, Rates

__all__ = ["CarrierRate", "Karrio", "KarrioSettings", "Parcel", "RateProvider", "Rates"]
