"""Trouble with the database, in one sentence for a person: which one, what is wrong, what to do."""

from __future__ import annotations

import re
from types import TracebackType

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service.core.errors import StoreError

SQLITE = {
    "unable to open database file": "cannot be opened; does its folder exist, and may this user write there?",
    "readonly database": "may not be written to; check who owns the file and its folder",
    "database is locked": "is kept locked by another program; close that one and try again",
    "database or disk is full": "cannot grow: the disk is full",
    "not a database": "is a file of another kind; name another one under storage",
    "malformed": "is damaged; restore the last backup",
    "disk i/o error": "cannot be read or written: the disk reports an error",
}
"""Words of SQLite's own messages, and what they mean."""

TRANSACTION_POOLING = (
    "is reached through a connection pooler that gives each transaction another session, which Caveat cannot "
    "work with; set pool_mode = session for it in pgbouncer.ini, or name PostgreSQL itself under storage"
)

POSTGRESQL = {
    "28P01": "does not accept the password",
    "28000": "does not let this user in; check the user and pg_hba.conf",
    "3D000": "does not exist; create it with createdb",
    "42501": "does not give this user the right to do that",
    "25006": "only lets us read; is it a standby server?",
    "53300": "has no connection left for us; raise max_connections",
    "53100": "cannot grow: the disk is full",
    "40001": "had to undo this, because somebody else wrote the same at that moment; try again",
    "40P01": "had to undo this, because somebody else wrote the same at that moment; try again",
    "42P05": TRANSACTION_POOLING,
    "26000": TRANSACTION_POOLING,
    "57P03": "is starting up or shutting down; try again in a moment",
}
"""SQLSTATE codes (PostgreSQL documentation, appendix A), and what they mean."""

GONE = ("08", "57P")
"""How the codes begin that say the connection is gone."""

ANSWERED = ("08P01", "08004")
"""Codes of a server, or of a pooler before it, whose own words say why it does not go on."""

CUT_OFF = "closed in the middle of operation: "
LOST = "was lost in the middle of the work; nothing half-done was kept"

NOT_OURS = frozenset(
    {"OperationalError", "InternalError", "InternalServerError", "InsufficientResourcesError", "SystemError"}
)
"""The drivers' classes for trouble that no change in our code would mend (PEP 249, and asyncpg's own)."""


def error_sentence(name: str, error: BaseException) -> str | None:
    """Return what to tell a person about an error, or None for one that is a mistake in our own code."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    what = _sqlite(cause) or _postgresql(cause)
    if what is None and isinstance(error, DBAPIError) and error.connection_invalidated:
        what = LOST
    elif what is None and isinstance(cause, PoolTimeout):
        what = "is too busy: every connection has been in use for a long time"
    elif what is None and isinstance(cause, OSError):
        what = f"cannot be reached: {cause.strerror or str(cause) or 'no answer'}"
    elif what is None and any(kind.__name__ in NOT_OURS for kind in type(cause).__mro__):
        what = f"failed: {str(cause).partition(chr(10))[0]}"
    return None if what is None else f"the database {name} {what}"


class StoreErrors:
    """A block whose database trouble comes out as StoreError."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        """Begin the block."""

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Raise StoreError in place of trouble that a person can be told about."""
        if error is not None and (said := error_sentence(self._name, error)):
            raise StoreError(said) from error


def _sqlite(cause: BaseException) -> str | None:
    if not any(kind.__module__ == "sqlite3" for kind in type(cause).__mro__):
        return None
    message = str(cause).lower()
    return next((what for words, what in SQLITE.items() if words in message), None)


def _postgresql(cause: BaseException) -> str | None:
    code = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
    if isinstance(code, str):
        if code in POSTGRESQL:
            return POSTGRESQL[code]
        if code in ANSWERED:
            return f"refuses the connection: {str(cause).partition(chr(10))[0]}"
        if code.startswith(GONE):
            # The driver puts the server's last words, or a pooler's, behind its own.
            words = str(cause).partition("\n")[0].partition(CUT_OFF)[2]
            return f"{LOST}; it said: {words}" if words else LOST
    # asyncpg says InternalClientError when the server's last word came in while nobody listened.
    if type(cause).__name__ == "InternalClientError" or re.search("connection (is|was) closed", str(cause)):
        return LOST
    return None
