"""Where a person wants an order to come from, as a policy of its own that stands in for the merchant's."""

from dataclasses import replace
from typing import Final

from gateway.domain.fulfillments import RequestStatus
from gateway.domain.orders import Order
from gateway.domain.policies import DEFAULT, Candidacy, Places, RoutingPolicy, Rule
from gateway.services.routing.landscape import Landscape

BY_HAND: Final = "by hand"


def as_directed(landscape: Landscape, order: Order) -> Landscape:
    """What was seen, to be decided on as somebody said, where somebody did: no rule of the merchant's counts then."""
    if order.directed is None:
        return landscape
    places = (Places(codes=order.directed.locations),)
    rule = Rule(name=f"chosen by {order.directed.by}", candidates=Candidacy(places=places))
    policy = RoutingPolicy(name=BY_HAND, version=0, rules=(rule,), changes=())
    return replace(landscape, outlook=replace(landscape.outlook, policies={order.policy or DEFAULT: policy}))


def served(order: Order) -> Order:
    """The order, as the merchant's policy is to see it again once what somebody said has been done."""
    coming_back = any(work.request_status is RequestStatus.CANCELLATION_REQUESTED for work in order.fulfillment_orders)
    return order if coming_back or order.unrouted else replace(order, directed=None)
