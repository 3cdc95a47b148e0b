"""What has to be known to read stock from a source that nobody wrote a connector for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from connectors.client import Limits
from connectors.contract import SourceKind, StockDrop
from connectors.described import Place
from connectors.http.plans import Plan, plan_of
from connectors.http.presets import Preset
from connectors.http.tables import Auth, CatalogTable, PlacesTable, StockTable
from connectors.http.words import Wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """One source.

    ``denied_if`` are conditions on an answer that mean a bad credential, for sources that say so with HTTP 200. With ``places``,
    stock at any other location is left out. ``stock_drop`` and ``visibility_delay_s``: when the source's own number goes down,
    and how late it shows that. ``known_for_s`` is how long its locations are remembered.
    """

    url: str
    kind: SourceKind = SourceKind.WAREHOUSE
    preset: Preset | None = None
    auth: Auth = field(default_factory=Auth)
    headers: Mapping[str, str] | None = None
    denied_if: tuple[str, ...] | None = None
    stock: StockTable = field(default_factory=StockTable)
    catalog: CatalogTable | None = None
    places: tuple[Place, ...] = ()
    places_from: PlacesTable | None = None
    stock_drop: StockDrop = StockDrop.ON_SHIP
    visibility_delay_s: float = 60.0
    attempt_timeout_s: float = 5.0
    total_timeout_s: float = 15.0
    concurrency_max: int = 8
    rate_per_s: float | None = None
    fresh_for_s: float = 10.0
    known_for_s: float = 3_600.0

    def __post_init__(self) -> None:
        at = urlsplit(self.url)
        if at.scheme not in {"http", "https"} or not at.hostname or at.username or at.query or at.fragment:
            raise Wrong("url", "an address such as https://wms.example/api, without a credential in it")
        self.plan()

    def plan(self) -> Plan:
        """What is to be done, the preset and the defaults included.

        Raises:
            Wrong: Something in it does not fit together.
        """
        return plan_of(
            preset=self.preset,
            auth=self.auth,
            denied_if=self.denied_if,
            stock=self.stock,
            catalog=self.catalog,
            places=self.places,
            places_from=self.places_from,
        )

    def limits(self) -> Limits:
        """The bounds that the client keeps."""
        return Limits(
            attempt_timeout_s=self.attempt_timeout_s,
            total_timeout_s=self.total_timeout_s,
            concurrency_max=self.concurrency_max,
            rate_per_s=self.rate_per_s,
        )
