"""What compose asks of the outside: who is due, what can be told, and how it is told and rendered."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from service.core.model import (
    Article,
    CondensedArticle,
    Digest,
    Edit,
    Edition,
    Group,
    Issue,
    RenderedMail,
    SentenceChange,
    SourceHealth,
    StoryPoint,
    Summary,
)


@dataclass(frozen=True, slots=True)
class EditedArticle:
    """An article that readers were told, as its publisher has edited it since.

    `told_in` are the texts of the issues that told it, `corrected` what they were told of earlier edits,
    oldest first.
    """

    article: Article
    summary: Summary
    edit: Edit
    sent_texts: tuple[str, ...]
    previous_changes: tuple[tuple[SentenceChange, ...], ...] = ()


class ComposeStore(Protocol):
    """What compose asks of the record."""

    async def due_groups(self, now: datetime) -> Sequence[Group]:
        """Return the groups of active subscriptions with `next_due_at <= now`, longest waiting first."""
        ...

    async def groups_of(self, newsletter: str, subscribers: Collection[str] | None) -> Sequence[Group]:
        """Return the groups of a newsletter's active subscriptions, due or not, for a manual send.

        With `subscribers` (ids), only those people: the groups carry them in `only`.
        """
        ...

    async def release_position(self, gathered_by: datetime) -> int:
        """Return the position up to which articles were gathered by then and are condensed or set aside."""
        ...

    async def released_articles(
        self, edition: Edition, after: int, through: int
    ) -> Sequence[CondensedArticle]:
        """Return the condensed articles with `after < position <= through` that fit the edition's topics.

        An edition without topics fits every article. In gather order, the newest 5,000 at most.
        """
        ...

    async def last_issue_start(self, group: Group) -> int | None:
        """Return `told_from` of the last issue that the group's members were given, for a repeat."""
        ...

    async def recently_sent(self, group: Group, since: datetime) -> Collection[str]:
        """Return the ids of the articles in the issues that the group's members were given since then.

        Members stand at the same place because they were told the same; one speaks for all.
        """
        ...

    async def edited_articles(
        self, group: Group, sent_since: datetime, edited_until: datetime
    ) -> Sequence[EditedArticle]:
        """Return the articles that were edited, until then, after the group's members had been told them.

        Only those of the issues that they were given since `told_since`, without the edits that they were
        told already. In gather order.
        """
        ...

    async def record_issue(
        self, group: Group, issue: Issue, next_due_at: datetime | None, channel: str
    ) -> int:
        """Store the issue, plan a delivery for each member, and move the members on: one transaction.

        Only members that still stand where `group` says are served: due at `group.due_at` (scheduled sends),
        told through `group.told_through`, active. Their `told_through` becomes the issue's; their
        `next_due_at` becomes `next_due_at` unless that is None. Return how many deliveries were planned.

        An issue of that id that is stored already, for others who stood here before, is what these get.
        Its corrections are stored with it, and with them the words that they are taken from.
        Raises WordsChanged when an article has other words by now than the issue was made of.
        """
        ...

    async def skip_issue(self, group: Group, next_due_at: datetime, served_through: int | None) -> int:
        """Move the group's members to their next due moment without an issue; return how many moved."""
        ...


class StoryStore(Protocol):
    """What compose asks of the record to give each article its story, once and for all."""

    async def articles_between(
        self, after: int, through: int, limit: int
    ) -> Sequence[tuple[Article, str | None]]:
        """Return articles with `after < position <= through` and their stories, None where there is none yet.

        In gather order, the first `limit` of them; whatever their topics, condensed or not.
        """
        ...

    async def record_stories(self, stories: Mapping[str, str]) -> Mapping[str, str]:
        """Store article id -> story id where there is none yet; return what stands for these articles."""
        ...


class Renderer(Protocol):
    """Turns a digest into subject, HTML and text."""

    def render(self, digest: Digest, *, title: str, theme: str, issue_id: str) -> RenderedMail:
        """Return the digest rendered once for all recipients, with placeholders for what differs."""
        ...


class SourceHealthReader(Protocol):
    """Knows how the feeds are doing (gather has the rule)."""

    async def source_health(self, at: datetime) -> Sequence[SourceHealth]:
        """Return every feed of the roster as it stands at that moment."""
        ...


class SentenceSplitter(Protocol):
    """Finds the sentences of a text (condense knows how)."""

    def __call__(self, text: str, language: str) -> Sequence[tuple[int, int]]:
        """Return where each sentence begins and ends, in order."""
        ...


class KeyPointMerger(Protocol):
    """Chooses, across the articles of one story, what to show of it (condense knows how)."""

    def __call__(
        self, articles: Sequence[CondensedArticle], *, points: int, known: Sequence[CondensedArticle] = ()
    ) -> tuple[StoryPoint, ...]:
        """Return at most `points` points, caveats right behind the point that they qualify.

        `told` are articles of the story that the readers know: what these say is left away.
        """
        ...
