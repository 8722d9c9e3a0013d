"""`caveat run`, `worker`, `web`, `scheduler`: the service, in one process or in several."""

from __future__ import annotations

from typing import Annotated

import typer

from service.cli.ui import context
from service.cli.ui.commands import CommandTyper
from service.cli.ui.lazy_imports import lazy_imports
from service.core.errors import UnknownName, UsageError
from service.core.stages import STAGES

with lazy_imports():
    from service.app.factories import config_folder
    from service.runtime import logging, signals
    from service.runtime import service as runtime

commands = CommandTyper()


@commands.add("run", "caveat run\nCAVEAT_MAIL__CHANNEL=smtp caveat run")
def run() -> None:
    """Run the whole service in one process: scheduler, worker and web.

    It runs until Ctrl-C or SIGTERM, then finishes the work in progress for at most ten seconds. The next
    start continues work that was interrupted by a stop or a crash.

    A saved change of the configuration is loaded at once if it is valid. If not, the error is logged and the
    last valid configuration stays in effect, also after a restart. A fault in caveat.yaml prevents a start.
    """
    _serve(stages=STAGES, schedule=True, web=True)


@commands.add(
    "worker",
    "caveat worker\ncaveat worker --stages gather,condense\ncaveat worker --stages deliver -c 20",
)
def worker(
    stages: Annotated[
        str, typer.Option("--stages", metavar="LIST", help="Stages of this worker, separated by commas.")
    ] = ",".join(STAGES),
    connections: Annotated[
        int | None,
        typer.Option(
            "--connections", "-c", metavar="N", min=1, max=500, help="Number of concurrent SMTP connections."
        ),
    ] = None,
) -> None:
    """Run a worker; PostgreSQL allows several.

    Workers share the work, on one machine or on many. One scheduler must run, too (caveat scheduler or
    caveat run). If a worker dies, another one takes over its work.
    """
    chosen = tuple(stage.strip() for stage in stages.split(",") if stage.strip())
    for stage in chosen:
        if stage not in STAGES:
            raise UnknownName("stage", stage, STAGES)
    _require_shared_database("worker")
    _serve(stages=chosen, schedule=False, web=False, connections=connections)


@commands.add("web", "caveat web\nCAVEAT_WEB__LISTEN=0.0.0.0:8080 caveat web")
def web() -> None:
    """Serve the web pages, the API and the health check."""
    _serve(stages=(), schedule=False, web=True)


@commands.add("scheduler", "caveat scheduler")
def scheduler() -> None:
    """Run the scheduler, which tells workers what is due.

    Every minute it queries the database for work that is due or unfinished. It also applies the feeds,
    newsletters and subscribers of the configuration. One scheduler is enough; a second one is harmless.
    """
    _require_shared_database("scheduler")
    _serve(stages=(), schedule=True, web=False)


def _require_shared_database(role: str) -> None:
    """Raise UsageError for SQLite, over which processes cannot notify each other."""
    settings = config_folder.load_for_database(context.options().config).settings
    if settings.storage.startswith("sqlite"):
        raise UsageError(
            f"caveat {role} needs PostgreSQL, and storage is {settings.storage_shown}; "
            "caveat run runs the whole service in one process"
        )


def _serve(*, stages: tuple[str, ...], schedule: bool, web: bool, connections: int | None = None) -> None:
    logging.configure_logs("debug" if context.options().debug else "info")
    signals.run_service(
        lambda: context.load_config(tolerant=True, connections=connections),
        runtime.Roles(stages, schedule=schedule, web=web),
        load_at_start=lambda: config_folder.load_for_database(
            context.options().config, connections=connections
        ),
    )
