"""Customers, staff and followers: they ask, hear nothing, ask the other gateway, and remember every answer they were given."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from connectors.contract import Address, RequestKey, Sku
from gateway.api.context import Services
from gateway.domain.events import OrderEvent
from gateway.domain.fulfillments import FulfillmentAction, FulfillmentOrder, Package, RequestStatus, Units
from gateway.domain.identity import FulfillmentOrderId, LocationId, OrderId, ReservationId
from gateway.domain.orders import Order
from gateway.domain.refusals import Overloaded, Refusal, Refusals, ReservationExpired, StoreUnavailable
from gateway.domain.reservations import Reservation, ReservationState
from gateway.domain.tasks import JobRecord, JobState
from gateway.ports import Once
from gateway.services.orders import Purchase
from tests.simulation.chance import Chance
from tests.simulation.gateways import START, Gateway, Unreachable
from tests.simulation.loop import context_of
from tests.simulation.sources import Place

SHOPS: Final = ("web", "app")
TRIES_MAX: Final = 6
PATIENCE_S: Final = 30.0
GONE: Final = "gone"

Question = Callable[[Services], Awaitable[Any]]


@dataclass(slots=True, kw_only=True)
class Crowd:
    """Everybody who talks to the gateways, and what they were promised: ``promised`` orders, by the key they were placed under.

    ``rare`` is what there is one of in all the world.
    """

    chance: Chance
    gateways: Sequence[Gateway]
    places: Sequence[Place]
    skus: Sequence[Sku]
    rare: Sku
    note: Callable[[str, str], None]
    found: Callable[[str], None]
    promised: dict[str, OrderId] = field(default_factory=dict)
    called_off: dict[OrderId, None] = field(default_factory=dict)
    _answers: dict[str, object] = field(default_factory=dict)
    _kept_until: dict[ReservationId, datetime] = field(default_factory=dict)
    _keys: int = 0

    # ------------------------------------------------------------------------------------------ customers
    async def browse(self, begins_s: float) -> None:
        """Everybody looks, so that all gateways know what there is, and nobody has bought yet."""
        await asyncio.sleep(begins_s)
        for gateway in self.gateways:
            beside(gateway, lambda services: services.inventory.look((*self.skus, self.rare)))

    async def shop(self, begins_s: float) -> None:
        """One customer's visit."""
        await asyncio.sleep(begins_s)
        lines = self._lines()
        if self.chance.happens(0.4):
            at = self.chance.one_of((None, None, *(LocationId(f"{place.name}:1") for place in self.places)))
            kept = await self._keep(lines, at)
            if kept is None:
                return
            order = await self._buy(lines, kept)
        else:
            order = await self._buy(lines, None)
        if order is not None and self.chance.happens(0.35):
            await asyncio.sleep(self.chance.seconds(0.0, self.chance.one_of((0.5, 15.0))))
            await self._call_off(order)

    async def dash(self, begins_s: float) -> None:
        """Two customers want the only one of something at the same instant, each at a gateway of their own."""
        await asyncio.sleep(begins_s)
        lines = (Units(sku=self.rare, units=1),)
        rival = self._keep(lines, None, first=1) if self.chance.happens(0.7) else self._buy(lines, None, first=1)
        await asyncio.gather(self._buy(lines, None, first=0), rival)

    async def _keep(self, lines: tuple[Units, ...], at: LocationId | None, first: int | None = None) -> Reservation | None:
        """Have units held, and dither. None: it comes to nothing."""
        ttl_s = self.chance.units(3, 30)
        kept = await self._said(
            "hold", lambda services, once: services.reservations.hold(lines, at=at, ttl_s=ttl_s, once=once), first=first
        )
        if not isinstance(kept, Reservation):
            return None
        reservation = kept.id
        await asyncio.sleep(self.chance.seconds(0.0, 20.0))
        whim = self.chance.random.random()
        if whim < 0.2:
            to = self.chance.one_of((None, *(LocationId(f"{place.name}:1") for place in self.places)))
            await self._said("move", lambda services, once: services.reservations.move(reservation, to=to, once=once))
        elif whim < 0.4:
            await self._said("extend", lambda services, once: services.reservations.extend(reservation, ttl_s=ttl_s, once=once))
        elif whim < 0.55:
            await self._said("release", lambda services, once: services.reservations.release(reservation, once=once))
            return None
        return kept if self.chance.happens(0.8) else None

    async def _buy(self, lines: tuple[Units, ...], kept: Reservation | None, first: int | None = None) -> Order | None:
        key = self._key("place")
        purchase = Purchase(
            channel="web",
            lines=lines,
            to=Address(name=key, lines=("1 Main St",), city="Chicago", postal_code="60601", country_code="US"),
            external_id=key if self.chance.happens(0.3) else None,
            reservation=None if kept is None else kept.id,
        )

        def place(services: Services, once: Once) -> Awaitable[Order]:
            return services.orders.place(purchase, by=once.principal, once=once)

        if self.chance.happens(0.2):  # impatient: the same twice at once
            both = self.chance.one_of(((0, 1), (0, 0)))
            answers = await asyncio.gather(*(self._said("place", place, key=key, first=each) for each in both))
        else:
            answers = [await self._said("place", place, key=key, first=first)]
        orders = [each for each in answers if isinstance(each, Order)]
        if not orders:
            return None
        if len({each.id for each in orders}) > 1:
            self.found(f"{key} was answered with several orders")
        self.promised[key] = orders[0].id
        return orders[0]

    async def _call_off(self, order: Order) -> None:
        version = self.chance.one_of((None, None, order.version))
        done = await self._said(
            "cancel",
            lambda services, once: services.orders.cancel(
                order.id, expected_version=version, reason_code="CUSTOMER", by=once.principal, once=once
            ),
        )
        if isinstance(done, Order):
            self.called_off[order.id] = None

    def _lines(self) -> tuple[Units, ...]:
        """One line, or two, perhaps of the same goods."""
        count = self.chance.one_of((1, 1, 1, 2, 2))
        return tuple(Units(sku=self.chance.one_of(self.skus), units=self.chance.units(1, 2)) for _ in range(count))

    # ------------------------------------------------------------------------------------------ staff
    async def redo(self) -> None:
        """Somebody has everything tried again that was given up."""
        dead = await self._said("look", lambda services, _once: services.fulfillments.jobs(JobState.DEAD, after=None, limit=100))
        for job in dead if isinstance(dead, tuple) else ():
            await self._said("retry", partial(_retry, job))

    async def tend(self, begins_s: float) -> None:
        """Somebody at a location says something of some work there, whether it is so or not."""
        await asyncio.sleep(begins_s)
        if self.chance.happens(0.2):
            await self.redo()
        work = await self._some_work()
        if work is None:
            return
        version = self.chance.one_of((None, work.version))
        action = self.chance.one_of(work.supported_actions)
        if action is FulfillmentAction.SHIP:
            await self._ship(work, version)
        elif action is FulfillmentAction.REJECT or self._has(work):
            await self._said(action.value.lower(), partial(_decided, action, work.id, version))

    async def _some_work(self) -> FulfillmentOrder | None:
        if not self.promised:
            return None
        wanted = self.chance.one_of(list(self.promised.values()))
        order = await self._said("look", lambda services, _once: services.orders.find(wanted))
        works = [work for work in order.fulfillment_orders if work.supported_actions] if isinstance(order, Order) else []
        waiting = [work for work in works if work.request_status is RequestStatus.NEEDS_REVIEW]
        return self.chance.one_of(waiting or works) if works else None

    def _has(self, work: FulfillmentOrder) -> bool:
        """Whether the request is there at all: nobody says that he does what he never saw."""
        return any(place.with_key(RequestKey(work.id)) for place in self.places)

    async def _ship(self, work: FulfillmentOrder, version: int | None) -> None:
        """Packages leave by hand; the place itself says so later, too."""
        place = next(each for each in self.places if each.name == work.source)
        request = next((each for each in place.requests.values() if each.key == RequestKey(work.id) and each.packed_by_hand), None)
        if request is None:
            return
        rest = request.rest
        if self.chance.happens(0.5):
            sku = next(iter(rest))
            rest = {sku: 1}
        left = place.leave(request, rest)
        package = Package(
            lines=tuple(Units(sku=line.sku, units=line.units) for line in left.lines), tracking_number=left.tracking_number
        )
        await self._said(
            "ship",
            lambda services, once: services.fulfillments.ship(
                work.id, (package,), expected_version=version, by=once.principal, once=once
            ),
        )

    # ------------------------------------------------------------------------------------------ asking
    async def _said(
        self, verb: str, asks: Callable[[Services, Once], Awaitable[Any]], *, key: str | None = None, first: int | None = None
    ) -> object:
        """The answer, or the refusal; None if nobody answers. Asked again, it is asked under the same key, elsewhere."""
        once = Once(
            principal=self.chance.one_of(SHOPS) if key is None else SHOPS[0],
            operation=verb,
            key=key or self._key(verb),
            request_hash=verb,
        )
        at = self.chance.units(0, 1) if first is None else first
        for attempt in range(TRIES_MAX):
            gateway = self.gateways[(at + attempt) % len(self.gateways)]
            outcome = await self._outcome(gateway, once, asks)
            if outcome is not GONE and not self.chance.fails(self.chance.weather.answer_is_lost):
                return outcome
            await asyncio.sleep(self.chance.seconds(0.0, 6.0))
        return None

    async def _outcome(self, gateway: Gateway, once: Once, asks: Callable[[Services, Once], Awaitable[Any]]) -> object:
        """What one gateway says."""
        self.note("client", f"asks {gateway.name} to {once.operation} {once.key}")
        was_done = once.key in self._answers
        try:
            async with asyncio.timeout(PATIENCE_S):
                answer = await gateway.ask(lambda services: asks(services, once))
        except (Unreachable, TimeoutError, StoreUnavailable, Overloaded) as error:
            self.note("client", f"hears nothing of {once.key}: {type(error).__name__}")
            return GONE
        except (Refusal, Refusals) as refusal:
            self.note("client", f"is refused {once.key}: {refusal}")
            if was_done:
                self.found(f"{once.key} was done, and asked again it was refused: {refusal}")
            self._judge(refusal)
            return refusal
        except Exception as error:  # noqa: BLE001  # a client must never see one
            self.found(f"a client was shown {error!r} for {once.key}")
            return GONE
        self.note("client", f"is answered {once.key}: {getattr(answer, 'id', None)}")
        if isinstance(answer, Reservation):
            self._kept_until[answer.id] = answer.expires_at
        known = self._answers.setdefault(once.key, answer)
        if once.operation != "look" and known != answer:
            self.found(f"{once.key} was answered in two ways")
        return answer

    def _judge(self, refusal: Refusal | Refusals) -> None:
        """A hold keeps its units for as long as was said, whatever the gateways' clocks say."""
        if isinstance(refusal, ReservationExpired) and refusal.state == ReservationState.EXPIRED:
            until = self._kept_until.get(ReservationId(refusal.reservation))
            now = START + timedelta(seconds=asyncio.get_running_loop().time())
            if until is not None and now < until:
                self.found(f"{refusal.reservation} was to keep its units until {until}, and at {now} it is said to be over")

    def _key(self, verb: str) -> str:
        self._keys += 1
        return f"{verb}-{self._keys}"


@dataclass(slots=True, kw_only=True)
class Follower:
    """Follows events, now from one gateway, now from another, from where it got to."""

    name: str
    chance: Chance
    gateways: Sequence[Gateway]
    found: Callable[[str], None]
    position: int = 0
    versions: dict[OrderId, int] = field(default_factory=dict)

    async def follow(self) -> None:
        """For ever."""
        while True:
            gateway = self.chance.one_of(self.gateways)
            leave_after = self.position + self.chance.units(1, 20)
            try:
                await gateway.ask(lambda services: self._listen(services, leave_after))  # noqa: B023  # called before the next turn
            except (Unreachable, StoreUnavailable):
                await asyncio.sleep(self.chance.seconds(0.5, 5.0))
            except Exception as error:  # noqa: BLE001  # nothing else may happen to a follower
                self.found(f"{self.name} was shown {error!r}")
                await asyncio.sleep(5.0)

    async def _listen(self, services: Services, leave_after: int) -> None:
        async with aclosing(services.events.follow(self.position, lambda _event: True)) as events:  # type: ignore[type-var]  # it is a generator
            async for event in events:
                self.hear(event)
                if event.seq >= leave_after:
                    return

    def hear(self, event: OrderEvent) -> None:
        """Every number once and in order, and so every version of an order."""
        if event.seq != self.position + 1:
            self.found(f"{self.name} had event {self.position} and was sent {event.seq}")
        self.position = event.seq
        version = self.versions.get(event.order.id, 0) + 1
        if event.order.version != version:
            self.found(f"{self.name} was sent version {event.order.version} of {event.order.id} where {version} was next")
        self.versions[event.order.id] = event.order.version


async def _decided(
    action: FulfillmentAction, work: FulfillmentOrderId, version: int | None, services: Services, once: Once
) -> Order:
    if action is FulfillmentAction.ACCEPT:
        return await services.fulfillments.accept(work, expected_version=version, by=once.principal, once=once)
    return await services.fulfillments.reject(work, expected_version=version, reason_code="NO_HANDS", by=once.principal, once=once)


async def _retry(job: JobRecord, services: Services, once: Once) -> JobRecord:
    return await services.fulfillments.retry(job.id, by=once.principal, once=once)


def beside(gateway: Gateway, what: Question) -> None:
    """Have a gateway do something that nobody waits for, such as looking at a webhook."""
    if gateway.services is not None:
        gateway.loop.create_task(_tried(gateway, what), context=context_of(None))


async def _tried(gateway: Gateway, what: Question) -> None:
    try:
        await gateway.ask(what)
    except Exception as error:  # noqa: BLE001  # it was a hint: whoever needs it finds out in time
        gateway.note(gateway.name, f"did nothing about a hint: {type(error).__name__}")
