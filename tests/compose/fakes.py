"""A compose store in memory, subscriptions, and a merger that keeps every key point."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from typing_extensions import override

from service.compose.ports import ComposeStore, EditedArticle, ReleasedPosition
from service.core import ids
from service.core.errors import StoreError
from service.core.model import CondensedArticle, Draft, Edition, Group, Issue, SentIssue, StoryPoint


@dataclass
class Member:
    """A subscription with the issues that it got."""

    name: str
    edition: Edition
    next_due_at: datetime
    served_through: int = 0
    active: bool = True
    issues: list[Issue] = field(default_factory=list)

    @property
    def titles(self) -> list[str]:
        """The subjects of the issues in order."""
        return [issue.rendered.subject for issue in self.issues]


@dataclass
class MemoryStore(ComposeStore):
    """A ComposeStore over lists; `reads` are the positions of the articles read."""

    members: list[Member] = field(default_factory=list)
    articles: list[CondensedArticle] = field(default_factory=list)
    broken: bool = False
    edits: list[EditedArticle] = field(default_factory=list)
    reads: list[tuple[int, ...]] = field(default_factory=list)
    _contents: dict[CondensedArticle, int] = field(default_factory=dict)

    def publish(self, *arrived: CondensedArticle) -> None:
        """Add condensed articles in this order."""
        for one in arrived:
            placed = replace(one.article, position=len(self.articles) + 1)
            self.articles.append(CondensedArticle(placed, one.summary))

    @override
    async def due_groups(self, now: datetime, ahead: timedelta = timedelta()) -> Sequence[Group]:
        if self.broken:
            raise StoreError("the database was lost")
        due = sorted(self.members, key=lambda r: r.next_due_at)
        keys = [
            (r.edition, r.served_through, r.next_due_at)
            for r in due
            if r.active and r.next_due_at <= now + ahead
        ]
        return [
            Group(key[0], ids.edition_key(key[0]), *key[1:], size=len(self._members(*key)))
            for key in dict.fromkeys(keys)
        ]

    @override
    async def groups_of(self, newsletter: str, subscribers: Collection[str] | None) -> Sequence[Group]:
        keys: dict[tuple[Edition, int], list[str]] = {}
        for r in self.members:
            selected = subscribers is None or r.name in subscribers
            if selected and r.active and r.edition.newsletter == newsletter:
                keys.setdefault((r.edition, r.served_through), []).append(r.name)
        only = {key: None if subscribers is None else tuple(names) for key, names in keys.items()}
        return [
            Group(key[0], ids.edition_key(key[0]), key[1], None, len(names), only[key])
            for key, names in keys.items()
        ]

    @override
    async def release_position(self, gathered_by: datetime) -> int:
        late = [a.article.position for a in self.articles if a.article.gathered_at > gathered_by]
        return min([*late, len(self.articles) + 1]) - 1

    @override
    async def released_positions(
        self, edition: Edition, after: int, through: int
    ) -> Sequence[ReleasedPosition]:
        return [
            ReleasedPosition(a.article.position, a.story, self._condensed_at(a))
            for a in self.articles
            if after < a.article.position <= through
            and (not edition.topics or set(a.article.topics) & set(edition.topics))
        ]

    def _condensed_at(self, condensed: CondensedArticle) -> datetime:
        """Return another time for each content that a test gives an article."""
        number = self._contents.setdefault(condensed, len(self._contents))
        return condensed.article.gathered_at + timedelta(seconds=number)

    @override
    async def articles_at(self, positions: Collection[int]) -> Sequence[CondensedArticle]:
        self.reads.append(tuple(positions))
        return [a for a in self.articles if a.article.position in positions]

    @override
    async def last_issue_start(self, group: Group) -> int | None:
        issues = self._members_of(group)[0].issues
        return issues[-1].served_from if issues else None

    @override
    async def recently_sent(self, group: Group, since: datetime) -> Mapping[str, SentIssue]:
        issues = [issue for reader in self._members_of(group)[:1] for issue in reader.issues]
        return {
            article: SentIssue(issue.id, issue.due_at)
            for issue in reversed(issues)
            if issue.created_at >= since
            for article in issue.article_ids
        }

    @override
    async def edited_articles(
        self, group: Group, sent_since: datetime, edited_until: datetime
    ) -> Sequence[EditedArticle]:
        issues = [issue for reader in self._members_of(group)[:1] for issue in reader.issues]
        sent = {key for issue in issues if issue.created_at >= sent_since for key in issue.article_ids}
        known = {c.edit.key for issue in issues for c in issue.corrections}
        return [
            edited
            for edited in self.edits
            if edited.article.id in sent and edited.edit.at <= edited_until and edited.edit.key not in known
        ]

    @override
    async def record_issue(
        self,
        group: Group,
        issue: Issue,
        next_due_at: datetime | None,
        channel: str,
        draft: Draft | None = None,
    ) -> int:
        assert channel
        members = self._members_of(group)
        for reader in members:
            reader.issues.append(issue)
            reader.served_through = issue.served_through
            reader.next_due_at = next_due_at or reader.next_due_at
        return len(members)

    @override
    async def skip_issue(
        self, group: Group, next_due_at: datetime, served_through: int | None, draft: Draft | None = None
    ) -> int:
        members = self._members_of(group)
        for reader in members:
            reader.next_due_at = next_due_at
            reader.served_through = reader.served_through if served_through is None else served_through
        return len(members)

    def _members_of(self, group: Group) -> list[Member]:
        members = self._members(group.edition, group.served_through, group.due_at)
        return [r for r in members if group.subscriber_ids is None or r.name in group.subscriber_ids]

    def _members(self, edition: Edition, served_through: int, due_at: datetime | None) -> list[Member]:
        return [
            r
            for r in self.members
            if r.active
            and (r.edition, r.served_through) == (edition, served_through)
            and due_at in (None, r.next_due_at)
        ]


def merge_all(
    articles: Sequence[CondensedArticle], *, points: int, known: Sequence[CondensedArticle] = ()
) -> tuple[StoryPoint, ...]:
    """Return every key point of the articles with its caveats, at most `points`.

    Points that are verbatim in `known` articles are left out with their caveats.
    """
    known_texts = {key.text for condensed in known for key in condensed.summary.key_points}
    shown: list[StoryPoint] = []
    for condensed in articles:
        keys: dict[int, int] = {}
        for number, key in enumerate(condensed.summary.key_points):
            if key.text in known_texts or (key.qualifies is not None and key.qualifies not in keys):
                continue
            keys[number] = len(shown)
            owner = None if key.qualifies is None else keys[key.qualifies]
            rank = len(shown)
            shown.append(
                StoryPoint(key.text, key.role, condensed.article, key.start, key.end, owner, rank=rank)
            )
    return tuple(shown[:points])
