"""Questions to a judge with their answers, exported questions, and summaries that follow an answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, delete, func, select, update
from typing_extensions import override

from service.condense.ports import ClaimResult, JudgeRecord, JudgeStore
from service.core.model import Article, Summary
from service.store.corrections import was_sent
from service.store.database import Database
from service.store.dialect import advisory_lock, is_in
from service.store.mappers import article_of, summary_values
from service.store.schema import articles, judge_answers, judge_exports, summaries

BUDGET_PERIOD = timedelta(days=1)
JUDGE_LOCK = 0x0CA7ED
"""Advisory lock of a transaction that claims a question: two processes never take the same last one."""


@dataclass(frozen=True, slots=True)
class SqlJudgeStore(JudgeStore):
    """JudgeStore on the tables judge_answers, judge_exports and summaries."""

    database: Database

    @override
    async def find(self, key: str) -> Sequence[JudgeRecord]:
        same = select(judge_answers).where(judge_answers.c.key == key)
        newest_first = same.order_by(judge_answers.c.asked_at.desc(), judge_answers.c.model)
        async with self.database.read() as connection:
            rows = (await connection.execute(newest_first)).mappings().all()
        return [JudgeRecord(**row) for row in rows]

    @override
    async def claim(self, record: JudgeRecord, per_day: int) -> ClaimResult:
        asked = select(func.count()).where(
            judge_answers.c.host != "", judge_answers.c.asked_at > record.asked_at - BUDGET_PERIOD
        )
        new = self.database.insert(judge_answers).values(asdict(record)).on_conflict_do_nothing()
        async with self.database.write() as connection:
            await advisory_lock(connection, JUDGE_LOCK)
            if (await connection.scalar(asked) or 0) >= per_day:
                return ClaimResult.SPENT
            return ClaimResult.GRANTED if (await connection.execute(new)).rowcount else ClaimResult.TAKEN

    @override
    async def record(self, record: JudgeRecord) -> None:
        values = asdict(record)
        stored = self.database.insert(judge_answers).values(values)
        async with self.database.write() as connection:
            await connection.execute(
                stored.on_conflict_do_update(index_elements=["key", "model"], set_=values)
            )

    @override
    async def unsent(self, article_ids: Collection[str]) -> Collection[str]:
        async with self.database.read() as connection:
            these = is_in(connection, articles.c.id, article_ids)
            found = await connection.scalars(select(articles.c.id).where(these, ~was_sent()))
            return set(found)

    @override
    async def replace_summary(self, article: Article, summary: Summary, now: datetime) -> bool:
        same = (
            articles.c.id == article.id,
            articles.c.title == article.title,
            articles.c.text == article.text,
        )
        async with self.database.write() as connection:
            # The lock first, then the query, so that PostgreSQL sees an issue that was stored meanwhile.
            found = select(articles.c.position).where(*same).with_for_update()
            position = await connection.scalar(found)
            free = select(articles.c.position).where(articles.c.position == position, ~was_sent())
            if position is None or await connection.scalar(free) is None:
                return False
            made = {**summary_values(summary), "made_at": now}
            replaced = update(summaries).where(summaries.c.position == position).values(made)
            return (await connection.execute(replaced)).rowcount > 0

    @override
    async def note_exported(self, articles: Mapping[str, Collection[str]], now: datetime) -> None:
        rows = [{"key": key, "article": one, "at": now} for key, ids in articles.items() for one in ids]
        async with self.database.write() as connection:
            for row in rows:
                noted = self.database.insert(judge_exports).values(row)
                await connection.execute(
                    noted.on_conflict_do_update(index_elements=["key", "article"], set_={"at": now})
                )

    @override
    async def exported(self, key: str) -> Sequence[Article]:
        these = (
            select(articles)
            .join(judge_exports, judge_exports.c.article == articles.c.id)
            .where(judge_exports.c.key == key)
            .order_by(articles.c.position)
        )
        async with self.database.read() as connection:
            return [article_of(row) for row in (await connection.execute(these)).mappings()]

    @override
    async def counts(self, since: datetime) -> Mapping[str, int]:
        result = case((judge_answers.c.host == "", "imported"), else_=judge_answers.c.result)
        counted = select(result, func.count()).where(judge_answers.c.asked_at > since).group_by(result)
        async with self.database.read() as connection:
            rows = (await connection.execute(counted)).all()
        return {row[0]: row[1] for row in rows}

    @override
    async def prune(self, before: datetime) -> int:
        async with self.database.write() as connection:
            old = await connection.execute(delete(judge_answers).where(judge_answers.c.asked_at < before))
            exports = await connection.execute(delete(judge_exports).where(judge_exports.c.at < before))
            return old.rowcount + exports.rowcount
