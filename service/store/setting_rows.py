"""One value of the table `settings`, by name; read several times a minute, so its statement is built once."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select

from service.store.database import Database
from service.store.schema import settings

_VALUE = select(settings.c.value).where(settings.c.name == bindparam("name"))


async def read_setting(database: Database, name: str) -> str | None:
    """Return the value of the row, None without one."""

    def work(connection: Connection) -> str | None:
        return connection.scalar(_VALUE, {"name": name})

    return await database.run_read(work)
