"""What clients send, and what it means. Every field is checked here, and all that is wrong is told at once."""

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import Any, Final, TypeVar

import msgspec
import strawberry

from connectors.contract import Address, Sku
from gateway.api.describe import described
from gateway.api.enums import Method, OrderStatus, Preference
from gateway.api.identifiers import key_of
from gateway.api.scalars import Instant
from gateway.domain.fulfillments import Package, Units
from gateway.domain.identity import LocationId, ReservationId
from gateway.domain.principals import Principal
from gateway.domain.refusals import Invalid, Refusal, Refusals
from gateway.ports import Once, OrderFilter
from gateway.services.orders import Purchase
from gateway.services.routing import Wish

T = TypeVar("T")

SKU_CHARACTERS_MAX: Final = 100
UNITS_MAX: Final = 100_000
LINES_MAX: Final = 100
SKUS_MAX: Final = 250
KEY_CHARACTERS_MAX: Final = 255
PACKAGES_MAX: Final = 100
COUNTRY: Final = re.compile(r"[A-Z]{2}")


@described
@strawberry.input
class ExternalIdInput:
    """An order as a channel knows it.

    Attributes:
        channel: Who sold it.
        external_id: What the channel calls it.
    """

    channel: str
    external_id: str


@described
@strawberry.input(one_of=True)
class OrderBy:
    """Which order: exactly one of these.

    Attributes:
        id: Its id.
        number: Its number.
        external_id: What its channel calls it.
    """

    id: strawberry.Maybe[strawberry.ID]
    number: strawberry.Maybe[str]
    external_id: strawberry.Maybe[ExternalIdInput]


@described
@strawberry.input(one_of=True)
class LocationBy:
    """Which location: exactly one of these.

    Attributes:
        id: Its id.
        code: Its code.
    """

    id: strawberry.Maybe[strawberry.ID]
    code: strawberry.Maybe[str]


@described
@strawberry.input
class OrderFilterInput:
    """Which orders; what is left out does not narrow.

    Attributes:
        status: In one of these states.
        channel: Sold by one of these.
        sku: Containing one of these.
        location: With work for one of these.
        placed_from: Placed at or after.
        placed_to: Placed before.
    """

    status: list[OrderStatus] | None = None
    channel: list[str] | None = None
    sku: list[str] | None = None
    location: list[strawberry.ID] | None = None
    placed_from: Instant | None = None
    placed_to: Instant | None = None

    def meant(self) -> OrderFilter:
        """The filter."""
        places = [
            key_of("Location", each, what="location", path=("filter", "location")) for each in _few(self.location, "location")
        ]
        return OrderFilter(
            status=frozenset(_few(self.status, "status")),
            channel=frozenset(_few(self.channel, "channel")),
            sku=frozenset(Sku(sku) for sku in _few(self.sku, "sku")),
            location=frozenset(LocationId(each) for each in places),
            placed_from=self.placed_from,
            placed_to=self.placed_to,
        )


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

    def meant(self, check: "Check", *, email: str | None = None, phone: str | None = None) -> Address:
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
class LineInput:
    """So many units of one SKU.

    Attributes:
        sku: Of what.
        units: How many, 1 to 100,000.
    """

    sku: str
    units: int


@described
@strawberry.input
class RoutingInput:
    """What is to go where, and how.

    Attributes:
        lines: What; 1 to 100 lines.
        to: Where.
        method: How the goods reach the customer.
        preference: What the customer gives up money for.
        pickup_at: The location where a pickup is picked up.
    """

    lines: list[LineInput]
    to: AddressInput
    method: Method = Method.SHIP
    preference: Preference = Preference.CHEAPEST
    pickup_at: strawberry.ID | None = None

    def meant(self) -> Wish:
        """What is wished for."""
        check = Check()
        lines = check.lines(self.lines, ("input", "lines"))
        to = self.to.meant(check)
        pickup_at = check.location(self.pickup_at, ("input", "pickupAt"))
        check.done()
        return Wish(lines=lines, to=to, method=self.method, preference=self.preference, pickup_at=pickup_at)


@described
@strawberry.input
class ReservationCreateInput:
    """What to keep, where and for how long.

    Attributes:
        idempotency_key: The same key with the same request is answered with the first answer.
        lines: What; all of it or nothing.
        location: Where; without it the units are kept wherever routing will want them.
        ttl_seconds: For how long, up to a day.
    """

    idempotency_key: str
    lines: list[LineInput]
    location: strawberry.ID | None = None
    ttl_seconds: int = 900

    def meant(self) -> tuple[tuple[Units, ...], LocationId | None]:
        """The lines and the location."""
        check = Check()
        lines = check.lines(self.lines, ("input", "lines"))
        location = check.location(self.location, ("input", "location"))
        check.done()
        return lines, location


@described
@strawberry.input
class ReservationExtendInput:
    """How much longer to keep it.

    Attributes:
        idempotency_key: The same key with the same request is answered with the first answer.
        id: Which reservation.
        ttl_seconds: From now on, up to a day.
    """

    idempotency_key: str
    id: strawberry.ID
    ttl_seconds: int = 900


@described
@strawberry.input
class ReservationReleaseInput:
    """What to keep no longer.

    Attributes:
        idempotency_key: The same key with the same request is answered with the first answer.
        id: Which reservation.
    """

    idempotency_key: str
    id: strawberry.ID


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
        pickup_at: The location where a pickup is picked up.
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
    pickup_at: strawberry.ID | None = None
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
            pickup_at=check.location(self.pickup_at, ("input", "pickupAt")),
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
class FulfillmentOrderAcceptInput:
    """Which work the location does.

    Attributes:
        idempotency_key: The same key with the same request is answered with the first answer.
        id: Which fulfillment order.
        expected_version: Refuse if it changed since.
    """

    idempotency_key: str
    id: strawberry.ID
    expected_version: int | None = None


@described
@strawberry.input
class FulfillmentOrderRejectInput:
    """Which work the location cannot do, and why.

    Attributes:
        idempotency_key: The same key with the same request is answered with the first answer.
        id: Which fulfillment order.
        expected_version: Refuse if it changed since.
        reason_code: Why, in a word of yours.
    """

    idempotency_key: str
    id: strawberry.ID
    reason_code: str
    expected_version: int | None = None


@described
@strawberry.input
class PackageInput:
    """One parcel, or one hand-over at the counter.

    Attributes:
        carrier: Who carries it.
        tracking_number: The carrier's own number.
        tracking_url: Where to follow it.
        lines: What is in it.
    """

    carrier: str
    lines: list[LineInput]
    tracking_number: str | None = None
    tracking_url: str | None = None


@described
@strawberry.input
class FulfillmentOrderShipInput:
    """What left.

    Attributes:
        idempotency_key: The same key with the same request is answered with the first answer.
        id: Which fulfillment order.
        expected_version: Refuse if it changed since.
        packages: What left; 1 to 100.
    """

    idempotency_key: str
    id: strawberry.ID
    packages: list[PackageInput]
    expected_version: int | None = None

    def meant(self) -> tuple[Package, ...]:
        """The packages."""
        check = Check()
        at = ("input", "packages")
        check.size(self.packages, at, most=PACKAGES_MAX)
        packages = tuple(
            Package(
                lines=check.lines(package.lines, (*at, str(place), "lines")),
                carrier=check.text(package.carrier, (*at, str(place), "carrier"), most=100),
                tracking_number=check.maybe(package.tracking_number, (*at, str(place), "trackingNumber"), most=100),
                tracking_url=check.maybe(package.tracking_url, (*at, str(place), "trackingUrl"), most=500),
            )
            for place, package in enumerate(self.packages[:PACKAGES_MAX])
        )
        check.done()
        return packages


# ---------------------------------------------------------------------------------------------- checking
class Check:
    """Collects what is wrong with an input, so that it can be told all at once."""

    def __init__(self) -> None:
        self._wrong: list[Refusal] = []

    def that(self, holds: bool, problem: str, path: tuple[str, ...]) -> None:  # reads as a sentence
        """Note a problem, if it is one."""
        if not holds:
            self._wrong.append(Invalid(problem=problem, path=path))

    def done(self) -> None:
        """Say what was wrong, if something was.

        Raises:
            Refusals: All of it.
        """
        if self._wrong:
            raise Refusals(tuple(self._wrong))

    def size(self, each: Sequence[object], path: tuple[str, ...], *, most: int) -> None:
        """There is at least one, and there are not too many."""
        self.that(1 <= len(each) <= most, f"Between 1 and {most} are needed, not {len(each)}.", path)

    def text(self, value: str, path: tuple[str, ...], *, most: int) -> str:
        """A text that a person could have typed on one line."""
        fits = len(value.strip()) >= 1 and len(value) <= most and value.isprintable()
        self.that(fits, f"1 to {most} printable characters are needed.", path)
        return value

    def maybe(self, value: str | None, path: tuple[str, ...], *, most: int) -> str | None:
        """A text, or none."""
        return None if value is None else self.text(value, path, most=most)

    def lines(self, lines: Sequence[LineInput], path: tuple[str, ...]) -> tuple[Units, ...]:
        """Lines with a SKU and units that make sense."""
        self.size(lines, path, most=LINES_MAX)
        for place, line in enumerate(lines[:LINES_MAX]):
            self.text(line.sku, (*path, str(place), "sku"), most=SKU_CHARACTERS_MAX)
            fits = 1 <= line.units <= UNITS_MAX
            self.that(fits, f"Units are between 1 and {UNITS_MAX:,}.", (*path, str(place), "units"))
        return tuple(Units(sku=Sku(line.sku), units=line.units) for line in lines[:LINES_MAX])

    def location(self, value: str | None, path: tuple[str, ...]) -> LocationId | None:
        """A location's id, or none."""
        found = None if value is None else self.key("Location", value, path)
        return None if found is None else LocationId(found)

    def key(self, kind: str, value: str, path: tuple[str, ...]) -> str | None:
        """The key behind an id of that kind."""
        return self._attempt(lambda: key_of(kind, value, what=kind.lower(), path=path))

    def _attempt(self, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except Refusal as refusal:
            self._wrong.append(refusal)
            return None


def skus_of(skus: Sequence[str]) -> tuple[Sku, ...]:
    """SKUs that a query may ask for.

    Raises:
        Refusals: Too many, or not what a SKU can be.
    """
    check = Check()
    check.size(skus, ("skus",), most=SKUS_MAX)
    for place, sku in enumerate(skus[:SKUS_MAX]):
        check.text(sku, ("skus", str(place)), most=SKU_CHARACTERS_MAX)
    check.done()
    return tuple(Sku(sku) for sku in skus)


def reason_code(value: str) -> str:
    """Why somebody wants something, in a word of theirs.

    Raises:
        Refusals: It is none.
    """
    check = Check()
    reason = check.text(value, ("input", "reasonCode"), most=64)
    check.done()
    return reason


def once(principal: Principal, operation: str, sent: Any) -> Once:
    """Who asks for what under which key.

    Raises:
        Refusals: The key is none.
    """
    check = Check()
    key = check.text(sent.idempotency_key, ("input", "idempotencyKey"), most=KEY_CHARACTERS_MAX)
    check.done()
    content = {name: value for name, value in asdict(sent).items() if name != "idempotency_key"}
    request_hash = hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()
    return Once(principal=principal.name, operation=operation, key=key, request_hash=request_hash)


def _few(values: Iterable[T] | None, name: str) -> list[T]:
    found = list(values or ())
    if len(found) > LINES_MAX:
        raise Invalid(problem=f"At most {LINES_MAX}.", path=("filter", name))
    return found
