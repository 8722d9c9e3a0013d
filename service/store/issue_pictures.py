"""Pictures of issues: that of the first story, as the mail has it."""

from __future__ import annotations

from sqlalchemy import Connection, select

from service.core.model import Picture
from service.store.connection import StoreConnection
from service.store.schema import issue_pictures, issues


def record(connection: Connection, number: int, picture: Picture) -> None:
    """Store the picture of a new issue."""
    connection.execute(
        issue_pictures.insert().values(
            issue=number,
            data=picture.data,
            width=picture.width,
            height=picture.height,
            publisher=picture.publisher,
        )
    )


async def of_issue(connection: StoreConnection, issue_id: str) -> Picture | None:
    """Return the picture of an issue, None if it has none."""
    query = (
        select(*issue_pictures.c["data", "width", "height", "publisher"])
        .join(issues, issues.c.number == issue_pictures.c.issue)
        .where(issues.c.id == issue_id)
    )
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else Picture(*row)
