"""The store's own fixture: all records on a fresh database, on both backends."""

from __future__ import annotations

import pytest

from service.store.database import Database
from tests.store.house import House


@pytest.fixture
def house(database: Database) -> House:
    return House(database)
