"""What compose makes for readers: editions of a newsletter, digests, issues."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from service.core.model.condense import Role
from service.core.model.gather import Article


@dataclass(frozen=True, slots=True)
class Newsletter:
    """What one can subscribe to, as the roster declares it; also the defaults for a reader's wishes.

    `empty` is `skip` or `send`; `late` is `send`, `merge` or `skip`, applied beyond `late_limit`.
    `corrections` is `show` or `hide`; `show_source_health` names sources that are not heard from.
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
    """What a reader wants differently from the newsletter's defaults; None means: as the newsletter says."""

    schedule: str | None = None
    timezone: str | None = None
    topics: tuple[str, ...] | None = None
    stories: int | None = None
    points: int | None = None
    language: str | None = None
    format: str | None = None


@dataclass(frozen=True, slots=True)
class Edition:
    """A newsletter as one group of subscribers wants it. `identity.edition_key` computes its key."""

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
    """Subscriptions that get the same issue: one edition, and told through the same position.

    `due_at` is the instant they wait for (None for a manual send). `only` limits a manual send to some
    subscribers by id; None means everyone in the group.
    """

    edition: Edition
    edition_key: str
    served_through: int
    due_at: datetime | None
    size: int
    subscriber_ids: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class StoryPoint:
    """A key point as a story tells it, with the article it was taken from."""

    text: str
    role: Role
    article: Article
    start: int
    end: int
    qualifies: int | None = None
    context: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Story:
    """Articles from several feeds about one event, shown once; `articles[0]` gives it its headline.

    An `update` goes on with a story that its readers were told before; its points are new to them.
    """

    id: str
    articles: tuple[Article, ...]
    points: tuple[StoryPoint, ...]
    is_update: bool = False

    @property
    def headline(self) -> str:
        """The title of the article that leads the story."""
        return self.articles[0].title

    @property
    def publishers(self) -> tuple[str, ...]:
        """Every publisher once, in the order in which the articles stand."""
        return tuple(dict.fromkeys(a.publisher for a in self.articles))


@dataclass(frozen=True, slots=True)
class Edit:
    """The words that a publisher gave an article later, as seen at `at`; `key` is computed from them."""

    key: str
    title: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A sentence of an article, verbatim. `edit` is the key of the edit that it stands in.

    Without one it stands in the words that were told first.
    """

    text: str
    start: int
    end: int
    edit: str = ""


@dataclass(frozen=True, slots=True)
class SentenceChange:
    """A sentence that readers were told, and the one that stands in its place now, None where none does."""

    sent: Excerpt
    current: Excerpt | None


@dataclass(frozen=True, slots=True)
class Correction:
    """What a publisher changed of an article after it was told, as far as readers were told it."""

    article: Article
    edit: Edit
    changes: tuple[SentenceChange, ...]


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """A feed as its readers may know it. `heard`: it can be read and is not out of its rhythm.

    `last_heard` is when it was, None for never.
    """

    name: str
    topics: tuple[str, ...]
    is_healthy: bool
    last_healthy_at: datetime | None


@dataclass(frozen=True, slots=True)
class Digest:
    """The chosen, ordered stories for one edition at one moment; a pure value.

    `left_out` counts the stories that the cap did not let in. `unheard` are sources that nothing came from.
    """

    edition: Edition
    at: datetime
    stories: tuple[Story, ...]
    left_out: int = 0
    corrections: tuple[Correction, ...] = ()
    unhealthy_sources: tuple[SourceHealth, ...] = ()


@dataclass(frozen=True, slots=True)
class RenderedMail:
    """What render makes of a digest: subject, HTML and plain text, with the recipient's places still open."""

    subject: str
    html: str
    text: str


class MailKind(StrEnum):
    """What a rendered mail is: an issue, or a transactional mail to one person.

    Those ask to confirm a sign-up, welcome a subscriber, or ask to confirm that somebody unsubscribes.
    """

    ISSUE = "issue"
    CONFIRMATION = "confirmation"
    WELCOME = "welcome"
    UNSUBSCRIBE = "unsubscribe"


@dataclass(frozen=True, slots=True)
class Issue:
    """One dated, rendered number of an edition; or a transactional mail, which has none ("").

    `occurrence` is the local date and time it stands for (`2026-03-29T07:00`), or `manual:<key>`;
    a transactional mail has its kind there.
    It tells what lies in `told_from < position <= told_through`. `words` are the keys of the words that its
    articles had when it was made of them; an issue that is read back has none.
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
