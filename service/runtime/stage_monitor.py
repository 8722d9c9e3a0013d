"""Watching the passes: a stage that makes no progress or keeps failing is named in log and health."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Protocol, TypeVar

import structlog

from service.app.clock import monotonic
from service.core.progress import Progress

STALLED_SECONDS = {"gather": 600.0, "condense": 600.0, "compose": 600.0, "deliver": 1_800.0}
"""How long a pass may make no progress.

A feed and an article are limited to minutes; a mail server may take ten minutes to answer the final dot
(RFC 5321, 4.5.3.2.6), and a rate limit may let a single message through in a minute or two.
"""
UNSERVED_SECONDS = 300.0
"""How long a stage may have work, as the sweep finds every minute, before a pass begins."""
MAX_FAILURES = 3
"""Number of passes in a row that fail before health says so; one may have met a restart of the database."""
CHECK_INTERVAL_SECONDS = 15.0

Report = TypeVar("Report", bound="_Report")

log = structlog.get_logger("service")


class _Report(Protocol):
    """What a pass of a stage returns: a dataclass of counts and sentences."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


@dataclass(slots=True)
class _Stage:
    passes: int = 0
    moved_at: float = 0.0
    failures: int = 0
    waiting_since: float | None = None


class StageMonitor:
    """What the stages of this process are at. `pool_trouble` says what is wrong with the process pool."""

    def __init__(
        self, pool_error: Callable[[], str] = str, *, seconds: Callable[[], float] = monotonic
    ) -> None:
        self._pool_trouble, self._seconds = pool_error, seconds
        self._stages: dict[str, _Stage] = {}
        self._logged: tuple[str, ...] = ()

    @contextmanager
    def track(self, stage: str) -> Iterator[Progress]:
        """Watch a pass for the length of a block; give what it calls whenever it is a step further."""
        at = self._stages.setdefault(stage, _Stage())

        def moved(_what: str, _done: int, _of: int) -> None:
            at.moved_at = self._seconds()

        if not at.passes:
            at.moved_at = self._seconds()
        at.passes, at.waiting_since = at.passes + 1, None
        try:
            yield moved
        except Exception:
            at.failures += 1
            raise
        else:
            at.failures = 0
        finally:
            at.passes -= 1
            at.moved_at = self._seconds()

    def note_waiting(self, stages: Iterable[str]) -> None:
        """Take note of the stages that have work, as far as they are not at it."""
        some = set(stages)
        for stage in STALLED_SECONDS:
            at = self._stages.setdefault(stage, _Stage())
            if stage not in some or at.passes:
                at.waiting_since = None
            elif at.waiting_since is None:
                at.waiting_since = self._seconds()

    def problems(self) -> tuple[str, ...]:
        """Return what is wrong, a sentence for each."""
        pool = self._pool_trouble()
        return (*((pool,) if pool else ()), *self._stalled(), *self._failing())

    async def run(self, stopping: asyncio.Event) -> None:
        """Log each problem when it begins, and once more when it is over, until `stopping` is set."""
        while not stopping.is_set():
            self.log_changes()
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), CHECK_INTERVAL_SECONDS)

    def log_changes(self) -> None:
        """Log what has changed since the last look."""
        now = self.problems()
        for problem in now:
            if problem not in self._logged:
                log.error("unhealthy", reason=problem)
        for problem in self._logged:
            if problem not in now:
                log.info("healthy_again", reason=problem)
        self._logged = now

    def _stalled(self) -> Iterator[str]:
        now = self._seconds()
        for stage, at in self._stages.items():
            limit = STALLED_SECONDS[stage]
            if at.passes and now - at.moved_at > limit:
                yield f"a pass of {stage} has made no progress for more than {limit / 60:g} minutes"
            if at.waiting_since is not None and now - at.waiting_since > UNSERVED_SECONDS:
                yield f"{stage} has work and no pass of it began for {UNSERVED_SECONDS / 60:g} minutes"

    def _failing(self) -> Iterator[str]:
        for stage, at in self._stages.items():
            if at.failures >= MAX_FAILURES:
                yield f"the last {MAX_FAILURES} passes of {stage} failed; the log says why"


def log_report(stage: str, report: Report) -> Report:
    """Write down what a pass did, when it did something; return the report."""
    counts = {key: value for key, value in asdict(report).items() if isinstance(value, int) and value}
    if counts:
        log.info("stage_finished", stage=stage, **counts)
    for kind in ("failed", "problems", "notes"):
        said = getattr(report, kind, ())
        for sentence in said if isinstance(said, tuple) else ():
            # Whoever met its cause told it, for all workers and once.
            if sentence == getattr(report, "alert", ""):
                continue
            log.warning("stage_problem", stage=stage, reason=sentence)
    return report
