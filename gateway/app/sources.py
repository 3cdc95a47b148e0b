"""What the gateway reaches: sources, carriers that are asked for prices, and where postal areas are."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from functools import cache
from importlib.resources import files
from typing import Final

import structlog

from connectors.contract import Cursor, SourceError, StockLister
from connectors.rates import Karrio, RateProvider
from gateway.app.parts import Parts, tools
from gateway.domain.geography import Centroids, parse_centroids
from gateway.ports import Source, Sources
from gateway.settings import Settings

log = structlog.get_logger(__name__)

WARM_DEADLINE_S: Final = 60.0


async def open_sources(settings: Settings, parts: Parts, stack: AsyncExitStack) -> Sources:
    """The sources of these settings, until the end of the stack."""
    given = tools(parts)
    sources = {}
    for each in settings.sources:
        connector = each.spec.open(each.connection, given)
        stack.push_async_callback(connector.aclose)
        sources[each.name] = Source(
            name=each.name,
            label=each.label,
            kind=each.spec.kind,
            connector=connector,
            safety_units=each.safety_units,
            exclusive=each.exclusive,
        )
    return sources


def rate_providers(settings: Settings, parts: Parts, stack: AsyncExitStack) -> Mapping[str, RateProvider]:
    """Those who know what carriers charge, by name, until the end of the stack."""
    if settings.quotes.karrio is None:
        return {}
    karrio = Karrio(settings.quotes.karrio, tools(parts))
    stack.push_async_callback(karrio.aclose)
    return {"karrio": karrio}


@cache
def packaged_centroids() -> Centroids:
    """The middles of postal areas that are shipped with the gateway."""

    def packaged(name: str) -> Centroids:
        return parse_centroids(files("gateway.domain").joinpath(name).read_text(encoding="utf-8"))

    return packaged("us_zip3.csv").with_more(packaged("ca_fsa.csv"))


async def warm(sources: Sources, settings: Settings) -> None:
    """Learn the sources' product ids, so that the first question costs one request like every other."""

    async def learn(source: Source) -> None:
        if isinstance(source.connector, StockLister):
            try:
                async with asyncio.timeout(WARM_DEADLINE_S):
                    products = await _paged(source.connector, settings.stock.warm_products_max)
                log.info("source_warm", source=source.name, products=products)
            except (SourceError, TimeoutError) as error:
                log.warning("source_cold", source=source.name, reason=str(error) or "no answer in time")
            except Exception:  # another author's bug is that source's failure, not everybody's
                log.exception("connector_crashed", source=source.name)

    await asyncio.gather(*(learn(source) for source in sources.values()))


async def _paged(lister: StockLister, products_max: int) -> int:
    """How many SKUs the pages held that were asked for: those up to ``products_max``."""
    products = 0
    after: Cursor | None = None
    while products < products_max:
        page = await lister.skus(after)
        products += len(page.skus)
        if (after := page.next) is None:
            break
    return products
