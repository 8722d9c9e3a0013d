"""What compose needs from the rest of the service: stores, a renderer, and the health of the sources."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from service.core.archive_links import NONE
from service.core.model import (
    Article,
    CondensedArticle,
    Digest,
    Draft,
    Edit,
    Edition,
    Group,
    Issue,
    Picture,
    RenderedMail,
    SentenceChange,
    SentIssue,
    SourceHealth,
    StoryPoint,
    Summary,
)


@dataclass(frozen=True, slots=True)
class EditedArticle:
    """An article that was sent and that its publisher edited afterwards.

    `sent_texts` are the texts of the issues that contain it, `previous_changes` the corrections sent so far,
    oldest first.
    """

    article: Article
    summary: Summary
    edit: Edit
    sent_texts: tuple[str, ...]
    previous_changes: tuple[tuple[SentenceChange, ...], ...] = ()


class ReleasedPosition(NamedTuple):
    """The position of a condensed article, its story (id; "": none yet), and when its summary was made.

    An article whose story and time are the same as before has not changed: an edited text gets a new summary.
    """

    position: int
    story: str
    condensed_at: datetime


class ComposeStore(Protocol):
    """The record of groups, articles and issues."""

    async def due_groups(self, now: datetime, ahead: timedelta = timedelta()) -> Sequence[Group]:
        """Return the groups of active subscriptions that are due by `now + ahead`, the longest waiting first.

        Subscriptions whose pause has ended by `now` become active first.
        """
        ...

    async def groups_of(self, newsletter: str, subscribers: Collection[str] | None) -> Sequence[Group]:
        """Return the groups of a newsletter's active subscriptions, due or not, for a manual send.

        With `subscribers` (ids), only theirs: the groups carry these ids in `subscriber_ids`.
        """
        ...

    async def release_position(self, gathered_by: datetime) -> int:
        """Return the last position before the first article that is gathered later or still uncondensed.

        Articles that condense set aside count as condensed.
        """
        ...

    async def released_positions(
        self, edition: Edition, after: int, through: int
    ) -> Sequence[ReleasedPosition]:
        """Return the condensed articles with `after < position <= through`.

        Only articles that fit the edition's topics; all fit an edition without topics. In gather order, the
        newest 5,000 at most.
        """
        ...

    async def articles_at(self, positions: Collection[int]) -> Sequence[CondensedArticle]:
        """Return the condensed articles at these positions, in gather order."""
        ...

    async def last_issue_start(self, group: Group) -> int | None:
        """Return `served_from` of the last issue of the group's members, None if they have none."""
        ...

    async def recently_sent(self, group: Group, since: datetime) -> Mapping[str, SentIssue]:
        """Return article id -> the first issue of the group's members since then that showed it.

        Articles of which an issue showed one line only are not among them.
        The issues of one member stand for all: members have the same cursor because they got the same issues.
        """
        ...

    async def edited_articles(
        self, group: Group, sent_since: datetime, edited_until: datetime
    ) -> Sequence[EditedArticle]:
        """Return the articles that were edited after they were sent to the group's members, in gather order.

        Only articles of issues since `sent_since` and edits until `edited_until`; without the edits whose
        corrections the members have.
        """
        ...

    async def record_issue(
        self,
        group: Group,
        issue: Issue,
        next_due_at: datetime | None,
        channel: str,
        draft: Draft | None = None,
    ) -> int:
        """Store the issue, plan a delivery for each member and advance the members, in one transaction.

        Only active members that still match the group are served: with its cursor and, for a scheduled issue,
        its due time. Their cursor becomes the issue's `served_through`, their due time `next_due_at` unless
        that is None. Corrections are stored with the issue, and the texts that they quote.

        If an issue of that id is stored already, for members served earlier, the others get that one. If it
        was cancelled, they get none: their due time advances, their cursor does not.
        The `draft` that the issue was made of is deleted.

        Returns the number of planned deliveries. Raises ArticleChanged if an article was edited after the
        issue was composed, DraftChanged if the draft is stored in another version.
        """
        ...

    async def skip_issue(
        self, group: Group, next_due_at: datetime, served_through: int | None, draft: Draft | None = None
    ) -> int:
        """Move the group's members to their next due time, without an issue; return their number.

        Their cursor becomes `served_through` unless that is None. The `draft` is deleted; raises DraftChanged
        if it is stored in another version.
        """
        ...


class DraftStore(Protocol):
    """The record of issues that wait for an editor."""

    async def draft_of(self, group: Group) -> Draft | None:
        """Return the draft for a group that has a due time, None if there is none."""
        ...

    async def earlier_draft(self, group: Group) -> Draft | None:
        """Return a draft for the same edition and due time but another cursor: its group is gone."""
        ...

    async def save(self, draft: Draft, *, is_new: bool = False) -> Draft:
        """Store a new draft or a new version of a stored one; return it with its version.

        Raises DraftChanged if another version is stored, or for a new draft any.
        """
        ...

    async def is_current(self, draft: Draft) -> bool:
        """Return whether the draft's articles still have the texts that it was composed of."""
        ...

    async def delete_unused(self) -> int:
        """Delete the drafts whose group is gone; return their number."""
        ...


class DigestStore(Protocol):
    """The record of what issues were rendered from."""

    async def digest(self, issue_id: str) -> Digest | None:
        """Return the digest of an issue, with its corrections; None for an unknown or older issue."""
        ...


class StoryStore(Protocol):
    """The record of which story each article belongs to."""

    async def articles_between(
        self, after: int, through: int, limit: int
    ) -> Sequence[tuple[Article, str | None]]:
        """Return the first `limit` articles with `after < position <= through` and the ids of their stories.

        In gather order, of all topics, condensed or not; None for an article without a story.
        """
        ...

    async def split_count(self) -> int:
        """Return the number of articles that were split from a story; it grows with each split."""
        ...

    async def record_stories(self, stories: Mapping[str, str], *, split_count: int) -> Mapping[str, str]:
        """Store article id -> story id for articles without a story; return the stored ids of all of them.

        `split_count` is the number of splits before the stories were found. If it has changed since, nothing
        is stored and the result is empty.
        """
        ...


class Renderer(Protocol):
    """Renders digests."""

    def render(
        self,
        digest: Digest,
        *,
        title: str,
        theme: str,
        issue_id: str,
        archive: str = NONE,
        subscribe_url: str = "",
        picture: Picture | None = None,
    ) -> RenderedMail:
        """Return the digest, rendered once for all recipients, with placeholders for their own values.

        `archive` is that of the newsletter: with `none`, nothing links to a web page of the issue.
        `subscribe_url` is where others subscribe, "" if they cannot. `picture` is shown with the lead. The
        HTML of an edition in plain text is empty. Raises UnknownName for an unknown theme, CaveatError for a
        theme that fails.
        """
        ...


class PictureSource(Protocol):
    """Gets pictures from the publishers' servers."""

    async def picture(self, url: str) -> Picture | None:
        """Return the picture at a web address, made small; None if it cannot be had within seconds.

        Raises nothing: an issue is sent without its picture.
        """
        ...


class SourceHealthReader(Protocol):
    """Reads the health of the feeds; gather has the rules for it."""

    async def source_health(self, at: datetime) -> Sequence[SourceHealth]:
        """Return the health of every feed of the roster at that time."""
        ...


class KeyPointMerger(Protocol):
    """Selects the points of a story from the key points of its articles."""

    def __call__(
        self, articles: Sequence[CondensedArticle], *, points: int, known: Sequence[CondensedArticle] = ()
    ) -> tuple[StoryPoint, ...]:
        """Return at most `points` points and caveats; a caveat follows the point that it qualifies.

        `known` are articles of the story that the group got before; what they say is left out.
        """
        ...
