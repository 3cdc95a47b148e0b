"""What every sandbox has beside its vendor's wire: orders and stock under ``/_sandbox``, faults on demand, a journal."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from connectors.sandbox.faults import Fault, FaultKind, Faults

__all__ = ["Fault", "FaultKind", "Sandbox", "SandboxLine", "SandboxOrder", "SandboxPackage", "app_of"]


class SandboxLine(msgspec.Struct, frozen=True, kw_only=True):
    """So many units of one SKU."""

    sku: str
    units: int


class SandboxPackage(msgspec.Struct, frozen=True, kw_only=True):
    """What left together."""

    carrier: str
    tracking_number: str


class SandboxOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One order that has arrived. ``state`` is the vendor's own word, ``place`` a key of the network."""

    ref: str
    key: str | None
    place: str
    state: str
    lines: Sequence[SandboxLine]
    packages: Sequence[SandboxPackage] = ()


class Sandbox(Protocol):
    """A stateful stand-in for one vendor. State changes on the event loop only.

    Methods that name an order, a place or a SKU raise ``LookupError`` where there is none (answered 404), and ``ValueError``
    where the vendor's rules forbid the step (answered 409).
    """

    system: str

    def routes(self) -> list[BaseRoute]:
        """The vendor's wire."""

    def orders(self) -> list[SandboxOrder]:
        """What has arrived, oldest first."""

    def accept(self, ref: str) -> None:
        """Somebody there takes the order on."""

    def reject(self, ref: str, reason: str) -> None:
        """Somebody there turns the order down."""

    def ship(self, ref: str, *, carrier: str, tracking_number: str) -> None:
        """The goods leave, by the vendor's own rules for stock."""

    def set_stock(self, place: str, sku: str, units: int) -> None:
        """Somebody counted: so many units are on hand now."""

    def stock(self, sku: str) -> Mapping[str, int]:
        """Units on hand by place key, where the SKU is carried."""


class _Rejection(msgspec.Struct):
    reason: str


class _Parcel(msgspec.Struct):
    carrier: str
    tracking_number: str


class _Count(msgspec.Struct):
    place: str
    sku: str
    units: int


def app_of(sandbox: Sandbox) -> Starlette:
    """The sandbox as an application: the vendor's routes, which can be made to fail, and the controls, which cannot."""
    faults = Faults(Starlette(routes=sandbox.routes()))
    controls = [*_order_controls(sandbox), *_stock_controls(sandbox), *_fault_controls(faults)]
    errors = {LookupError: _answer_with(404), ValueError: _answer_with(409), msgspec.DecodeError: _answer_with(422)}
    app = Starlette(routes=controls, exception_handlers=errors)
    return Starlette(routes=[Mount("/_sandbox", app), Mount("/", faults)])


def _json(content: object, *, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status_code=status, media_type="application/json")


def _answer_with(status: int) -> Any:
    def answer(_request: Request, error: Exception) -> Response:
        return _json({"error": str(error)}, status=status)

    return answer


def _order_controls(sandbox: Sandbox) -> list[BaseRoute]:
    def after(ref: str) -> Response:
        return _json(next(order for order in sandbox.orders() if order.ref == ref))

    async def orders(_request: Request) -> Response:
        return _json(sandbox.orders())

    async def accept(request: Request) -> Response:
        ref = request.path_params["ref"]
        sandbox.accept(ref)
        return after(ref)

    async def reject(request: Request) -> Response:
        ref = request.path_params["ref"]
        sandbox.reject(ref, msgspec.json.decode(await request.body(), type=_Rejection).reason)
        return after(ref)

    async def ship(request: Request) -> Response:
        ref = request.path_params["ref"]
        parcel = msgspec.json.decode(await request.body(), type=_Parcel)
        sandbox.ship(ref, carrier=parcel.carrier, tracking_number=parcel.tracking_number)
        return after(ref)

    return [
        Route("/orders", orders),
        Route("/orders/{ref}/accept", accept, methods=["POST"]),
        Route("/orders/{ref}/reject", reject, methods=["POST"]),
        Route("/orders/{ref}/ship", ship, methods=["POST"]),
    ]


def _stock_controls(sandbox: Sandbox) -> list[BaseRoute]:
    async def read(request: Request) -> Response:
        return _json(sandbox.stock(request.query_params.get("sku", "")))

    async def count(request: Request) -> Response:
        counted = msgspec.json.decode(await request.body(), type=_Count)
        sandbox.set_stock(counted.place, counted.sku, counted.units)
        return _json(sandbox.stock(counted.sku))

    return [Route("/stock", read), Route("/stock", count, methods=["POST"])]


def _fault_controls(faults: Faults) -> list[BaseRoute]:
    async def added(request: Request) -> Response:
        faults.active.append(msgspec.json.decode(await request.body(), type=Fault))
        return _json(faults.active)

    async def active(_request: Request) -> Response:
        return _json(faults.active)

    async def cleared(_request: Request) -> Response:
        faults.active.clear()
        return _json(faults.active)

    async def journal(_request: Request) -> Response:
        return _json(faults.journal())

    async def forgotten(_request: Request) -> Response:
        faults.forget()
        return _json(faults.journal())

    return [
        Route("/faults", added, methods=["POST"]),
        Route("/faults", active, methods=["GET"]),
        Route("/faults", cleared, methods=["DELETE"]),
        Route("/journal", journal, methods=["GET"]),
        Route("/journal", forgotten, methods=["DELETE"]),
    ]
