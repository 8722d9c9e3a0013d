"""Drafts: issues that wait for an editor, on the table drafts.

A draft is stored in versions: a change names the version that it was read in, and the transaction that makes
an issue of it deletes that version. So an editor's change is never lost without a word, and a draft becomes
one issue at most.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, delete, exists, func, select, update
from typing_extensions import override

from service.compose.ports import DraftStore
from service.core.errors import DraftChanged
from service.core.ids import edit_key
from service.core.model import (
    Choose,
    ChosenSentence,
    Draft,
    DraftEdits,
    DraftState,
    Drop,
    EditAction,
    Group,
    Move,
    Place,
    Placement,
)
from service.store.database import Database
from service.store.dialect import Query, is_in
from service.store.digests import article_ids, digest_of, digest_values, stored_articles
from service.store.groups import ACTIVE
from service.store.mappers import EDITION, edition_of
from service.store.schema import articles, drafts, editions, groups, subscriptions

ACTIONS: Mapping[str, type[Drop | Move | Place | Choose]] = {
    "drop": Drop,
    "move": Move,
    "place": Place,
    "choose": Choose,
}
"""The stored name of each kind of action."""

ACTION_NAMES = {kind: name for name, kind in ACTIONS.items()}
HAS_GROUP = exists().where(
    groups.c.edition_key == drafts.c.edition_key,
    groups.c.told_through == drafts.c.told_from,
    groups.c.next_due_at == drafts.c.due_at,
)


class DraftPlace(NamedTuple):
    """Where a draft waits: the edition key, cursor and due time of its group; and its state."""

    id: str
    edition_key: str
    served_from: int
    due_at: datetime
    state: DraftState


class ListedDraft(NamedTuple):
    """A draft without its content; `changes` counts an editor's, `size` its active members."""

    id: str
    due_at: datetime
    state: DraftState
    changed_by: str
    changed_at: datetime
    note: str
    changes: int
    newsletter: str
    language: str
    timezone: str
    size: int


UNDECIDED = and_(HAS_GROUP, drafts.c.state.in_((DraftState.WAITING, DraftState.HELD)))
"""The condition that a draft waits for an editor's decision."""


@dataclass(frozen=True, slots=True)
class SqlDraftStore(DraftStore):
    """DraftStore on the table drafts."""

    database: Database

    @override
    async def draft_of(self, group: Group) -> Draft | None:
        found = await self._drafts(_of_group(group).where(drafts.c.told_from == group.served_through))
        return found[0] if found else None

    @override
    async def earlier_draft(self, group: Group) -> Draft | None:
        others = _of_group(group).where(drafts.c.told_from != group.served_through, ~HAS_GROUP)
        found = await self._drafts(others.order_by(drafts.c.changed_at.desc()).limit(1))
        return found[0] if found else None

    @override
    async def save(self, draft: Draft, *, is_new: bool = False) -> Draft:
        values = _values(draft)
        async with self.database.write() as connection:
            if is_new:
                inserted = self.database.insert(drafts).values(values).on_conflict_do_nothing()
                count = (await connection.execute(inserted)).rowcount
            else:
                same = and_(drafts.c.id == draft.id, drafts.c.version == draft.version)
                values["version"] = draft.version + 1
                count = (await connection.execute(update(drafts).where(same).values(values))).rowcount
        if count != 1:
            raise DraftChanged("the draft was changed by somebody else meanwhile, or its issue was made")
        return replace(draft, version=values["version"])

    @override
    async def is_current(self, draft: Draft) -> bool:
        names = [article.id for story in draft.digest.stories for article in story.articles]
        async with self.database.read() as connection:
            query = select(*articles.c["id", "title", "text"]).where(is_in(connection, articles.c.id, names))
            keys = {edit_key(*row) for row in (await connection.execute(query)).all()}
        return keys == set(draft.edit_keys)

    @override
    async def delete_unused(self) -> int:
        async with self.database.read() as connection:
            if await connection.scalar(select(drafts.c.id).where(~HAS_GROUP).limit(1)) is None:
                return 0  # as nearly always: no write
        async with self.database.write() as connection:
            return (await connection.execute(delete(drafts).where(~HAS_GROUP))).rowcount

    async def drafts_of(self, newsletter: str | None = None) -> Sequence[Draft]:
        """Return the drafts for groups with active members, of one newsletter or of all, by due time."""
        query = _query().where(HAS_GROUP).order_by(drafts.c.due_at, drafts.c.id)
        if newsletter is not None:
            query = query.where(editions.c.newsletter == newsletter)
        return [draft for draft in await self._drafts(query) if draft.size]

    async def draft(self, draft_id: str) -> Draft | None:
        """Return the draft with this id, if it is for a group with active members."""
        found = await self._drafts(_query().where(HAS_GROUP, drafts.c.id == draft_id))
        return found[0] if found and found[0].size else None

    async def listed(self, limit: int) -> Sequence[ListedDraft]:
        """Return the first drafts by due time, without their content."""
        query = _query().where(HAS_GROUP).order_by(drafts.c.due_at, drafts.c.id).limit(limit)
        columns = drafts.c["id", "due_at", "state", "changed_by", "changed_at", "note", "edits"]
        places = [editions.c[name] for name in ("newsletter", "language", "timezone")]
        size = query.selected_columns["size"]
        async with self.database.read() as connection:
            rows = (await connection.execute(query.with_only_columns(*columns, *places, size))).all()
        return [
            ListedDraft(
                row.id,
                row.due_at,
                DraftState(row.state),
                row.changed_by,
                row.changed_at,
                row.note,
                len(row.edits),
                row.newsletter,
                row.language,
                row.timezone,
                row.size,
            )
            for row in rows
            if row.size
        ]

    async def places(self) -> Sequence[DraftPlace]:
        """Return the place and state of each draft, without its content."""
        columns = drafts.c["id", "edition_key", "told_from", "due_at", "state"]
        async with self.database.read() as connection:
            rows = (await connection.execute(select(*columns).where(HAS_GROUP))).all()
        return [DraftPlace(row[0], row[1], row[2], row[3], DraftState(row[4])) for row in rows]

    async def _drafts(self, query: Query) -> list[Draft]:
        found = []
        async with self.database.read() as connection:
            for row in (await connection.execute(query)).mappings().all():
                known = await stored_articles(connection, article_ids(row["material"]))
                edition = edition_of({name: row[f"of_{name}"] for name in EDITION})
                digest, material = (digest_of(row[name], edition, known) for name in ("digest", "material"))
                found.append(
                    Draft(
                        id=row["id"],
                        edition_key=row["edition_key"],
                        served_from=row["told_from"],
                        served_through=row["told_through"],
                        due_at=row["due_at"],
                        digest=digest,
                        material=material,
                        edit_keys=tuple(row["edit_keys"]),
                        created_at=row["created_at"],
                        changed_at=row["changed_at"],
                        state=DraftState(row["state"]),
                        edits=DraftEdits(tuple(_action_of(one) for one in row["edits"])),
                        note=row["note"],
                        changed_by=row["changed_by"],
                        version=row["version"],
                        size=row["size"],
                    )
                )
        return found


def use(connection: Connection, draft: Draft | None) -> None:
    """Delete the draft, if there is one, in this version. Raises DraftChanged if another one is stored."""
    if draft is None:
        return
    same = and_(drafts.c.id == draft.id, drafts.c.version == draft.version)
    if connection.execute(delete(drafts).where(same)).rowcount != 1:
        raise DraftChanged("the draft was changed while its issue was made")


def waits_for_editor() -> Any:  # noqa: ANN401 - SQLAlchemy's conditions
    """Return the condition that a row of `groups` has a draft that is not sent until somebody decides."""
    return exists().where(
        drafts.c.edition_key == groups.c.edition_key,
        drafts.c.told_from == groups.c.told_through,
        drafts.c.due_at == groups.c.next_due_at,
        drafts.c.state == DraftState.HELD,
    )


def _query() -> Query:
    same = and_(
        groups.c.edition_key == drafts.c.edition_key,
        groups.c.told_through == drafts.c.told_from,
        groups.c.next_due_at == drafts.c.due_at,
    )
    size = (
        select(func.count())
        .select_from(subscriptions)
        .join(groups, groups.c.number == subscriptions.c.group_number)
        .where(same, ACTIVE)
        .scalar_subquery()
    )
    names = (editions.c[name].label(f"of_{name}") for name in EDITION)
    return select(drafts, *names, size.label("size")).join(editions, editions.c.key == drafts.c.edition_key)


def _of_group(group: Group) -> Query:
    return _query().where(drafts.c.edition_key == group.edition_key, drafts.c.due_at == group.due_at)


def _values(draft: Draft) -> dict[str, Any]:
    same = ("id", "edition_key", "due_at", "created_at", "changed_at", "changed_by", "version", "note")
    return {name: getattr(draft, name) for name in same} | {
        "told_from": draft.served_from,
        "told_through": draft.served_through,
        "state": draft.state,
        "edits": [_action_values(one) for one in draft.edits.actions],
        "edit_keys": draft.edit_keys,
        "digest": digest_values(draft.digest),
        "material": digest_values(draft.material),
    }


def _action_values(action: EditAction) -> dict[str, Any]:
    return {"do": ACTION_NAMES[type(action)], **asdict(action)}


def _action_of(stored: Mapping[str, Any]) -> EditAction:
    kind, story = ACTIONS[stored["do"]], stored["story"]
    if kind is Move:
        return Move(story, stored["place"])
    if kind is Place:
        return Place(story, Placement(stored["placement"]))
    if kind is Choose:
        chosen = (tuple(ChosenSentence(**one) for one in stored[name]) for name in ("sentences", "without"))
        return Choose(story, *chosen)
    return Drop(story)
