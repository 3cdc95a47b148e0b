"""Work that must happen, and hearing how it goes: the two loops that speak to sources about requests."""

from gateway.services.dispatch.doing import Dispatch
from gateway.services.dispatch.tracking import Tracking

__all__ = ["Dispatch", "Tracking"]
