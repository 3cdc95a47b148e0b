"""The connector against the sandbox, over real sockets and both protocols."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Any

import httpx
import pytest

from connectors.contract import (
    Address,
    AuthFailed,
    CancelOutcome,
    Capability,
    ContractBroken,
    FulfillmentRequest,
    Method,
    NotFound,
    OutcomeUnknown,
    Rejected,
    RemoteLevel,
    RemoteLocationId,
    RemoteRef,
    RemoteState,
    RequestKey,
    RequestLine,
    Secret,
    Sku,
    Transient,
    Unsupported,
    capabilities_of,
)
from connectors.odoo import SPEC, Odoo, OdooSettings
from connectors.registry import Tools, spec_of
from connectors.sandbox.controls import app_of
from connectors.sandbox.network import seeded
from connectors.sandbox.odoo import OdooSandbox
from connectors.sandbox.servers import serving

NETWORK = seeded(products=40)
TOOLS = Tools(now=lambda: datetime.now(UTC), monotonic=monotonic)
CLOCK = datetime(2026, 11, 22, 13, 19, 10, tzinfo=UTC)
NEWARK, ATLANTA, DALLAS, RENO = (RemoteLocationId(str(number)) for number in range(1, 5))
ANN = Address(lines=("1 Main St", "Apt 2"), city="Reno", region="NV", postal_code="89501", country_code="US", name="Ann")
BOTH = pytest.mark.parametrize("protocol", ["jsonrpc", "json2"])


@dataclass
class Scene:
    odoo: Odoo
    sandbox: OdooSandbox
    http: httpx.AsyncClient

    async def level(self, sku: str, location: RemoteLocationId) -> RemoteLevel:
        (level,) = (each for each in (await self.odoo.read_stock([Sku(sku)])).levels if each.location == location)
        return level

    async def requests(self) -> int:
        return int((await self.http.get("/_sandbox/journal")).json()["count"])

    async def fault(self, **fault: Any) -> None:
        (await self.http.post("/_sandbox/faults", json=fault)).raise_for_status()

    async def mend(self) -> None:
        await self.http.delete("/_sandbox/faults")


@asynccontextmanager
async def scene(protocol: Any = "json2", **changed: Any) -> AsyncIterator[Scene]:
    sandbox = OdooSandbox(NETWORK, version=17 if protocol == "jsonrpc" else 19, now=lambda: CLOCK)
    app = app_of(sandbox)
    controls = httpx.ASGITransport(app=app)
    async with serving(app) as url, httpx.AsyncClient(base_url=url, transport=controls) as http:
        known = {"database": "demo", "login": "gateway", "api_key": Secret("odoo-sandbox-key")}
        odoo = Odoo(OdooSettings(url=url, protocol=protocol, **{**known, **changed}), TOOLS)
        try:
            yield Scene(odoo, sandbox, http)
        finally:
            await odoo.aclose()


def play(story: Callable[[Scene], Awaitable[None]], protocol: str = "json2", **changed: Any) -> None:
    async def told() -> None:
        async with scene(protocol, **changed) as stage:
            await story(stage)

    asyncio.run(told())


def asking(key: str = "key-1", *, units: int = 100, sku: str = "SKU-0002", **changed: Any) -> FulfillmentRequest:
    """A hundred of the 120 that Reno has."""
    usual: dict[str, Any] = {"location": RENO, "recipient": ANN, "method": Method.SHIP, "order_number": "1001"}
    lines = (RequestLine(sku=Sku(sku), units=units),)
    return FulfillmentRequest(**{"key": RequestKey(key), "lines": lines, **usual, **changed})


# ------------------------------------------------------------------------------------------ what it is
def test_odoo_is_installed_as_a_connector_that_can_do_everything_but_hold_and_quote() -> None:
    assert spec_of("odoo") is SPEC
    settings = OdooSettings(url="http://127.0.0.1:9", database="demo", login="gateway", api_key=Secret("k"))
    assert capabilities_of(SPEC.open(settings, TOOLS)) == set(Capability) - {Capability.HOLD, Capability.QUOTE}


def test_settings_show_no_key_and_know_two_protocols() -> None:
    settings = {"url": "http://127.0.0.1:9", "database": "demo", "login": "gateway", "api_key": Secret("hush")}
    assert "hush" not in repr(OdooSettings(**settings))  # type: ignore[arg-type]  # one dictionary for two calls
    with pytest.raises(ValueError, match="xmlrpc"):
        OdooSettings(**settings, protocol="xmlrpc")  # type: ignore[arg-type]  # wrong on purpose


@BOTH
def test_health_tells_version_latency_and_when_the_key_expires(protocol: str) -> None:
    async def story(stage: Scene) -> None:
        health = await stage.odoo.health()
        assert (health.ok, health.remote_version) == (True, "17.0" if protocol == "jsonrpc" else "19.0")
        assert health.latency_ms is not None
        assert health.credential_expires_at == datetime(2099, 1, 1, tzinfo=UTC)

    play(story, protocol)


@BOTH
def test_a_wrong_key_is_an_answer_of_health_and_a_failure_of_everything_else(protocol: str) -> None:
    async def story(stage: Scene) -> None:
        health = await stage.odoo.health()
        assert (health.ok, "wrong-key" in health.detail, "AUTH_FAILED" in health.detail) == (False, False, True)
        with pytest.raises(AuthFailed):
            await stage.odoo.read_stock([Sku("SKU-0001")])

    play(story, protocol, api_key=Secret("wrong-key"))


@BOTH
def test_locations_are_the_warehouses_with_their_addresses(protocol: str) -> None:
    async def story(stage: Scene) -> None:
        locations = await stage.odoo.locations()
        assert [location.id for location in locations] == [NEWARK, ATLANTA, DALLAS, RENO]
        for location, place in zip(locations, NETWORK.places_of("odoo"), strict=True):
            assert (location.address, location.time_zone, location.active) == (place.address, place.time_zone, True)
            assert location.methods == {Method.SHIP}

    play(story, protocol)


# ------------------------------------------------------------------------------------------ stock
@BOTH
def test_a_read_says_what_the_network_holds_with_zero_where_odoo_has_no_row(protocol: str) -> None:
    async def story(stage: Scene) -> None:
        asked = [Sku(f"SKU-{number:04d}") for number in range(1, 41)]
        batch = await stage.odoo.read_stock([*asked, Sku("SKU-9999"), asked[0]])
        place_of = dict(zip((NEWARK, ATLANTA, DALLAS, RENO), NETWORK.places_of("odoo"), strict=True))
        assert len(batch.levels) == 4 * 40
        for level in batch.levels:
            units = NETWORK.stock.get((place_of[level.location].key, level.sku), 0)
            assert (level.on_hand, level.available, level.committed) == (units, units, 0)
            assert level.as_of == (CLOCK if units else None)
        assert batch.unknown == {"SKU-9999"}
        assert batch.names[asked[0]] == NETWORK.products[0].name

    play(story, protocol)


@BOTH
def test_after_listing_a_read_is_exactly_one_request(protocol: str) -> None:
    async def story(stage: Scene) -> None:
        assert len((await stage.odoo.skus(None)).skus) == 40
        before = await stage.requests()
        await stage.odoo.read_stock([product.sku for product in NETWORK.products])
        assert await stage.requests() == before + 1

    play(story, protocol)


def test_what_was_not_read_before_costs_one_look_up_once_even_if_there_is_no_such_product() -> None:
    async def story(stage: Scene) -> None:
        await stage.odoo.read_stock([Sku("SKU-0001")])
        asked = [Sku("SKU-0001"), Sku("SKU-0030"), Sku("SKU-0031"), Sku("SKU-9999")]
        costs = []
        for _ in range(2):
            before = await stage.requests()
            batch = await stage.odoo.read_stock(asked)
            assert batch.unknown == {"SKU-9999"}
            costs.append(await stage.requests() - before)
        assert costs == [2, 1]

    play(story)


def test_twenty_first_reads_at_once_authenticate_once_and_one_canceled_waiter_harms_no_other() -> None:
    async def story(stage: Scene) -> None:
        await stage.fault(kind="LATENCY", delay_ms=50, match_body="authenticate")
        reads = [asyncio.create_task(stage.odoo.read_stock([Sku("SKU-0002")])) for _ in range(20)]
        await asyncio.sleep(0.01)
        reads[0].cancel()
        answers = await asyncio.gather(*reads, return_exceptions=True)
        assert isinstance(answers[0], asyncio.CancelledError)
        assert all(not isinstance(answer, BaseException) for answer in answers[1:])
        # One authenticate, one per table of the warehouses; then a look-up and a read each.
        assert await stage.requests() <= 1 + 3 + 2 * 19

    play(story, "jsonrpc")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "HTML"}, ContractBroken),
        ({"kind": "TRUNCATED"}, ContractBroken),
        ({"kind": "EMPTY_OBJECT"}, ContractBroken),
        ({"kind": "NULL"}, ContractBroken),
        ({"kind": "HANG"}, Transient),
        ({"kind": "LOST_ANSWER"}, Transient),
        ({"kind": "STATUS", "status": 502}, Transient),
    ],
)
@BOTH
def test_an_answer_that_cannot_be_read_is_one_of_the_closed_errors(
    protocol: str, fault: dict[str, Any], error: type[Exception]
) -> None:
    async def story(stage: Scene) -> None:
        await stage.odoo.skus(None)
        await stage.fault(**fault)
        with pytest.raises(error):
            await stage.odoo.read_stock([Sku("SKU-0002")])

    play(story, protocol, attempt_timeout_s=0.5, total_timeout_s=0.5)


@BOTH
def test_a_million_rows_break_the_contract(protocol: str) -> None:
    async def story(stage: Scene) -> None:
        await stage.odoo.skus(None)
        await stage.fault(kind="OVERSIZED")
        with pytest.raises(ContractBroken):
            await stage.odoo.read_stock([Sku("SKU-0002")])

    play(story, protocol, attempt_timeout_s=60.0, total_timeout_s=60.0)


# ------------------------------------------------------------------------------------------ fulfillment
@BOTH
def test_a_request_reserves_and_shipping_it_takes_the_stock_away(protocol: str) -> None:
    async def story(stage: Scene) -> None:
        accepted = await stage.odoo.request(asking())
        assert (accepted.state, accepted.key, accepted.short) == (RemoteState.ACCEPTED, "key-1", ())
        level = await stage.level("SKU-0002", RENO)
        assert (level.on_hand, level.available, level.committed) == (120, 20, 100)
        stage.sandbox.ship(accepted.ref, carrier="UPS", tracking_number="1Z999")
        (shipped,) = await stage.odoo.status([accepted.ref, RemoteRef("77"), RemoteRef("no-number")])
        (package,) = shipped.packages
        assert (shipped.state, package.carrier, package.tracking_number) == (RemoteState.SHIPPED, "UPS", "1Z999")
        assert package.tracking_url == "https://carrier.example/1Z999"
        assert (package.lines, package.shipped_at) == (asking().lines, CLOCK)
        level = await stage.level("SKU-0002", RENO)
        assert (level.on_hand, level.available, level.committed) == (20, 20, 0)
        assert await stage.odoo.cancel(accepted.ref) is CancelOutcome.TOO_LATE

    play(story, protocol)


@BOTH
def test_a_canceled_request_gives_its_units_back_and_canceling_twice_is_the_same(protocol: str) -> None:
    async def story(stage: Scene) -> None:
        accepted = await stage.odoo.request(asking())
        assert await stage.odoo.cancel(accepted.ref) is CancelOutcome.CANCELED
        assert await stage.odoo.cancel(accepted.ref) is CancelOutcome.CANCELED
        assert (await stage.level("SKU-0002", RENO)).available == 120
        (found,) = await stage.odoo.status([accepted.ref])
        assert (found.state, found.short) == (RemoteState.CANCELED, ())

    play(story, protocol)


@BOTH
def test_a_request_for_more_than_there_is_leaves_nothing_reserved(protocol: str) -> None:
    async def story(stage: Scene) -> None:
        refused = await stage.odoo.request(asking(units=400))
        assert (refused.state, refused.reason) == (RemoteState.REJECTED, "INSUFFICIENT_STOCK")
        assert refused.short == (RequestLine(sku=Sku("SKU-0002"), units=280),)
        assert (await stage.level("SKU-0002", RENO)).available == 120

    play(story, protocol)


def test_of_two_requests_for_the_last_units_one_is_accepted() -> None:
    async def story(stage: Scene) -> None:
        requests = [stage.odoo.request(asking(f"key-{number}", units=80)) for number in range(2)]
        states = sorted(answer.state for answer in await asyncio.gather(*requests))
        assert states == [RemoteState.ACCEPTED, RemoteState.REJECTED]
        assert (await stage.level("SKU-0002", RENO)).available == 40

    play(story)


@BOTH
def test_a_delivery_whose_creation_was_never_answered_is_found_and_carried_on_with(protocol: str) -> None:
    async def story(stage: Scene) -> None:
        await stage.fault(kind="LOST_ANSWER", match_body='"picking_type_id"')
        with pytest.raises(OutcomeUnknown):
            await stage.odoo.request(asking())
        await stage.mend()
        draft = await stage.odoo.find(RequestKey("key-1"))
        assert draft is not None
        assert (draft.state, draft.short) == (RemoteState.REQUESTED, ())
        accepted = await stage.odoo.request(asking())
        assert (accepted.state, accepted.ref) == (RemoteState.ACCEPTED, draft.ref)
        assert len(stage.sandbox.orders()) == 1

    play(story, protocol)


@pytest.mark.parametrize(("kind", "step"), [("HTML", "action_assign"), ("NULL", "stock.move"), ("STATUS", "stock.move")])
@BOTH
def test_whatever_goes_wrong_after_the_creation_is_an_unknown_outcome(protocol: str, kind: str, step: str) -> None:
    async def story(stage: Scene) -> None:
        assert await stage.odoo.find(RequestKey("key-1")) is None  # learns Odoo's dialect, which names the table too
        await stage.fault(kind=kind, **({"match": step} if protocol == "json2" else {"match_body": step}))
        with pytest.raises(OutcomeUnknown):
            await stage.odoo.request(asking())
        await stage.mend()
        assert (await stage.odoo.request(asking())).state is RemoteState.ACCEPTED
        assert len(stage.sandbox.orders()) == 1

    play(story, protocol, attempt_timeout_s=0.2, total_timeout_s=0.2)


def test_the_same_key_is_one_delivery() -> None:
    async def story(stage: Scene) -> None:
        first = await stage.odoo.request(asking())
        assert await stage.odoo.request(asking()) == first == await stage.odoo.find(RequestKey("key-1"))
        assert len(stage.sandbox.orders()) == 1
        assert await stage.odoo.find(RequestKey("key-2")) is None

    play(story)


def test_a_worker_who_cancels_a_delivery_is_noticed() -> None:
    async def story(stage: Scene) -> None:
        accepted = await stage.odoo.request(asking())
        stage.sandbox.reject(accepted.ref, "damaged")
        assert [each.state for each in await stage.odoo.status([accepted.ref])] == [RemoteState.CANCELED]
        assert await stage.odoo.cancel(accepted.ref) is CancelOutcome.CANCELED

    play(story)


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (asking(sku="SKU-9999"), "UNKNOWN_SKU"),
        (asking(location=RemoteLocationId("99")), "UNKNOWN_LOCATION"),
        (asking(recipient=Address(lines=(), city="X", postal_code="1", country_code="ZZ")), "UNKNOWN_COUNTRY"),
    ],
)
def test_a_request_that_odoo_has_no_words_for_is_refused_before_anything_is_made(request_: FulfillmentRequest, reason: str) -> None:
    async def story(stage: Scene) -> None:
        with pytest.raises(Rejected) as refusal:
            await stage.odoo.request(request_)
        assert refusal.value.reason == reason
        assert stage.sandbox.orders() == []

    play(story)


def test_a_warehouse_hands_nothing_over_and_unknown_deliveries_cannot_be_canceled() -> None:
    async def story(stage: Scene) -> None:
        with pytest.raises(Unsupported):
            await stage.odoo.request(asking(method=Method.PICKUP))
        for ref in ("77", "no-number"):
            with pytest.raises(NotFound):
                await stage.odoo.cancel(RemoteRef(ref))
        assert await stage.odoo.status([]) == ()

    play(story)
