"""Which texts, locations and orders fit what a rule says of them."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import lru_cache

from gateway.domain.policies.facts import LocationFacts, OrderFacts
from gateway.domain.policies.rule import Places, When

FITS_KNOWN_MAX = 65_536


@lru_cache(maxsize=FITS_KNOWN_MAX)
def fits(text: str, patterns: tuple[str, ...]) -> bool:
    """Whether the text is as one of these patterns; without any, every text is."""
    return not patterns or any(fnmatchcase(text, _literally(pattern)) for pattern in patterns)


def in_places(location: LocationFacts, places: Places) -> bool:
    """Whether the location is one of these."""
    return (
        (not places.kinds or location.kind in places.kinds)
        and (fits(location.code, places.codes) or fits(location.location, places.codes))
        and fits(location.source, places.sources)
        and _one_fits(location.groups, places.groups)
    )


def matches(when: When, order: OrderFacts) -> bool:
    """Whether the order is one of these."""
    return (
        _sold_so(when, order)
        and _placed_then(when, order)
        and _worth_that(when, order)
        and _goes_there(when, order)
        and _has_such(when, order)
    )


def _sold_so(when: When, order: OrderFacts) -> bool:
    classed = not when.customer_classes or (order.customer_class is not None and fits(order.customer_class, when.customer_classes))
    return classed and fits(order.channel, when.channels) and (not when.methods or order.method in when.methods)


def _placed_then(when: When, order: OrderFacts) -> bool:
    since = when.placed_from is None or order.placed_at >= when.placed_from
    return since and (when.placed_to is None or order.placed_at < when.placed_to)


def _worth_that(when: When, order: OrderFacts) -> bool:
    least, below, cents = when.value_cents_from, when.value_cents_to, order.value_cents
    if cents is None:
        return least is None and below is None
    return (least is None or cents >= least) and (below is None or cents < below)


def _goes_there(when: When, order: OrderFacts) -> bool:
    return not when.destinations or order.area.startswith(when.destinations)


def _has_such(when: When, order: OrderFacts) -> bool:
    some = _one_fits(order.skus, when.skus) and _one_fits(order.tags, when.tags)
    return some and all(fits(sku, when.only_skus) for sku in order.skus)


def _one_fits(texts: Iterable[str], patterns: tuple[str, ...]) -> bool:
    return not patterns or any(fits(text, patterns) for text in texts)


def _literally(pattern: str) -> str:
    """The pattern with nothing special in it but the star: SKUs have brackets and question marks of their own."""
    return pattern.replace("[", "[[]").replace("?", "[?]")
