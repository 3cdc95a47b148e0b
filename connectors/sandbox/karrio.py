"""A stand-in for a Karrio server: some carrier connections, each with a tariff by weight, which can be taken away and fail."""

import hmac
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

TOKEN: Final = "key_sandbox"
KILOGRAMS: Final = {"KG": 1.0, "LB": 0.45359237, "OZ": 0.028349523125, "G": 0.001}
COUNTRIES: Final = frozenset({"US", "CA", "MX", "DE", "FR", "GB"})
POSTAL_CODE_CHARACTERS_MAX: Final = 10

Document = dict[str, Any]


class AddressData(Struct):
    """``AddressData``, as far as a rate depends on it."""

    country_code: str
    postal_code: str | None = None
    city: str | None = None
    state_code: str | None = None
    address_line1: str | None = None


class ParcelData(Struct):
    """``ParcelData``, as far as a rate depends on it."""

    weight: float
    weight_unit: str


class RateRequest(Struct):
    """``RateRequest``; other fields are passed over, as Karrio does."""

    shipper: AddressData
    recipient: AddressData
    parcels: list[ParcelData]
    carrier_ids: list[str] | None = None


@dataclass(slots=True, kw_only=True)
class Carrier:
    """One carrier connection: what a service takes at first and for each kilogram, and its days. ``down``: why it says nothing."""

    carrier_name: str
    services: dict[str, tuple[float, float, int]]
    kilograms_max: float = 68.0
    down: str | None = None


def _carriers() -> dict[str, Carrier]:
    return {
        "ups-main": Carrier(carrier_name="ups", services={"ups_ground": (8.4, 1.3, 4), "ups_2nd_day_air": (19.9, 3.2, 2)}),
        "usps-main": Carrier(carrier_name="usps", services={"usps_ground_advantage": (6.9, 2.1, 5)}, kilograms_max=31.7),
    }


@dataclass(slots=True, kw_only=True)
class KarrioSandbox:
    """One account. ``asked`` are the requests that were answered with rates, oldest first; ``delivers_on`` is the date it names."""

    token: str = TOKEN
    carriers: dict[str, Carrier] = field(default_factory=_carriers)
    asked: list[RateRequest] = field(default_factory=list)
    delivers_on: str | None = "2026-11-27"

    def routes(self) -> list[BaseRoute]:
        """The endpoint that the provider uses."""
        return [Route("/v1/proxy/rates", self._rates, methods=["POST"])]

    async def _rates(self, request: Request) -> Response:
        if not hmac.compare_digest(request.headers.get("authorization", "").encode(), f"Token {self.token}".encode()):
            return _json(_errors("authentication_failed", "Invalid token."), status=401)
        try:
            asked = _checked(msgspec.json.decode(await request.body(), type=RateRequest))
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
            return _json(_errors("validation", str(error)), status=400)
        chosen = {name: each for name, each in self.carriers.items() if not asked.carrier_ids or name in asked.carrier_ids}
        kilograms = sum(parcel.weight * KILOGRAMS[parcel.weight_unit] for parcel in asked.parcels)
        silent = {name: reason for name, each in chosen.items() if (reason := _why_not(each, kilograms)) is not None}
        messages = [_message(name, chosen[name], reason) for name, reason in silent.items()]
        if len(silent) == len(chosen):
            return _json({"messages": messages}, status=424)
        self.asked.append(asked)
        willing = [(name, each) for name, each in chosen.items() if name not in silent]
        rates = [self._rate(name, each, service, kilograms) for name, each in willing for service in each.services]
        return _json({"messages": messages, "rates": rates})

    def _rate(self, connection: str, carrier: Carrier, service: str, kilograms: float) -> Document:
        first, each, days = carrier.services[service]
        return {
            "id": f"rat_{connection}_{service}",
            "object_type": "rate",
            "carrier_name": carrier.carrier_name,
            "carrier_id": connection,
            "service": service,
            "currency": "USD",
            "total_charge": round(first + each * kilograms, 2),
            "transit_days": days,
            "estimated_delivery": self.delivers_on,
            "extra_charges": [],
            "meta": {},
            "test_mode": True,
        }


def _checked(asked: RateRequest) -> RateRequest:
    for address in (asked.shipper, asked.recipient):
        if address.country_code not in COUNTRIES:
            raise ValueError(f'"{address.country_code}" is not a valid choice.')
        if len(address.postal_code or "") > POSTAL_CODE_CHARACTERS_MAX:
            raise ValueError("Ensure the postal code has no more than 10 characters.")
    if not asked.parcels:
        raise ValueError("This list may not be empty.")
    for parcel in asked.parcels:
        if parcel.weight_unit not in KILOGRAMS or parcel.weight <= 0:
            raise ValueError("A parcel needs a weight and a valid unit of it.")
    return asked


def _why_not(carrier: Carrier, kilograms: float) -> str | None:
    return carrier.down or ("The parcel is too heavy." if kilograms > carrier.kilograms_max else None)


def _message(connection: str, carrier: Carrier, reason: str) -> Document:
    return {"carrier_id": connection, "carrier_name": carrier.carrier_name, "code": "SHIPPING_SDK_ERROR", "message": reason}


def _errors(code: str, message: str) -> Document:
    return {"errors": [{"code": code, "message": message}]}


def _json(content: object, *, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status_code=status, media_type="application/json")
