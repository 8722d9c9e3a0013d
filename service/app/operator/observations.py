"""Observations: what the database and the disks say about an installation. Reads only."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from service.app.factories.channels import channel_of
from service.app.overview.due import Upcoming, upcoming
from service.core.model import DraftState, HeldChange, Newsletter, WebhookStatus
from service.core.read_models import IssueDetails, TransactionalCounts
from service.deliver.channels.file.outbox_files import nearest_folder
from service.deliver.ports import SendingPause
from service.settings.values import Settings
from service.store.coordination import SqlCoordination
from service.store.database import Database, read_url
from service.store.operator_state import SqlOperatorState
from service.store.overview import LateDeliveries, OpenDraft, OverviewQueries, TroubledFeed
from service.store.queries import Queries
from service.store.roster_state import SqlRosterState
from service.store.sending_hold import SendingHold
from service.store.transactional import SqlSignUpStore
from service.store.webhooks import SqlWebhookStore

if TYPE_CHECKING:
    from service.app.factories.application import Application

TRANSACTIONAL_PERIOD = timedelta(days=1)  # of the counts: a mail that waits longer was refused


@dataclass(frozen=True, slots=True)
class Installation:
    """The installation that is observed.

    `config_faults` are those of a configuration that was saved and is not in force. `stage_problems` are
    sentences about stages without progress, which only the process that runs them knows.
    """

    settings: Settings
    database: Database
    newsletters: Sequence[Newsletter]
    config_faults: tuple[str, ...] = ()
    stage_problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DiskSpace:
    """The free bytes in a folder."""

    folder: Path
    free_bytes: int


@dataclass(frozen=True, slots=True)
class Observations:
    """What was observed; see `problems.problems_of` for what is wrong with it.

    `hold` is the sentence about sending that is held after a restore, None if it is not.
    """

    titles: dict[str, str]
    has_operator: bool
    hold: str | None
    pause: SendingPause | None
    held_change: HeldChange | None
    config_faults: tuple[str, ...]
    stage_problems: tuple[str, ...]
    feeds: Sequence[TroubledFeed]
    paused: Sequence[IssueDetails]
    outbox: LateDeliveries
    due: Upcoming
    drafts: Sequence[OpenDraft]
    transactional: TransactionalCounts
    webhooks: Sequence[WebhookStatus]
    disks: Sequence[DiskSpace]
    last_backup: datetime | None


async def observe(installation: Installation, now: datetime) -> Observations:
    """Return the observations of this moment. Raises StoreError."""
    settings, database = installation.settings, installation.database
    queries = OverviewQueries(database)
    drafts = await queries.open_drafts()
    held = [draft for draft in drafts if draft.state is DraftState.HELD]
    server = channel_of(settings).server
    pause = await SqlCoordination(database).sending_pause(server) if server else None
    return Observations(
        titles={one.id: one.title for one in installation.newsletters},
        has_operator=bool(settings.operator),
        hold=await SendingHold(database).message(),
        pause=pause if pause and now < pause.until else None,
        held_change=await SqlRosterState(database).held(),
        config_faults=installation.config_faults,
        stage_problems=installation.stage_problems,
        feeds=await queries.troubled_feeds(now),
        paused=await Queries(database).paused_issues(for_page=True),
        outbox=await queries.late_deliveries(now),
        due=upcoming(await queries.due_groups(now), held, now, now),
        drafts=drafts,
        transactional=await SqlSignUpStore(database).counts(now - TRANSACTIONAL_PERIOD),
        webhooks=await SqlWebhookStore(database).webhooks() if settings.webhooks else (),
        disks=disk_spaces(settings),
        last_backup=await SqlOperatorState(database).last_backup(),
    )


def installation_of(app: Application) -> Installation:
    """Return what is observed of an application."""
    roster = app.roster
    return Installation(
        app.settings, app.database, roster.newsletters, app.config_faults(), app.stage_problems()
    )


def disk_spaces(
    settings: Settings, free_bytes: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free
) -> tuple[DiskSpace, ...]:
    """Return the free space of the database's disk, and of the outbox folder's if mail is written there."""
    place = read_url(settings.storage)
    folders = [Path(place.database or "").parent if place.drivername == "sqlite" else settings.folder]
    folders += [settings.mail.folder] if settings.mail.channel == "file" else []
    spaces: dict[int, DiskSpace] = {}
    for folder in folders:
        nearest = nearest_folder(folder)
        # One disk once: two folders of it have the same problem.
        spaces.setdefault(nearest.stat().st_dev, DiskSpace(folder, free_bytes(nearest)))
    return tuple(spaces.values())
