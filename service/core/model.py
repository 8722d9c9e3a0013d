"""The nouns of the house: frozen values that the stages hand to one another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

# --- gather ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Feed:
    """A place that we look at: an http(s) URL, or a file that the config names.

    `id` is `identity.feed_id(url)`. `every` is the shortest time between two looks. `method` names the
    summariser for its articles (None: the site's default). `full_text` is `auto` (fetch the page when the
    entry is only a teaser), `always` or `never`.
    """

    id: str
    url: str
    name: str
    topics: tuple[str, ...] = ()
    language: str | None = None
    method: str | None = None
    full_text: str = "auto"
    every: timedelta = timedelta(minutes=15)
    first_items: int = 10


@dataclass(frozen=True, slots=True)
class FeedState:
    """A feed together with what the last looks at it left behind.

    `etag` and `last_modified` are kept byte for byte for the next conditional GET (RFC 9110, 13.1).
    `failures` counts failed looks in a row; `last_success_at` None means: never read so far. `memory` is what
    gather wants to remember of the feed between looks: JSON that only gather reads; the store keeps it whole.
    """

    feed: Feed
    etag: str | None = None
    last_modified: str | None = None
    next_look_at: datetime | None = None
    last_look_at: datetime | None = None
    last_success_at: datetime | None = None
    failures: int = 0
    last_error: str | None = None
    memory: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """An item as the feed gives it; lives only inside gather. `html` is untrusted markup, or plain text."""

    guid: str
    url: str
    title: str
    html: str
    published_at: datetime | None = None
    author: str = ""


@dataclass(frozen=True, slots=True)
class Article:
    """An entry cleaned, identified and stored.

    `text` is plain text, paragraphs separated by an empty line; every offset elsewhere counts its characters.
    `position` is the gather position that the store assigns in order of arrival (0: not stored yet);
    `told_through` marks point at positions, never at publication dates.
    """

    id: str
    feed_id: str
    url: str
    title: str
    text: str
    language: str
    publisher: str
    published_at: datetime | None
    gathered_at: datetime
    topics: tuple[str, ...] = ()
    method: str | None = None
    position: int = 0

    @property
    def moment(self) -> datetime:
        """When the article came out, as far as that can be believed: never after we first saw it."""
        return self.gathered_at if self.published_at is None else min(self.published_at, self.gathered_at)


# --- condense ----------------------------------------------------------------------------------


class Role(StrEnum):
    """What a key point is there for: a point stands for itself, a caveat qualifies a point."""

    POINT = "point"
    CAVEAT = "caveat"


@dataclass(frozen=True, slots=True)
class KeyPoint:
    """A sentence of the article, verbatim, with its offsets into the article's text.

    `qualifies` is the index, in the summary's key points, of the point that a caveat belongs to. `rank` is
    its place by weight, 0 the weightiest: whoever shows fewer key points keeps the lowest ranks.
    """

    text: str
    start: int
    end: int
    role: Role = Role.POINT
    qualifies: int | None = None
    rank: int = 0

    def __post_init__(self) -> None:
        """Refuse a key point that cannot be verbatim or a caveat that qualifies nothing."""
        if self.end - self.start != len(self.text) or self.start < 0:
            raise ValueError(f"a key point's offsets {self.start}..{self.end} do not fit its text")
        if (self.role is Role.CAVEAT) != (self.qualifies is not None):
            raise ValueError("a caveat names the point that it qualifies, and only a caveat does")

    @classmethod
    def cut(
        cls,
        source: str,
        start: int,
        end: int,
        role: Role = Role.POINT,
        qualifies: int | None = None,
        *,
        rank: int = 0,
    ) -> KeyPoint:
        """Return the key point that is `source[start:end]`, word for word."""
        return cls(source[start:end], start, end, role, qualifies, rank)


@dataclass(frozen=True, slots=True)
class ContextLine:
    """A sentence that probably qualifies a point: shown under it unmarked, beside the count."""

    text: str
    start: int
    end: int
    qualifies: int


@dataclass(frozen=True, slots=True)
class Summary:
    """What condense makes of an article: key points in reading order, caveats right after their point."""

    method: str
    key_points: tuple[KeyPoint, ...]
    context: tuple[ContextLine, ...] = ()

    def is_verbatim(self, source: str) -> bool:
        """Tell whether every key point and context line equals `source` at its offsets."""
        lines: tuple[KeyPoint | ContextLine, ...] = (*self.key_points, *self.context)
        return all(source[line.start : line.end] == line.text for line in lines)


@dataclass(frozen=True, slots=True)
class CondensedArticle:
    """An article with its summary, ready to be told. `story` is the id of its story, empty if unknown."""

    article: Article
    summary: Summary
    story: str = ""


# --- compose -----------------------------------------------------------------------------------


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
class Wishes:
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
    told_through: int
    due_at: datetime | None
    size: int
    only: tuple[str, ...] | None = None


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
    update: bool = False

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
class Change:
    """A sentence that readers were told, and the one that stands in its place now, None where none does."""

    told: Excerpt
    now: Excerpt | None


@dataclass(frozen=True, slots=True)
class Correction:
    """What a publisher changed of an article after it was told, as far as readers were told it."""

    article: Article
    edit: Edit
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """A feed as its readers may know it. `heard`: it can be read and is not out of its rhythm.

    `last_heard` is when it was, None for never.
    """

    name: str
    topics: tuple[str, ...]
    heard: bool
    last_heard: datetime | None


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
    unheard: tuple[Standing, ...] = ()


@dataclass(frozen=True, slots=True)
class Rendered:
    """What render makes of a digest: subject, HTML and plain text, with the recipient's places still open."""

    subject: str
    html: str
    text: str


@dataclass(frozen=True, slots=True)
class Issue:
    """One dated, rendered number of an edition.

    `occurrence` is the local date and time it stands for (`2026-03-29T07:00`), or `manual:<key>`.
    It tells what lies in `told_from < position <= told_through`. `words` are the keys of the words that its
    articles had when it was made of them; an issue that is read back has none.
    """

    id: str
    newsletter: str
    edition_key: str
    occurrence: str
    due_at: datetime
    told_from: int
    told_through: int
    rendered: Rendered
    article_ids: tuple[str, ...]
    created_at: datetime
    corrections: tuple[Correction, ...] = ()
    words: tuple[str, ...] = ()


# --- deliver -----------------------------------------------------------------------------------


class DeliveryState(StrEnum):
    """Where a delivery stands. The first four are the outbox; the rest are final."""

    PLANNED = "planned"
    ATTEMPTING = "attempting"
    DEFERRED = "deferred"
    UNCERTAIN = "uncertain"
    SENT = "sent"
    REFUSED = "refused"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One issue to one subscriber by one channel.

    `id` is computed from the three and is the left part of the Message-ID on every attempt. `attempts` counts
    the attempts made before this one, `doubts` those of them whose end nobody knows; `address` and `name` are
    the subscriber's, as they are now.
    """

    id: str
    issue_id: str
    subscriber_id: str
    channel: str
    address: str
    name: str
    attempts: int = 0
    planned_at: datetime | None = None
    doubts: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """Up to 500 deliveries that one worker took; `token` proves that they are still its own.

    `suppressed` counts the deliveries that were due and became suppressed when the batch was taken.
    """

    token: str
    lease_until: datetime
    deliveries: tuple[Delivery, ...] = field(default=())
    suppressed: int = 0


@dataclass(frozen=True, slots=True)
class Message:
    """What a channel is given: the envelope and the finished bytes, in parts that belong behind each other.

    Every line ends with CRLF, the last one too, and none begins with a dot, so that SMTP has nothing to stuff
    (RFC 5321, 4.5.2). The content is ASCII unless an address in it is not. The large parts are the same
    objects in the message of every reader; joined, each message would be a copy of them.
    """

    delivery_id: str
    sender: str
    recipient: str
    parts: tuple[bytes, ...]

    @property
    def content(self) -> bytes:
        """The parts as one."""
        return b"".join(self.parts)

    @property
    def size(self) -> int:
        """How many bytes the content has."""
        return sum(map(len, self.parts))


@dataclass(frozen=True, slots=True)
class Sent:
    """The channel took responsibility for the message."""

    reply: str = ""


@dataclass(frozen=True, slots=True)
class Deferred:
    """Not now; try again later. Nothing is wrong with the person (4xx, connection lost, greylisting)."""

    reply: str


class Blame(StrEnum):
    """What a refusal is about: the address is no good, this message is, or our sending is (policy, login)."""

    ADDRESS = "address"
    MESSAGE = "message"
    POLICY = "policy"


@dataclass(frozen=True, slots=True)
class Refused:
    """The channel said no for good. Only `Blame.ADDRESS` may count against the person."""

    reply: str
    blame: Blame


@dataclass(frozen=True, slots=True)
class Uncertain:
    """The message may or may not have been taken: the line broke after the final dot, before the reply."""

    reply: str


Outcome = Sent | Deferred | Refused | Uncertain


@dataclass(frozen=True, slots=True)
class ManualSend:
    """A newsletter mailed by hand. `id` comes from the idempotency key, `request` from what was asked for.

    `issues` (ids) came of it, with so many `deliveries`; `nothing_new` counts the readers who were told
    everything before, `left_out` says of others (subscriber ids) why they are not mailed.
    """

    id: str
    request: str
    at: datetime
    issues: tuple[str, ...] = ()
    deliveries: int = 0
    nothing_new: int = 0
    left_out: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Books:
    """The count of an issue's deliveries by state; they close when the parts add up to `due`."""

    due: int
    sent: int = 0
    suppressed: int = 0
    refused: int = 0
    uncertain: int = 0
    waiting: int = 0

    @property
    def closed(self) -> bool:
        """Whether every delivery is accounted for."""
        return self.due == self.sent + self.suppressed + self.refused + self.uncertain + self.waiting


@dataclass(frozen=True, slots=True)
class Site:
    """Who sends: shown in every mail. `sender` is a From header; `url` has no slash at its end."""

    name: str
    url: str
    sender: str
    postal_address: str
    unsubscribe_address: str


# --- people ------------------------------------------------------------------------------------


class SubscriptionStatus(StrEnum):
    """Where a subscription stands. `ended` is config's word, `unsubscribed` and `paused` the person's."""

    ACTIVE = "active"
    PAUSED = "paused"
    UNSUBSCRIBED = "unsubscribed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A person. `id` is computed from the folded address."""

    id: str
    email: str
    name: str = ""
    timezone: str | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """A person's place in one newsletter, with their own wishes."""

    subscriber_id: str
    newsletter: str
    wishes: Wishes
    edition_key: str
    next_due_at: datetime
    told_through: int
    status: SubscriptionStatus = SubscriptionStatus.ACTIVE


@dataclass(frozen=True, slots=True)
class Placement:
    """A subscription as the roster or the person wants it: who, what, how, and when it is due first."""

    subscriber: Subscriber
    newsletter: str
    wishes: Wishes
    edition: Edition
    edition_key: str
    next_due_at: datetime


@dataclass(frozen=True, slots=True)
class Membership:
    """A subscription together with its person, for listings. `suppressed` is the reason, if there is one.

    `declared`: the roster names it; `chosen`: its wishes are the person's own, and win over the roster's.
    """

    subscriber: Subscriber
    subscription: Subscription
    edition: Edition
    suppressed: str | None = None
    declared: bool = False
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class RosterEntry:
    """A subscriber as the roster declares them: who, and which newsletters with which wishes."""

    subscriber: Subscriber
    newsletters: tuple[tuple[str, Wishes], ...]


@dataclass(frozen=True, slots=True)
class Roster:
    """The feeds, newsletters and subscribers that config/ declares.

    `unread` holds the ids of subscribers whose entry could not be read: they stay as they are.
    """

    feeds: tuple[Feed, ...]
    newsletters: tuple[Newsletter, ...]
    subscribers: tuple[RosterEntry, ...]
    unread: tuple[str, ...] = ()

    def newsletter(self, newsletter_id: str) -> Newsletter | None:
        """Return the newsletter of that id, or None."""
        return next((n for n in self.newsletters if n.id == newsletter_id), None)
