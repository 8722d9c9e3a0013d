"""Errors of the database become sentences; errors of our own code are raised unchanged."""

from __future__ import annotations

import sqlite3

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service.core.errors import StoreError
from service.store.errors import StoreErrors, error_sentence


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (sqlite3.OperationalError("database is locked"), "kept locked by another program"),
        (sqlite3.OperationalError("attempt to write a readonly database"), "may not be written to"),
        (sqlite3.OperationalError("database or disk is full"), "the disk is full"),
        (sqlite3.OperationalError("disk I/O error"), "the disk reports an error"),
        (sqlite3.DatabaseError("database disk image is malformed"), "is damaged"),
        (sqlite3.OperationalError("something new"), "failed: something new"),
        (asyncpg.InvalidPasswordError("no"), "does not accept the password"),
        (asyncpg.DeadlockDetectedError("no"), "try again"),
        (asyncpg.DiskFullError("no"), "the disk is full"),
        (asyncpg.AdminShutdownError("no"), "was lost in the middle"),
        (asyncpg.CannotConnectNowError("no"), "starting up"),
        (asyncpg.TooManyConnectionsError("no"), "no connection left"),
        (asyncpg.OutOfMemoryError("out of memory\nmore"), "failed: out of memory"),
        (asyncpg.InternalClientError("cannot switch to state 15"), "was lost in the middle"),
        (asyncpg.InterfaceError("connection is closed"), "was lost in the middle"),
        (ConnectionRefusedError(111, "Connection refused"), "cannot be reached: Connection refused"),
        (TimeoutError(), "cannot be reached: no answer"),
        (PoolTimeout(), "too busy"),
    ],
)
def test_a_database_error_gives_one_sentence(error: Exception, said: str):
    wrapped = DBAPIError("SELECT 1", {}, error)
    for each in (error, wrapped) if isinstance(error, sqlite3.Error | asyncpg.PostgresError) else (error,):
        sentence = error_sentence("data/caveat.db", each) or ""
        assert sentence.startswith("the database data/caveat.db ")
        assert said in sentence
        assert "\n" not in sentence


@pytest.mark.parametrize(
    "error",
    [
        sqlite3.IntegrityError("UNIQUE constraint failed"),
        sqlite3.ProgrammingError("Incorrect number of bindings"),
        asyncpg.UniqueViolationError("no"),
        asyncpg.PostgresSyntaxError("no"),
        IntegrityError("INSERT", {}, sqlite3.IntegrityError("UNIQUE constraint failed")),
        KeyError("no"),
        StoreError("already a sentence"),
    ],
)
def test_a_programming_error_is_raised_unchanged(error: Exception):
    assert error_sentence("data/caveat.db", error) is None
    with pytest.raises(type(error)), StoreErrors("data/caveat.db"):
        raise error
