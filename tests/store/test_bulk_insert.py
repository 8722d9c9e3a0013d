"""Rows inserted by the thousand are the rows that SQLAlchemy would have inserted."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, String, Table, delete, select, type_coerce

from service.store.bulk_insert import insert_rows
from service.store.database import Database
from service.store.mappers import Values
from service.store.schema import sends, subscribers, webhooks
from tests.builders import NOON

SHARED = {"zone": "Asia/Qatar", "nul": "\x00", "few": [1, None]}
EQUAL = dict(SHARED)
ROWS: dict[str, tuple[Table, list[Values]]] = {
    "text from outside": (
        subscribers,
        [
            {"id": f"{n}", "address_hash": "h", "email": email, "name": name, "timezone": None}
            for n, (email, name) in enumerate(
                [("a@b.example", "A\x00mina"), ("c@d.example", "\ud800"), ("e", "")]
            )
        ],
    ),
    "one JSON value and instant in many rows": (
        webhooks,
        [
            {"id": f"{n}", "url": "https://a.example", "events": events, "last_error": ""}
            | {"active": n % 2 == 0, "created_at": NOON}
            for n, events in enumerate([SHARED, SHARED, EQUAL, ["other"], SHARED])
        ],
    ),
}


@pytest.mark.parametrize("name", ROWS)
async def test_the_stored_values_are_those_of_sqlalchemy(database: Database, name: str):
    table, rows = ROWS[name]
    raw = select(*(type_coerce(table.c[column], String) for column in rows[0])).order_by(table.c.id)

    def both_ways(connection: Connection) -> tuple[object, object]:
        connection.execute(table.insert(), rows)
        usual = connection.execute(raw).all()
        connection.execute(delete(table))
        insert_rows(connection, table, rows)
        return usual, connection.execute(raw).all()

    usual, found = await database.run_write(both_ways)
    assert found == usual


async def test_nothing_is_inserted_for_no_rows(database: Database):
    await database.run_write(lambda connection: insert_rows(connection, sends, []))
