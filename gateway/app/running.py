"""The services, wired: one list, read from top to bottom."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any, Final

from cachetools import LRUCache

from connectors.contract import Sku, StockReader
from gateway.api.context import Services
from gateway.app.parts import Parts
from gateway.app.sources import open_sources, packaged_centroids, rate_providers, warm
from gateway.domain.events import OrderEvent
from gateway.domain.identity import SourceName
from gateway.services.changes import Changes
from gateway.services.delivery import Delivery
from gateway.services.demand import Demand
from gateway.services.dispatch import Dispatch, Tracking
from gateway.services.events import Events
from gateway.services.feeds import Feeds
from gateway.services.fulfillments import Fulfillments
from gateway.services.inventory import Inventory
from gateway.services.network import Network
from gateway.services.orders import Orders
from gateway.services.oversight import Moved, Oversight
from gateway.services.policies import Policies
from gateway.services.pricing import PriceBooks
from gateway.services.promises import Promises
from gateway.services.quotes import Quotes
from gateway.services.readings import Desk, Readings
from gateway.services.reconciliation import Reconciliation
from gateway.services.rejections import Rejections
from gateway.services.rerouting import Rerouting
from gateway.services.reservations import Reservations
from gateway.services.routing import Outlook, Replays, Routing
from gateway.services.timetable import Timetable
from gateway.services.verification import Verification
from gateway.services.waves import Waves
from gateway.services.whatif import WhatIf
from gateway.settings import Settings
from gateway.storage.queries import SqlStore
from gateway.storage.upkeep import SqlUpkeep
from gateway.storage.verification import verify
from gateway.storage.writer import Committed, GroupCommitWriter
from gateway.system import uuid7_maker

VERIFY_PAUSE_S: Final = 0.02


@asynccontextmanager
async def running(settings: Settings, parts: Parts) -> AsyncIterator[Services]:
    """The services, open and at work. A loop that dies takes the gateway down with it, loudly: half a gateway helps nobody."""
    clock = parts.clock
    new_id = parts.new_id or uuid7_maker(clock.now)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(parts.open_store(settings.store.url, clock))
        sources = parts.sources if parts.sources is not None else await open_sources(settings, parts, stack)
        store = SqlStore(database=database)
        changes = Changes(reread_s=settings.stock.reread_s)
        jobs_bell, events_bell = asyncio.Event(), asyncio.Event()
        moved = Moved()

        def touched(skus: Collection[Sku]) -> None:
            changes.touch(skus)
            moved.notice(skus)

        def heard(events: Sequence[OrderEvent]) -> None:
            touched({line.sku for event in events for line in event.order.lines})
            prices.hear(events)
            rejections.hear(events)

        def committed(what: Committed) -> None:
            if what.jobs:
                jobs_bell.set()
            if what.events:
                events_bell.set()
            routing.learn(what.shelves)
            touched(what.skus)

        writer = GroupCommitWriter(
            database=database,
            clock=clock,
            new_id=new_id,
            committed=committed,
            batch_max=settings.store.batch_max,
            queue_max=settings.store.queue_max,
            wait_max_s=settings.store.wait_s_max,
        )
        upkeep = SqlUpkeep(writer=writer)
        policies = Policies(writer=writer, store=store)
        await stack.enter_async_context(_at_work((writer.run,)))
        centroids = packaged_centroids().with_more(settings.geography.centroids)
        weights = settings.products.weighed()
        network = Network(
            sources=sources,
            store=store,
            upkeep=upkeep,
            centroids=centroids,
            corrections={(each.name, remote): what for each in settings.sources for remote, what in each.corrections.items()},
            refresh_s=settings.network.refresh_s,
            retry_s=settings.network.retry_s,
            deadline_s=settings.network.deadline_s,
        )
        demand = Demand(skus_max=settings.stock.skus_kept_max)
        readings = Readings(
            desks={
                name: Desk(
                    source=source,
                    reader=source.connector,
                    network=network,
                    store=store,
                    clock=clock,
                    cache=LRUCache(settings.stock.skus_kept_max),
                    stale_for_s=settings.stock.stale_for_s,
                    changed=touched,
                )
                for name, source in sources.items()
                if isinstance(source.connector, StockReader)
            },
            store=store,
            demand=demand,
        )
        stack.push_async_callback(readings.aclose)

        def told(source: SourceName, skus: Collection[Sku]) -> None:
            readings.doubt(source, skus)
            touched(skus)

        feeds = Feeds(
            desks=readings.desks,
            demand=demand,
            clock=clock,
            spread=parts.spread,
            moved=told,
            hear_s=settings.stock.feeds_s,
            renew_skus_max=settings.stock.renew_skus_max,
            deadline_s=settings.stock.deadline_s,
        )
        reconciliation = Reconciliation(
            desks=readings.desks,
            clock=clock,
            spread=parts.spread,
            every_s=settings.stock.reconcile_s,
            deadline_s=settings.stock.reconcile_deadline_s,
        )
        inventory = Inventory(
            readings=readings,
            promises=Promises(store=store),
            store=store,
            network=network,
            sources=sources,
            deadline_s=settings.stock.deadline_s,
        )
        timetable = Timetable(network=network, store=store, centroids=centroids, tariff=settings.routing, terms=settings.delivery)
        routing = Routing(
            timetable=timetable,
            readings=readings,
            store=store,
            upkeep=upkeep,
            network=network,
            sources=sources,
            centroids=centroids,
            tariff=settings.routing,
            clock=clock,
            new_id=new_id,
            deadline_s=settings.stock.deadline_s,
            weights=weights,
            outlook=lambda: Outlook(
                policies=policies.in_force,
                strategies=policies.strategies,
                tags=settings.products.tags,
                prices=prices.in_force,
                odds=rejections.odds,
                reroute_cents=settings.rejections.reroute_cents,
            ),
        )
        rejections = Rejections(store=store, network=network, clock=clock, terms=settings.rejections)
        prices = PriceBooks(
            store=store,
            upkeep=upkeep,
            inventory=inventory,
            network=network,
            centroids=centroids,
            tariff=settings.routing,
            weights=weights,
            clock=clock,
            terms=settings.prices,
        )
        events = Events(
            store=store,
            upkeep=upkeep,
            clock=clock,
            bell=events_bell,
            poll_s=settings.events.poll_s,
            ring_max=settings.events.ring_max,
            keep_events=timedelta(days=settings.store.keep_events_days),
            keep_requests=timedelta(days=settings.store.keep_requests_days),
            heard=heard,
        )
        tracking = Tracking(
            store=store,
            writer=writer,
            sources=sources,
            readings=readings,
            poll_s=settings.work.status_poll_s,
            page_size=settings.work.status_page,
            pages_max=settings.work.status_pages_max,
        )
        waves = Waves(
            store=store,
            routing=routing,
            clock=clock,
            orders_max=settings.work.wave_orders_max,
            seconds_max=settings.work.wave_seconds_max,
        )
        dispatch = Dispatch(
            store=store,
            upkeep=upkeep,
            writer=writer,
            sources=sources,
            network=network,
            readings=readings,
            routing=routing,
            waves=waves,
            clock=clock,
            spread=parts.spread,
            bell=jobs_bell,
            concurrency_max=settings.work.jobs_at_once_max,
            poll_s=settings.work.jobs_poll_s,
            deadline_s=settings.work.jobs_deadline_s,
            attempts_max=settings.work.attempts_max,
            accept_within=settings.work.accept_within,
        )
        oversight = Oversight(
            moved=moved,
            store=store,
            writer=writer,
            sources=sources,
            network=network,
            readings=readings,
            routing=routing,
            tracking=tracking,
        )
        quotes = Quotes(
            routing=routing,
            network=network,
            sources=sources,
            providers=rate_providers(settings, parts, stack),
            tariff=settings.routing,
            weights=weights,
            clock=clock,
            deadline_s=settings.quotes.deadline_s,
        )
        await upkeep.release_jobs()
        await asyncio.gather(network.load(), events.load(), policies.load())
        reservations = Reservations(writer=writer, store=store, routing=routing, network=network, clock=clock)
        examine = partial(verify, database, pause_s=VERIFY_PAUSE_S)
        verification = Verification(examine=examine, clock=clock, every_s=settings.store.verify_s)
        loops = (
            reservations.sweep,
            events.run,
            dispatch.run,
            tracking.run,
            oversight.run,
            network.run,
            verification.run,
            feeds.run,
            reconciliation.run,
            policies.run,
            prices.run,
            partial(rejections.run, events.newest),
            partial(warm, sources, settings),
        )
        await stack.enter_async_context(_at_work(loops))
        yield Services(
            clock=clock,
            sources=sources,
            network=network,
            inventory=inventory,
            readings=readings,
            reservations=reservations,
            routing=routing,
            quotes=quotes,
            delivery=Delivery(
                inventory=inventory,
                routing=routing,
                timetable=timetable,
                clock=clock,
            ),
            orders=Orders(writer=writer, store=store, routing=routing, network=network),
            rerouting=Rerouting(writer=writer, store=store, routing=routing, network=network),
            fulfillments=Fulfillments(writer=writer, store=store, sources=sources),
            events=events,
            changes=changes,
            tracking=tracking,
            oversight=oversight,
            verification=verification,
            feeds=feeds,
            reconciliation=reconciliation,
            policies=policies,
            replays=Replays(store=store, outlook=routing.outlook),
            rejections=rejections,
            prices=prices,
            waves=waves,
            whatif=WhatIf(routing=routing, policies=policies, store=store, guardrails=settings.guardrails),
            store=store,
        )


@asynccontextmanager
async def _at_work(loops: tuple[Callable[[], Coroutine[Any, Any, None]], ...]) -> AsyncIterator[None]:
    """Run these beside what is inside, and stop them after it."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(loop()) for loop in loops]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
