"""Articles without a summary, summaries, and failed attempts to condense."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, select, update
from typing_extensions import override

from service.condense.ports import CondenseStore, FailureResult
from service.core.model import Article, Summary
from service.store import corrections
from service.store.database import Database
from service.store.mappers import article_of, summary_values
from service.store.schema import UNCONDENSED, articles, summaries

MAX_ATTEMPTS = 3
"""Number of failed attempts after which an article is set aside, so that it does not delay the others."""


@dataclass(frozen=True, slots=True)
class SqlCondenseStore(CondenseStore):
    """CondenseStore on the tables articles, summaries and corrections."""

    database: Database

    @override
    async def uncondensed(self, limit: int) -> Sequence[Article]:
        new = select(articles).where(UNCONDENSED).order_by(articles.c.position).limit(limit)
        async with self.database.read() as connection:
            found = [article_of(row) for row in (await connection.execute(new)).mappings()]
            if len(found) < limit:
                edited = await connection.execute(corrections.waiting(limit - len(found)))
                found += [corrections.corrected(row) for row in edited.mappings()]
        return found

    @override
    async def record_summary(self, article_id: str, summary: Summary, now: datetime) -> None:
        async with self.database.write() as connection:
            position = await corrections.accept_edit(connection, article_id, summary)
            if position is None:
                return
            await connection.execute(
                update(articles).where(articles.c.position == position).values(state="condensed", problem="")
            )
            made = {**summary_values(summary), "made_at": now}
            await connection.execute(
                self.database.insert(summaries)
                .values(position=position, **made)
                .on_conflict_do_update(index_elements=["position"], set_=made)
            )

    @override
    async def record_failure(
        self, article_id: str, problem: str, now: datetime, *, may_retry: bool = True
    ) -> FailureResult:
        attempts, most = articles.c.tries + 1, MAX_ATTEMPTS if may_retry else 1
        failed = (
            update(articles)
            .where(articles.c.id == article_id, UNCONDENSED)
            .values(
                tries=attempts,
                problem=problem,
                state=case((attempts >= most, "set_aside"), else_="new"),
            )
            .returning(articles.c.state)
        )
        async with self.database.write() as connection:
            state: str | None = (await connection.execute(failed)).scalar_one_or_none()
            if state is None:
                return await corrections.count_failure(connection, article_id, most)
        return FailureResult.SET_ASIDE if state == "set_aside" else FailureResult.RETRY
