"""The settings in force with their origin, without secrets; faults and warnings; the checks on demand."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from starlette.responses import Response

from service.app.config.listing import FILE_NAMES
from service.app.config.saved import is_in_force, saved_config
from service.app.doctor.checks import CheckResult
from service.app.doctor.on_demand import checks_on_demand
from service.app.doctor.versions import versions
from service.core.errors import UsageError
from service.core.model import AccountRole
from service.web.admin.context import AdminContext

KINDS = {"ok": "good", "look": "warn", "FAULT": "bad"}
WORDS = {"ok": "good", "look": "look", "FAULT": "fault"}


async def show_settings(context: AdminContext) -> Response:
    """Show the page."""
    return await _page(context)


async def run_doctor(context: AdminContext) -> Response:
    """Run the checks, and show the page with what they found."""
    saved = await saved_config(context.app)
    if saved.loaded is None:
        return await _page(context, status=422, problem="The checks need a configuration without errors.")
    try:
        found = await checks_on_demand(context.app, saved.loaded)
    except UsageError as error:
        return await _page(context, status=409, problem=f"{error.sentence}.")
    await context.record("doctor_run")
    return await _page(context, checks=found)


async def _page(
    context: AdminContext, *, status: int = 200, checks: Sequence[CheckResult] = (), problem: str = ""
) -> Response:
    saved = await saved_config(context.app)
    known = saved.loaded or saved.last_valid
    effective = known.effective if known else ()
    # Keys of a block stand apart where a block inside it comes first; sorting keeps their order.
    ordered = sorted(effective, key=lambda one: _block_of(one.key))
    blocks = groupby(ordered, key=lambda one: _block_of(one.key))
    return context.page(
        "settings/settings.html",
        status=status,
        saved=saved,
        held=await context.app.subscribers.roster_state.held(),
        in_force=is_in_force(context.app, saved),
        warnings=known.warnings if known else (),
        blocks=[(name, list(settings)) for name, settings in blocks],
        storage=context.app.settings.storage_shown,
        folder=str(context.app.settings.folder),
        versions=versions(),
        files=FILE_NAMES,
        checks=checks,
        kinds=KINDS,
        words=WORDS,
        problem=problem,
        may_run=context.account.role.includes(AccountRole.EDITOR),
    )


def _block_of(key: str) -> str:
    return key.rpartition(".")[0]
