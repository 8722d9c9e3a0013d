"""Expressions and locks that differ between SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Select,
    Table,
    TableValuedAlias,
    Text,
    bindparam,
    func,
    select,
    text,
)
from sqlalchemy.dialects import sqlite

from service.store.columns import Json
from service.store.connection import StoreConnection

Query = Select[*tuple[Any, ...]]
"""A SELECT with any columns."""

GROUPS_LOCK = 0x0CA7EA9
"""Advisory lock of a transaction that moves subscriptions between groups."""

CLAIMS_LOCK = 0x0CA7EAA
"""Advisory lock of a transaction that claims feeds."""

_TAKE_LOCK = text("SELECT pg_advisory_xact_lock(:key)")


def value_table(
    connection: StoreConnection | Connection, values: Collection[Any], kind: type[Text | BigInteger]
) -> TableValuedAlias:
    """Return these values as a table with the column `value`; the statement has one parameter for all."""
    if connection.dialect.name == "sqlite":
        return func.json_each(bindparam(None, list(values), type_=Json)).table_valued("value")
    array = bindparam(None, list(values), type_=ARRAY(kind))
    return func.unnest(array).table_valued("value").render_derived()


def is_in(
    connection: StoreConnection | Connection, column: ColumnElement[Any], values: Collection[Any]
) -> ColumnElement[bool]:
    """Return the condition that `column` is one of these values."""
    kind = BigInteger if isinstance(column.type, Integer) else Text
    return column.in_(select(value_table(connection, values, kind).c.value))


def is_in_parameter(column: ColumnElement[Any], name: str, *, on_sqlite: bool) -> ColumnElement[bool]:
    """Return the condition that `column`, an id, is in the list that the statement gets as this parameter."""
    if on_sqlite:
        values = func.json_each(bindparam(name, type_=Json)).table_valued("value")
    else:
        values = func.unnest(bindparam(name, type_=ARRAY(Text))).table_valued("value").render_derived()
    return column.in_(select(values.c.value))


def insert_into(connection: StoreConnection | Connection, table: Table) -> Any:  # noqa: ANN401 - two dialects' classes with the same methods
    """Return the dialect's INSERT, which has the ON CONFLICT methods."""
    return dialect_insert(connection.dialect.name)(table)


def dialect_insert(dialect: str) -> Any:  # noqa: ANN401 - see `insert_into`
    """Return the function that makes the dialect's INSERT."""
    if dialect == "sqlite":
        return sqlite.insert
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - 100 ms that SQLite need not pay

    return postgresql.insert


async def lock_groups(connection: StoreConnection) -> None:
    """Block other transactions that move subscriptions between groups, until this transaction ends.

    SQLite has one writer anyway. On PostgreSQL, one transaction could otherwise plan an issue for a
    subscriber while another, which still reads the old cursor, moves them to an edition that sends the same
    articles once more.
    """
    await advisory_lock(connection, GROUPS_LOCK)


async def advisory_lock(connection: StoreConnection, key: int) -> None:
    """Hold an advisory lock until this transaction ends. SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        await connection.execute(_TAKE_LOCK, {"key": key})


def hold_lock(connection: Connection, key: int) -> None:
    """Do the same as `advisory_lock` on a synchronous connection."""
    if connection.dialect.name == "postgresql":
        connection.execute(_TAKE_LOCK, {"key": key})
