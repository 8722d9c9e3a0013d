"""Read models: values that the CLI, the web pages and the API list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass
from datetime import datetime
from operator import add

from service.core.model import (
    Article,
    Books,
    Correction,
    DeliveryState,
    Edition,
    FeedState,
    Placement,
    Score,
    Story,
    Summary,
)


@dataclass(frozen=True, slots=True)
class PendingWork:
    """The number of rows that wait for each stage, each counted up to 10,000."""

    feeds: int = 0
    articles: int = 0
    groups: int = 0
    deliveries: int = 0


@dataclass(frozen=True, slots=True)
class DeliveryBacklog:
    """The due time of the delivery that waits longest (None: none waits), and numbers of rows.

    `uncertain` counts deliveries in this state, `drafts` those that nobody decided about or that are held.
    """

    oldest_due_at: datetime | None = None
    uncertain: int = 0
    drafts: int = 0


def is_by_hand(occurrence: str) -> bool:
    """Return whether an occurrence names a send by hand, such as `manual:ID`, and no local due time."""
    return occurrence.startswith(("manual:", "again:"))


@dataclass(frozen=True, slots=True)
class IssueDetails:
    """An issue without its bodies, with its books.

    `paused_at` is None while the issue is not paused, `cancelled_at` if it was not cancelled.
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
    cancelled_at: datetime | None = None

    @property
    def by_hand(self) -> bool:
        """Return whether it was sent by hand, so that `due_at` is no time of a schedule."""
        return is_by_hand(self.occurrence)


@dataclass(frozen=True, slots=True)
class IssuePlace:
    """The place of a story: its `number` among the `total` stories of an issue, 1 for the first.

    `in_mail` is the number of stories in the mail; the others are on the issue's web page at most.
    """

    story: Story
    number: int
    total: int
    in_mail: int

    @property
    def placement(self) -> Placement:
        """How much the issue shows of the story."""
        return self.story.placement

    @property
    def score(self) -> Score:
        """Why the story stands there; without parts in an issue from before there were scores."""
        return self.story.score


@dataclass(frozen=True, slots=True)
class CancelCounts:
    """What the cancellation of an issue did, or would do, as numbers of deliveries.

    `returned`: the subscriber gets the stories with the next issue. The other cancelled ones do not:
    `in_later_issue` have a later issue, `maybe_arrived` may have this one, `inactive` have no active
    subscription. `in_transfer` were not cancelled, because a server may be accepting them.
    """

    returned: int = 0
    in_later_issue: int = 0
    maybe_arrived: int = 0
    inactive: int = 0
    in_transfer: int = 0

    @property
    def cancelled(self) -> int:
        """The number of cancelled deliveries."""
        return self.returned + self.in_later_issue + self.maybe_arrived + self.inactive

    def __add__(self, other: CancelCounts) -> CancelCounts:
        """Return the sums."""
        return CancelCounts(*map(add, astuple(self), astuple(other)))


@dataclass(frozen=True, slots=True)
class DeliveryDetails:
    """A delivery with its subscriber and issue. `at` is the last change; `due_at` is the next attempt.

    `issue_due_at` is when the issue was due.
    """

    id: str
    issue_id: str
    newsletter: str
    occurrence: str
    issue_due_at: datetime
    subscriber_id: str
    address: str
    name: str
    state: DeliveryState
    attempts: int
    at: datetime
    due_at: datetime | None
    reply: str

    @property
    def by_hand(self) -> bool:
        """Return whether its issue was sent by hand."""
        return is_by_hand(self.occurrence)


@dataclass(frozen=True, slots=True)
class Suppression:
    """The reason why an address gets no mail, and the start."""

    reason: str
    since: datetime


@dataclass(frozen=True, slots=True)
class BounceDetails:
    """A bounce of a delivery; `reason` is quoted from the bounce mail."""

    issue_id: str
    at: datetime
    hard: bool
    reason: str


@dataclass(frozen=True, slots=True)
class FeedDetails:
    """A feed with its state and articles. `gone_at`: the time at which its publisher ended it (HTTP 410)."""

    state: FeedState
    active: bool
    gone_at: datetime | None
    articles: int
    last_article_at: datetime | None


@dataclass(frozen=True, slots=True)
class ArticleDetails:
    """An article with its summary. `state` is new, condensed or set_aside; `problem` is the last failure."""

    article: Article
    state: str
    problem: str
    summary: Summary | None


@dataclass(frozen=True, slots=True)
class StorySplit:
    """An article (id) that an operator took out of a story (id), and the time."""

    article_id: str
    story: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CorrectionDetails:
    """A correction in an issue.

    `texts` maps the key of each edit to its text, "" to the text sent first; `titles` does so with titles.
    """

    issue_id: str
    correction: Correction
    texts: Mapping[str, str]
    titles: Mapping[str, str]

    @property
    def is_verbatim(self) -> bool:
        """Whether every sentence equals its text at the offsets."""
        return all(
            (self.titles if excerpt.is_headline else self.texts).get(excerpt.edit, "")[
                excerpt.start : excerpt.end
            ]
            == excerpt.text
            for change in self.correction.changes
            for excerpt in (change.sent, change.current)
            if excerpt is not None
        )


@dataclass(frozen=True, slots=True)
class TransactionalCounts:
    """The number of transactional mails by state; `oldest` is when the oldest waiting mail was planned."""

    waiting: int
    oldest: datetime | None
    sent: int
    refused: int
    uncertain: int
    suppressed: int


@dataclass(frozen=True, slots=True)
class RecordCounts:
    """The number of rows in the database, by kind."""

    feeds: int
    articles: int
    subscribers: int
    subscriptions: int
    issues: int
    suppressions: int


@dataclass(frozen=True, slots=True)
class ListedIssue:
    """An issue in the list of its newsletter. `day` is its local day (`2026-03-02`).

    `time` is the local time (`07:00`), "" for an issue of another edition than the newsletter's own.
    `subject` may contain placeholders.
    """

    id: str
    day: str
    time: str
    subject: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class StoredIssue:
    """What the web page of an issue needs to know of it first.

    `is_withdrawn`: it was cancelled before anybody may have got it.
    """

    id: str
    newsletter: str
    subject: str
    edition: Edition
    created_at: datetime
    is_withdrawn: bool = False


def issue_as_dict(issue: IssueDetails) -> dict[str, object]:
    """Return an issue with the field names of the API and of `--json`."""
    return {
        "id": issue.id,
        "newsletter": issue.newsletter,
        "subject": issue.subject,
        "occurrence": issue.occurrence,
        "due_at": issue.due_at,
        "created_at": issue.created_at,
        "paused_at": issue.paused_at,
        "cancelled_at": issue.cancelled_at,
        "edition": asdict(issue.edition),
        "channel": issue.channel,
        "told_from": issue.served_from,
        "told_through": issue.served_through,
        "articles": list(issue.article_ids),
        "books": books_as_dict(issue.books),
        "closed": issue.books.closed,
    }


def books_as_dict(books: Books) -> dict[str, int]:
    """Return an issue's books with the field names of the API and of `--json`."""
    return asdict(books)
