"""Pages of lists for the API: each begins behind the last item of the page before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from service.core.model import ManualSend
from service.core.read_models import ArticleDetails
from service.store.mappers import SUMMARY_COLUMNS
from service.store.queries import Queries
from service.store.schema import articles, sends, summaries


@dataclass(frozen=True, slots=True)
class ApiPages(Queries):
    """Queries with a page of each list. Every coroutine may raise StoreError."""

    async def articles_from(
        self, position: int | None, limit: int, *, newest_first: bool
    ) -> Sequence[ArticleDetails]:
        """Return articles in the order of their arrival, or newest first, behind the one at `position`."""
        column = articles.c.position
        query = (
            select(articles, *SUMMARY_COLUMNS)
            .outerjoin(summaries, summaries.c.position == column)
            .order_by(column.desc() if newest_first else column)
            .limit(limit)
        )
        if position is not None:
            query = query.where(column < position if newest_first else column > position)
        return await self._articles(query)

    async def send(self, send_id: str) -> ManualSend | None:
        """Return the manual send with this id."""
        async with self.database.read() as connection:
            found = (await connection.execute(select(sends).where(sends.c.id == send_id))).mappings().first()
        if found is None:
            return None
        lists = {name: tuple(found[name]) for name in ("issues", "problems")}
        return ManualSend(**{**found, **lists})
