"""Learned rates: the sending rates that mail servers accept, shared by all workers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, delete, select, update

from service.deliver.ports import LearnedRate
from service.store.connection import StoreConnection
from service.store.schema import learned_rates as table

RATE_RETENTION = timedelta(days=30)
"""Time after which an unused rate is deleted."""

RATE_COLUMNS = tuple(column for column in table.c if column.name not in {"relay", "domain"})


async def read_rates(connection: StoreConnection, relay: str) -> Mapping[str, LearnedRate]:
    """Return the learned rates of a relay by recipient domain; "" is the relay itself."""
    rows = await connection.execute(select(table.c.domain, *RATE_COLUMNS).where(table.c.relay == relay))
    return {
        row["domain"]: LearnedRate(**{column.name: row[column.name] for column in RATE_COLUMNS})
        for row in rows.mappings()
    }


async def write_rate(
    connection: StoreConnection,
    insert: Callable[[Table], Any],
    key: tuple[str, str],
    rate: LearnedRate | None,
    version: int,
) -> bool:
    """Replace the rate of a relay and domain in the open transaction, or delete it with None.

    Return False, without a change, if the stored rate has another version. Version 0: no rate is stored.
    """
    relay, domain = key
    this = (table.c.relay == relay, table.c.domain == domain, table.c.version == version)
    if rate is None:
        return version == 0 or (await connection.execute(delete(table).where(*this))).rowcount > 0
    if version:
        return (await connection.execute(update(table).where(*this).values(asdict(rate)))).rowcount > 0
    adding = insert(table).values(relay=relay, domain=domain, **asdict(rate)).on_conflict_do_nothing()
    return (await connection.execute(adding.returning(table.c.relay))).one_or_none() is not None


async def forget_rates(connection: StoreConnection, now: datetime) -> None:
    """Delete the rates unused for RATE_RETENTION."""
    await connection.execute(delete(table).where(table.c.at < now - RATE_RETENTION))
