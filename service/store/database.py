"""The database (EDGE): open it, upgrade its tables, run transactions.

SQLite: writers start with BEGIN IMMEDIATE, because a transaction that first reads and then writes either
loses updates or fails with "database is locked"; WAL, so that readers never wait; synchronous=FULL, because
with NORMAL a power failure loses the last commits. PostgreSQL: READ COMMITTED, with explicit locks.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Table, delete, text
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError

from service.core.errors import StoreError
from service.store import migrate as upgrade
from service.store import sqlite_file
from service.store.backups import integrity
from service.store.connection import StoreConnection
from service.store.database_lock import USE_LOCK, FileLock, busy_error, in_use_error, wait_until
from service.store.dialect import dialect_insert
from service.store.errors import StoreErrors
from service.store.postgres_driver import RawPostgres
from service.store.schema import settings
from service.store.sqlite_connections import SqliteConnections, sqlite_engine

if TYPE_CHECKING:
    from service.store.postgres_connections import PostgresConnections

Result = TypeVar("Result")

BUSY_MILLISECONDS = 30_000  # wait for another process's write lock
CACHE_KIBIBYTES = 4_000  # per connection; planning a million deliveries is no faster with more
WRITE_CACHE_KIBIBYTES = 16_000  # for the connection that writes; the ledger reads subscribers in random order
MAX_LOG_BYTES = 64 * 2**20  # size of the write-ahead log after a checkpoint
PRAGMAS = (
    f"busy_timeout={BUSY_MILLISECONDS}",
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    f"cache_size=-{CACHE_KIBIBYTES}",
    f"journal_size_limit={MAX_LOG_BYTES}",
    "secure_delete=ON",  # overwrite deleted data with zeros, because it includes addresses
)
WRITE_CACHE = f"cache_size=-{WRITE_CACHE_KIBIBYTES}"
SECRET_OPTION = re.compile(r"([?&](?:password|sslpassword|passfile)=)[^&]*")
WRITE_PROBE = "write_probe"
"""Name of the row in `settings` that the write probe inserts and deletes."""


class Database:
    """An open database, made by `Database.open`; `close` it after use.

    `name` identifies the database in messages; it contains no password.
    """

    def __init__(
        self,
        name: str,
        reads: SqliteConnections | PostgresConnections,
        writes: SqliteConnections | PostgresConnections,
        *,
        direct: RawPostgres | None = None,
        lock: FileLock | None = None,
    ) -> None:
        self.name, self._lock = name, lock
        self.on_sqlite = direct is None
        self._reads, self._writes, self._direct = reads, writes, direct
        self._file = None if lock is None else lock.database.stat()

    @classmethod
    async def open(cls, url: str) -> Database:
        """Open the database at `sqlite:///PATH` or `postgresql://...` and upgrade its tables.

        Raises StoreError for a database that cannot be opened or was made by a newer version.
        """
        place = read_url(url)
        if place.drivername == "sqlite":
            return await cls._open_file(Path(place.database or ""))
        from service.store.postgres_connections import PostgresConnections  # noqa: PLC0415 - see StoreConnection

        direct = raw_postgres(url)
        connections = PostgresConnections(direct)
        database = cls(redacted(place), connections, connections, direct=direct)
        try:
            with StoreErrors(database.name):
                await direct.require_sessions()
            await database._prepare()
        except BaseException:
            await database.close()
            raise
        return database

    @classmethod
    async def _open_file(cls, named: Path) -> Database:
        name, path = str(named), await asyncio.to_thread(named.resolve)
        lock = await _shared_lock(path, name)
        try:
            with StoreErrors(name):
                await asyncio.to_thread(sqlite_file.create_or_verify, path, name)
            reads, writes = sqlite_engine(path, PRAGMAS), sqlite_engine(path, (*PRAGMAS, WRITE_CACHE))
            database = cls(
                name,
                SqliteConnections(reads, writing=False),
                SqliteConnections(writes, writing=True),
                lock=lock,
            )
        except BaseException:
            lock.release()
            raise
        try:
            await database._prepare()
        except BaseException:
            await database.close()
            raise
        return database

    @asynccontextmanager
    async def read(self) -> AsyncIterator[StoreConnection]:
        """Yield a connection in a transaction that only reads."""
        with StoreErrors(self.name):
            async with self._reads.transaction() as connection:
                yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[StoreConnection]:
        """Yield a connection in a transaction that is durable after the block ends without an error."""
        with StoreErrors(self.name):
            async with self._writes.transaction() as connection:
                yield connection

    async def run_read(self, work: Callable[[Connection], Result]) -> Result:
        """Return the result of `work`, a function that reads, run as one transaction.

        On SQLite it runs on another thread as a whole, so that many statements cost one change of threads.
        """
        with StoreErrors(self.name):
            return await self._reads.run(work)

    async def run_write(self, work: Callable[[Connection], Result]) -> Result:
        """Return the result of `work`, a function that writes, run as one durable transaction.

        It runs like that of `run_read`.
        """
        with StoreErrors(self.name):
            return await self._writes.run(work)

    async def run_raw(self, work: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - what `work` returns
        """Run `work` in one durable transaction on a raw driver connection, and return its result.

        On SQLite `work` is a function of a sqlite3 connection, run on a thread; on PostgreSQL a coroutine
        function of an asyncpg connection. For the few statements that run for each message.
        """
        with StoreErrors(self.name):
            if self._direct is not None:
                return await self._direct.run(work)
            return await self._writes.run(lambda connection: work(connection.connection.driver_connection))

    async def check_integrity(self) -> list[str]:
        """Return the damage found, as clauses; [] for none. Reads the whole database (SQLite).

        PostgreSQL is not checked: its operator has checksums and pg_amcheck.
        """
        if self._lock is None:
            return []
        with StoreErrors(self.name):
            return await asyncio.to_thread(integrity.check_file, self._lock.database)

    async def probe_write(self) -> None:
        """Insert and delete a row durably.

        Raises StoreError on a full or read-only disk, and for a file that was deleted or replaced.
        """
        if self._lock is not None and self._file is not None:
            await asyncio.to_thread(sqlite_file.require_place, self._lock.database, self._file, self.name)
        async with self.write() as connection:
            await connection.execute(settings.insert().values(name=WRITE_PROBE, value=""))
            await connection.execute(delete(settings).where(settings.c.name == WRITE_PROBE))

    async def truncate_log(self) -> None:
        """Empty the write-ahead log, which keeps old pages with erased data (SQLite).

        Raises StoreError if a reader uses the old state for more than BUSY_MILLISECONDS.
        """
        if self._lock is None:
            return
        with StoreErrors(self.name):
            if not await asyncio.to_thread(sqlite_file.truncate_log, self._lock.database, BUSY_MILLISECONDS):
                raise StoreError(
                    f"the log of the database {self.name} is in use, and may contain erased data until the "
                    "service is restarted"
                )

    async def close(self) -> None:
        """Close all connections and release the lock."""
        if self._direct is not None:
            self._direct.close()
        await self._reads.close()
        await self._writes.close()
        if self._lock is not None:
            self._lock.release()

    def insert(self, table: Table) -> Any:  # noqa: ANN401 - two dialects' classes with the same methods
        """Return the dialect's INSERT, which has the ON CONFLICT methods."""
        return dialect_insert("sqlite" if self.on_sqlite else "postgresql")(table)

    async def _prepare(self) -> None:
        async with self.read() as connection:
            if await self._is_current(connection):
                return
            is_new = await connection.run_sync(upgrade.version_of) is None
        if is_new:  # no other process can use tables that do not exist
            await self._upgrade()
        elif not await wait_until(self._upgraded):
            raise in_use_error(self.name, "bringing its tables to this version")

    async def _is_current(self, connection: StoreConnection) -> bool:
        is_current = partial(upgrade.is_current, may_be_new=not self.on_sqlite)
        return await connection.run_sync(is_current, self.name)

    async def _upgrade(self) -> None:
        run = partial(upgrade.upgrade, may_be_new=not self.on_sqlite)
        async with self.write() as connection:
            await connection.run_sync(run, self.name)

    async def _upgraded(self) -> bool:
        """Upgrade the tables unless another process uses them; return whether they are current now.

        A failed attempt releases the lock, so that one of several starting processes can get it alone.
        """
        if self._lock is None:
            return await self._upgraded_on_server()
        if self._lock.acquire_exclusive():
            await self._upgrade()
            return self._lock.acquire_shared()
        if not self._lock.acquire_shared():
            return False
        async with self.read() as connection:
            if await self._is_current(connection):
                return True
        self._lock.release()
        return False

    async def _upgraded_on_server(self) -> bool:
        """Do the same with advisory locks, on the first connection, which gives up its own shared lock."""

        async def call(function: str) -> bool:
            return bool(await connection.scalar(text(f"SELECT {function}({USE_LOCK})")))

        async with self.write() as connection:
            await call("pg_advisory_unlock_shared")
            if await call("pg_try_advisory_xact_lock"):
                await connection.run_sync(upgrade.upgrade, self.name)
            elif not await self._is_current(connection):
                return False
            return await call("pg_try_advisory_lock_shared")


def read_url(url: str) -> URL:
    """Return the parts of a storage URL. Raises StoreError for an invalid or unsupported URL."""
    try:
        place = make_url(url)
    except (ArgumentError, ValueError):
        raise StoreError("storage is no URL; write sqlite:///PATH or postgresql://USER@HOST/NAME") from None
    kind = place.drivername.partition("+")[0].replace("postgres", "postgresql", 1)
    kind = "postgresql" if kind.startswith("postgresql") else kind
    if kind not in ("sqlite", "postgresql"):
        raise StoreError(
            f"storage {redacted(place)} names no database that Caveat knows; "
            "write sqlite:///PATH or postgresql://USER@HOST/NAME"
        )
    if kind == "sqlite" and place.database in (None, "", ":memory:"):
        raise StoreError("storage sqlite:// names no file, and nothing would be kept; write sqlite:///PATH")
    return place.set(drivername=kind)


def redacted(place: URL) -> str:
    """Return the URL without its password, in any part of the URL."""
    return SECRET_OPTION.sub(r"\1***", place.render_as_string())


async def _shared_lock(path: Path, name: str) -> FileLock:
    """Return the acquired lock of a database file; create the file's folder. Raises StoreError."""
    lock = FileLock(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StoreError(f"the folder of the database {name} cannot be made: {error.strerror}") from error

    async def shared() -> bool:
        return lock.acquire_shared()

    if not await wait_until(shared):
        lock.release()
        raise busy_error(name)
    return lock


def raw_postgres(url: str) -> RawPostgres:
    """Return the raw driver for a PostgreSQL storage URL. Raises StoreError if asyncpg is missing."""
    if find_spec("asyncpg") is None:
        raise StoreError("PostgreSQL needs the package asyncpg, which is missing; install Caveat again")
    # asyncpg reads the URL itself, so that all libpq options work: sslmode, passfile, sockets.
    place = make_url(url).set(drivername="postgresql")
    return RawPostgres(place.render_as_string(hide_password=False), redacted(place))
