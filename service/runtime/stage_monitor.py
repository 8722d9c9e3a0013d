"""Stage monitor: reports stages that make no progress or fail repeatedly, in the log and in /healthz."""

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
"""Maximum time without progress in a pass of a stage.

The time for a feed and for an article is limited to minutes; a mail server may take ten minutes to answer the
final dot (RFC 5321, 4.5.3.2.6), and a rate limit may allow only one mail every minute or two.
"""
UNSERVED_SECONDS = 300.0
"""Maximum time between a sweep that finds work for a stage and the start of a pass."""
MAX_FAILURES = 3
"""Failed passes in a row that count as a problem; a restart of the database can make a single pass fail."""
CHECK_INTERVAL_SECONDS = 15.0

Report = TypeVar("Report", bound="_Report")

log = structlog.get_logger("service")


class _Report(Protocol):
    """The result of a pass of a stage: a dataclass of counts and sentences."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


@dataclass(slots=True)
class _Stage:
    passes: int = 0
    progress_at: float = 0.0
    failures: int = 0
    waiting_since: float | None = None


class StageMonitor:
    """Watches the stages of this process.

    `pool_error` returns a sentence about the process pool, empty if it works; `seconds` is a monotonic clock.
    """

    def __init__(
        self, pool_error: Callable[[], str] = str, *, seconds: Callable[[], float] = monotonic
    ) -> None:
        self._pool_error, self._seconds = pool_error, seconds
        self._stages: dict[str, _Stage] = {}
        self._logged: tuple[str, ...] = ()

    @contextmanager
    def track(self, stage: str) -> Iterator[Progress]:
        """Watch a pass of a stage during a block; give the function to call after each step."""
        state = self._stages.setdefault(stage, _Stage())

        def report_progress(_what: str, _done: int, _of: int) -> None:
            state.progress_at = self._seconds()

        if not state.passes:
            state.progress_at = self._seconds()
        state.passes, state.waiting_since = state.passes + 1, None
        try:
            yield report_progress
        except Exception:
            state.failures += 1
            raise
        else:
            state.failures = 0
        finally:
            state.passes -= 1
            state.progress_at = self._seconds()

    def note_waiting(self, stages: Iterable[str]) -> None:
        """Record the stages that have work; those that are running do not wait."""
        with_work = set(stages)
        for stage in STALLED_SECONDS:
            state = self._stages.setdefault(stage, _Stage())
            if stage not in with_work or state.passes:
                state.waiting_since = None
            elif state.waiting_since is None:
                state.waiting_since = self._seconds()

    def problems(self) -> tuple[str, ...]:
        """Return a sentence for each problem."""
        pool = self._pool_error()
        return (*((pool,) if pool else ()), *self._stalled(), *self._failing())

    async def run(self, stopping: asyncio.Event) -> None:
        """Log each problem when it starts and when it ends, until `stopping` is set."""
        while not stopping.is_set():
            self.log_changes()
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), CHECK_INTERVAL_SECONDS)

    def log_changes(self) -> None:
        """Log the problems that are new or gone since the last call."""
        problems = self.problems()
        for problem in problems:
            if problem not in self._logged:
                log.error("unhealthy", reason=problem)
        for problem in self._logged:
            if problem not in problems:
                log.info("healthy_again", reason=problem)
        self._logged = problems

    def _stalled(self) -> Iterator[str]:
        now = self._seconds()
        for stage, state in self._stages.items():
            limit = STALLED_SECONDS[stage]
            if state.passes and now - state.progress_at > limit:
                yield f"a pass of {stage} has made no progress for more than {limit / 60:g} minutes"
            if state.waiting_since is not None and now - state.waiting_since > UNSERVED_SECONDS:
                yield f"{stage} has work but no pass of it started for {UNSERVED_SECONDS / 60:g} minutes"

    def _failing(self) -> Iterator[str]:
        for stage, state in self._stages.items():
            if state.failures >= MAX_FAILURES:
                yield f"the last {MAX_FAILURES} passes of {stage} failed; the log has the errors"


def log_report(stage: str, report: Report) -> Report:
    """Log the counts and problems of a pass, and the drafts that wait for an editor; return the report."""
    counts = {key: value for key, value in asdict(report).items() if isinstance(value, int) and value}
    if counts:
        log.info("stage_finished", stage=stage, **counts)
    for draft in getattr(report, "drafts", ()):
        log.warning("draft_waiting", **draft.log_fields())
    for kind in ("failed", "problems", "notes"):
        sentences = getattr(report, kind, ())
        for sentence in sentences if isinstance(sentences, tuple) else ():
            # The worker that found the cause of an alert has logged it, once for all workers.
            if sentence == getattr(report, "alert", ""):
                continue
            log.warning("stage_problem", stage=stage, reason=sentence)
    return report
