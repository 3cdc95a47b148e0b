"""What is bought or wished for, and where it goes."""

import re
from typing import Final

import strawberry

from connectors.contract import Address
from gateway.api.describe import described
from gateway.api.enums import Method, Preference
from gateway.api.inputs.checks import Check, LineInput
from gateway.api.scalars import Day, Instant
from gateway.domain.identity import LocationId, OrderId, ReservationId
from gateway.services.orders import Purchase
from gateway.services.routing import Wish

COUNTRY: Final = re.compile(r"[A-Z]{2}")
LOCATIONS_MAX: Final = 100
REASON_CHARACTERS_MAX: Final = 200


@described
@strawberry.input
class AddressInput:
    """Where something goes.

    Attributes:
        name: Who receives it.
        lines: Street and what belongs to it, one to three lines.
        city: Town.
        region: State or province.
        postal_code: ZIP or postal code.
        country_code: ISO 3166-1 alpha-2, such as US.
        latitude: In degrees, if it is known; else the postal code tells.
        longitude: In degrees, if it is known.
    """

    lines: list[str]
    city: str
    postal_code: str
    country_code: str
    name: str | None = None
    region: str | None = None
    latitude: float | None = None
    longitude: float | None = None

    def meant(self, check: Check, *, email: str | None = None, phone: str | None = None) -> Address:
        """The address."""
        at = ("input", "to")
        check.size(self.lines, (*at, "lines"), most=3)
        check.that(COUNTRY.fullmatch(self.country_code) is not None, "A country code is two capital letters.", (*at, "countryCode"))
        check.that((self.latitude is None) == (self.longitude is None), "Latitude and longitude come together.", (*at, "latitude"))
        check.that(self.latitude is None or -90 <= self.latitude <= 90, "Latitude is between -90 and 90.", (*at, "latitude"))
        check.that(
            self.longitude is None or -180 <= self.longitude <= 180, "Longitude is between -180 and 180.", (*at, "longitude")
        )
        return Address(
            lines=tuple(check.text(line, (*at, "lines", str(place)), most=200) for place, line in enumerate(self.lines[:3])),
            city=check.text(self.city, (*at, "city"), most=100),
            region=check.maybe(self.region, (*at, "region"), most=100),
            postal_code=check.text(self.postal_code, (*at, "postalCode"), most=20),
            country_code=self.country_code,
            name=check.maybe(self.name, (*at, "name"), most=200),
            email=check.maybe(email, ("input", "email"), most=254),
            phone=check.maybe(phone, ("input", "phone"), most=50),
            latitude=self.latitude,
            longitude=self.longitude,
        )


@described
@strawberry.input
class RoutingInput:
    """What is to go where, and how.

    Attributes:
        lines: What; 1 to 100 lines.
        to: Where.
        method: How the goods reach the customer.
        preference: What the customer gives up money for.
        from_location: Where the customer would like it to come from: taken, where that costs little more.
        pickup_at: The location where a pickup is picked up.
        channel: Who would sell it, for policies that ask.
        customer_class: What the channel says of the customer, for policies that ask.
        value_cents: What the customer pays for the goods, in cents, up to 1,000,000,000, for policies that ask.
        policy: The name of the routing policy; without it, the one for everybody.
        deliver_by: The day that the customer was promised: each day after it counts as a cost.
        no_later: It must not come after that day.
    """

    lines: list[LineInput]
    to: AddressInput
    method: Method = Method.SHIP
    preference: Preference = Preference.CHEAPEST
    from_location: strawberry.ID | None = None
    pickup_at: strawberry.ID | None = None
    channel: str | None = None
    customer_class: str | None = None
    value_cents: int | None = None
    policy: str | None = None
    deliver_by: Day | None = None
    no_later: bool = False

    def meant(self) -> Wish:
        """What is wished for."""
        check = Check()
        lines = check.lines(self.lines, ("input", "lines"))
        to = self.to.meant(check)
        wish = Wish(
            lines=lines,
            to=to,
            method=self.method,
            preference=self.preference,
            from_location=check.location(self.from_location, ("input", "fromLocation")),
            pickup_at=check.location(self.pickup_at, ("input", "pickupAt")),
            channel=check.maybe(self.channel, ("input", "channel"), most=64) or "",
            customer_class=check.maybe(self.customer_class, ("input", "customerClass"), most=64),
            value_cents=check.value_cents(self.value_cents),
            policy=check.maybe(self.policy, ("input", "policy"), most=100),
            deliver_by=self.deliver_by,
            no_later=check.firm(self.deliver_by, no_later=self.no_later),
        )
        check.done()
        return wish


@described
@strawberry.input
class OrderPlaceInput:
    """What was bought, and where it goes.

    Attributes:
        idempotency_key: The same key with the same request is answered with the first answer.
        channel: Who sold it.
        external_id: What the channel calls it; unique per channel.
        reservation: A hold whose units become this order's, without a gap.
        lines: What; 1 to 100 lines.
        to: Where.
        method: How the goods reach the customer.
        preference: What the customer gives up money for.
        from_location: Where the customer would like it to come from: taken, where that costs little more.
        customer_class: What the channel says of the customer, for policies that ask.
        value_cents: What the customer pays for the goods, in cents, up to 1,000,000,000, for policies that ask.
        policy: The name of the routing policy; without it, the one for everybody.
        deliver_by: The day that the customer was promised: each day after it counts as a cost.
        no_later: It must not come after that day.
        pickup_at: The location where a pickup is picked up.
        pickup_slot: When the pickup slot begins; see the location's `pickupSlots`. Without it, the slot of the reservation, if any.
        email: For messages of the carrier.
        phone: For the carrier.
    """

    idempotency_key: str
    channel: str
    lines: list[LineInput]
    to: AddressInput
    external_id: str | None = None
    reservation: strawberry.ID | None = None
    method: Method = Method.SHIP
    preference: Preference = Preference.CHEAPEST
    from_location: strawberry.ID | None = None
    customer_class: str | None = None
    value_cents: int | None = None
    policy: str | None = None
    deliver_by: Day | None = None
    no_later: bool = False
    pickup_at: strawberry.ID | None = None
    pickup_slot: Instant | None = None
    email: str | None = None
    phone: str | None = None

    def meant(self) -> Purchase:
        """The purchase."""
        check = Check()
        held = None if self.reservation is None else check.key("Reservation", self.reservation, ("input", "reservation"))
        purchase = Purchase(
            channel=check.text(self.channel, ("input", "channel"), most=64),
            external_id=check.maybe(self.external_id, ("input", "externalId"), most=128),
            reservation=None if held is None else ReservationId(held),
            lines=check.lines(self.lines, ("input", "lines")),
            to=self.to.meant(check, email=self.email, phone=self.phone),
            method=self.method,
            preference=self.preference,
            from_location=check.location(self.from_location, ("input", "fromLocation")),
            customer_class=check.maybe(self.customer_class, ("input", "customerClass"), most=64),
            value_cents=check.value_cents(self.value_cents),
            policy=check.maybe(self.policy, ("input", "policy"), most=100),
            deliver_by=self.deliver_by,
            no_later=check.firm(self.deliver_by, no_later=self.no_later),
            pickup_at=check.location(self.pickup_at, ("input", "pickupAt")),
            pickup_slot=check.slot(self.pickup_slot, ("input", "pickupSlot")),
        )
        check.done()
        return purchase


@described
@strawberry.input
class OrderCancelInput:
    """Which order to call off, and why.

    Attributes:
        idempotency_key: The same key with the same request is answered with the first answer.
        id: Which order.
        expected_version: Refuse if it changed since.
        reason_code: Why, in a word of yours.
    """

    idempotency_key: str
    id: strawberry.ID
    reason_code: str
    expected_version: int | None = None


@described
@strawberry.input
class OrderRerouteInput:
    """Where the rest of an order comes from instead, and why.

    Attributes:
        idempotency_key: The same key with the same request is answered with the first answer.
        id: Which order.
        expected_version: Refuse if it changed since.
        locations: From one or more of these, 1 to 100; each sends what it has.
        reason: Why, 1 to 200 characters; it is kept.
    """

    idempotency_key: str
    id: strawberry.ID
    locations: list[strawberry.ID]
    reason: str
    expected_version: int | None = None

    def meant(self) -> tuple[OrderId, tuple[LocationId, ...]]:
        """The order and the locations."""
        check = Check()
        order = check.key("Order", self.id, ("input", "id"))
        check.size(self.locations, ("input", "locations"), most=LOCATIONS_MAX)
        found = [
            check.location(each, ("input", "locations", str(place))) for place, each in enumerate(self.locations[:LOCATIONS_MAX])
        ]
        check.text(self.reason, ("input", "reason"), most=REASON_CHARACTERS_MAX)
        check.done()
        return OrderId(order or ""), tuple(each for each in found if each is not None)
