"""`caveat run`, `worker`, `web`, `scheduler`: the service, in one process or in several."""

from __future__ import annotations

from typing import Annotated

import typer

from service.cli.ui import context as session
from service.cli.ui.help import CommandTyper
from service.core.errors import UnknownName, UsageError
from service.core.stages import STAGES

chapter = CommandTyper()


@chapter.add("run", "caveat run\nCAVEAT_MAIL__CHANNEL=smtp caveat run")
def run() -> None:
    """Run it all in one process: scheduler, worker and web.

    Runs until it is told to stop (Ctrl-C, or SIGTERM from whoever supervises it); then what is in flight
    finishes, for ten seconds at most. Whatever a stop or a crash interrupts is found and finished by the
    next start.

    The configuration may be edited meanwhile: what is saved is taken over as soon as it is whole; what is
    broken is told in the log, and the last good one stays.
    """
    _serve(stages=STAGES, schedule=True, web=True)


@chapter.add(
    "worker",
    "caveat worker\ncaveat worker --stages gather,condense\ncaveat worker --stages deliver -c 20",
)
def worker(
    stages: Annotated[
        str, typer.Option("--stages", metavar="LIST", help="Work on these stages only, separated by commas.")
    ] = ",".join(STAGES),
    connections: Annotated[
        int | None,
        typer.Option(
            "--connections",
            "-c",
            metavar="N",
            min=1,
            max=500,
            help="SMTP connections of this worker at once.",
        ),
    ] = None,
) -> None:
    """Work off what there is to do; any number of them on PostgreSQL.

    Workers share the work among them, on one machine or on many; a scheduler must run somewhere (caveat
    scheduler, or caveat run). What a worker was at when it died is taken up by another.
    """
    chosen = tuple(stage.strip() for stage in stages.split(",") if stage.strip())
    for stage in chosen:
        if stage not in STAGES:
            raise UnknownName("stage", stage, STAGES)
    _require_shared_database("worker")
    _serve(stages=chosen, schedule=False, web=False, connections=connections)


@chapter.add("web", "caveat web\nCAVEAT_WEB__LISTEN=0.0.0.0:8080 caveat web")
def web() -> None:
    """Serve the public pages: unsubscribe, health."""
    _serve(stages=(), schedule=False, web=True)


@chapter.add("scheduler", "caveat scheduler")
def scheduler() -> None:
    """Say when there may be something to do; one of them is enough.

    Applies the roster, and asks the database every minute what is due or unfinished. A second one is
    harmless.
    """
    _require_shared_database("scheduler")
    _serve(stages=(), schedule=True, web=False)


def _require_shared_database(role: str) -> None:
    """Refuse to run a part by itself where the parts could not hear of each other."""
    settings = session.load_config(tolerant=True).settings
    if settings.storage.startswith("sqlite"):
        raise UsageError(
            f"caveat {role} works with others over PostgreSQL, and storage is {settings.storage_shown}; "
            "caveat run does it all in one process"
        )


def _serve(*, stages: tuple[str, ...], schedule: bool, web: bool, connections: int | None = None) -> None:
    from service.runtime.logging import configure_logs  # noqa: PLC0415 - not for `--help`
    from service.runtime.service import Roles  # noqa: PLC0415 - as above
    from service.runtime.signals import run_service  # noqa: PLC0415 - as above

    configure_logs("debug" if session.options().debug else "info")
    run_service(
        lambda: session.load_config(tolerant=True, connections=connections),
        Roles(stages, schedule=schedule, web=web),
    )
