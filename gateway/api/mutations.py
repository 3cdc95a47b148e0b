"""The doors for changing. Names are noun, then verb; payloads are nullable, so that one crash does not erase its siblings."""

import strawberry

from gateway.api.context import Info, Operation
from gateway.api.describe import described
from gateway.api.errors import user_errors
from gateway.api.identifiers import key_of
from gateway.api.inputs.checks import once, reason_code
from gateway.api.inputs.fulfillments import FulfillmentOrderAcceptInput, FulfillmentOrderRejectInput, FulfillmentOrderShipInput
from gateway.api.inputs.jobs import JobRetryInput
from gateway.api.inputs.policies import RoutingPolicyActivateInput, RoutingPolicyArchiveInput, RoutingPolicyCreateInput
from gateway.api.inputs.purchases import OrderCancelInput, OrderPlaceInput, OrderRerouteInput
from gateway.api.inputs.reservations import (
    ReservationCreateInput,
    ReservationExtendInput,
    ReservationMoveInput,
    ReservationReleaseInput,
)
from gateway.api.jobs import Job, JobPayload
from gateway.api.orders import FulfillmentOrder, FulfillmentOrderPayload, Order, OrderPayload
from gateway.api.policies import RoutingPolicy, RoutingPolicyPayload
from gateway.api.reservations import Reservation, ReservationPayload
from gateway.domain import orders
from gateway.domain.identity import FulfillmentOrderId, OrderId, ReservationId
from gateway.domain.principals import Right
from gateway.domain.refusals import Refusal, Refusals


@described
@strawberry.type
class Mutation:
    """Changing. Every mutation is durable when it answers, and safe to repeat under the same `idempotencyKey`."""

    @strawberry.mutation
    async def reservation_create(self, info: Info, input: ReservationCreateInput) -> ReservationPayload | None:
        """Keep units for a customer who has not decided yet: all of them, or none.

        Args:
            input: What to keep.
        """
        who = info.context.must(Right.RESERVE)
        try:
            lines, at = input.meant()
            asked = once(who, "reservationCreate", input)
            hold = await info.context.services.reservations.hold(
                lines, at=at, slot=input.pickup_slot, ttl_s=input.ttl_seconds, once=asked
            )
        except (Refusal, Refusals) as refused:
            return ReservationPayload(reservation=None, user_errors=user_errors(refused))
        return ReservationPayload(reservation=Reservation.of(hold, info.context), user_errors=[])

    @strawberry.mutation
    async def reservation_extend(self, info: Info, input: ReservationExtendInput) -> ReservationPayload | None:
        """Keep them longer.

        Args:
            input: Which hold, and for how long.
        """
        who = info.context.must(Right.RESERVE)
        try:
            reservation = ReservationId(key_of("Reservation", input.id, what="reservation"))
            asked = once(who, "reservationExtend", input)
            hold = await info.context.services.reservations.extend(reservation, ttl_s=input.ttl_seconds, once=asked)
        except (Refusal, Refusals) as refused:
            return ReservationPayload(reservation=None, user_errors=user_errors(refused))
        return ReservationPayload(reservation=Reservation.of(hold, info.context), user_errors=[])

    @strawberry.mutation
    async def reservation_move(self, info: Info, input: ReservationMoveInput) -> ReservationPayload | None:
        """Keep the units elsewhere, without a gap: all of them, or none is moved.

        Args:
            input: Which hold, and where to.
        """
        who = info.context.must(Right.RESERVE)
        try:
            reservation, to = input.meant()
            asked = once(who, "reservationMove", input)
            hold = await info.context.services.reservations.move(reservation, to=to, slot=input.pickup_slot, once=asked)
        except (Refusal, Refusals) as refused:
            return ReservationPayload(reservation=None, user_errors=user_errors(refused))
        return ReservationPayload(reservation=Reservation.of(hold, info.context), user_errors=[])

    @strawberry.mutation
    async def reservation_release(self, info: Info, input: ReservationReleaseInput) -> ReservationPayload | None:
        """Keep them no longer.

        Args:
            input: Which hold.
        """
        who = info.context.must(Right.RESERVE)
        try:
            reservation = ReservationId(key_of("Reservation", input.id, what="reservation"))
            hold = await info.context.services.reservations.release(reservation, once=once(who, "reservationRelease", input))
        except (Refusal, Refusals) as refused:
            return ReservationPayload(reservation=None, user_errors=user_errors(refused))
        return ReservationPayload(reservation=Reservation.of(hold, info.context), user_errors=[])

    @strawberry.mutation
    async def order_place(self, info: Info, input: OrderPlaceInput) -> OrderPayload | None:
        """Promise, route and record an order, in one step.

        Args:
            input: What was bought.
        """
        who = info.context.must(Right.PLACE_ORDERS)
        try:
            purchase, asked = input.meant(), once(who, "orderPlace", input)
            order = await info.context.services.orders.place(purchase, by=who.name, once=asked)
        except (Refusal, Refusals) as refused:
            return OrderPayload(order=None, user_errors=user_errors(refused))
        return OrderPayload(order=Order.of(order), user_errors=[])

    @strawberry.mutation
    async def order_cancel(self, info: Info, input: OrderCancelInput) -> OrderPayload | None:
        """Call an order off. What has a location is canceled once that location's system says that it stopped.

        Args:
            input: Which order, and why.
        """
        who = info.context.must(Right.CHANGE_ORDERS)
        try:
            order = await info.context.services.orders.cancel(
                OrderId(key_of("Order", input.id, what="order")),
                expected_version=input.expected_version,
                reason_code=reason_code(input.reason_code),
                by=who.name,
                once=once(who, "orderCancel", input),
            )
        except (Refusal, Refusals) as refused:
            return OrderPayload(order=None, user_errors=user_errors(refused))
        return OrderPayload(order=Order.of(order), user_errors=[])

    @strawberry.mutation
    async def order_reroute(self, info: Info, input: OrderRerouteInput) -> OrderPayload | None:
        """Decide yourself where all of an order comes from that has not left. No routing policy counts against it.

        What has no location gets one at once. What another location has not sent is asked back, and goes there once that location's
        system says that it stopped.

        Args:
            input: Which order, and from where.
        """
        who = info.context.must(Right.FULFILL)
        try:
            order_id, locations = input.meant()
            order = await info.context.services.rerouting.direct(
                order_id,
                locations,
                expected_version=input.expected_version,
                reason=input.reason,
                by=who.name,
                once=once(who, "orderReroute", input),
            )
        except (Refusal, Refusals) as refused:
            return OrderPayload(order=None, user_errors=user_errors(refused))
        return OrderPayload(order=Order.of(order), user_errors=[])

    @strawberry.mutation
    async def fulfillment_order_accept(self, info: Info, input: FulfillmentOrderAcceptInput) -> FulfillmentOrderPayload | None:
        """Say for a location that it does the work.

        Args:
            input: Which work.
        """
        who = info.context.must(Right.FULFILL)
        try:
            work = _work(input.id)
            order = await info.context.services.fulfillments.accept(
                work,
                expected_version=input.expected_version,
                by=who.name,
                once=once(who, "fulfillmentOrderAccept", input),
            )
        except (Refusal, Refusals) as refused:
            return FulfillmentOrderPayload(fulfillment_order=None, user_errors=user_errors(refused))
        return _payload(order, work, info.context)

    @strawberry.mutation
    async def fulfillment_order_reject(self, info: Info, input: FulfillmentOrderRejectInput) -> FulfillmentOrderPayload | None:
        """Say for a location that it cannot do the rest of the work. Its system is told to stop; then the rest goes elsewhere.

        Where nobody can ask that system what became of it (`NEEDS_REVIEW`), your word is taken for it.

        Args:
            input: Which work, and why.
        """
        who = info.context.must(Right.FULFILL)
        try:
            work = _work(input.id)
            order = await info.context.services.fulfillments.reject(
                work,
                expected_version=input.expected_version,
                reason_code=reason_code(input.reason_code),
                by=who.name,
                once=once(who, "fulfillmentOrderReject", input),
            )
        except (Refusal, Refusals) as refused:
            return FulfillmentOrderPayload(fulfillment_order=None, user_errors=user_errors(refused))
        return _payload(order, work, info.context)

    @strawberry.mutation
    async def job_retry(self, info: Info, input: JobRetryInput) -> JobPayload | None:
        """Try again what was given up: its work goes back to where it was.

        What became of earlier attempts is looked up first. A source that cannot tell is asked once more, because you say so.

        Args:
            input: Which job.
        """
        who = info.context.must(Right.FULFILL)
        try:
            asked = once(who, "jobRetry", input)
            job = await info.context.services.fulfillments.retry(key_of("Job", input.id, what="job"), by=who.name, once=asked)
        except (Refusal, Refusals) as refused:
            return JobPayload(job=None, user_errors=user_errors(refused))
        return JobPayload(job=Job.of(job), user_errors=[])

    @strawberry.mutation
    async def fulfillment_order_ship(self, info: Info, input: FulfillmentOrderShipInput) -> FulfillmentOrderPayload | None:
        """Say for a location that packages left.

        Args:
            input: Which work, and what left.
        """
        who = info.context.must(Right.FULFILL)
        try:
            work = _work(input.id)
            order = await info.context.services.fulfillments.ship(
                work,
                input.meant(),
                expected_version=input.expected_version,
                by=who.name,
                once=once(who, "fulfillmentOrderShip", input),
            )
        except (Refusal, Refusals) as refused:
            return FulfillmentOrderPayload(fulfillment_order=None, user_errors=user_errors(refused))
        return _payload(order, work, info.context)

    @strawberry.mutation
    async def routing_policy_create(self, info: Info, input: RoutingPolicyCreateInput) -> RoutingPolicyPayload | None:
        """Write a new version of a routing policy. Orders are not routed by it before it is activated.

        Rules that contradict themselves or each other are refused, each by name.

        Args:
            input: What it says.
        """
        who = info.context.must(Right.CHANGE_POLICIES)
        try:
            rules, asked = input.meant(), once(who, "routingPolicyCreate", input)
            policy = await info.context.services.policies.create(input.name, rules, note=input.note, by=who.name, once=asked)
        except (Refusal, Refusals) as refused:
            return RoutingPolicyPayload(routing_policy=None, user_errors=user_errors(refused))
        return RoutingPolicyPayload(routing_policy=RoutingPolicy.of(policy), user_errors=[])

    @strawberry.mutation
    async def routing_policy_activate(self, info: Info, input: RoutingPolicyActivateInput) -> RoutingPolicyPayload | None:
        """Route orders by that version from now on, instead of by the one of the same name that is in force.

        An archived version can be activated again.

        Args:
            input: Which version, and why.
        """
        who = info.context.must(Right.CHANGE_POLICIES)
        try:
            key, asked = input.meant(), once(who, "routingPolicyActivate", input)
            if not input.force:
                await info.context.services.whatif.check(key, input.guarded(), last=input.last)
            policy = await info.context.services.policies.activate(key, reason=input.reason, by=who.name, once=asked)
        except (Refusal, Refusals) as refused:
            return RoutingPolicyPayload(routing_policy=None, user_errors=user_errors(refused))
        return RoutingPolicyPayload(routing_policy=RoutingPolicy.of(policy), user_errors=[])

    @strawberry.mutation
    async def routing_policy_archive(self, info: Info, input: RoutingPolicyArchiveInput) -> RoutingPolicyPayload | None:
        """Route orders by that version no longer, or put a draft away. One version of `default` is always in force.

        Args:
            input: Which version, and why.
        """
        who = info.context.must(Right.CHANGE_POLICIES)
        try:
            key, asked = input.meant(), once(who, "routingPolicyArchive", input)
            policy = await info.context.services.policies.archive(key, reason=input.reason, by=who.name, once=asked)
        except (Refusal, Refusals) as refused:
            return RoutingPolicyPayload(routing_policy=None, user_errors=user_errors(refused))
        return RoutingPolicyPayload(routing_policy=RoutingPolicy.of(policy), user_errors=[])


def _work(id: str) -> FulfillmentOrderId:
    return FulfillmentOrderId(key_of("FulfillmentOrder", id, what="fulfillment order"))


def _payload(order: orders.Order, work: FulfillmentOrderId, operation: Operation) -> FulfillmentOrderPayload:
    shown = FulfillmentOrder.of(order.work(work), Order.of(order), operation)
    return FulfillmentOrderPayload(fulfillment_order=shown, user_errors=[])
