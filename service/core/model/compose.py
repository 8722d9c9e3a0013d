"""Values of compose: newsletters and their editions, stories, corrections, digests and issues."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum

from service.core.model.condense import CaveatKind, Grade, KeyPoint, Role
from service.core.model.gather import Article


@dataclass(frozen=True, slots=True)
class Newsletter:
    """A newsletter as the roster declares it, with the defaults for its subscribers' preferences.

    `empty` (an issue without stories) is `skip` or `send`. `late` (an issue more than `late_limit` after its
    due time) is `send`, `merge` or `skip`. `corrections` is `show` or `hide`. With `show_source_health`, an
    issue names the sources that cannot be read or are overdue.
    """

    id: str
    title: str
    schedule: str
    timezone: str
    topics: tuple[str, ...] = ()
    stories: int = 8
    points: int = 4
    language: str = "en"
    theme: str = "daily"
    format: str = "html"
    empty: str = "skip"
    late: str = "send"
    late_limit: timedelta = timedelta(hours=6)
    method: str | None = None
    corrections: str = "show"
    show_source_health: bool = False


@dataclass(frozen=True, slots=True)
class Preferences:
    """A subscriber's settings for a newsletter; None means the newsletter's default."""

    schedule: str | None = None
    timezone: str | None = None
    topics: tuple[str, ...] | None = None
    stories: int | None = None
    points: int | None = None
    language: str | None = None
    format: str | None = None


PREFERENCE_FIELDS = tuple(field.name for field in fields(Preferences))
"""Names of the fields that a subscriber can set; an Edition has the same ones."""


@dataclass(frozen=True, slots=True)
class Edition:
    """A newsletter with the settings of one group of subscribers. `ids.edition_key` computes its key.

    A new field needs a default value: without one it would change the key of every stored edition.
    """

    newsletter: str
    schedule: str
    timezone: str
    topics: tuple[str, ...]
    stories: int
    points: int
    language: str
    format: str


@dataclass(frozen=True, slots=True)
class Group:
    """Subscriptions that get the same issue: they have the same edition and the same cursor.

    `served_through` is the cursor, `due_at` the due time (None for a manual send), `size` the number of
    active members. `subscriber_ids` limits a manual send to some members; None means all.
    """

    edition: Edition
    edition_key: str
    served_through: int
    due_at: datetime | None
    size: int
    subscriber_ids: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class EarlierFigure:
    """A figure that a newer article of the story outdates: verbatim, with the `sentence` of its article."""

    text: str
    article: Article
    sentence: str


@dataclass(frozen=True, slots=True)
class StoryPoint:
    """A key point of a story, with its article.

    `qualifies` is the index of the point that a tied caveat qualifies; None for one that qualifies the
    headline. `grade`, `kind` and `quoted` are as in KeyPoint. `introduction` is shown before the key point,
    `hint` in brackets, both "" if there is none. `earlier` are the figures of older articles that its own
    outdates.

    `is_cut`: it begins within a sentence of the article, and looks so.

    `follows` is the index of the point directly above it, without which it is not clear; None if it needs
    none. `rank` is its place in the order of choice, 0 for the first: points that need each other share it.
    """

    text: str
    role: Role
    article: Article
    start: int
    end: int
    qualifies: int | None = None
    introduction: str = ""
    quoted: bool = False
    earlier: tuple[EarlierFigure, ...] = ()
    grade: Grade = Grade.TIED
    kind: CaveatKind | None = None
    hint: str = ""
    follows: int | None = None
    rank: int = 0
    is_cut: bool = False

    @property
    def is_of_headline(self) -> bool:
        """Return whether it is a caveat that qualifies the headline."""
        return self.role is Role.CAVEAT and self.grade is Grade.TIED and self.qualifies is None

    @property
    def is_story_caveat(self) -> bool:
        """Return whether it qualifies the story, which point is not sure: it stands last."""
        return self.role is Role.CAVEAT and self.grade is Grade.STORY

    @property
    def stands_alone(self) -> bool:
        """Return whether it is a point or a context caveat, which stand in the order of the text."""
        return self.role is Role.POINT or self.grade is Grade.CONTEXT

    @classmethod
    def of_key_point(
        cls, article: Article, point: KeyPoint, *, role: Role, qualifies: int | None
    ) -> StoryPoint:
        """Return a key point of an article in its place in a story, with its hint."""
        return cls(
            point.text,
            role,
            article,
            point.start,
            point.end,
            qualifies,
            introduction=article.text[slice(*point.introduction)] if point.introduction else "",
            quoted=point.quoted,
            grade=point.grade,
            kind=point.kind,
            hint=article.text[slice(*point.hint)] if point.hint else "",
            is_cut=point.is_cut(article.text),
        )


@dataclass(frozen=True, slots=True)
class Story:
    """Articles from several feeds about one event, shown once under the headline of `articles[0]`.

    `is_update`: the group got the story in an earlier issue, and the points are new. `judges` are those of
    the summaries, each once.
    """

    id: str
    articles: tuple[Article, ...]
    points: tuple[StoryPoint, ...]
    is_update: bool = False
    judges: tuple[str, ...] = ()

    @property
    def headline(self) -> str:
        """The title of the first article."""
        return self.articles[0].title

    @property
    def publishers(self) -> tuple[str, ...]:
        """Every publisher once, in the order of the articles."""
        return tuple(dict.fromkeys(a.publisher for a in self.articles))


@dataclass(frozen=True, slots=True)
class Edit:
    """An article's title and text after an edit by its publisher, seen at `at`; see `ids.edit_key`."""

    key: str
    title: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A sentence of an article, verbatim. `edit` is the key of its edit, "" for the text sent first."""

    text: str
    start: int
    end: int
    edit: str = ""


@dataclass(frozen=True, slots=True)
class SentenceChange:
    """A sentence that was sent, and the sentence in its place now (None: it was removed)."""

    sent: Excerpt
    current: Excerpt | None


@dataclass(frozen=True, slots=True)
class Correction:
    """The changes that an edit made to the sent sentences of an article."""

    article: Article
    edit: Edit
    changes: tuple[SentenceChange, ...]


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """The health of a feed as subscribers see it.

    `is_healthy`: the feed can be read and its articles are not overdue. `last_healthy_at` is None if it never
    was.
    """

    name: str
    topics: tuple[str, ...]
    is_healthy: bool
    last_healthy_at: datetime | None


@dataclass(frozen=True, slots=True)
class Digest:
    """The chosen and ordered stories for one edition at one time.

    `left_out` is the number of stories beyond the edition's limit. `compact` shortens the lists of the
    stories' articles, in an issue that would be too large.
    """

    edition: Edition
    at: datetime
    stories: tuple[Story, ...]
    left_out: int = 0
    corrections: tuple[Correction, ...] = ()
    unhealthy_sources: tuple[SourceHealth, ...] = ()
    compact: bool = False


@dataclass(frozen=True, slots=True)
class RenderedMail:
    """A rendered mail: subject, HTML and plain text, with placeholders for the recipient's own values."""

    subject: str
    html: str
    text: str


class MailKind(StrEnum):
    """The kind of a rendered mail: an issue, or a transactional mail to one person.

    CONFIRMATION asks to confirm a sign-up, WELCOME greets a new subscriber, UNSUBSCRIBE asks to confirm a
    request to unsubscribe.
    """

    ISSUE = "issue"
    CONFIRMATION = "confirmation"
    WELCOME = "welcome"
    UNSUBSCRIBE = "unsubscribe"


@dataclass(frozen=True, slots=True)
class Issue:
    """One dated, rendered number of an edition; or a transactional mail, whose `edition_key` is "".

    `occurrence` is the local due time (`2026-03-29T07:00`), `manual:<key>` for a manual send, or the kind of
    a transactional mail. The issue covers the articles with `served_from < position <= served_through`.
    `edit_keys` are the keys of the articles' versions that were composed; () in an issue read from the store.
    """

    id: str
    newsletter: str
    edition_key: str
    occurrence: str
    due_at: datetime
    served_from: int
    served_through: int
    rendered: RenderedMail
    article_ids: tuple[str, ...]
    created_at: datetime
    corrections: tuple[Correction, ...] = ()
    edit_keys: tuple[str, ...] = ()
    kind: MailKind = MailKind.ISSUE
