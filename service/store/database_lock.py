"""Database lock (EDGE fcntl): every process that has the database open holds a shared lock.

A restore and an upgrade of the tables need the exclusive lock, so neither can happen while another process
uses the database. The kernel, or the PostgreSQL server, releases the lock of a process that dies.

SQLite: flock(2) on a separate file, which stays when a restore replaces the database. PostgreSQL: an advisory
lock of each session.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from service.core.errors import StoreError
from service.store.private_files import give_to_owner_of

USE_LOCK = 0x0CA7EAB
"""Key of the PostgreSQL advisory lock."""
WAIT_SECONDS = 10.0
"""Maximum wait for another process that upgrades the tables or starts at the same time."""
RETRY_SECONDS = 0.1


class FileLock:
    """The lock of an SQLite database file; each object holds it at most once."""

    def __init__(self, database: Path) -> None:
        self.database = database
        self._path = database.with_name(f"{database.name}-lock")
        self._descriptor: int | None = None

    def acquire_shared(self) -> bool:
        """Acquire the shared lock; return False if another process has the exclusive lock."""
        return self._take(fcntl.LOCK_SH)

    def acquire_exclusive(self) -> bool:
        """Acquire the exclusive lock; return False, without any lock, if another process has one."""
        if self._take(fcntl.LOCK_EX):
            return True
        # A failed conversion has released the shared lock already (flock(2)).
        self.release()
        return False

    def release(self) -> None:
        """Release the lock, if it is held."""
        if self._descriptor is not None:
            # Explicitly, because a child process may have inherited the descriptor.
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            os.close(self._descriptor)
            self._descriptor = None

    def _take(self, how: int) -> bool:
        if self._descriptor is None:
            self._descriptor = self._open()
        try:
            fcntl.flock(self._descriptor, how | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            raise StoreError(
                f"the file {self._path} cannot be locked ({error.strerror}); keep the database on a disk of "
                "this machine"
            ) from error
        return True

    def _open(self) -> int:
        try:
            flags = os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            descriptor = os.open(self._path, flags, 0o600)
            give_to_owner_of(self._path, self._path.parent)
        except OSError as error:
            raise StoreError(
                f"the file {self._path} cannot be opened ({error.strerror}); it must belong to the user who "
                "runs Caveat"
            ) from error
        return descriptor


async def wait_until(attempt: Callable[[], Awaitable[bool]]) -> bool:
    """Repeat `attempt` until it returns True, for at most WAIT_SECONDS; return whether it did.

    An attempt that has begun is never interrupted: an upgrade of a large database takes minutes.
    """
    now = asyncio.get_running_loop().time
    until = now() + WAIT_SECONDS
    while not await attempt():
        if now() > until:
            return False
        await asyncio.sleep(RETRY_SECONDS)
    return True


def busy_error(name: str) -> StoreError:
    """Return the error for a database that is being replaced or upgraded."""
    return StoreError(
        f"the database {name} is being restored or upgraded by another Caveat process; "
        "try again when it is done"
    )


def in_use_error(name: str, purpose: str) -> StoreError:
    """Return the error for a database that other processes use while `purpose` needs the exclusive lock."""
    return StoreError(
        f"the database {name} is in use, and {purpose} needs it alone; stop the service (caveat run, worker, "
        "web, scheduler) and every other caveat command that runs, then try again"
    )
