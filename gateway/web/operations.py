"""For whoever runs the gateway: is it alive, is it ready, and how is it doing."""

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.contract import BreakerState, Observed
from gateway.api.context import Services
from gateway.domain.invariants import Invariant
from gateway.domain.refusals import StoreUnavailable
from gateway.ports import Backlog


async def alive(_request: Request) -> Response:
    """The process answers."""
    return JSONResponse({"status": "alive"})


async def ready(request: Request) -> Response:
    """The database answers. Sources may be down: the gateway serves all the same, and says so."""
    services: Services | None = request.app.state.services
    if services is None:
        return JSONResponse({"status": "starting"}, 503)
    try:
        backlog = await services.store.backlog()
    except StoreUnavailable as refusal:
        return JSONResponse({"status": "store unavailable", "reason": refusal.reason}, 503)
    sources = {name: "DOWN" if desk.failure is not None else "OK" for name, desk in services.readings.desks.items()}
    return JSONResponse({"status": "ready", "sources": sources, "jobsReady": backlog.jobs_ready, "jobsDead": backlog.jobs_dead})


async def metrics(request: Request) -> Response:
    """The figures, in Prometheus' text format."""
    services: Services | None = request.app.state.services
    if services is None:
        return Response("", 503)
    registry = CollectorRegistry()
    try:
        backlog = await services.store.backlog()
    except StoreUnavailable:
        backlog = None
    registry.register(_Figures(services, backlog))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _Figures:
    """What the gateway knows of itself, at the moment of asking."""

    def __init__(self, services: Services, backlog: Backlog | None) -> None:
        self._services = services
        self._backlog = backlog

    def collect(self) -> list[Metric]:
        """The figures."""
        up = GaugeMetricFamily("dom_source_up", "1 if the last read of this source's stock succeeded", labels=["source"])
        latency = GaugeMetricFamily("dom_source_latency_ms", "How long the last read of its stock took", labels=["source"])
        kept = GaugeMetricFamily("dom_source_skus_kept", "SKUs of this source kept at hand", labels=["source"])
        for name, desk in self._services.readings.desks.items():
            up.add_metric([name], 0 if desk.failure is not None else 1)
            kept.add_metric([name], len(desk.cache))
            if desk.latency_ms is not None:
                latency.add_metric([name], desk.latency_ms)
        plain = {
            "dom_store_up": ("1 if our own books can be read", 0 if self._backlog is None else 1),
            "dom_event_sequence": ("The newest sequence number", self._services.events.newest),
        }
        if self._backlog is not None:
            plain |= {
                "dom_jobs_ready": ("Jobs that wait to be done", self._backlog.jobs_ready),
                "dom_jobs_dead": ("Jobs that were given up; a person must look", self._backlog.jobs_dead),
                "dom_events_unsequenced": ("Events that nobody has seen yet", self._backlog.events_unsequenced),
            }
        figures = (GaugeMetricFamily(name, text, value=value) for name, (text, value) in plain.items())
        found = self._services.oversight.overpromised_units
        short = CounterMetricFamily("dom_overpromised_units", "Units that were promised and then found to be missing", value=found)
        return [up, latency, kept, short, *figures, *self._traffic(), *self._compared(), *self._verified()]

    def _traffic(self) -> list[Metric]:
        """How asking each source has been going."""
        names = ["source", "intent"]
        counters = {
            what: CounterMetricFamily(f"dom_source_{what}", text, labels=names)
            for what, text in {
                "calls": "Exchanges with this source, repeated ones included",
                "failures": "Exchanges that count against it",
                "retries": "Exchanges that repeated a failed one",
                "throttled": "Exchanges that it put off",
                "hedges": "Reads sent a second time because the first one took long",
            }.items()
        }
        closed = GaugeMetricFamily("dom_source_breaker_closed", "1 if requests get through to this source", labels=names)
        flying = GaugeMetricFamily("dom_source_in_flight", "Exchanges under way", labels=names)
        for name, source in self._services.sources.items():
            lines = source.connector.traffic() if isinstance(source.connector, Observed) else {}
            for intent, line in lines.items():
                closed.add_metric([name, intent], 1 if line.breaker is BreakerState.CLOSED else 0)
                flying.add_metric([name, intent], line.in_flight)
                for what, counter in counters.items():
                    counter.add_metric([name, intent], getattr(line, what))
        return [*counters.values(), closed, flying]

    def _compared(self) -> list[Metric]:
        """What the newest comparison of each source with what was known of it came to."""
        levels = GaugeMetricFamily("dom_source_drifted_levels", "Levels that had moved although nobody said so", labels=["source"])
        units = GaugeMetricFamily("dom_source_drifted_units", "By how many units they had moved", labels=["source"])
        for name, found in self._services.reconciliation.done.items():
            levels.add_metric([name], found.drifted_levels)
            units.add_metric([name], found.drifted_units)
        return [levels, units]

    def _verified(self) -> list[GaugeMetricFamily]:
        """What the last verification came to; nothing before the first."""
        verification = self._services.verification
        if verification.report is None or verification.examined_at is None:
            return []
        text = "Differences that the last verification found"
        violations = GaugeMetricFamily("dom_invariant_violations", text, labels=["invariant"])
        for invariant in Invariant:
            if invariant is not Invariant.EFFECTS:  # only `dom verify --sources` asks sources
                violations.add_metric([invariant.value], verification.report.violations.get(invariant, 0))
        at = verification.examined_at.timestamp()
        return [violations, GaugeMetricFamily("dom_verified_at_seconds", "When the last verification ended (Unix time)", value=at)]
