"""The few places where SQLite and PostgreSQL want different words for the same thing."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    TableValuedAlias,
    Text,
    bindparam,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from service.store.columns import Json

GROUPS_LOCK = 0x0CA7EA9
"""Held to the end of the transaction by whoever moves readers from place to place."""

CLAIMS_LOCK = 0x0CA7EAA
"""Held to the end of the transaction by whoever claims feeds."""


def value_table(
    connection: AsyncConnection | Connection, values: Collection[Any], kind: type[Text | BigInteger]
) -> TableValuedAlias:
    """Return these values as a table with the column `value`; however many, they are one parameter."""
    if connection.dialect.name == "sqlite":
        return func.json_each(bindparam(None, list(values), type_=Json)).table_valued("value")
    array = bindparam(None, list(values), type_=ARRAY(kind))
    return func.unnest(array).table_valued("value").render_derived()


def is_in(
    connection: AsyncConnection | Connection, column: ColumnElement[Any], values: Collection[Any]
) -> ColumnElement[bool]:
    """Return the condition that `column` is one of these values."""
    kind = BigInteger if isinstance(column.type, Integer) else Text
    return column.in_(select(value_table(connection, values, kind).c.value))


async def lock_groups(connection: AsyncConnection) -> None:
    """Let nobody else move readers until this transaction ends.

    SQLite has one writer anyway. PostgreSQL could otherwise plan an issue for somebody while another
    transaction, which still saw them untold, takes them to an edition that tells the same again.
    """
    await advisory_lock(connection, GROUPS_LOCK)


async def advisory_lock(connection: AsyncConnection, key: int) -> None:
    """Let nobody else pass here until this transaction ends. SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
