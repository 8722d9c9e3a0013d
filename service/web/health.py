"""Health and metrics: /healthz for load balancers and monitors, /metrics for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from service.app.doctor.health import HealthCheck, MetricsSnapshot, ServiceHealth
from service.web.auth import has_bearer_token
from service.web.client_ip import ClientAddresses

MAX_TICK_AGE = timedelta(minutes=5)
"""Age of the scheduler's last tick from which it counts as stopped; it ticks every minute."""

PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8"
NO_STORE = {"Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class HealthPages:
    """/healthz and /metrics. `token` (empty: none) opens them; `open_metrics` opens them to everyone."""

    check: HealthCheck
    token: str = ""
    open_metrics: bool = False
    clients: ClientAddresses = field(default_factory=ClientAddresses)

    async def health(self, request: Request) -> Response:
        """Respond 200 when the service is healthy, 503 when the database, the scheduler or a stage is not.

        The details are for the operator: a request from this machine, from a trusted proxy itself, or with
        the token. Other clients, also those behind such a proxy (X-Forwarded-For), get the status only.
        """
        health = await self.check.health()
        age = None if health.last_tick_at is None else self.check.clock() - health.last_tick_at
        late = age is not None and age > MAX_TICK_AGE
        healthy = health.reachable and health.writable and not late and not health.problems
        details: dict[str, object] = {
            "status": "ok" if healthy else "unwell",
            "database": _database_status(health),
            "last_tick_seconds": None if age is None else round(age.total_seconds(), 1),
            "problems": list(health.problems),
        }
        if health.configuration:
            details["configuration"] = health.configuration
        if not (
            self.open_metrics or self.clients.is_operator(request) or has_bearer_token(request, self.token)
        ):
            details = {"status": details["status"]}
        return JSONResponse(details, 200 if healthy else 503, NO_STORE)

    async def metrics(self, request: Request) -> Response:
        """Respond with all metrics in the Prometheus text format; 404 without the token."""
        if not (self.open_metrics or has_bearer_token(request, self.token)):
            raise HTTPException(404)
        registry = CollectorRegistry()
        registry.register(_GaugeCollector(await self.check.metrics(), self.check.clock()))
        return Response(generate_latest(REGISTRY) + generate_latest(registry), 200, NO_STORE, PROMETHEUS_TEXT)


def _database_status(health: ServiceHealth) -> str:
    if not health.reachable:
        return "out of reach"
    return "reachable" if health.writable else "cannot be written"


@dataclass(frozen=True, slots=True)
class _GaugeCollector:
    """Converts a snapshot into gauges for prometheus_client."""

    snapshot: MetricsSnapshot
    now: datetime

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the gauges."""
        stored = GaugeMetricFamily("caveat_stored", "Rows stored, by kind.", labels=["what"])
        counts = self.snapshot.counts
        for what in ("feeds", "articles", "subscribers", "subscriptions", "issues", "suppressions"):
            stored.add_metric([what], getattr(counts, what))
        yield stored
        waiting = GaugeMetricFamily(
            "caveat_waiting", "Rows that wait for a stage, counted up to 10,000.", labels=["stage"]
        )
        unfinished = self.snapshot.pending_work
        stages = {"gather": "feeds", "condense": "articles", "compose": "groups", "deliver": "deliveries"}
        for stage, what in stages.items():
            waiting.add_metric([stage], getattr(unfinished, what))
        yield waiting
        backlog = self.snapshot.backlog
        age = (self.now - backlog.oldest_due_at).total_seconds() if backlog.oldest_due_at else 0.0
        yield GaugeMetricFamily("caveat_oldest_due_seconds", "Age of the oldest due delivery.", age)
        yield GaugeMetricFamily(
            "caveat_deliveries_uncertain",
            "Deliveries for which it is unknown whether the mail server accepted them.",
            backlog.uncertain,
        )
        yield GaugeMetricFamily(
            "caveat_drafts_undecided",
            "Drafts that wait for an editor's decision, or are held.",
            backlog.drafts,
        )
