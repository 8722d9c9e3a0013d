"""Listings: what the doors show of the record, line by line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from service.core.model import Article, Books, Correction, DeliveryState, Edition, FeedState, Summary


@dataclass(frozen=True, slots=True)
class PendingWork:
    """How much waits for each stage at a moment; large numbers are counted up to ten thousand only."""

    feeds: int = 0
    articles: int = 0
    groups: int = 0
    deliveries: int = 0


@dataclass(frozen=True, slots=True)
class DeliveryBacklog:
    """Since when the delivery that waits longest is due, None when none is, and how many are in doubt."""

    oldest_due_at: datetime | None = None
    uncertain: int = 0


@dataclass(frozen=True, slots=True)
class IssueDetails:
    """An issue without its bodies, with its books. `edition` is whose it is, `channel` how it goes out.

    `paused_at` says since when nobody takes its deliveries, None that they go out.
    """

    id: str
    newsletter: str
    edition_key: str
    edition: Edition
    occurrence: str
    due_at: datetime
    created_at: datetime
    subject: str
    channel: str
    served_from: int
    served_through: int
    article_ids: tuple[str, ...]
    books: Books
    paused_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeliveryDetails:
    """A delivery with its person. `at` is when it last changed, `due_at` when it is taken up next.

    `issue_id` and `occurrence` say which issue it is of.
    """

    id: str
    issue_id: str
    occurrence: str
    subscriber_id: str
    address: str
    name: str
    state: DeliveryState
    attempts: int
    at: datetime
    due_at: datetime | None
    reply: str


@dataclass(frozen=True, slots=True)
class Suppression:
    """Why an address is not mailed, and since when."""

    reason: str
    since: datetime


@dataclass(frozen=True, slots=True)
class BounceDetails:
    """A delivery that came back, as the letter said it; `issue_id` is the issue that it was of."""

    issue_id: str
    at: datetime
    hard: bool
    reason: str


@dataclass(frozen=True, slots=True)
class FeedDetails:
    """A feed, what its looks left behind, and what came of them. `gone_at`: its publisher ended it then."""

    state: FeedState
    active: bool
    gone_at: datetime | None
    articles: int
    last_article_at: datetime | None


@dataclass(frozen=True, slots=True)
class ArticleDetails:
    """An article and what became of it: `state` is new, condensed or set_aside; `problem` says why."""

    article: Article
    state: str
    problem: str
    summary: Summary | None


@dataclass(frozen=True, slots=True)
class CorrectionDetails:
    """A correction that an issue told. `words` are the texts it was taken from by edit, "" the first one."""

    issue_id: str
    correction: Correction
    texts: Mapping[str, str]

    @property
    def is_verbatim(self) -> bool:
        """Whether every sentence of it stands in the words that it was taken from."""
        pairs = ((change.sent, change.current) for change in self.correction.changes)
        return all(
            self.texts.get(line.edit, "")[line.start : line.end] == line.text
            for pair in pairs
            for line in pair
            if line is not None
        )


@dataclass(frozen=True, slots=True)
class TransactionalCounts:
    """How many transactional mails stand where; `oldest` is when the oldest waiting one was planned."""

    waiting: int
    oldest: datetime | None
    sent: int
    refused: int
    uncertain: int
    suppressed: int


@dataclass(frozen=True, slots=True)
class RecordCounts:
    """How much there is in the record."""

    feeds: int
    articles: int
    subscribers: int
    subscriptions: int
    issues: int
    suppressions: int


def issue_as_dict(issue: IssueDetails) -> dict[str, object]:
    """Return an issue as the doors tell it to programs."""
    return {
        "id": issue.id,
        "newsletter": issue.newsletter,
        "subject": issue.subject,
        "occurrence": issue.occurrence,
        "due_at": issue.due_at,
        "created_at": issue.created_at,
        "paused_at": issue.paused_at,
        "edition": asdict(issue.edition),
        "channel": issue.channel,
        "told_from": issue.served_from,
        "told_through": issue.served_through,
        "articles": list(issue.article_ids),
        "books": books_as_dict(issue.books),
        "closed": issue.books.closed,
    }


def books_as_dict(books: Books) -> dict[str, int]:
    """Return an issue's books as the doors tell them."""
    return asdict(books)
