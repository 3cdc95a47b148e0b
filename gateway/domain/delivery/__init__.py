"""When an order leaves and arrives: calendars, cutoffs, work, collections, the road, and the customer's own days.

A ``Board`` is made of locations, services and ``Terms`` for a day. For an instant it has ``departures`` from all locations; these,
the zones that an order crosses and the days on which its customer receives goods make ``arrivals``, an array of days. What was
chosen among them is told in full by ``Asked``: a ``Promise`` with all of its parts, read from the same arrays.
"""

from gateway.domain.delivery.board import AHEAD_DAYS, LATE, Board, Booked, Departures, arrivals, days_late, first_day
from gateway.domain.delivery.calendars import MONDAY_TO_FRIDAY, US_CARRIERS, Calendar
from gateway.domain.delivery.carriers import Carrier, Destination, Terms
from gateway.domain.delivery.promise import Asked, Promise, PromisePart
from gateway.domain.delivery.prospect import Prospect
from gateway.domain.delivery.schedules import HalfDay, Schedule, Shift
from gateway.domain.delivery.work import NEVER

__all__ = [
    "AHEAD_DAYS",
    "LATE",
    "MONDAY_TO_FRIDAY",
    "NEVER",
    "US_CARRIERS",
    "Asked",
    "Board",
    "Booked",
    "Calendar",
    "Carrier",
    "Departures",
    "Destination",
    "HalfDay",
    "Promise",
    "PromisePart",
    "Prospect",
    "Schedule",
    "Shift",
    "Terms",
    "arrivals",
    "days_late",
    "first_day",
]
