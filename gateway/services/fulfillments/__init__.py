"""What happens to work once a location has it: heard from its source, said in the graph, or decided when neither comes."""

from gateway.services.fulfillments.heard import Observe, Park, Stopped, TurnDown
from gateway.services.fulfillments.outcomes import may_be_accepted
from gateway.services.fulfillments.overdue import Remind
from gateway.services.fulfillments.overpromised import Relieve, short_units
from gateway.services.fulfillments.packages import new_packages, shows_what_left
from gateway.services.fulfillments.people import Fulfillments
from gateway.services.fulfillments.said import Accept, Reject, Ship
from gateway.services.fulfillments.stuck import Retry

__all__ = [
    "Accept",
    "Fulfillments",
    "Observe",
    "Park",
    "Reject",
    "Relieve",
    "Remind",
    "Retry",
    "Ship",
    "Stopped",
    "TurnDown",
    "may_be_accepted",
    "new_packages",
    "short_units",
    "shows_what_left",
]
