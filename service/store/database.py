"""The database (EDGE): opened, brought up to date, and used in transactions that read or write.

SQLite: writers begin with BEGIN IMMEDIATE, because a transaction that first reads and then writes either
loses updates or fails with "database is locked"; WAL, so that readers never wait; synchronous=FULL, because
with NORMAL a power cut forgets the last marks. PostgreSQL: READ COMMITTED, and locks where the records say.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sqlalchemy import Table, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from service.core.errors import StoreError
from service.store import upgrade
from service.store.direct import DirectPostgres, DirectSqlite
from service.store.trouble import InWords

BUSY_MILLISECONDS = 30_000
CACHE_KIBIBYTES = 4_000  # for each connection; planning a million deliveries is no faster with more
LEDGER_CACHE_KIBIBYTES = 16_000  # for the one that looks people up by id, all over the table
LOG_BYTES = 64 * 2**20
PRAGMAS = (
    f"busy_timeout={BUSY_MILLISECONDS}",
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    f"cache_size=-{CACHE_KIBIBYTES}",
    f"journal_size_limit={LOG_BYTES}",
)
LEDGER_CACHE = f"cache_size=-{LEDGER_CACHE_KIBIBYTES}"
POOL_SIZE = 5
POOL_OVERFLOW = 15


class Database:
    """An open database. Made by `Database.open`; give it back with `close`.

    `name` says which one it is in a sentence for a person, without a password.
    """

    def __init__(self, engine: AsyncEngine, direct: DirectSqlite | DirectPostgres, name: str) -> None:
        self.name = name
        self.on_sqlite = engine.dialect.name == "sqlite"
        self._engine = engine
        self._writer = engine.execution_options(begin="BEGIN IMMEDIATE")
        # Writers of this process queue up here, in order, rather than poll the file's lock.
        self._writing = asyncio.Lock()
        self._direct = direct

    @classmethod
    async def open(cls, url: str) -> Database:
        """Open the database at `sqlite:///PATH` or `postgresql://...` and bring its tables up to date.

        Raises StoreError when it cannot be reached or opened, or was made by a newer version.
        """
        place = read_url(url)
        if place.drivername == "sqlite":
            path = place.database or ""
            database = cls(_sqlite_engine(Path(path)), DirectSqlite(path, (*PRAGMAS, LEDGER_CACHE)), path)
        else:
            direct = _direct_postgres(url)
            database = cls(_postgresql_engine(direct), direct, place.render_as_string())
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

    async def at_once(self, work: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - what `work` returns
        """Run `work` in one durable transaction on the driver's own connection, and return what it returns.

        On SQLite `work` is a function of a sqlite3 connection, run on a thread; on PostgreSQL a coroutine
        function of an asyncpg connection. For the few statements that are run for every single message.
        """
        with InWords(self.name):
            if isinstance(self._direct, DirectPostgres):
                return await self._direct.run(work)
            async with self._writing:
                return await self._direct.run(work)

    async def close(self) -> None:
        """Give every connection back."""
        self._direct.close()
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


def _sqlite_engine(path: Path) -> AsyncEngine:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"the folder of the database {path} cannot be made: {error.strerror}") from error
    if path.is_dir():
        raise StoreError(f"the database {path} is a folder; name a file under storage")
    engine = create_async_engine(
        URL.create("sqlite+aiosqlite", database=str(path)), pool_size=POOL_SIZE, max_overflow=POOL_OVERFLOW
    )

    @event.listens_for(engine.sync_engine, "connect")
    def set_up(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's adapter is untyped
        connection.isolation_level = None  # the driver's own BEGIN comes too late and is never IMMEDIATE
        cursor = connection.cursor()
        try:
            for pragma in PRAGMAS:
                cursor.execute(f"PRAGMA {pragma}")
        except BaseException:
            connection.close()  # nobody else would, and its thread would outlive us
            raise
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))

    return engine


def _direct_postgres(url: str) -> DirectPostgres:
    if find_spec("asyncpg") is None:
        raise StoreError("PostgreSQL needs one more package: pip install 'caveat[postgres]'")
    # asyncpg reads the URL itself, so that everything libpq knows works: sslmode, passfile, sockets.
    return DirectPostgres(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False))


def _postgresql_engine(direct: DirectPostgres) -> AsyncEngine:
    async def connect(*_args: object, **_options: object) -> Any:  # noqa: ANN401 - asyncpg ships no types
        try:
            return await direct.connect()
        except ValueError as error:  # an option of the URL that asyncpg does not know
            raise StoreError(f"storage cannot be read: {error}") from error

    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        pool_pre_ping=True,
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
    )
