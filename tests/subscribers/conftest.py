"""Fixtures: a store of subscribers in a fresh database, on SQLite and PostgreSQL."""

from __future__ import annotations

import pytest

from service.store.database import Database
from service.store.subscribers import SqlSubscriberStore


@pytest.fixture
def people(database: Database) -> SqlSubscriberStore:
    return SqlSubscriberStore(database)


@pytest.fixture
def sqlite_people(sqlite_database: Database) -> SqlSubscriberStore:
    return SqlSubscriberStore(sqlite_database)
