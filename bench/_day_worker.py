"""The process of the service in the benchmark of a day: it runs the stages that are due at each minute.

    python bench/_day_worker.py FOLDER STAGE...

The real Service starts from FOLDER/config, with its web server and pool; only the scheduler's clock is
replaced. Each line of standard input is a minute: the due work is done as the scheduler and the stage
signals would start it, one stage after the other, so that CPU time belongs to one stage. The reply is a
line. `report` prints what each stage cost as JSON; the end of the input stops the service.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from _day_clock import SharedClock
from _day_processes import cpu_of_others

from service.app.factories.application import Application
from service.core.stages import STAGES
from service.runtime import event_loop
from service.runtime.logging import configure_logs
from service.runtime.scheduler import PeriodicWork
from service.runtime.service import Roles, Service
from service.runtime.stage_signals import stages_with_work
from service.settings.load import load_config

SWEEP, TICKS, START = "sweep", "ticks", "start"
WEBHOOK_CHECKS, TIMER_CHECKS = 6, 4  # a minute: runtime/scheduler.py and runtime/due_timer.py
PRUNE_MINUTES = 10  # between two calls: runtime/scheduler.py


@dataclass
class Cost:
    """What a stage cost: passes, CPU seconds of this process and of its pool, wall time, items made."""

    passes: int = 0
    main: float = 0.0
    pool: float = 0.0
    wall: float = 0.0
    made: int = 0


@dataclass
class Meter:
    """The costs by stage, and the problems that the stages reported."""

    costs: defaultdict[str, Cost] = field(default_factory=lambda: defaultdict(Cost))
    problems: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def of(self, stage: str) -> AsyncIterator[Cost]:
        """Add the block's cost to the stage."""
        cost, wall, main = self.costs[stage], time.perf_counter(), time.process_time()
        pool = cpu_of_others(os.getpid())
        try:
            yield cost
        finally:
            cost.passes += 1
            cost.main += time.process_time() - main
            cost.pool += cpu_of_others(os.getpid()) - pool
            cost.wall += time.perf_counter() - wall


class Worker:
    """Runs the stages of one minute after the other."""

    def __init__(self, service: Service, stages: list[str], meter: Meter) -> None:
        self._service, self._stages, self._meter = service, stages, meter
        self._periodic = PeriodicWork(self._use, service.app.clock)
        self._minutes = 0

    async def minute(self) -> None:
        """Do what is due now: the scheduler's ticks, then the stages that have work."""
        app = self._service.app
        async with self._meter.of(SWEEP):
            due = set(stages_with_work(await app.pending_work()))
        if "deliver" in self._stages:
            async with self._meter.of(TICKS):
                await self._other_ticks(app)
        for stage in STAGES:
            if stage in due and stage in self._stages:
                due |= await self._run(app, stage)

    async def _run(self, app: Application, stage: str) -> set[str]:
        """Run one pass; return the stage that has work because of it."""
        async with self._meter.of(stage) as cost:
            report = await getattr(app, stage)()
            made = {"gather": "new", "condense": "condensed", "compose": "issues", "deliver": "sent"}[stage]
            cost.made += getattr(report, made)
        self._meter.problems += getattr(report, "failed" if stage == "gather" else "problems")
        return set(STAGES[STAGES.index(stage) + 1 :][:1]) if getattr(report, made) else set()

    @asynccontextmanager
    async def _use(self) -> AsyncIterator[Application]:
        yield self._service.app

    async def _other_ticks(self, app: Application) -> None:
        work = self._periodic
        for call in (work.tell_operator, work.read_bounces, work.ask_judge, work.finish_issues):
            await call()
        self._minutes += 1
        if self._minutes % PRUNE_MINUTES == 0:
            await work.prune()
        for _ in range(WEBHOOK_CHECKS):
            await work.send_webhooks()
        for _ in range(TIMER_CHECKS):
            await app.queries.next_delivery_due(app.clock())


async def play(folder: Path, stages: list[str]) -> None:
    """Run the service, and each minute that the input names."""
    meter, stopping, clock = Meter(), asyncio.Event(), SharedClock(folder / "clock")
    async with meter.of(START):
        service = Service(
            lambda: load_config(folder / "config", {}), Roles(stages=(), schedule=False), clock=clock
        )
        running = asyncio.create_task(service.run(stopping))
        begun = asyncio.create_task(service.started.wait())
        await asyncio.wait({running, begun}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
        if "deliver" in stages:  # one process of several schedules
            await service.app.apply_roster()
    meter.costs[START].main = time.process_time()  # with the imports
    worker = Worker(service, stages, meter)
    print("ready", flush=True)
    while line := (await asyncio.to_thread(sys.stdin.readline)).strip():
        if line == "report":
            costs = {stage: asdict(cost) for stage, cost in meter.costs.items()}
            print(json.dumps({"costs": costs, "problems": meter.problems}), flush=True)
        elif line == "forget":
            meter.costs.clear()
            print("forgotten", flush=True)
        else:
            await worker.minute()
            print("done", flush=True)
    stopping.set()
    await running


if __name__ == "__main__":
    configure_logs("warning")
    event_loop.run(play(Path(sys.argv[1]), sys.argv[2:]))
