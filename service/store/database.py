"""The database (EDGE): opened, brought up to date, and used in transactions that read or write.

SQLite: writers begin with BEGIN IMMEDIATE, because a transaction that first reads and then writes either
loses updates or fails with "database is locked"; WAL, so that readers never wait; synchronous=FULL, because
with NORMAL a power cut forgets the last marks. PostgreSQL: READ COMMITTED, and locks where the records say.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Table, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from service.core.errors import StoreError
from service.store import upgrade
from service.store.trouble import InWords

BUSY_MILLISECONDS = 30_000
CACHE_KIBIBYTES = 16_000
LOG_BYTES = 64 * 2**20
PRAGMAS = (
    f"busy_timeout={BUSY_MILLISECONDS}",
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    f"cache_size=-{CACHE_KIBIBYTES}",
    f"journal_size_limit={LOG_BYTES}",
)
CONNECT_SECONDS = 10
POOL_SIZE = 5
POOL_OVERFLOW = 15

Result = TypeVar("Result")


class Database:
    """An open database. Made by `Database.open`; give it back with `close`.

    `name` says which one it is in a sentence for a person, without a password.
    """

    def __init__(self, engine: AsyncEngine, name: str) -> None:
        self.name = name
        self.on_sqlite = engine.dialect.name == "sqlite"
        self._engine = engine
        self._writer = engine.execution_options(begin="BEGIN IMMEDIATE")
        # Writers of this process queue up here, in order, rather than poll the file's lock.
        self._writing = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, "caveat-ledger")
        self._plain: sqlite3.Connection | None = None

    @classmethod
    async def open(cls, url: str) -> Database:
        """Open the database at `sqlite:///PATH` or `postgresql://...` and bring its tables up to date.

        Raises StoreError when it cannot be reached or opened, or was made by a newer version.
        """
        place = read_url(url)
        name = place.database or "" if place.drivername == "sqlite" else place.render_as_string()
        database = cls(
            _sqlite_engine(place) if place.drivername == "sqlite" else _postgresql_engine(url), name
        )
        try:
            await database._prepare()
        except BaseException:
            await database.close()
            raise
        return database

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection in a transaction that only reads."""
        with InWords(self.name):
            async with self._engine.begin() as connection:
                yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection in a transaction that is durable once the block has ended without an error."""
        with InWords(self.name):
            if self.on_sqlite:
                async with self._writing, self._writer.begin() as connection:
                    yield connection
            else:
                async with self._engine.begin() as connection:
                    yield connection

    async def at_once(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run `work` in one durable transaction on a thread of its own, past SQLAlchemy; on SQLite alone.

        For the few statements that are run for every message: they cost a tenth of what they cost above.
        """
        with InWords(self.name):
            async with self._writing:
                return await asyncio.get_running_loop().run_in_executor(self._thread, self._transaction, work)

    def _transaction(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        if self._plain is None:
            self._plain = sqlite3.connect(self.name, isolation_level=None, check_same_thread=False)
            for pragma in PRAGMAS:
                self._plain.execute(f"PRAGMA {pragma}")
        self._plain.execute("BEGIN IMMEDIATE")
        try:
            result = work(self._plain)
            self._plain.execute("COMMIT")
        except BaseException:
            # A COMMIT that failed may have ended the transaction itself.
            if self._plain.in_transaction:
                self._plain.execute("ROLLBACK")
            raise
        return result

    async def close(self) -> None:
        """Give every connection back."""
        self._thread.shutdown()
        if self._plain is not None:
            self._plain.close()
            self._plain = None
        await self._engine.dispose()

    def insert(self, table: Table) -> Any:  # noqa: ANN401 - two dialects' classes with the same methods
        """Return an INSERT that can say what happens on conflict."""
        return sqlite.insert(table) if self.on_sqlite else postgresql.insert(table)

    async def _prepare(self) -> None:
        async with self.read() as connection:
            if await connection.run_sync(upgrade.is_current, self.name):
                return
        async with self.write() as connection:
            await connection.run_sync(upgrade.upgrade, self.name)


def read_url(url: str) -> URL:
    """Return the parts of a storage URL. Raises StoreError for one that names no database we know."""
    try:
        place = make_url(url)
    except (ArgumentError, ValueError):
        raise StoreError("storage is no URL; write sqlite:///PATH or postgresql://USER@HOST/NAME") from None
    kind = place.drivername.partition("+")[0].replace("postgres", "postgresql", 1)
    kind = "postgresql" if kind.startswith("postgresql") else kind
    if kind not in ("sqlite", "postgresql"):
        raise StoreError(
            f"storage {place.render_as_string()} names no database that Caveat knows; "
            "write sqlite:///PATH or postgresql://USER@HOST/NAME"
        )
    if kind == "sqlite" and place.database in (None, "", ":memory:"):
        raise StoreError("storage sqlite:// names no file, and nothing would be kept; write sqlite:///PATH")
    return place.set(drivername=kind)


def _sqlite_engine(place: URL) -> AsyncEngine:
    path = Path(place.database or "")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"the folder of the database {path} cannot be made: {error.strerror}") from error
    engine = create_async_engine(
        URL.create("sqlite+aiosqlite", database=str(path)), pool_size=POOL_SIZE, max_overflow=POOL_OVERFLOW
    )

    @event.listens_for(engine.sync_engine, "connect")
    def set_up(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's adapter is untyped
        connection.isolation_level = None  # the driver's own BEGIN comes too late and is never IMMEDIATE
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))

    return engine


def _postgresql_engine(url: str) -> AsyncEngine:
    try:
        import asyncpg  # noqa: PLC0415 - an optional extra
    except ImportError:
        raise StoreError("PostgreSQL needs one more package: pip install 'caveat[postgres]'") from None
    # asyncpg reads the URL itself, so that everything libpq knows works: sslmode, passfile, sockets.
    dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)

    async def connect(*_args: object, **_options: object) -> Any:  # noqa: ANN401 - asyncpg ships no types
        session = {"application_name": "caveat", "synchronous_commit": "on"}
        try:
            return await asyncpg.connect(dsn, timeout=CONNECT_SECONDS, server_settings=session)
        except ValueError as error:  # an option of the URL that asyncpg does not know
            raise StoreError(f"storage cannot be read: {error}") from error

    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        pool_pre_ping=True,
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
    )
