"""What there is to tell of a source: what it can do, and how asking it fares."""

import strawberry

from connectors.contract import capabilities_of
from gateway.api.describe import described
from gateway.api.enums import BreakerState, Capability, Idempotency, StockDrop, Tier
from gateway.api.scalars import Instant
from gateway.ports import Source as Configured


@described
@strawberry.type
class SourceHealth:
    """What a source said when it was asked just now how it is.

    Attributes:
        ok: Whether it answered.
        latency_ms: How long that took, in milliseconds.
        remote_version: The version of its software, if it tells.
        credential_expires_at: When our credential runs out, if that is known.
        detail: More, for a person.
    """

    ok: bool
    latency_ms: float | None
    remote_version: str | None
    credential_expires_at: Instant | None
    detail: str


@described
@strawberry.type
class SourceCapabilities:
    """What a source can do, and how far its numbers carry a promise.

    Attributes:
        can: What it can be asked for.
        stock_drop: When its own number goes down for an order of ours.
        visibility_delay_seconds: For how long after that a read may still show the number from before; so long it counts twice.
        idempotency: What keeps a repeated request from happening twice there.
        tier: What a promise on its stock rests on.
        batch_skus_max: SKUs it can be asked for at once.
        fresh_for_seconds: How long one of its numbers may be served without asking again.
        rate_per_second: How often it is asked at most; null: it sets no bound that we know of.
        concurrency_max: How many reads, or writes, it is sent at once; null: as for the rate.
    """

    can: list[Capability]
    stock_drop: StockDrop
    visibility_delay_seconds: float
    idempotency: Idempotency
    tier: Tier
    batch_skus_max: int
    fresh_for_seconds: float
    rate_per_second: float | None
    concurrency_max: int | None

    @staticmethod
    def of(source: Configured) -> "SourceCapabilities":
        """What the source declares, and what its operator says of it."""
        about = source.connector.info
        return SourceCapabilities(
            can=sorted(capabilities_of(source.connector)),
            stock_drop=about.stock_drop,
            visibility_delay_seconds=about.visibility_delay_s,
            idempotency=about.idempotency,
            tier=source.tier,
            batch_skus_max=about.batch_skus_max,
            fresh_for_seconds=about.fresh_for_s,
            rate_per_second=about.rate_per_s,
            concurrency_max=about.concurrency_max,
        )


@described
@strawberry.type
class SourceTraffic:
    """How asking a source has been going, since this gateway was started.

    Attributes:
        intent: What was asked of it: READ or WRITE.
        breaker: Whether requests get through.
        in_flight: Exchanges under way.
        calls: Exchanges so far, repeated ones included.
        failures: Those of them that count against it.
        retries: Those that repeated a failed one.
        throttled: Those that it put off.
        hedges: Reads that were sent a second time because the first one took long.
        allowance: What it says may still be asked of it now, in its own unit; null: it does not say.
        last_latency_ms: How long the last exchange took.
        last_error: What went wrong last; it stays after the source has recovered.
    """

    intent: str
    breaker: BreakerState
    in_flight: int
    calls: int
    failures: int
    retries: int
    throttled: int
    hedges: int
    allowance: float | None
    last_latency_ms: float | None
    last_error: str | None


@described
@strawberry.type
class SourceFeed:
    """How hearing from a source what moved there has been going.

    Attributes:
        heard: How many SKUs it has said to have moved, one counting as often as it was named.
        heard_at: When it was last asked with success.
        failure: Why asking it failed last; null, if it did not.
    """

    heard: int
    heard_at: Instant | None
    failure: str | None


@described
@strawberry.type
class SourceReconciliation:
    """What comparing all of a source's stock with what was known of it came to.

    Attributes:
        started_at: When it began.
        finished_at: When it ended; null while it goes on.
        skus: SKUs that were read.
        levels: Levels of which something was known before.
        drifted_levels: Those of them that differed although nobody had said that they moved. They are right again now.
        drifted_units: By how many units, all together.
        failure: Why it ended before all was read; null, if it did not.
    """

    started_at: Instant
    finished_at: Instant | None
    skus: int
    levels: int
    drifted_levels: int
    drifted_units: int
    failure: str | None
