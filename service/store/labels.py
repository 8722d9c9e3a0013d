"""Labels: what people say of the key points and caveats of stored articles."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import delete, or_, select

from service.core.model import Article, CaveatKind, Label, LabelKind, LabelSource, TextSpan
from service.store.database import Database
from service.store.mappers import Row, article_of
from service.store.schema import articles, labels

ARTICLES_PER_READ = 200
NO_CLAIM = -1  # as the start and end of the claim of a label without one: a key column cannot be empty

_OWN_COLUMNS = [column for column in labels.columns if column is not labels.c.position]


@dataclass(frozen=True, slots=True)
class SqlLabelStore:
    """The labels in the table `labels`."""

    database: Database

    async def record(self, article_id: str, given: Sequence[Label], at: datetime) -> None:
        """Store the labels of an article; one that is given again replaces the earlier one.

        A reader's label does not replace an editor's.
        """
        async with self.database.write() as connection:
            found = await connection.scalar(select(articles.c.position).where(articles.c.id == article_id))
            if found is None or not given:
                return
            rows = [{"position": found, "at": at, **_label_values(label)} for label in given]
            insert = self.database.insert(labels)
            replaced = {name: insert.excluded[name] for name in ("caveat_kind", "needed", "source", "at")}
            key = list(labels.primary_key.columns)
            may_replace = or_(
                labels.c.source == LabelSource.READER, insert.excluded.source == LabelSource.EDITOR
            )
            upsert = insert.on_conflict_do_update(index_elements=key, set_=replaced, where=may_replace)
            await connection.execute(upsert, rows)

    async def of_article(self, article_id: str) -> Sequence[Label]:
        """Return the labels of an article, in the text's order."""
        query = (
            select(labels)
            .join(articles, articles.c.position == labels.c.position)
            .where(articles.c.id == article_id)
            .order_by(labels.c.sentence_start, labels.c.kind, labels.c.claim_start)
        )
        async with self.database.read() as connection:
            return [_label_of(row) for row in (await connection.execute(query)).mappings()]

    async def latest(
        self, limit: int, source: LabelSource | None = None
    ) -> Sequence[tuple[Article, Label, datetime]]:
        """Return the latest labels, of one source or of all, newest first, with their articles and times."""
        query = (
            select(articles, *_OWN_COLUMNS)
            .join(articles, articles.c.position == labels.c.position)
            .order_by(labels.c.at.desc(), labels.c.position, labels.c.sentence_start, labels.c.kind)
            .limit(limit)
        )
        if source is not None:
            query = query.where(labels.c.source == source)
        async with self.database.read() as connection:
            rows = (await connection.execute(query)).mappings()
            return [(article_of(row), _label_of(row), row["at"]) for row in rows]

    async def remove(self, article_id: str) -> int:
        """Delete the labels of an article; return their number."""
        position = select(articles.c.position).where(articles.c.id == article_id).scalar_subquery()
        async with self.database.write() as connection:
            return (await connection.execute(delete(labels).where(labels.c.position == position))).rowcount

    async def remove_one(self, article_id: str, label: Label) -> bool:
        """Delete one label of an article; return whether it was there."""
        position = select(articles.c.position).where(articles.c.id == article_id).scalar_subquery()
        values = _label_values(label)
        key = ("text_key", "kind", "sentence_start", "claim_start")
        same = [labels.c[name] == values[name] for name in key]
        async with self.database.write() as connection:
            found = await connection.execute(delete(labels).where(labels.c.position == position, *same))
        return found.rowcount > 0

    async def labelled(self) -> AsyncIterator[tuple[Article, Sequence[Label]]]:
        """Yield the articles that have labels, in gather order, with their labels in the text's order."""
        after = 0
        while positions := await self._positions_after(after):
            query = (
                select(articles, *_OWN_COLUMNS)
                .join(articles, articles.c.position == labels.c.position)
                .where(labels.c.position.in_(positions))
                .order_by(labels.c.position, labels.c.sentence_start, labels.c.kind, labels.c.claim_start)
            )
            async with self.database.read() as connection:
                rows = (await connection.execute(query)).mappings().all()
            for _, group in groupby(rows, key=lambda row: row["position"]):
                same = list(group)
                yield article_of(same[0]), [_label_of(row) for row in same]
            after = positions[-1]

    async def _positions_after(self, position: int) -> Sequence[int]:
        query = (
            select(labels.c.position)
            .where(labels.c.position > position)
            .distinct()
            .order_by(labels.c.position)
            .limit(ARTICLES_PER_READ)
        )
        async with self.database.read() as connection:
            return (await connection.scalars(query)).all()


def _label_values(label: Label) -> Mapping[str, Any]:
    claim = label.claim or TextSpan(NO_CLAIM, NO_CLAIM)
    return {
        "text_key": label.text_key,
        "kind": label.kind,
        "sentence_start": label.sentence.start,
        "sentence_end": label.sentence.end,
        "claim_start": claim.start,
        "claim_end": claim.end,
        "caveat_kind": label.caveat_kind,
        "needed": label.is_needed,
        "source": label.source,
    }


def _label_of(row: Row) -> Label:
    claim = TextSpan(row["claim_start"], row["claim_end"])
    return Label(
        row["text_key"],
        LabelKind(row["kind"]),
        TextSpan(row["sentence_start"], row["sentence_end"]),
        None if claim.start == NO_CLAIM else claim,
        CaveatKind(row["caveat_kind"]) if row["caveat_kind"] else None,
        row["needed"],
        LabelSource(row["source"]),
    )
