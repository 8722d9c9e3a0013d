"""Database errors as one sentence for a person: the database, the error and the remedy."""

from __future__ import annotations

import re
from types import TracebackType

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service.core.errors import StoreError

SQLITE_MESSAGES = {
    "unable to open database file": "cannot be opened; does its folder exist, and may this user write there?",
    "readonly database": "may not be written to; check who owns the file and its folder",
    "database is locked": "is kept locked by another program; close it and try again",
    "database or disk is full": "cannot grow: the disk is full",
    "not a database": "is not an SQLite file; name another one under storage",
    "malformed": "is damaged; restore the last backup",
    "disk i/o error": "cannot be read or written: the disk reports an error",
}
"""Parts of SQLite's error messages, each with our sentence."""

TRANSACTION_POOLING = (
    "is reached through a connection pooler that gives each transaction another session, which Caveat cannot "
    "work with; set pool_mode = session for it in pgbouncer.ini, or name PostgreSQL itself under storage"
)

POSTGRESQL_CODES = {
    "28P01": "does not accept the password",
    "28000": "does not accept this user; check the user and pg_hba.conf",
    "3D000": "does not exist; create it with createdb",
    "42501": "does not grant this user the right to do that",
    "25006": "is read-only; is it a standby server?",
    "53300": "has no connection left for us; raise max_connections",
    "53100": "cannot grow: the disk is full",
    "40001": "rolled this back, because another transaction wrote the same rows; try again",
    "40P01": "rolled this back, because another transaction wrote the same rows; try again",
    "42P05": TRANSACTION_POOLING,
    "26000": TRANSACTION_POOLING,
    "57P03": "is starting up or shutting down; try again in a moment",
}
"""SQLSTATE codes (PostgreSQL documentation, appendix A), each with our sentence."""

CONNECTION_LOST_CODES = ("08", "57P")
"""Prefixes of the codes for a lost connection."""

REFUSED_CODES = ("08P01", "08004")
"""Codes with which a server or pooler refuses a connection; its own message gives the reason."""

ASYNCPG_CLOSED = "closed in the middle of operation: "
"""The end of asyncpg's own message; the last message of the server or pooler follows it."""
CONNECTION_LOST = "was lost in the middle of the work; the unfinished transaction was rolled back"

ENVIRONMENT_ERRORS = frozenset(
    {"OperationalError", "InternalError", "InternalServerError", "InsufficientResourcesError", "SystemError"}
)
"""The drivers' exception classes (PEP 249, and asyncpg's own) for errors outside our code."""


def error_sentence(name: str, error: BaseException) -> str | None:
    """Return the sentence for a person, or None for an error that is a bug in our own code."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    what = _sqlite(cause) or _postgresql(cause)
    if what is None and isinstance(error, DBAPIError) and error.connection_invalidated:
        what = CONNECTION_LOST
    elif what is None and isinstance(cause, PoolTimeout):
        what = "is too busy: every connection has been in use for a long time"
    elif what is None and isinstance(cause, OSError):
        what = f"cannot be reached: {cause.strerror or str(cause) or 'no answer'}"
    elif what is None and any(kind.__name__ in ENVIRONMENT_ERRORS for kind in type(cause).__mro__):
        what = f"failed: {str(cause).partition(chr(10))[0]}"
    return None if what is None else f"the database {name} {what}"


class StoreErrors:
    """A context manager that turns database errors into StoreError."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        """Enter the block."""

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Raise StoreError in place of an error that has a sentence."""
        if error is not None and (sentence := error_sentence(self._name, error)):
            raise StoreError(sentence) from error


def _sqlite(cause: BaseException) -> str | None:
    if not any(kind.__module__ == "sqlite3" for kind in type(cause).__mro__):
        return None
    message = str(cause).lower()
    return next((what for words, what in SQLITE_MESSAGES.items() if words in message), None)


def _postgresql(cause: BaseException) -> str | None:
    code = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
    if isinstance(code, str):
        if code in POSTGRESQL_CODES:
            return POSTGRESQL_CODES[code]
        if code in REFUSED_CODES:
            return f"refuses the connection: {str(cause).partition(chr(10))[0]}"
        if code.startswith(CONNECTION_LOST_CODES):
            # The driver appends the server's or pooler's last message to its own.
            words = str(cause).partition("\n")[0].partition(ASYNCPG_CLOSED)[2]
            return f"{CONNECTION_LOST}; it said: {words}" if words else CONNECTION_LOST
    # asyncpg raises InternalClientError when the server's last message came between two statements.
    if type(cause).__name__ == "InternalClientError" or re.search("connection (is|was) closed", str(cause)):
        return CONNECTION_LOST
    return None
