"""A record in memory, as far as compose asks it, and a teller that tells every key point."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from service.compose.ports import EditedArticle
from service.core import ids as identity
from service.core.errors import StoreError
from service.core.model import CondensedArticle, Edition, Group, Issue, StoryPoint


@dataclass
class Reader:
    """A subscription, and the issues that its person was given."""

    name: str
    edition: Edition
    next_due_at: datetime
    told_through: int = 0
    active: bool = True
    given: list[Issue] = field(default_factory=list)

    @property
    def titles(self) -> list[str]:
        """The subjects of the issues that the person was given, in order."""
        return [issue.rendered.subject for issue in self.given]


@dataclass
class MemoryStore:
    """The ComposeStore of core/contracts/, over lists."""

    readers: list[Reader] = field(default_factory=list)
    articles: list[CondensedArticle] = field(default_factory=list)
    broken: bool = False
    edits: list[EditedArticle] = field(default_factory=list)
    asked: list[tuple[int, int]] = field(default_factory=list)

    def publish(self, *arrived: CondensedArticle) -> None:
        """Let articles arrive in this order, condensed."""
        for one in arrived:
            placed = replace(one.article, position=len(self.articles) + 1)
            self.articles.append(CondensedArticle(placed, one.summary))

    async def due_groups(self, now: datetime) -> Sequence[Group]:
        if self.broken:
            raise StoreError("the database was lost")
        due = sorted(self.readers, key=lambda r: r.next_due_at)
        places = [
            (r.edition, r.told_through, r.next_due_at) for r in due if r.active and r.next_due_at <= now
        ]
        return [
            Group(place[0], identity.edition_key(place[0]), *place[1:], size=len(self._members(*place)))
            for place in dict.fromkeys(places)
        ]

    async def groups_of(self, newsletter: str, subscribers: Collection[str] | None) -> Sequence[Group]:
        places: dict[tuple[Edition, int], list[str]] = {}
        for r in self.readers:
            meant = subscribers is None or r.name in subscribers
            if meant and r.active and r.edition.newsletter == newsletter:
                places.setdefault((r.edition, r.told_through), []).append(r.name)
        only = {place: None if subscribers is None else tuple(names) for place, names in places.items()}
        return [
            Group(place[0], identity.edition_key(place[0]), place[1], None, len(names), only[place])
            for place, names in places.items()
        ]

    async def release_position(self, gathered_by: datetime) -> int:
        late = [a.article.position for a in self.articles if a.article.gathered_at > gathered_by]
        return min([*late, len(self.articles) + 1]) - 1

    async def released_articles(
        self, edition: Edition, after: int, through: int
    ) -> Sequence[CondensedArticle]:
        self.asked.append((after, through))
        return [
            a
            for a in self.articles
            if after < a.article.position <= through
            and (not edition.topics or set(a.article.topics) & set(edition.topics))
        ]

    async def last_issue_start(self, group: Group) -> int | None:
        given = self._standing(group)[0].given
        return given[-1].served_from if given else None

    async def recently_sent(self, group: Group, since: datetime) -> Collection[str]:
        given = [issue for reader in self._standing(group)[:1] for issue in reader.given]
        return {article for issue in given if issue.created_at >= since for article in issue.article_ids}

    async def edited_articles(
        self, group: Group, sent_since: datetime, edited_until: datetime
    ) -> Sequence[EditedArticle]:
        given = [issue for reader in self._standing(group)[:1] for issue in reader.given]
        told = {key for issue in given if issue.created_at >= sent_since for key in issue.article_ids}
        known = {c.edit.key for issue in given for c in issue.corrections}
        return [
            edited
            for edited in self.edits
            if edited.article.id in told and edited.edit.at <= edited_until and edited.edit.key not in known
        ]

    async def record_issue(
        self, group: Group, issue: Issue, next_due_at: datetime | None, channel: str
    ) -> int:
        assert channel
        members = self._standing(group)
        for reader in members:
            reader.given.append(issue)
            reader.told_through = issue.served_through
            reader.next_due_at = next_due_at or reader.next_due_at
        return len(members)

    async def skip_issue(self, group: Group, next_due_at: datetime, served_through: int | None) -> int:
        members = self._standing(group)
        for reader in members:
            reader.next_due_at = next_due_at
            reader.told_through = reader.told_through if served_through is None else served_through
        return len(members)

    def _standing(self, group: Group) -> list[Reader]:
        members = self._members(group.edition, group.served_through, group.due_at)
        return [r for r in members if group.subscriber_ids is None or r.name in group.subscriber_ids]

    def _members(self, edition: Edition, told_through: int, due_at: datetime | None) -> list[Reader]:
        return [
            r
            for r in self.readers
            if r.active
            and (r.edition, r.told_through) == (edition, told_through)
            and due_at in (None, r.next_due_at)
        ]


def tell_all(
    articles: Sequence[CondensedArticle], *, points: int, known: Sequence[CondensedArticle] = ()
) -> tuple[StoryPoint, ...]:
    """Tell every key point of the articles with its caveats, up to the number asked for.

    Left away are points that stand word for word in what was `known`, with their caveats.
    """
    said = {key.text for condensed in known for key in condensed.summary.key_points}
    shown: list[StoryPoint] = []
    for condensed in articles:
        places: dict[int, int] = {}
        for number, key in enumerate(condensed.summary.key_points):
            if key.text in said or (key.qualifies is not None and key.qualifies not in places):
                continue
            places[number] = len(shown)
            owner = None if key.qualifies is None else places[key.qualifies]
            shown.append(StoryPoint(key.text, key.role, condensed.article, key.start, key.end, owner))
    return tuple(shown[:points])
