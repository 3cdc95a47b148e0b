"""What the app has asked the sandbox to post, and where to."""

from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import urlsplit

from connectors.sandbox.shopify.shop import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A topic that is posted to an address."""

    number: str
    topic: str
    uri: str
    format: str


@dataclass(slots=True, kw_only=True)
class Subscriptions:
    """Those of the app, oldest first. Topics in ``denied`` are not for it, as where customers' data is protected."""

    denied: set[str] = field(default_factory=set)
    kept: list[Subscription] = field(default_factory=list)
    _numbers: "count[int]" = field(default_factory=lambda: count(892_403_750))

    def create(self, topic: str, uri: str, format_: str) -> Subscription:
        """A new one.

        Raises:
            Refused: The address is no good or has that topic already, or the app may not hear of it.
        """
        at = ("webhookSubscription", "callbackUrl")
        if topic in self.denied:
            raise Refused("You cannot create a webhook subscription with the specified topic", path=("topic",))
        if urlsplit(uri).scheme != "https":
            raise Refused(f"Address protocol {urlsplit(uri).scheme}:// is not supported", path=at)
        if any((each.topic, each.uri) == (topic, uri) for each in self.kept):
            raise Refused("Address for this topic has already been taken", path=at)
        made = Subscription(number=str(next(self._numbers)), topic=topic, uri=uri, format=format_)
        self.kept.append(made)
        return made

    def drop(self, topics: Collection[str] | None = None) -> None:
        """Shopify gives up on them after its posts have failed for too long; None: on all."""
        self.kept = [each for each in self.kept if topics is not None and each.topic not in topics]
