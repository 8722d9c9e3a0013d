"""Restore on PostgreSQL (EDGE asyncpg): replace our tables by a backup, all of them or none.

    lock     get the advisory lock of all Caveat sessions, exclusively
    stage    one transaction in psql: create the archive's tables and move them into a separate schema; the
             tables in use are moved away and back
    swap     one transaction: upgrade the staged tables, merge later facts of the old ones (merge.py), move
             the old ones into a schema with the date in its name, and the staged ones to their place

A failure in between leaves the old tables in use.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from service.core.errors import StoreError
from service.store import migrate as upgrade
from service.store.backups.merge import MergeCounts, merge
from service.store.backups.postgres_tools import TABLES, Archive, read_archive, replay
from service.store.backups.restore import NO_DATABASE, UNREADABLE, RestoreResult, require_known
from service.store.database import raw_postgres
from service.store.database_lock import USE_LOCK, in_use_error
from service.store.partitions import is_partition
from service.store.sending_hold import hold_sending

STAGE = "caveat_restoring"
PARKED = "caveat_parked"
KEPT = "before_restore_"
HOLDERS = f"""
    SELECT DISTINCT coalesce(host(client_addr), 'this machine')
      FROM pg_stat_activity JOIN pg_locks USING (pid)
     WHERE locktype = 'advisory' AND objid = {USE_LOCK} AND granted ORDER BY 1
"""  # noqa: S608 - a constant
SCHEMA = f"""
    SELECT coalesce((SELECT nspname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
                      WHERE pg_class.oid = to_regclass('{upgrade.VERSION_TABLE}')), current_schema())
"""  # noqa: S608 - constants of this file


async def restore_tables(storage: str, name: str, source: Path, now: datetime) -> RestoreResult:
    """Replace our tables in the PostgreSQL database by the backup `source`. Raises StoreError."""
    archive = await asyncio.to_thread(read_archive, source)
    direct = raw_postgres(storage)
    await direct.require_sessions()

    async def connect(*_args: object, **_options: object) -> Any:  # noqa: ANN401 - asyncpg ships no types
        return await direct.open_connection()

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            schema, old = await _locked(connection, name)
            await connection.commit()
            if archive.schema != schema:
                raise StoreError(
                    f"the backup {source} holds tables of the schema {archive.schema}, and the database "
                    f"{name} has them in {schema}; set its search_path to {archive.schema}"
                )
            await asyncio.to_thread(_stage, storage, archive, old)
            async with connection.begin():
                swap = partial(_swap, schema=schema, old=old, source=source, now=now, name=name)
                return await connection.run_sync(swap)
    finally:
        await engine.dispose()


async def _locked(connection: AsyncConnection, name: str) -> tuple[str, Sequence[str]]:
    """Acquire the exclusive lock; return the schema of our tables and their names. Raises StoreError."""
    if not await connection.scalar(text(f"SELECT pg_try_advisory_lock({USE_LOCK})")):
        where = ", ".join(await connection.scalars(text(HOLDERS)))
        raise StoreError(f"{in_use_error(name, 'a restore')} (connected from: {where})")
    await connection.execute(text(f"DROP SCHEMA IF EXISTS {STAGE} CASCADE"))  # of a restore that was killed
    schema = await connection.scalar(text(SCHEMA))
    if schema is None:
        raise StoreError(f"the database {name} has no schema for tables; set its search_path")
    return schema, await connection.run_sync(_ours, schema)


def _ours(connection: Connection, schema: str) -> list[str]:
    there = inspect(connection).get_table_names(schema=schema)
    return [name for name in TABLES if name in there] + [name for name in there if is_partition(name)]


def _stage(storage: str, archive: Archive, old: Sequence[str]) -> None:
    """Create the archive's tables in a separate schema."""
    here = _quoted(archive.schema)
    before = [
        f"CREATE SCHEMA {PARKED};",
        *(f"ALTER TABLE {here}.{name} SET SCHEMA {PARKED};" for name in old),
    ]
    after = [
        f"CREATE SCHEMA {STAGE};",
        *(f"ALTER TABLE {here}.{name} SET SCHEMA {STAGE};" for name in archive.tables),
        *(f"ALTER TABLE {PARKED}.{name} SET SCHEMA {here};" for name in old),
        f"DROP SCHEMA {PARKED};",
    ]
    replay(storage, archive, before=before, after=after)


def _swap(
    connection: Connection, *, schema: str, old: Sequence[str], source: Path, now: datetime, name: str
) -> RestoreResult:
    """Upgrade, merge and move the staged tables to the place of the old ones, in the open transaction."""
    here, kept = _quoted(schema), f"{KEPT}{now:%Y%m%d_%H%M%S}"
    _work_in(connection, STAGE)
    require_known(upgrade.version_of(connection) or "none", source)
    upgrade.upgrade(connection, name)
    merged = _merged(connection, here, name) if old else None
    _work_in(connection, STAGE)
    held = "" if merged else UNREADABLE if old else NO_DATABASE
    if held:
        hold_sending(connection, held)
    if old:
        connection.execute(text(f"CREATE SCHEMA {kept}"))
        _move(connection, old, here, kept)
    _move(connection, inspect(connection).get_table_names(schema=STAGE), STAGE, here)
    connection.execute(text(f"DROP SCHEMA {STAGE}"))
    return RestoreResult(f"the schema {kept}" if old else "", merged, held)


def _merged(connection: Connection, here: str, name: str) -> MergeCounts | None:
    """Merge the old tables; return None, without a change, if they cannot be read."""
    try:
        with connection.begin_nested():
            _work_in(connection, here)
            upgrade.upgrade(connection, name)
            _work_in(connection, STAGE)
            return merge(connection, here)
    except (StoreError, DBAPIError):
        return None


def _work_in(connection: Connection, schema: str) -> None:
    connection.execute(text(f"SET LOCAL search_path TO {schema}"))


def _move(connection: Connection, tables: Sequence[str], source: str, target: str) -> None:
    for table in tables:
        connection.execute(text(f"ALTER TABLE {source}.{table} SET SCHEMA {target}"))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
