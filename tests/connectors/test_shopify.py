"""Whole stories with Shopify: its stock, what moves, and Shopify itself."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connectors.contract import (
    AuthFailed,
    Capability,
    ContractBroken,
    Cursor,
    Method,
    Rejected,
    RemoteRef,
    Secret,
    Sku,
    Throttled,
    capabilities_of,
)
from connectors.sandbox.network import seeded
from connectors.sandbox.shopify import Bucket
from connectors.shopify import ShopifySettings
from tests.connectors.overlap import together
from tests.connectors.shopify_scene import (
    AT_AUSTIN,
    AT_MIAMI,
    AUSTIN,
    MIAMI,
    NOT_IN_AUSTIN,
    PORTLAND,
    SKU,
    Scene,
    asking,
    play,
)


# ---------------------------------------------------------------------------------------------- stock
def test_a_cold_read_looks_ids_up_and_a_warm_one_is_one_request() -> None:
    async def story(scene: Scene) -> None:
        scene.sandbox.set_stock("shop-portland", SKU, 0)
        batch = await scene.shopify.read_stock([SKU, Sku("nonsense")])
        found = {level.location: level.available for level in batch.levels}
        assert found == {AUSTIN: AT_AUSTIN[SKU], PORTLAND: 0, MIAMI: AT_MIAMI[SKU]}
        assert batch.unknown == {"nonsense"}
        assert batch.names[SKU]
        before = await scene.requests()
        await scene.shopify.read_stock([SKU, Sku("nonsense")])
        assert await scene.requests() - before == 1

    play(story)


def test_what_is_not_tracked_is_unknown_and_items_that_share_a_sku_add_up() -> None:
    async def story(scene: Scene) -> None:
        shop = scene.sandbox.shop
        (item,) = shop.items_of(SKU)
        twin = shop.add_item(item.product, number=49_000_000)
        shop.levels[AUSTIN, twin.number] = replace(shop.levels[AUSTIN, item.number], available=5)
        there = {level.location: level.available for level in (await scene.shopify.read_stock([SKU])).levels}
        assert there[AUSTIN] == AT_AUSTIN[SKU] + 5
        assert there[MIAMI] == AT_MIAMI[SKU]
        twin.tracked = False
        there = {level.location: level.available for level in (await scene.shopify.read_stock([SKU])).levels}
        assert (there[AUSTIN], there[MIAMI]) == (None, AT_MIAMI[SKU])

    play(story)


def test_an_item_that_is_replaced_or_gets_another_sku_is_looked_up_again() -> None:
    async def story(scene: Scene) -> None:
        shop = scene.sandbox.shop
        await scene.shopify.read_stock([SKU, NOT_IN_AUSTIN])
        (old,) = shop.items_of(SKU)
        new = shop.add_item(old.product, number=49_000_000)
        del shop.items[old.number]
        shop.levels[AUSTIN, new.number] = replace(shop.levels.pop((AUSTIN, old.number)), available=3)
        shop.items_of(NOT_IN_AUSTIN)[0].sku = "renamed"
        batch = await scene.shopify.read_stock([SKU, NOT_IN_AUSTIN])
        assert [(level.sku, level.location, level.available) for level in batch.levels] == [(SKU, AUSTIN, 3)]
        assert batch.unknown == {NOT_IN_AUSTIN}

    play(story)


def test_more_than_shopify_answers_at_once_is_asked_for_in_halves() -> None:
    async def story(scene: Scene) -> None:
        refs = [RemoteRef(str(number)) for number in range(5_000, 5_200)]
        made = await scene.shopify.request(asking())
        before = await scene.requests()
        assert [each.ref for each in await scene.shopify.status([*refs, made.ref])] == [made.ref]
        learning = await scene.requests() - before
        await scene.shopify.status([*refs, made.ref])
        assert 1 < await scene.requests() - before - learning < learning <= 8  # what is too much is not tried again

    play(story)


def test_the_requests_of_one_read_are_made_at_once_where_their_size_has_passed_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.shopify.wire.NODES_MAX", 20)

    async def story(scene: Scene) -> None:
        skus = [Sku(item.sku) for item in scene.sandbox.shop.items.values()]
        assert 50 < len(skus) <= 60
        await together(scene.shopify, skus, scene.controls, requests=2)  # look-ups, 50 SKUs each
        before = await scene.requests()
        await scene.shopify.read_stock(skus)
        assert await scene.requests() - before == 6  # these, the locations, and levels
        await together(scene.shopify, skus, scene.controls, requests=3)
        before = await scene.requests()
        await scene.shopify.read_stock(skus)
        assert await scene.requests() - before == 3

    play(story)


def test_a_location_describes_itself() -> None:
    async def story(scene: Scene) -> None:
        places = {place.id: place for place in await scene.shopify.locations()}
        assert set(places) == {AUSTIN, PORTLAND, MIAMI}
        assert places[AUSTIN].methods == {Method.SHIP, Method.PICKUP}
        assert places[MIAMI].methods == {Method.SHIP}  # a fulfillment service
        address = places[AUSTIN].address
        assert address is not None
        assert (address.postal_code, address.region, address.latitude) == ("78704", "TX", 30.2510)
        assert capabilities_of(scene.shopify) == frozenset(Capability) - {Capability.HOLD, Capability.QUOTE}

    play(story, services=["shop-miami"])


# ---------------------------------------------------------------------------------------------- what moves
def test_a_poll_reaches_back_far_enough_and_is_two_requests() -> None:
    async def story(scene: Scene) -> None:
        shop = scene.sandbox.shop
        long_ago = datetime(2020, 1, 1, tzinfo=UTC)
        for item in shop.items.values():
            item.updated_at = long_ago
        for level in shop.levels.values():
            level.updated_at = long_ago
        begun = (await scene.shopify.stock_changes(None)).cursor
        before = await scene.requests()
        quiet = await scene.shopify.stock_changes(begun)
        assert (quiet.skus, quiet.more) == (frozenset(), False)
        assert await scene.requests() - before == 2
        scene.sandbox.set_stock("shop-portland", SKU, 3)
        shop.items_of(NOT_IN_AUSTIN)[0].updated_at = datetime.now(UTC)
        assert (await scene.shopify.stock_changes(quiet.cursor)).skus == {SKU, NOT_IN_AUSTIN}

    play(story)


def test_what_has_been_told_is_not_told_for_ever() -> None:
    async def story(scene: Scene) -> None:
        an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
        for item in scene.sandbox.shop.items.values():
            item.updated_at = an_hour_ago
        for level in scene.sandbox.shop.levels.values():
            level.updated_at = an_hour_ago
        told = await scene.shopify.stock_changes(Cursor('["2020-01-01T00:00:00Z"]'))
        assert (SKU in told.skus, told.more) == (True, False)
        assert (await scene.shopify.stock_changes(told.cursor)).skus == frozenset()

    play(story)


def test_a_sku_that_two_items_share_is_listed_once_and_never_read_by_halves() -> None:
    network = seeded(products=300, systems=["shopify"])

    async def story(scene: Scene) -> None:
        shop = scene.sandbox.shop
        (item,) = shop.items_of(SKU)
        twin = shop.add_item(item.product, number=49_000_000)
        shop.levels[AUSTIN, twin.number] = replace(shop.levels[AUSTIN, item.number], available=5)
        first = await scene.shopify.skus(None)
        assert first.next is not None
        there = {level.location: level.available for level in (await scene.shopify.read_stock([SKU])).levels}
        assert there[AUSTIN] == network.stock["shop-austin", SKU] + 5
        second = await scene.shopify.skus(first.next)
        assert [*first.skus, *second.skus].count(SKU) == 1

    play(story, network=network)


def test_a_poll_after_a_great_stock_taking_goes_on_page_by_page() -> None:
    async def story(scene: Scene) -> None:
        cursor, skus, rounds = (await scene.shopify.stock_changes(None)).cursor, set[Sku](), 0
        more = True
        while more and rounds < 20:
            told = await scene.shopify.stock_changes(cursor)
            cursor, more, rounds = told.cursor, told.more, rounds + 1
            skus |= told.skus
        assert not more
        assert rounds > 1
        assert skus == {Sku(item.sku) for item in scene.sandbox.shop.items.values()}

    play(story, network=seeded(products=200, systems=["shopify"]))


# ---------------------------------------------------------------------------------------------- Shopify itself
@pytest.mark.parametrize(
    ("version", "warning"),
    [
        ("2026-10", ""),
        ("2025-10", "version 2025-10 is the oldest that Shopify supports, and the next to go"),
        ("2025-01", "asked for version 2025-01, Shopify answers as 2025-10"),
    ],
)
def test_health_warns_of_a_version_that_goes_or_has_gone(version: str, warning: str) -> None:
    async def story(scene: Scene) -> None:
        health = await scene.shopify.health()
        assert (health.ok, health.detail) == (True, warning)
        assert health.remote_version == ("2025-10" if warning else version)
        assert health.credential_expires_at is None

    play(story, version=version)


def test_a_version_that_never_was_is_not_healthy() -> None:
    async def story(scene: Scene) -> None:
        health = await scene.shopify.health()
        assert (health.ok, health.detail) == (False, "NOT_FOUND: HTTP 404")

    play(story, version="next-year")


def test_an_app_gets_its_token_and_another_one_when_that_is_revoked() -> None:
    async def story(scene: Scene) -> None:
        assert (await scene.shopify.read_stock([SKU])).levels
        expires_at = (await scene.shopify.health()).credential_expires_at
        assert expires_at is not None
        scene.sandbox.tokens.clear()
        assert (await scene.shopify.read_stock([SKU])).levels

    play(story, access_token=None, client_id="shopify-sandbox-app")


def test_without_a_token_or_an_app_there_is_no_connector() -> None:
    with pytest.raises(ValueError, match="access_token"):
        ShopifySettings(url="https://shop.test", client_secret=Secret("s"))


def test_a_wrong_app_is_refused() -> None:
    async def story(scene: Scene) -> None:
        with pytest.raises(AuthFailed):
            await scene.shopify.read_stock([SKU])

    play(story, access_token=None, client_id="somebody-else")


def test_points_that_are_spent_are_waited_for() -> None:
    async def story(scene: Scene) -> None:
        for _ in range(20):  # many more than the bucket holds points for
            await scene.shopify.read_stock([SKU])
        traffic = scene.shopify.traffic()["READ"]
        assert traffic.throttled == 0
        assert traffic.allowance is not None
        assert traffic.allowance < 100

    play(story, bucket=Bucket(most=100.0, restore_per_s=1_000.0, monotonic=time.monotonic))


def test_nobody_waits_for_points_longer_than_he_has_time() -> None:
    async def story(scene: Scene) -> None:
        await scene.shopify.read_stock([SKU])
        scene.sandbox.throttle = True
        with pytest.raises(Throttled, match="THROTTLED: Throttled") as raised:
            await scene.shopify.read_stock([SKU])
        assert raised.value.retry_after_s is not None
        assert raised.value.retry_after_s >= 10
        before = await scene.requests()
        with pytest.raises(Throttled):
            await scene.shopify.read_stock([SKU])
        assert await scene.requests() == before  # Shopify is not even asked

    play(story, bucket=Bucket(most=400.0, restore_per_s=1.0, monotonic=time.monotonic), total_timeout_s=0.5)


@pytest.mark.parametrize("switch", ["pages_repeat", "pages_never_end"])
def test_pages_without_end_break_the_contract(switch: str) -> None:
    async def story(scene: Scene) -> None:
        setattr(scene.sandbox.switches, switch, True)
        with pytest.raises(ContractBroken):
            await scene.shopify.locations()
        with pytest.raises(ContractBroken):
            await scene.shopify.read_stock([SKU])

    play(story)


def test_an_order_longer_than_shopify_takes_is_not_sent() -> None:
    async def story(scene: Scene) -> None:
        with pytest.raises(Rejected) as raised:
            await scene.shopify.request(replace(asking(), lines=asking().lines * 251))
        assert raised.value.reason == "TOO_MANY_LINES"
        assert scene.sandbox.orders() == []

    play(story)
