"""Vitals: what machines ask of the house: is it well, and how much is there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from service.web.auth import has_bearer_token
from service.web.client_ip import ClientAddresses
from service.web.ports import MetricsSnapshot, SelfServicePort, ServiceHealth

MAX_TICK_AGE = timedelta(minutes=5)
"""The scheduler beats every minute; after so long without a beat something is wrong."""

PLAIN = "text/plain; version=0.0.4; charset=utf-8"
FRESH = {"Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class HealthPages:
    """Health and figures. `token` (empty: none) opens /metrics; `open_metrics` opens all to everybody."""

    desk: SelfServicePort
    token: str = ""
    open_metrics: bool = False
    visitors: ClientAddresses = field(default_factory=ClientAddresses)

    async def health(self, request: Request) -> Response:
        """Answer 200 when all is well, 503 when the database, the scheduler or a stage does not work.

        What is wrong is for the operator: a request from this machine or a trusted proxy itself, or one with
        the token. A visitor, also one behind such a proxy (X-Forwarded-For), gets the status alone.
        """
        health = await self.desk.health()
        age = None if health.last_tick_at is None else self.desk.now() - health.last_tick_at
        late = age is not None and age > MAX_TICK_AGE
        well = health.reachable and health.writable and not late and not health.problems
        told: dict[str, object] = {
            "status": "ok" if well else "unwell",
            "database": _database_said(health),
            "last_tick_seconds": None if age is None else round(age.total_seconds(), 1),
            "problems": list(health.problems),
        }
        if not (
            self.open_metrics or self.visitors.is_operator(request) or has_bearer_token(request, self.token)
        ):
            told = {"status": told["status"]}
        return JSONResponse(told, 200 if well else 503, FRESH)

    async def metrics(self, request: Request) -> Response:
        """Say how much there is, in the text format of Prometheus, to whoever may know."""
        if not (self.open_metrics or has_bearer_token(request, self.token)):
            raise HTTPException(404)
        registry = CollectorRegistry()
        registry.register(_GaugeCollector(await self.desk.metrics(), self.desk.now()))
        return Response(generate_latest(REGISTRY) + generate_latest(registry), 200, FRESH, PLAIN)


def _database_said(health: ServiceHealth) -> str:
    if not health.reachable:
        return "out of reach"
    return "reachable" if health.writable else "cannot be written"


@dataclass(frozen=True, slots=True)
class _GaugeCollector:
    """Figures as prometheus_client collects them."""

    figures: MetricsSnapshot
    now: datetime

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield gauges for what there is, for what waits, how long it does, and for what is in doubt."""
        stored = GaugeMetricFamily("caveat_stored", "How much there is in the record.", labels=["what"])
        counts = self.figures.counts
        for what in ("feeds", "articles", "subscribers", "subscriptions", "issues", "suppressions"):
            stored.add_metric([what], getattr(counts, what))
        yield stored
        waiting = GaugeMetricFamily(
            "caveat_waiting", "How much waits for a stage, counted up to ten thousand.", labels=["stage"]
        )
        unfinished = self.figures.unfinished
        stages = {"gather": "feeds", "condense": "articles", "compose": "groups", "deliver": "deliveries"}
        for stage, what in stages.items():
            waiting.add_metric([stage], getattr(unfinished, what))
        yield waiting
        backlog = self.figures.backlog
        age = (self.now - backlog.oldest_due_at).total_seconds() if backlog.oldest_due_at else 0.0
        yield GaugeMetricFamily(
            "caveat_oldest_due_seconds", "For how long the delivery that waits longest is due.", age
        )
        yield GaugeMetricFamily(
            "caveat_deliveries_uncertain",
            "Deliveries of which it is not known whether they arrived.",
            backlog.uncertain,
        )
