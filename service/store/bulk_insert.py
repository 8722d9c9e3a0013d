"""Inserting thousands of rows: SQLAlchemy prepares each row at three times the cost of this."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Dialect, Table, insert

from service.store.columns import Instant, Json
from service.store.mappers import Values

Processor = Callable[[Any], Any]

SHARED = (Instant, Json)
"""Types of columns in which many rows have the same object: it is converted once."""


def insert_rows(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Insert rows that have the same columns."""
    if not rows:
        return
    names = tuple(rows[0])
    statement, order = _statement(table, names, connection.dialect)
    columns = []
    for name in order:
        process = _processor(table, name, connection.dialect)
        given = [row[name] for row in rows]
        columns.append(map(process, given) if process else given)
    connection.exec_driver_sql(statement, list(zip(*columns, strict=True)))


@cache
def _statement(table: Table, names: tuple[str, ...], dialect: Dialect) -> tuple[str, tuple[str, ...]]:
    """Return the INSERT and the order of its values."""
    compiled = insert(table).compile(dialect=dialect, column_keys=list(names))
    return str(compiled), tuple(compiled.positiontup or ())


def _processor(table: Table, name: str, dialect: Dialect) -> Processor | None:
    """Return what converts a value of the column for the driver, None for nothing."""
    kind = table.c[name].type
    process: Processor | None = kind.dialect_impl(dialect).bind_processor(dialect)
    return _once_for_each_object(process) if process and isinstance(kind, SHARED) else process


def _once_for_each_object(process: Processor) -> Processor:
    """Return the same conversion for objects that outlive it."""
    known: dict[int, Any] = {}

    def convert(value: object) -> Any:  # noqa: ANN401 - the driver's value
        key = id(value)
        if key not in known:
            known[key] = process(value)
        return known[key]

    return convert
