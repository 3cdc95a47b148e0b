"""Webhooks that Shopify has given up on are subscribed again."""

import asyncio
from typing import Any

import pytest

from connectors.contract import Secret
from connectors.sandbox.faults import FaultKind
from connectors.shopify import ShopifySettings
from connectors.shopify.subscriptions import TOPICS
from tests.connectors.shopify_scene import Scene, play, shopify

HOOK = "https://dom.example/webhooks/shop"
NEWS = "webhooks that were missing and are subscribed now"


def subscribed(scene: Scene, *, at: str = HOOK) -> list[str]:
    return sorted(each.topic for each in scene.sandbox.subscriptions.kept if each.uri == at)


async def fail(scene: Scene, **fault: Any) -> None:
    (await scene.controls.post("/_sandbox/faults", json=fault)).raise_for_status()


def test_what_is_missing_is_subscribed_once_and_what_is_there_is_left_alone() -> None:
    async def story(scene: Scene) -> None:
        elsewhere = scene.sandbox.subscriptions.create(TOPICS[0], "https://another.example", "JSON")
        assert (await scene.shopify.health()).detail == f"{NEWS}: {len(TOPICS)}"
        assert subscribed(scene) == sorted(TOPICS)
        assert {each.format for each in scene.sandbox.subscriptions.kept} == {"JSON"}
        before = await scene.requests()
        health = await scene.shopify.health()
        assert (health.ok, health.detail) == (True, "")
        assert await scene.requests() - before == 2  # the versions and the list
        assert elsewhere in scene.sandbox.subscriptions.kept

    play(story, webhook_url=HOOK)


def test_what_shopify_has_dropped_is_subscribed_again_and_told_once() -> None:
    async def story(scene: Scene) -> None:
        await scene.shopify.health()
        scene.sandbox.subscriptions.drop({"ORDERS_CANCELLED", "INVENTORY_LEVELS_UPDATE"})
        assert (await scene.shopify.health()).detail == f"{NEWS}: 2"
        assert subscribed(scene) == sorted(TOPICS)
        assert (await scene.shopify.health()).detail == ""

    play(story, webhook_url=HOOK)


def test_a_gateway_that_only_polls_finds_it_out_now_and_then_and_tells_whoever_asks_for_health() -> None:
    async def story(scene: Scene) -> None:
        cursor = (await scene.shopify.stock_changes(None)).cursor
        assert subscribed(scene) == sorted(TOPICS)
        scene.sandbox.subscriptions.drop()
        await scene.shopify.stock_changes(cursor)
        assert subscribed(scene) == []  # looked at a moment ago
        async with shopify(scene.url, webhook_url=HOOK, known_for_s=0.0) as often:
            await often.stock_changes(cursor)
            assert subscribed(scene) == sorted(TOPICS)
            scene.sandbox.subscriptions.drop({"ORDERS_CANCELLED"})
            assert (await often.health()).detail == f"{NEWS}: {len(TOPICS) + 1}"

    play(story, webhook_url=HOOK)


def test_polling_goes_on_where_webhooks_cannot_be_looked_after() -> None:
    async def story(scene: Scene) -> None:
        await fail(scene, kind=FaultKind.HTML, match_body="webhookSubscriptions")
        cursor = (await scene.shopify.stock_changes(None)).cursor
        assert (await scene.shopify.stock_changes(cursor)).cursor

    play(story, webhook_url=HOOK)


def test_a_list_that_hangs_holds_up_one_poll_and_not_the_next() -> None:
    async def story(scene: Scene) -> None:
        await fail(scene, kind=FaultKind.HANG, match_body="webhookSubscriptions")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await scene.shopify.stock_changes(None)
        assert (await scene.shopify.stock_changes(None)).cursor

    play(story, webhook_url=HOOK)


def test_a_topic_that_is_refused_is_told_and_the_others_are_subscribed() -> None:
    async def story(scene: Scene) -> None:
        scene.sandbox.subscriptions.denied |= {"ORDERS_CANCELLED", "FULFILLMENTS_CREATE"}
        health = await scene.shopify.health()
        why = "You cannot create a webhook subscription with the specified topic"
        refused = f"not subscribed to FULFILLMENTS_CREATE, ORDERS_CANCELLED: {why}"
        assert (health.ok, health.detail) == (True, f"{NEWS}: {len(TOPICS) - 2}; {refused}")
        assert subscribed(scene) == sorted(set(TOPICS) - scene.sandbox.subscriptions.denied)
        assert (await scene.shopify.health()).detail == refused

    play(story, webhook_url=HOOK)


def test_two_gateways_at_once_subscribe_once_and_neither_complains() -> None:
    async def story(scene: Scene) -> None:
        async with shopify(scene.url, webhook_url=HOOK) as other:
            told = await asyncio.gather(scene.shopify.health(), other.health())
        assert subscribed(scene) == sorted(TOPICS)
        assert sum(int(health.detail.removeprefix(f"{NEWS}: ") or 0) for health in told) == len(TOPICS)

    play(story, webhook_url=HOOK)


def test_one_that_is_taken_but_not_listed_counts_as_there() -> None:
    async def story(scene: Scene) -> None:
        await scene.shopify.health()
        scene.sandbox.switches.webhooks_unlisted = True
        before = await scene.requests()
        health = await scene.shopify.health()
        assert (health.ok, health.detail) == (True, "")
        assert await scene.requests() - before == 3

    play(story, webhook_url=HOOK)


@pytest.mark.parametrize("operation", ["webhookSubscriptions", "webhookSubscriptionCreate"])
@pytest.mark.parametrize("kind", [FaultKind.STATUS, FaultKind.HTML, FaultKind.NULL, FaultKind.LOST_ANSWER])
def test_health_finds_the_shop_well_though_its_webhooks_cannot_be_looked_after(operation: str, kind: FaultKind) -> None:
    async def story(scene: Scene) -> None:
        await fail(scene, kind=kind, match_body=operation)
        health = await scene.shopify.health()
        assert health.ok
        assert health.detail.startswith("version 2025-10 is the oldest")
        assert "webhooks could not be looked after: " in health.detail
        (await scene.controls.delete("/_sandbox/faults")).raise_for_status()
        assert "looked after" not in (await scene.shopify.health()).detail
        assert subscribed(scene) == sorted(TOPICS)

    play(story, webhook_url=HOOK, version="2025-10")


def test_a_list_of_others_too_is_read_to_its_end_and_only_ours_count() -> None:
    async def story(scene: Scene) -> None:
        scene.sandbox.switches.webhooks_unfiltered = True
        for number in range(300):  # more than a page
            scene.sandbox.subscriptions.create(TOPICS[0], f"https://another.example/{number}", "JSON")
        assert (await scene.shopify.health()).detail == f"{NEWS}: {len(TOPICS)}"
        before = await scene.requests()
        assert (await scene.shopify.health()).detail == ""
        assert await scene.requests() - before == 3  # the versions and two pages

    play(story, webhook_url=HOOK)


@pytest.mark.parametrize("switch", ["pages_repeat", "pages_never_end"])
def test_a_list_without_end_is_told_and_nothing_is_subscribed(switch: str) -> None:
    async def story(scene: Scene) -> None:
        setattr(scene.sandbox.switches, switch, True)
        health = await scene.shopify.health()
        assert health.ok
        assert "CONTRACT_BROKEN" in health.detail
        assert subscribed(scene) == []

    play(story, webhook_url=HOOK)


def test_without_an_address_nothing_is_asked_or_subscribed() -> None:
    async def story(scene: Scene) -> None:
        assert (await scene.shopify.health()).detail == ""
        assert await scene.requests() == 1
        await scene.shopify.stock_changes(None)
        assert scene.sandbox.subscriptions.kept == []

    play(story)


@pytest.mark.parametrize(
    "url", ["http://dom.example/webhooks/shop", "dom.example/webhooks/shop", "https://", "https://:pw@dom.example/", f"{HOOK}#a"]
)
def test_an_address_that_shopify_would_not_post_to_is_no_setting(url: str) -> None:
    with pytest.raises(ValueError, match="webhook_url"):
        ShopifySettings(url="https://shop.test", access_token=Secret("t"), client_secret=Secret("s"), webhook_url=url)


def test_without_a_secret_to_believe_them_by_no_webhooks_are_subscribed() -> None:
    with pytest.raises(ValueError, match="client_secret"):
        ShopifySettings(url="https://shop.test", access_token=Secret("t"), webhook_url=HOOK)
