"""Values of an issue: stories with their points, corrections, the digest and the rendered issue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from service.core.model.compose import Edition
from service.core.model.condense import CaveatKind, Grade, KeyPoint, Role
from service.core.model.gather import Article


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


class Placement(StrEnum):
    """How much of a story an issue shows.

    LEAD: the first story, with the most key points. STORY: a story with key points. SHORT: one line with a
    link. WEB: one line on the issue's web page, not in the mail.
    """

    LEAD = "lead"
    STORY = "story"
    SHORT = "short"
    WEB = "web"


@dataclass(frozen=True, slots=True)
class Score:
    """Why a story stands where it does: named numbers, whose sum is `total`."""

    parts: tuple[tuple[str, float], ...] = ()

    @property
    def total(self) -> float:
        """The sum of the parts."""
        return sum(value for _, value in self.parts)


@dataclass(frozen=True, slots=True)
class SentIssue:
    """An earlier issue of the group: its id and its date."""

    id: str
    at: datetime


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Story:
    """Articles from several feeds about one event, shown once under the headline of `articles[0]`.

    `is_update`: the group got the story in an earlier issue, `first_issue` (None: not known), and the points
    are new. `judges` are those of the summaries, each once. `section` is the topic under which it is shown,
    "" for none. A story with the placement SHORT or WEB has no points but caveats of its headline.
    """

    id: str
    articles: tuple[Article, ...]
    points: tuple[StoryPoint, ...]
    is_update: bool = False
    judges: tuple[str, ...] = ()
    placement: Placement = Placement.STORY
    section: str = ""
    score: Score = Score()
    first_issue: SentIssue | None = None

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
    """A sentence of an article, verbatim. `edit` is the key of its edit, "" for the text sent first.

    The offsets are those in the article's text, of its headline (`is_headline`) those in its title.
    """

    text: str
    start: int
    end: int
    edit: str = ""
    is_headline: bool = False


@dataclass(frozen=True, slots=True)
class SentenceChange:
    """A sentence or headline that was sent, and what is in its place now (None: it was removed)."""

    sent: Excerpt
    current: Excerpt | None


@dataclass(frozen=True, slots=True)
class Correction:
    """The changes that an edit made to the sent headline and sentences of an article, the headline first."""

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
    """The ordered stories for one edition at one time, those of the mail first.

    `left_out` is the number of stories that are not even named on the web page. `compact` shortens the lists
    of the stories' articles, in an issue that would be too large. `dropped` are the articles (ids) of the
    stories that an editor dropped.
    """

    edition: Edition
    at: datetime
    stories: tuple[Story, ...]
    left_out: int = 0
    corrections: tuple[Correction, ...] = ()
    unhealthy_sources: tuple[SourceHealth, ...] = ()
    compact: bool = False
    dropped: tuple[str, ...] = ()

    def placed(self, *placements: Placement) -> tuple[Story, ...]:
        """Return the stories with one of these placements, in their order."""
        return tuple(story for story in self.stories if story.placement in placements)


@dataclass(frozen=True, slots=True)
class Picture:
    """The picture of an issue's first story: a JPEG file without metadata, its size in pixels.

    `publisher` is that of the article which it belongs to.
    """

    data: bytes
    width: int
    height: int
    publisher: str = ""


@dataclass(frozen=True, slots=True)
class RenderedMail:
    """A rendered mail: subject, HTML and plain text, with placeholders for the recipient's own values."""

    subject: str
    html: str
    text: str


class MailKind(StrEnum):
    """The kind of a rendered mail: an issue, or a transactional mail to one person.

    CONFIRMATION asks to confirm a sign-up, WELCOME greets a new subscriber, UNSUBSCRIBE asks to confirm a
    request to unsubscribe. OPERATOR says what is wrong, REVIEW that a draft waits for an editor.
    """

    ISSUE = "issue"
    CONFIRMATION = "confirmation"
    WELCOME = "welcome"
    UNSUBSCRIBE = "unsubscribe"
    OPERATOR = "operator"
    REVIEW = "review"


@dataclass(frozen=True, slots=True)
class Issue:
    """One dated, rendered number of an edition; or a transactional mail, whose `edition_key` is "".

    `occurrence` is the local due time (`2026-03-29T07:00`), `manual:<key>` for a manual send, or the kind of
    a transactional mail. The issue covers the articles with `served_from < position <= served_through`.
    `edit_keys` are the keys of the articles' versions that were composed; () in an issue read from the store.
    `digest` is what was rendered, kept for the web page and for explanations; None in an issue read from the
    store, which has a query of its own for it, and in a transactional mail. `picture` is sent with the HTML,
    which shows it.
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
    digest: Digest | None = None
    picture: Picture | None = None
