"""Every knob: its unit, default and bounds. Read once, passed in."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Annotated, Any, Final

from msgspec import Meta

from connectors.contract import RemoteLocationId, Secret, SourceKind
from connectors.rates import KarrioSettings
from connectors.registry import ConnectorSpec
from gateway.domain.delivery import Terms
from gateway.domain.geography import Centroids
from gateway.domain.identity import SourceName
from gateway.domain.policies import Tags
from gateway.domain.pricing import PricingTerms
from gateway.domain.principals import Role
from gateway.domain.rates import GRAMS_MAX, UNIT_GRAMS, Weights
from gateway.domain.rejections import RejectionTerms
from gateway.domain.routing import Tariff
from gateway.domain.tasks import JobKind
from gateway.domain.whatif import UNGUARDED, Guardrails
from gateway.ports import Correction

Positive = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0, le=86_400)]
UpToAMonth = Annotated[float, Meta(gt=0, le=2_592_000)]
Days = Annotated[int, Meta(ge=1, le=3_650)]
Port = Annotated[int, Meta(ge=0, le=65_535)]
Text = Annotated[str, Meta(min_length=1, max_length=200)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """How the gateway is reached. ``ide``: serve GraphiQL to browsers. ``origins``: web pages that may call us."""

    host: Text = "127.0.0.1"
    port: Port = 8080
    ide: bool = True
    origins: tuple[str, ...] = ()
    body_bytes_max: Positive = 262_144
    sockets_max: Positive = 10_000
    subscriptions_per_socket_max: Positive = 50
    socket_init_timeout_s: Seconds = 10.0


class StoreUrl(Secret):
    """The address of a database. One with a password in it is kept elsewhere, and named as ``env:NAME`` or ``file:/path``."""

    __slots__ = ()


DEFAULT_STORE: Final = StoreUrl("sqlite:///dom.sqlite3")


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """Where promises are kept: a SQLite file for one gateway, or a PostgreSQL database for several.

    ``sqlite:///dom.sqlite3`` or ``postgresql://user@host/database``. The rest bounds the writer and what is kept. All of it is
    checked as by ``dom verify`` every ``verify_s``; 0: never.
    """

    url: StoreUrl = DEFAULT_STORE
    batch_max: Annotated[int, Meta(ge=1, le=1_000)] = 256
    queue_max: Positive = 10_000
    wait_s_max: Seconds = 10.0
    keep_events_days: Days = 90
    keep_requests_days: Days = 7
    verify_s: Annotated[float, Meta(ge=0, le=86_400)] = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """How stock is read. ``deadline_s`` bounds every answer; what was last read serves as stale for ``stale_for_s``.

    ``reread_s`` is how often watched stock is read again although nobody said that it moved. ``feeds_s`` is how often sources that
    can tell are asked what moved; 0: never. ``renew_skus_max`` SKUs that many ask for are read again ahead of time; 0: none. Every
    ``reconcile_s`` all that a source carries is read and compared with what was known of it, each read within
    ``reconcile_deadline_s``; 0: never.
    """

    deadline_s: Seconds = 1.5
    stale_for_s: Seconds = 3_600.0
    skus_kept_max: Positive = 100_000
    warm_products_max: Annotated[int, Meta(ge=0)] = 20_000
    reread_s: Seconds = 15.0
    feeds_s: Annotated[float, Meta(ge=0, le=86_400)] = 5.0
    renew_skus_max: Annotated[int, Meta(ge=0, le=100_000)] = 200
    reconcile_s: Annotated[float, Meta(ge=0, le=30 * 86_400)] = 3_600.0
    reconcile_deadline_s: Seconds = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """How sources are asked for their locations: every ``refresh_s``, after a failure every ``retry_s``."""

    refresh_s: Seconds = 900.0
    retry_s: Seconds = 5.0
    deadline_s: Seconds = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """How requests to sources are sent (``jobs_*``) and followed (``status_*``): each time at most ``status_pages_max`` pages.

    An attempt is given up after ``jobs_deadline_s``; what a gateway was doing when it died is taken over a third later.
    A request is tried ``submit_attempts_max`` times (48 take about three hours), stopping one ``stop_attempts_max`` times; then a
    person must look. ``*_accept_within_s``: work that its location has not accepted by then is taken back, if another can do it.
    Of orders that wait to be routed together ``wave_orders_max`` are planned, for ``wave_seconds_max`` at most; others are decided
    one by one.
    """

    jobs_at_once_max: Positive = 16
    jobs_poll_s: Seconds = 0.5
    jobs_deadline_s: Seconds = 45.0
    submit_attempts_max: Positive = 48
    stop_attempts_max: Positive = 24
    status_poll_s: Seconds = 10.0
    status_page: Annotated[int, Meta(ge=1, le=500)] = 100
    status_pages_max: Positive = 20
    warehouses_accept_within_s: UpToAMonth = 86_400.0
    stores_accept_within_s: UpToAMonth = 7_200.0
    third_parties_accept_within_s: UpToAMonth = 86_400.0
    wave_orders_max: Annotated[int, Meta(ge=1, le=20_000)] = 5_000
    wave_seconds_max: Seconds = 20.0

    @property
    def attempts_max(self) -> Mapping[JobKind, int]:
        """How often jobs of a kind are tried."""
        return {JobKind.SUBMIT: self.submit_attempts_max, JobKind.STOP: self.stop_attempts_max}

    @property
    def accept_within(self) -> Mapping[SourceKind, timedelta]:
        """How long locations may take to accept, by the kind of their source."""
        return {
            SourceKind.WAREHOUSE: timedelta(seconds=self.warehouses_accept_within_s),
            SourceKind.STORE_POS: timedelta(seconds=self.stores_accept_within_s),
            SourceKind.THIRD_PARTY_LOGISTICS: timedelta(seconds=self.third_parties_accept_within_s),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """How events are handed on: ``ring_max`` at hand, others from the database; ``poll_s`` bounds how late one is seen."""

    ring_max: Positive = 4_096
    poll_s: Seconds = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Queries:
    """How large a GraphQL document may be. ``cost_max`` counts fields times the sizes of the lists they are in."""

    tokens_max: Positive = 4_000
    depth_max: Positive = 16  # the introspection query of graphql-js is 15 deep
    aliases_max: Positive = 50
    fields_max: Positive = 600
    directives_max: Positive = 50
    cost_max: Positive = 60_000
    cached_max: Positive = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Products:
    """What goods weigh, packing included, and what they are called in routing policies.

    ``weights`` is written as the path, from the configuration file on, of comma-separated values under the header ``sku,grams``.
    What is not in it weighs ``unit_grams``. ``tags`` is the path of such values under ``sku,tag``, a row for each tag of a SKU.
    """

    unit_grams: Annotated[int, Meta(ge=1, le=GRAMS_MAX)] = UNIT_GRAMS
    weights: Weights = field(default_factory=Weights)
    tags: Tags = field(default_factory=Tags)

    def weighed(self) -> Weights:
        """All that is known of weights."""
        return replace(self.weights, unit_grams=self.unit_grams)


@dataclass(frozen=True, slots=True, kw_only=True)
class Geography:
    """Where postal areas are that we do not know ourselves: we know those of the United States and of Canada.

    ``centroids`` is written as the path, from the configuration file on, of comma-separated values under the header
    ``area,latitude,longitude``; an area is a country, or the beginning of a postal code there: ``DE``, ``DE:10``.
    """

    centroids: Centroids = field(default_factory=lambda: Centroids(points={}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotes:
    """How quotes for shipping are asked for: what has not been said by ``deadline_s`` counts as a failure.

    ``karrio``: a Karrio server that knows what carriers charge at the moment; without it, our own tables and sources are asked.
    """

    deadline_s: Seconds = 5.0
    karrio: KarrioSettings | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A bearer token and what its bearer may do. ``name`` is who acts, in events and idempotency keys."""

    name: Text
    role: Role
    secret: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSettings:
    """One ``[sources.NAME]`` table: which connector, what we add to it, and the connector's own settings.

    ``exclusive``: nobody else sells what is there.
    """

    name: SourceName
    spec: ConnectorSpec
    connection: Any
    label: str
    safety_units: int = 0
    exclusive: bool = False
    corrections: Mapping[RemoteLocationId, Correction] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything."""

    sources: tuple[SourceSettings, ...]
    tokens: tuple[Token, ...]
    server: Server = field(default_factory=Server)
    store: Store = field(default_factory=Store)
    stock: Stock = field(default_factory=Stock)
    network: Network = field(default_factory=Network)
    work: Work = field(default_factory=Work)
    events: Events = field(default_factory=Events)
    queries: Queries = field(default_factory=Queries)
    routing: Tariff = field(default_factory=Tariff)
    delivery: Terms = field(default_factory=Terms)
    products: Products = field(default_factory=Products)
    geography: Geography = field(default_factory=Geography)
    quotes: Quotes = field(default_factory=Quotes)
    guardrails: Guardrails = UNGUARDED
    prices: PricingTerms = field(default_factory=PricingTerms)
    rejections: RejectionTerms = field(default_factory=RejectionTerms)
