"""Every enum of the graph. Types import them from here: Strawberry must know an enum before it sees it in an annotation."""

from enum import StrEnum

from connectors.contract import BreakerState, Capability, Idempotency, Method, SourceKind, StockDrop
from gateway.api.describe import enumerated
from gateway.domain.fulfillments import FulfillmentAction, FulfillmentStatus, RequestStatus
from gateway.domain.locations import LocationKind
from gateway.domain.orders import OrderAction, OrderStatus, UnitState
from gateway.domain.policies import Criterion, FallbackStep, PolicyState, PolicyStep, RulePart
from gateway.domain.pricing import PriceMode
from gateway.domain.reservations import ReservationState
from gateway.domain.routing import Preference
from gateway.domain.tasks import JobKind, JobState
from gateway.domain.whatif import Measure as GuardrailMeasure
from gateway.ports import Tier
from gateway.services.delivery import NoPromise
from gateway.services.readings import Freshness, SourceStatus


class UserErrorCode(StrEnum):
    """Why something was refused. Codes stay; messages may change.

    Attributes:
        INVALID: A field holds what it must not.
        CONTRADICTORY_RULE: A rule of a routing policy cannot be meant as it is written.
        GUARDRAIL_BREACHED: A change would do more than it may; see the fields.
        NOT_FOUND: There is no such thing, or it is not for you to see.
        INSUFFICIENT_STOCK: Fewer units can be promised than were asked for.
        STOCK_UNKNOWN: Too little is known of, and a source did not answer; try again.
        NO_CANDIDATE: No location may do this, whatever its stock.
        CAPACITY_FULL: A location cannot do that much more on that day of its.
        SLOT_FULL: A location can serve nobody else in that pickup slot.
        NOT_ALLOWED_IN_STATE: Not possible as things stand; see `supportedActions`.
        VERSION_CONFLICT: It changed since you looked.
        IDEMPOTENCY_MISMATCH: The key was used before with another request.
        DUPLICATE_EXTERNAL_ID: The channel placed an order under that id already.
        RESERVATION_EXPIRED: The hold is over: its units are no longer kept.
        OVERLOADED: Too much is waiting; nothing was done, try again in a moment.
        STORE_UNAVAILABLE: Promises cannot be read or written now; try again in a moment, a write under the same key.
        CURSOR_EXPIRED: Events are no longer kept that far back.
        FORBIDDEN: Your role does not include this.
    """

    INVALID = "INVALID"
    CONTRADICTORY_RULE = "CONTRADICTORY_RULE"
    GUARDRAIL_BREACHED = "GUARDRAIL_BREACHED"
    NOT_FOUND = "NOT_FOUND"
    INSUFFICIENT_STOCK = "INSUFFICIENT_STOCK"
    STOCK_UNKNOWN = "STOCK_UNKNOWN"
    NO_CANDIDATE = "NO_CANDIDATE"
    CAPACITY_FULL = "CAPACITY_FULL"
    SLOT_FULL = "SLOT_FULL"
    NOT_ALLOWED_IN_STATE = "NOT_ALLOWED_IN_STATE"
    VERSION_CONFLICT = "VERSION_CONFLICT"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"
    DUPLICATE_EXTERNAL_ID = "DUPLICATE_EXTERNAL_ID"
    RESERVATION_EXPIRED = "RESERVATION_EXPIRED"
    OVERLOADED = "OVERLOADED"
    STORE_UNAVAILABLE = "STORE_UNAVAILABLE"
    CURSOR_EXPIRED = "CURSOR_EXPIRED"
    FORBIDDEN = "FORBIDDEN"


class OrderSort(StrEnum):
    """In which order orders come.

    Attributes:
        PLACED_AT_DESC: The newest first.
        PLACED_AT_ASC: The oldest first.
    """

    PLACED_AT_DESC = "PLACED_AT_DESC"
    PLACED_AT_ASC = "PLACED_AT_ASC"


class CountPrecision(StrEnum):
    """How exactly something was counted.

    Attributes:
        EXACT: All were counted.
        AT_LEAST: Counting stopped there: there may be more.
    """

    EXACT = "EXACT"
    AT_LEAST = "AT_LEAST"


enumerated(UserErrorCode, OrderSort, CountPrecision)
enumerated(Idempotency, SourceKind, StockDrop, SourceStatus, Freshness, LocationKind, ReservationState)
enumerated(OrderAction, OrderStatus, FulfillmentAction, FulfillmentStatus, RequestStatus)
enumerated(JobKind, JobState, PriceMode)
enumerated(BreakerState, Capability)
enumerated(Tier, name="SourceTier")
enumerated(NoPromise, name="NoPromiseReason")
enumerated(Method, name="FulfillmentMethod")
enumerated(Preference, name="RoutingPreference")
enumerated(UnitState, name="LineQuantityState")
enumerated(RulePart, name="RoutingRulePart")
enumerated(Criterion, name="RoutingCriterion")
enumerated(FallbackStep, name="RoutingFallbackStep")
enumerated(PolicyState, name="RoutingPolicyState")
enumerated(PolicyStep, name="RoutingPolicyStep")
enumerated(GuardrailMeasure, name="RoutingGuardrailMeasure")

__all__ = [
    "BreakerState",
    "Capability",
    "CountPrecision",
    "Criterion",
    "FallbackStep",
    "Freshness",
    "FulfillmentAction",
    "FulfillmentStatus",
    "GuardrailMeasure",
    "Idempotency",
    "JobKind",
    "JobState",
    "LocationKind",
    "Method",
    "NoPromise",
    "OrderAction",
    "OrderSort",
    "OrderStatus",
    "PolicyState",
    "PolicyStep",
    "Preference",
    "PriceMode",
    "RequestStatus",
    "ReservationState",
    "RulePart",
    "SourceKind",
    "SourceStatus",
    "StockDrop",
    "Tier",
    "UnitState",
    "UserErrorCode",
]
