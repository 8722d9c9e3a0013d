"""Articles without a summary, summaries, and failed attempts to condense."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import Connection, Insert, Integer, bindparam, case, select, update
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
        return await self.database.run_read(partial(_uncondensed, limit=limit))

    @override
    async def record_summaries(self, made: Mapping[str, Summary], now: datetime) -> None:
        upsert = self.database.insert(summaries)
        replaced = {name: upsert.excluded[name] for name in ("method", "key_points", "judge", "made_at")}
        upsert = upsert.on_conflict_do_update(index_elements=["position"], set_=replaced)
        await self.database.run_write(partial(_record, made=made, now=now, upsert=upsert))

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


_NEW = (
    select(articles).where(UNCONDENSED).order_by(articles.c.position).limit(bindparam("most", type_=Integer))
)


def _uncondensed(connection: Connection, limit: int) -> list[Article]:
    found = [article_of(row) for row in connection.execute(_NEW, {"most": limit}).mappings()]
    if len(found) < limit:
        edited = connection.execute(corrections.WAITING, {"most": limit - len(found)})
        found += [corrections.corrected(row) for row in edited.mappings()]
    return found


_CONDENSED = (
    update(articles)
    .where(articles.c.position.in_(bindparam("positions", expanding=True)))
    .values(state="condensed", problem="")
)


def _record(connection: Connection, made: Mapping[str, Summary], now: datetime, upsert: Insert) -> None:
    """Store the summaries that fit their articles, in one transaction."""
    positions = corrections.accept_edits(connection, made)
    if not positions:
        return
    connection.execute(_CONDENSED, {"positions": list(positions.values())})
    rows = [
        {"position": position, **summary_values(made[article_id]), "made_at": now}
        for article_id, position in positions.items()
    ]
    connection.execute(upsert, rows)
