"""Three places with honest shelves.

A place never ships what it does not have: rather it turns the request down. It counts what it was made to do under each key.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Final, TypeVar

from connectors.contract import (
    CancelOutcome,
    ConnectorInfo,
    FulfillmentRequest,
    Idempotency,
    NotFound,
    Rejected,
    RemoteFulfillment,
    RemoteLevel,
    RemoteLocationId,
    RemotePackage,
    RemoteRef,
    RemoteState,
    RequestKey,
    RequestLine,
    Sku,
    SourceKind,
    StockBatch,
    StockDrop,
)
from tests.simulation.chance import Chance
from tests.simulation.loop import context_of

T = TypeVar("T")

NO_STOCK: Final = "NO_STOCK"
OPEN: Final = frozenset({RemoteState.REQUESTED, RemoteState.ACCEPTED})


@dataclass(slots=True, kw_only=True)
class Request:
    """What a place knows of one request. ``counted``: it keeps the units for it, and shows so from ``shown_from_s`` on."""

    ref: RemoteRef
    key: RequestKey
    wanted: dict[Sku, int]
    state: RemoteState = RemoteState.REQUESTED
    sent: dict[Sku, int] = field(default_factory=lambda: defaultdict(int))
    packages: list[RemotePackage] = field(default_factory=list)
    reason: str | None = None
    counted: bool = False
    shown_from_s: float = 0.0

    @property
    def rest(self) -> dict[Sku, int]:
        """What has not left."""
        return {sku: units - self.sent[sku] for sku, units in self.wanted.items() if units > self.sent[sku]}

    @property
    def is_open(self) -> bool:
        """Whether something may still leave."""
        return self.state in OPEN

    @property
    def packed_by_hand(self) -> bool:
        """Whether somebody there could send it now."""
        return self.state is RemoteState.ACCEPTED and bool(self.rest)

    def told(self) -> RemoteFulfillment:
        """What the place says of it."""
        return RemoteFulfillment(ref=self.ref, key=self.key, state=self.state, packages=tuple(self.packages), reason=self.reason)


@dataclass(slots=True, kw_only=True)
class Place:
    """One source: its shelf, its requests. ``given_up``: units of accepted requests that went back on the shelf, by key."""

    name: str
    kind: SourceKind
    drop: StockDrop
    idempotency: Idempotency
    stock: dict[Sku, int]
    shows_after_s_max: float
    chance: Chance
    note: Callable[[str, str], None]
    found: Callable[[str], None]
    moved: Callable[["Place", RemoteRef], None] = field(default=lambda _place, _ref: None)
    requests: dict[RemoteRef, Request] = field(default_factory=dict)
    given_up: dict[RequestKey, dict[Sku, int]] = field(default_factory=dict)
    refused: dict[RequestKey, None] = field(default_factory=dict)
    looked_up: dict[RequestKey, None] = field(default_factory=dict)
    down_until_s: float = 0.0

    @property
    def info(self) -> ConnectorInfo:
        return ConnectorInfo(
            kind=self.kind,
            connector=self.name,
            stock_drop=self.drop,
            visibility_delay_s=self.shows_after_s_max,
            idempotency=self.idempotency,
            batch_skus_max=100,
            fresh_for_s=12.0,
        )

    @property
    def fickleness(self) -> int:
        """How many times as often it says no. Who knows no keys does not know what it said, and may say yes when asked again."""
        return 1 if self.idempotency is Idempotency.KEY else 2

    # ------------------------------------------------------------------------------------------ asked
    def available(self, sku: Sku, shown_at_s: float = inf) -> int:
        """What it has, less what it keeps for requests; at that instant it may not show the newest of them yet."""
        kept = (each for each in self.requests.values() if each.counted and each.is_open and each.shown_from_s <= shown_at_s)
        return self.stock[sku] - sum(each.rest.get(sku, 0) for each in kept)

    def batch(self, skus: Sequence[Sku]) -> StockBatch:
        """What it shows of these."""
        now_s = asyncio.get_running_loop().time()
        levels = tuple(
            RemoteLevel(sku=sku, location=RemoteLocationId("1"), on_hand=self.stock[sku], available=self.available(sku, now_s))
            for sku in sorted(skus)
            if sku in self.stock
        )
        return StockBatch(levels=levels, unknown=frozenset(sku for sku in skus if sku not in self.stock))

    def take(self, asked: FulfillmentRequest) -> RemoteFulfillment:
        """Somebody asks it to send something. Who knows keys never takes the same twice; others do from who did not look first."""
        known = self.with_key(asked.key)
        if known and (self.idempotency is Idempotency.KEY or asked.key in self.looked_up):
            return known[0].told()
        if asked.key in self.refused or (not known and self.chance.fails(self.chance.weather.source_refuses * self.fickleness)):
            self.note(self.name, f"turns {asked.key} down")
            if self.idempotency is Idempotency.KEY:
                self.refused[asked.key] = None
            raise Rejected("not today", reason="BUSY")
        wanted: dict[Sku, int] = defaultdict(int)
        for line in asked.lines:
            wanted[line.sku] += line.units
        request = Request(ref=RemoteRef(f"{self.name}-{len(self.requests) + 1}"), key=asked.key, wanted=dict(wanted))
        self.requests[request.ref] = request
        if known:
            self.found(f"{self.name} was made to do {asked.key} a second time")
        self.note(self.name, f"has {asked.key}: {request.wanted}")
        if self.chance.fails(self.chance.weather.source_ponders):
            self._later(1.0, 15.0, self.decide, request)
        else:
            self.decide(request, at_once=True)
        return request.told()

    def with_key(self, key: RequestKey) -> list[Request]:
        """Everything it knows under that key."""
        return [each for each in self.requests.values() if each.key == key]

    def find(self, key: RequestKey) -> RemoteFulfillment | None:
        """What it knows under that key."""
        known = self.with_key(key)
        if not known:
            return None
        self.looked_up[key] = None
        return known[0].told()

    def stop(self, ref: RemoteRef) -> CancelOutcome:
        """Somebody asks it to stop."""
        request = self.requests.get(ref)
        if request is None:
            raise NotFound(f"{ref} is not known")
        if request.state is RemoteState.CANCELED:
            return CancelOutcome.CANCELED if not request.packages else CancelOutcome.PARTIAL
        if not request.is_open:
            return CancelOutcome.TOO_LATE
        if self.chance.fails(0.1):
            return CancelOutcome.REFUSED
        if self.chance.fails(0.2):
            self._later(1.0, 10.0, self.cancel, request)
            return CancelOutcome.PENDING
        self.cancel(request)
        return CancelOutcome.CANCELED if not request.packages else CancelOutcome.PARTIAL

    def told(self, refs: Sequence[RemoteRef]) -> tuple[RemoteFulfillment, ...]:
        """How far these are."""
        return tuple(self.requests[ref].told() for ref in sorted(refs) if ref in self.requests)

    # ------------------------------------------------------------------------------------------ at work
    def decide(self, request: Request, *, at_once: bool = False) -> None:
        """Take it on, if it can."""
        if request.state is not RemoteState.REQUESTED:
            return
        if self.drop is StockDrop.ON_ACCEPT and any(self.available(sku) < units for sku, units in request.wanted.items()):
            self.short(request)
        elif not at_once and self.chance.fails(self.chance.weather.source_refuses):
            self.turn_down(request, "BUSY")
        else:
            request.state = RemoteState.ACCEPTED
            request.counted = self.drop is StockDrop.ON_ACCEPT
            request.shown_from_s = asyncio.get_running_loop().time() + self.chance.seconds(0.0, self.shows_after_s_max)
            self.note(self.name, f"takes {request.key} on")
            if self.chance.fails(self.chance.weather.source_refuses / 2):
                self._later(1.0, 15.0, self.turn_down, request, "BROKEN")
            self._later(1.0, 20.0, self.send, request)
            self.moved(self, request.ref)

    def send(self, request: Request) -> None:
        """All of it leaves, or a part and the rest later."""
        if request.state is not RemoteState.ACCEPTED:
            return
        rest = request.rest
        if any(self.stock[sku] < units for sku, units in rest.items()):
            self.short(request)
        elif sum(rest.values()) > 1 and self.chance.fails(0.2):
            sku = next(iter(rest))
            self.leave(request, {sku: 1})
            self._later(1.0, 15.0, self.send, request)
        else:
            self.leave(request, rest)

    def leave(self, request: Request, units: dict[Sku, int]) -> RemotePackage:
        """These leave, in one package."""
        for sku, count in units.items():
            self.stock[sku] -= count
            request.sent[sku] += count
        package = RemotePackage(
            tracking_number=f"{request.ref}/{len(request.packages) + 1}",
            lines=tuple(RequestLine(sku=sku, units=count) for sku, count in units.items()),
        )
        request.packages.append(package)
        if not request.rest:
            request.state = RemoteState.SHIPPED
        self.note(self.name, f"sends {units} for {request.key}")
        self.moved(self, request.ref)
        return package

    def short(self, request: Request) -> None:
        """It was promised what is not there: nobody but us takes anything from this shelf."""
        self.found(f"{self.name} is asked for {request.rest} by {request.key} and has {dict(self.stock)}: oversold")
        self.turn_down(request, NO_STOCK)

    def turn_down(self, request: Request, reason: str) -> None:
        """It will not send the rest."""
        if request.is_open:
            self._give_up(request, RemoteState.REJECTED, reason)

    def cancel(self, request: Request) -> None:
        """It stops."""
        if request.is_open:
            self._give_up(request, RemoteState.CANCELED, None)

    def _give_up(self, request: Request, state: RemoteState, reason: str | None) -> None:
        if request.counted:
            self.given_up[request.key] = request.rest
        request.state = state
        request.reason = reason
        self.note(self.name, f"gives {request.key} up: {state} {reason or ''}")
        self.moved(self, request.ref)

    def _later(self, low_s: float, high_s: float, act: Callable[..., None], *args: object) -> None:
        """Do it in a while, whatever becomes of whoever asked for it."""
        asyncio.get_running_loop().call_later(self.chance.seconds(low_s, high_s), act, *args, context=context_of(None))
