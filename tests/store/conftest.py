"""The stores on a fresh database, on both backends."""

from __future__ import annotations

import pytest

from service.store.database import Database
from tests.store.stores import Stores


@pytest.fixture
def stores(database: Database) -> Stores:
    return Stores(database)
