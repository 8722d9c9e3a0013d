"""Apply: put a planned configuration in force, in the files and in the database."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from service.app.config.effects import ConfigPlan
from service.app.config.plan import config_plan
from service.app.factories import config_folder
from service.core.errors import ChangeHeld, UsageError
from service.settings.yaml.files import CHANGED_MEANWHILE
from service.subscribers.sync import RosterReport, apply_roster

if TYPE_CHECKING:
    from service.app.factories.application import Application


@dataclass(frozen=True, slots=True)
class AppliedConfig:
    """What was applied. `backup` is the folder with the files before; None if no file was replaced."""

    plan: ConfigPlan
    report: RosterReport
    backup: Path | None = None


async def apply_files(
    app: Application,
    files: Mapping[str, bytes] | None = None,
    *,
    confirmed: bool,
    expected: Mapping[str, bytes] | None = None,
) -> AppliedConfig:
    """Put `files` (content by name) in place of the saved ones, and apply the folder to the database.

    Without `files` the saved ones are applied. `expected` is what the new content was made from, by name.

    Nothing is changed if this raises ConfigError with the faults of the new files, ChangeHeld if they would
    end too many subscriptions and nobody `confirmed` that, or UsageError if a file is not as `expected`.
    """
    folder = app.settings.folder
    before = await asyncio.to_thread(config_folder.read_files, folder)
    if any(before.get(name) != content for name, content in (expected or {}).items()):
        raise UsageError(CHANGED_MEANWHILE)
    plan = await config_plan(app, files)
    if plan.held is not None and not confirmed:
        raise ChangeHeld(plan.held)
    draft = await asyncio.to_thread(config_folder.load_with, folder, files or {}, tolerant=True)
    # A running service reads the new files at once: the confirmation must be there before them.
    await app.subscribers.roster_state.confirm(draft.roster.fingerprint)
    backup = None
    if any(before.get(name) != content for name, content in (files or {}).items()):
        backup = await asyncio.to_thread(
            config_folder.replace_files, folder, before, files or {}, app.clock()
        )
    report = await apply_roster(app.subscribers, draft.roster, app.clock(), confirmed=True)
    return AppliedConfig(plan, report, backup)
