"""The condense stage with its production parts."""

from __future__ import annotations

from concurrent.futures import Executor

from service.app.process_pool.processors import processors
from service.condense.stage import Condenser
from service.core.model import Roster
from service.settings.values import Settings
from service.store.condense import SqlCondenseStore
from service.store.database import Database


def condenser_of(settings: Settings, roster: Roster, database: Database, pool: Executor) -> Condenser:
    """Return the condense stage."""
    return Condenser(
        SqlCondenseStore(database),
        pool,
        settings.condense.method,
        settings.condense.points,
        roster.newsletters,
        concurrency=settings.condense.processes or processors(),
    )
