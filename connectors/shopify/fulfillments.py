"""Requests as orders of Shopify's: make, look up, hand to the right location, stop."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from cachetools import LRUCache

from connectors.contract import (
    CancelOutcome,
    ContractBroken,
    FulfillmentRequest,
    NotFound,
    OutcomeUnknown,
    Rejected,
    RemoteFulfillment,
    RemoteRef,
    RemoteState,
    RequestKey,
    RequestLine,
    SourceError,
    Transient,
)
from connectors.shopify.catalog import Catalog
from connectors.shopify.documents import ASK_TO_STOP, CANCEL, CREATE, FIND, LEFT_OVER, MOVE, ORDERS, RETRACT, SUBMIT, Document
from connectors.shopify.orders import line_inputs, meant_for, misplaced, order_input, parse_order, remaining, unasked, works_of
from connectors.shopify.rows import DoneAnswer, OrderRow, UserError, WorkRow
from connectors.shopify.stock import Stocks, read_stocks
from connectors.shopify.wire import NODES_MAX, Wire, gid, is_number, number_of, quoted

NEWEST_ORDERS: Final = 50
LINES_MAX: Final = NODES_MAX
MOVES_MAX: Final = 20
WORKS_REMEMBERED_MAX: Final = 100_000
NOTE_CHARS_MAX: Final = 255
CANCEL_NOTE: Final = "Canceled by the order management system"

_OVER: Final = frozenset({RemoteState.REJECTED, RemoteState.CANCELED})


class Fulfillments:
    """Orders that carry our key as their source identifier.

    Shopify does not keep a key from being used twice, so it is looked up before every attempt. Which order a fulfillment order
    belongs to is remembered for webhooks, which do not say.
    """

    def __init__(self, wire: Wire, catalog: Catalog, *, paid: str) -> None:
        self._wire = wire
        self._catalog = catalog
        self._paid = paid
        self._order_of: LRUCache[str, RemoteRef] = LRUCache(WORKS_REMEMBERED_MAX)

    def orders_of(self, work_ids: Iterable[str]) -> frozenset[RemoteRef]:
        """The orders of those fulfillment orders that were ever seen."""
        return frozenset(ref for each in work_ids if (ref := self._order_of.get(each)) is not None)

    # ------------------------------------------------------------------------------------------ making
    async def request(self, request: FulfillmentRequest) -> RemoteFulfillment:
        """Make the order, or go on with the one that is there, until it waits at the location that was asked.

        Raises:
            OutcomeUnknown: The order is there, and where it waits cannot be said now.
        """
        order = await self._found(request.key) or await self._create(request)
        try:
            return await self._handed_over(order)
        except SourceError as error:
            # The order exists by now: no failure may read as if nothing had happened.
            raise OutcomeUnknown(f"order {number_of(order.id)} is there, then {error}") from error

    async def _create(self, request: FulfillmentRequest) -> OrderRow:
        if len(request.lines) > LINES_MAX:
            raise Rejected(f"an order of more than {LINES_MAX} lines", reason="TOO_MANY_LINES", field="lines")
        items = await self._catalog.items(line.sku for line in request.lines)
        if missing := next((line.sku for line in request.lines if line.sku not in items), None):
            raise Rejected(f"the shop has no {missing}", reason="UNKNOWN_SKU", field=missing)
        shared = [item.id for several in items.values() if len(several) > 1 for item in several]
        stocks: Stocks = await read_stocks(self._wire, shared, places=0) if shared else {}
        lines = [
            each for line in request.lines for each in line_inputs(line, items[line.sku], location=request.location, stocks=stocks)
        ]
        answer = await self._wire.ask(
            CREATE,
            order=order_input(request, lines, paid=self._paid),
            options={"inventoryBehaviour": "DECREMENT_OBEYING_POLICY", "sendReceipt": False, "sendFulfillmentReceipt": False},
        )
        created = answer.order_create
        _refuse(created.user_errors if created else ())
        if created is None or created.order is None:
            raise OutcomeUnknown("an order was made, and is not shown")
        return self._seen(created.order)

    async def _handed_over(self, order: OrderRow) -> RemoteFulfillment:
        """The order at its own location, with whoever works there; where Shopify refuses that, it is taken back."""
        if parse_order(order).state is not RemoteState.REQUESTED:
            return await self._told(order)
        if not works_of(order):
            raise Transient("Shopify has yet to decide which location is to do it")
        try:
            for _ in range(MOVES_MAX):
                if (work := misplaced(order)) is None:
                    break
                order = await self._moved(order, work)
            for work in unasked(order):
                await self._do(SUBMIT, id=work.id, message="")
        except Rejected as refusal:
            return await self._taken_back(order, reason="INVENTORY", note=refusal.detail)
        return await self._told(order)

    async def _moved(self, order: OrderRow, work: WorkRow) -> OrderRow:
        location = gid("Location", meant_for(order) or "")
        answer = (await self._wire.ask(MOVE, id=work.id, location=location)).fulfillment_order_move
        _refuse(answer.user_errors if answer else ())
        if answer is None or answer.moved_fulfillment_order is None:
            raise ContractBroken("work was moved, and is not shown")
        return self._seen(answer.moved_fulfillment_order.order)

    # ------------------------------------------------------------------------------------------ looking
    async def find(self, key: RequestKey) -> RemoteFulfillment | None:
        """What has become of a key."""
        order = await self._found(key)
        return None if order is None else await self._told(order)

    async def status(self, refs: Sequence[RemoteRef]) -> tuple[RemoteFulfillment, ...]:
        """How far these are."""
        wanted = [gid("Order", ref) for ref in dict.fromkeys(refs) if is_number(ref)]
        orders = [self._seen(order) for order in await self._wire.nodes(ORDERS, wanted) if order.id in wanted]
        return tuple([await self._told(order) for order in orders])

    async def _told(self, order: OrderRow) -> RemoteFulfillment:
        """How far an order is. One that is over for its location would be open to any other: it is taken back first."""
        told = parse_order(order)
        if order.cancelled_at or told.state not in _OVER:
            return told
        reason = "INVENTORY" if told.state is RemoteState.REJECTED else "CUSTOMER"
        try:
            return await self._taken_back(order, reason=reason, note=told.reason or "")
        except SourceError:
            return replace(told, state=RemoteState.REQUESTED)  # not over before it is taken back; somebody asks again

    async def _found(self, key: RequestKey) -> OrderRow | None:
        answer = await self._wire.ask(FIND, query=f"source_identifier:{quoted(key)}", newest=NEWEST_ORDERS)
        ids = {row.id for row in (*answer.searched.nodes, *answer.newest.nodes) if row.source_identifier == key}
        # Should there be several all the same, the oldest is the one that was answered.
        return await self._order(min(ids, key=lambda each: int(number_of(each)))) if ids else None

    async def _order(self, order_id: str) -> OrderRow | None:
        found = [order for order in await self._wire.nodes(ORDERS, [order_id]) if order.id == order_id]
        return self._seen(found[0]) if found else None

    def _seen(self, order: OrderRow) -> OrderRow:
        ref = RemoteRef(number_of(order.id))
        self._order_of.update({work.id: ref for work in order.fulfillment_orders.nodes})
        return order

    # ------------------------------------------------------------------------------------------ stopping
    async def cancel(self, ref: RemoteRef) -> CancelOutcome:
        """Stop whatever has not left. A fulfillment service that is at work is asked, and answers in its own time.

        Raises:
            NotFound: There is no such order.
        """
        order = await self._order(gid("Order", ref)) if is_number(ref) else None
        if order is None:
            raise NotFound(f"no order {ref}")
        if outcome := _ended(order):
            return outcome
        works = works_of(order)
        if any(work.request_status == "CANCELLATION_REJECTED" for work in works):
            return CancelOutcome.REFUSED
        try:
            waits = [await self._stopped(work) for work in works]
        except Rejected:  # it has moved on meanwhile: what it is now decides the next time
            return CancelOutcome.PENDING
        return CancelOutcome.PENDING if any(waits) else await self._canceled(order)

    async def _stopped(self, work: WorkRow) -> bool:
        """Have a fulfillment service let go of its part. Returns whether it has yet to say so."""
        if work.request_status == "SUBMITTED":
            await self._do(RETRACT, id=work.id)
        elif work.request_status == "ACCEPTED":
            await self._do(ASK_TO_STOP, id=work.id, message=CANCEL_NOTE)
        return work.request_status in {"ACCEPTED", "CANCELLATION_REQUESTED"}

    async def _canceled(self, order: OrderRow) -> CancelOutcome:
        refused = False
        try:
            await self._cancel(order, reason="CUSTOMER", note=CANCEL_NOTE)
        except Rejected:
            refused = True
        after = await self._order(order.id)
        ended = None if after is None else _ended(after)
        return ended or (CancelOutcome.REFUSED if refused else CancelOutcome.PENDING)

    async def _taken_back(self, order: OrderRow, *, reason: str, note: str) -> RemoteFulfillment:
        """The order after it was canceled here; where Shopify will not, it is stuck with what has not left.

        Raises:
            Transient: That goes on.
        """
        try:
            await self._cancel(order, reason=reason, note=note)
        except Rejected as refusal:
            stuck = await self._left_over(order)
            state = RemoteState.ACCEPTED if stuck else RemoteState.SHIPPED
            return replace(parse_order(order), state=state, short=stuck, reason=refusal.detail)
        after = await self._order(order.id)
        if after is None or not after.cancelled_at:
            raise Transient("its cancellation goes on")
        return parse_order(after)

    async def _left_over(self, order: OrderRow) -> tuple[RequestLine, ...]:
        return tuple(line for undone in await self._wire.nodes(LEFT_OVER, [order.id]) for line in remaining(undone))

    async def _cancel(self, order: OrderRow, *, reason: str, note: str) -> None:
        answer = (await self._wire.ask(CANCEL, id=order.id, reason=reason, note=note[:NOTE_CHARS_MAX])).order_cancel
        _refuse(answer.order_cancel_user_errors if answer else ())

    async def _do(self, document: Document[DoneAnswer], **variables: object) -> None:
        done = (await self._wire.ask(document, **variables)).done
        _refuse(done.user_errors if done else ())


def _refuse(errors: Sequence[UserError]) -> None:
    """Raise what a mutation says that did nothing."""
    if errors:
        first = errors[0]
        raise Rejected(first.message, reason=first.code or "USER_ERROR", field=".".join(first.field) if first.field else None)


def _ended(order: OrderRow) -> CancelOutcome | None:
    """What a cancellation comes to where there is nothing left to cancel."""
    told = parse_order(order)
    if order.cancelled_at:
        return CancelOutcome.PARTIAL if told.packages else CancelOutcome.CANCELED
    return CancelOutcome.TOO_LATE if told.state is RemoteState.SHIPPED else None
