"""What each stage asks of the outside: small Protocols, each owned by the stage that consumes it.

Instants are aware UTC datetimes. Every `record_*` is one transaction, and harmless when it is repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from service.core.model import (
    Article,
    Batch,
    Change,
    CondensedArticle,
    Delivery,
    DeliveryState,
    Digest,
    Edit,
    Edition,
    Feed,
    FeedState,
    Group,
    Issue,
    Membership,
    Message,
    Outcome,
    Placement,
    Rendered,
    Standing,
    StoryPoint,
    SubscriptionStatus,
    Summary,
)

Progress = Callable[[str, int, int], None]
"""Called as work goes on: what was just done, how many are done, how many there are."""


def silent(_what: str, _done: int, _total: int) -> None:
    """Report progress to nobody."""


# --- gather ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer with a body. `url` is where it came from after redirects; `moved` a permanent new address.

    `fresh_for` is how many seconds it stays fresh (RFC 9111, 4.2.1), None when the server does not say.
    """

    url: str
    body: bytes
    content_type: str = ""
    etag: str | None = None
    last_modified: str | None = None
    moved: str | None = None
    fresh_for: int | None = None


@dataclass(frozen=True, slots=True)
class NotModified:
    """304: what we have is still what there is; `fresh_for` and `moved` as in Fetched."""

    fresh_for: int | None = None
    moved: str | None = None


@dataclass(frozen=True, slots=True)
class Gone:
    """410: the publisher says that this address is finished for good."""


@dataclass(frozen=True, slots=True)
class Failed:
    """No usable answer; `reason` is a sentence for a person, `retry_after` the seconds to wait, if told.

    `status` is the server's (404, 503), None when it did not come to that.
    """

    reason: str
    retry_after: int | None = None
    status: int | None = None


Answer = Fetched | NotModified | Gone | Failed


class Fetcher(Protocol):
    """Gets what lies at an address, within limits of size, time and place."""

    async def fetch(self, url: str, *, etag: str | None = None, last_modified: str | None = None) -> Answer:
        """Return the answer; every expected trouble is a Failed, never an exception."""
        ...


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at a feed found: the feed's new state and the articles in it that may be new.

    `changed` are articles, stored before, whose title or text the publisher has edited since. `gone`: the
    publisher says that this feed is finished, so that it is not due any more.
    """

    state: FeedState
    articles: tuple[Article, ...] = ()
    gone: bool = False
    changed: tuple[Article, ...] = ()


class GatherStore(Protocol):
    """What gather asks of the record."""

    async def claim_feeds(self, now: datetime, until: datetime) -> Sequence[FeedState]:
        """Return the active feeds whose next look is due, longest overdue first, and claim them.

        Nobody else is given them until then. One host is with one worker at a time: of a host where a claim
        stands, nothing is given. Recording a look ends the feed's claim.
        """
        ...

    async def hold_feeds(self, ids: Collection[str], until: datetime | None) -> None:
        """Prolong the claims on these feeds, or with None give them back."""
        ...

    async def all_feeds(self) -> Sequence[FeedState]:
        """Return every active feed, by name."""
        ...

    async def feed_states(self, ids: Collection[str]) -> Sequence[FeedState]:
        """Return the states of these feeds that are active."""
        ...

    async def known_articles(self, ids: Collection[str]) -> set[str]:
        """Return which of these article ids are stored already."""
        ...

    async def record_look(self, look: Look) -> int:
        """Store the state and the articles that are not stored yet; return how many were new.

        Of `changed`, an article that nobody was told yet gets the new title and text, and is condensed anew;
        it keeps its position. One that was told keeps its words, and the new ones are kept beside it as a
        correction, once each. An id that is not stored is passed over.
        """
        ...

    async def record_unchanged(self, states: Sequence[FeedState]) -> None:
        """Store the states of feeds in which nothing was new, in one transaction. Their memory stays."""
        ...


# --- condense ----------------------------------------------------------------------------------


class Summarizer(Protocol):
    """A method that picks key points."""

    name: str

    def summarize(self, text: str, *, title: str = "", language: str = "en", points: int = 5) -> Summary:
        """Return at most `points` key points of the text, verbatim, in reading order.

        Raises SummaryRefused for a text that cannot be condensed.
        """
        ...


class Setback(StrEnum):
    """What a failed try leads to. An edit is what a publisher changed of an article that stands already.

    AGAIN and EDIT_AGAIN are tried again. ASIDE, after the third try: the article is told to nobody.
    EDIT_ASIDE: the article stays as it was before the edit. OVER: nothing of it waits to be condensed.
    """

    AGAIN = "again"
    ASIDE = "aside"
    EDIT_AGAIN = "edit_again"
    EDIT_ASIDE = "edit_aside"
    OVER = "over"


class CondenseStore(Protocol):
    """What condense asks of the record."""

    async def uncondensed(self, limit: int) -> Sequence[Article]:
        """Return articles without a summary that were not set aside, in gather order.

        Behind them come edited ones whose new words have no summary yet, with these words.
        """
        ...

    async def record_summary(self, article_id: str, summary: Summary, now: datetime) -> None:
        """Store the summary; a summary that is there already is replaced.

        One of new words comes together with them. One of words that were edited meanwhile is passed over.
        """
        ...

    async def record_failure(self, article_id: str, problem: str, now: datetime) -> Setback:
        """Count a failed try; the third one sets the article, or what was edited of it, aside."""
        ...


# --- compose -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Edited:
    """An article that readers were told, as its publisher has edited it since.

    `told_in` are the texts of the issues that told it, `corrected` what they were told of earlier edits,
    oldest first.
    """

    article: Article
    summary: Summary
    edit: Edit
    told_in: tuple[str, ...]
    corrected: tuple[tuple[Change, ...], ...] = ()


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

    async def tellable_through(self, gathered_by: datetime) -> int:
        """Return the position up to which articles were gathered by then and are condensed or set aside."""
        ...

    async def tellable(self, edition: Edition, after: int, through: int) -> Sequence[CondensedArticle]:
        """Return the condensed articles with `after < position <= through` that fit the edition's topics.

        An edition without topics fits every article. In gather order, the newest 5,000 at most.
        """
        ...

    async def told_from_of_last_issue(self, group: Group) -> int | None:
        """Return `told_from` of the last issue that the group's members were given, for a repeat."""
        ...

    async def told_lately(self, group: Group, since: datetime) -> Collection[str]:
        """Return the ids of the articles in the issues that the group's members were given since then.

        Members stand at the same place because they were told the same; one speaks for all.
        """
        ...

    async def edited(self, group: Group, told_since: datetime, edited_by: datetime) -> Sequence[Edited]:
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

    async def move_on(self, group: Group, next_due_at: datetime, told_through: int | None) -> int:
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

    def render(self, digest: Digest, *, title: str, theme: str, issue_id: str) -> Rendered:
        """Return the digest rendered once for all recipients, with placeholders for what differs."""
        ...


class Sources(Protocol):
    """Knows how the feeds are doing (gather has the rule)."""

    async def standing(self, at: datetime) -> Sequence[Standing]:
        """Return every feed of the roster as it stands at that moment."""
        ...


class Splitter(Protocol):
    """Finds the sentences of a text (condense knows how)."""

    def __call__(self, text: str, language: str) -> Sequence[tuple[int, int]]:
        """Return where each sentence begins and ends, in order."""
        ...


class Teller(Protocol):
    """Chooses, across the articles of one story, what to show of it (condense knows how)."""

    def __call__(
        self, articles: Sequence[CondensedArticle], *, points: int, told: Sequence[CondensedArticle] = ()
    ) -> tuple[StoryPoint, ...]:
        """Return at most `points` points, caveats right behind the point that they qualify.

        `told` are articles of the story that the readers know: what these say is left away.
        """
        ...


# --- deliver -----------------------------------------------------------------------------------


class Mark(NamedTuple):
    """One line for the ledger: where a delivery stands now. Instants and texts as the outcome gave them."""

    delivery_id: str
    state: DeliveryState
    at: datetime
    reply: str = ""
    next_attempt_at: datetime | None = None
    suppress: bool = False


@dataclass(frozen=True, slots=True)
class Again:
    """Which deliveries in doubt are sent again unasked: with fewer doubts, and planned after this instant."""

    doubts: int
    planned_after: datetime


class DeliverStore(Protocol):
    """What deliver asks of the record: the ledger."""

    async def take_batch(
        self, channel: str, token: str, now: datetime, lease_until: datetime, limit: int
    ) -> Batch:
        """Lease up to `limit` deliveries that are due, marking those to suppressed people as such.

        Due are: planned; deferred with `next_attempt_at <= now`; both only while no other lease holds them.
        A delivery left `attempting` by a lease that ran out becomes `uncertain` first.
        """
        ...

    async def extend(self, token: str, lease_until: datetime) -> None:
        """Prolong the lease of what this token still holds; a sender that is alive says so."""
        ...

    async def settle_uncertain(self, now: datetime, again: Again | None) -> int:
        """Turn attempts of leases that ran out into `uncertain`; return how many.

        Of the uncertain deliveries that have no `next_attempt_at`, or one that has come, those that `again`
        lets through are due (as deferred, at once). The others rest until somebody decides; with None, all.
        """
        ...

    async def issue(self, issue_id: str) -> Issue | None:
        """Return the issue."""
        ...

    async def record_marks(self, token: str, marks: Sequence[Mark]) -> set[str]:
        """Write the marks in one durable commit, for deliveries that this token still holds.

        Return the ids of the deliveries that were written; the rest belong to somebody else by now.
        A mark with `suppress` also suppresses the delivery's address. A person who was suppressed or
        unsubscribed since the batch was taken is not marked `attempting`: the delivery becomes `suppressed`
        and its id is not returned.
        """
        ...

    async def release(self, token: str) -> None:
        """Give back what this token holds and did not attempt."""
        ...

    async def resend(
        self,
        issue_id: str,
        states: Collection[DeliveryState],
        now: datetime,
        *,
        subscribers: Collection[str] | None = None,
    ) -> int:
        """Make an issue's deliveries in these states due again, on purpose; return how many.

        With `subscribers` (ids), only theirs. The Message-ID stays the same. What a worker holds is left
        alone, and who is suppressed or unsubscribed is not mailed all the same.
        """
        ...


@dataclass(frozen=True, slots=True)
class Halt:
    """Nobody sends from `since` to `until`, because of `reason` (a clause); `times` counts halts in a row."""

    reason: str
    since: datetime
    until: datetime
    times: int = 1


class AccordStore(Protocol):
    """What the workers that send by one relay share: turns at its limits, and a halt of all sending."""

    async def take_turns(self, lengths: Mapping[str, float], within: float) -> Mapping[str, float]:
        """Give stretches of time away: of each limit by its name, the next one of that length (seconds).

        Return in how many seconds each begins; one that does not begin `within` so many is not given. No two
        stretches of a limit overlap, whoever takes them. By the database's clock, which is the only one that
        several machines share.
        """
        ...

    async def halt(self, relay: str) -> Halt | None:
        """Return the halt that stands for a relay, or None; it may be over, and nobody has tried yet."""
        ...

    async def begin_halt(self, relay: str, halt: Halt) -> bool:
        """Let sending halt; return False when it did already, and that halt stands."""
        ...

    async def end_halt(self, relay: str, since: datetime | None = None) -> bool:
        """Let sending go on; with `since`, only if that halt stands. Return whether there was one."""
        ...

    async def try_again(self, relay: str, now: datetime, until: datetime) -> bool:
        """Return whether we are the one who tries, when a halt is over; `until` then nobody else is."""
        ...


class Outbox(Protocol):
    """Where a channel fetches messages and says what came of them; many lanes of a channel share one."""

    async def next(self) -> Message | None:
        """Return the next message, waiting for as long as the pace demands; None when there is no more."""
        ...

    def ready(self) -> Message | None:
        """Return a message that may leave at this moment, or None; never waits."""
        ...

    async def attempt(self, message: Message) -> bool:
        """Make the attempt durable; False means that the message must not be sent any more.

        Awaited right before the last bytes that make the receiver responsible (the final dot), with nothing
        awaited in between. After True the channel owes a `settle`, after False it owes nothing.
        """
        ...

    def settle(self, message: Message, outcome: Outcome) -> None:
        """Say what came of a message, attempted or refused before it could be."""
        ...

    def put_back(self, message: Message) -> None:
        """Give back a message that was not attempted, for another lane or another day."""
        ...


class Channel(Protocol):
    """A way to reach someone."""

    name: str

    async def carry(self, outbox: Outbox) -> None:
        """Send the outbox's messages until it has no more.

        Raises ChannelUnavailable when the channel as a whole cannot be reached; what was not attempted by
        then has been put back.
        """
        ...

    async def close(self) -> None:
        """Finish what is under way and give connections back."""
        ...


class MessageMaker(Protocol):
    """Turns an issue and a delivery into the message."""

    def __call__(self, issue: Issue, delivery: Delivery) -> Message:
        """Return the finished message; the same bytes for the same delivery every time."""
        ...


class BounceStore(Protocol):
    """What bounces ask of the record."""

    async def record_bounce(self, delivery_id: str, *, hard: bool, reason: str, now: datetime) -> bool:
        """Set down that a delivery came back; return whether we know it.

        A hard bounce suppresses the address; so does the fifth issue in thirty days that came back softly.
        Setting down the same again changes nothing.
        """
        ...


# --- people ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Applied:
    """What applying the roster changed, in counts."""

    added: int = 0
    changed: int = 0
    ended: int = 0
    kept: int = 0


ERASED = "erased at their own request"
"""The reason of a suppression whose person is not known any more."""


class PeopleStore(Protocol):
    """What people asks of the record."""

    async def save_feeds(self, feeds: Sequence[Feed], now: datetime) -> Applied:
        """Make the active feeds exactly these; what a feed's looks left behind is kept."""
        ...

    async def save_placements(
        self, placements: Sequence[Placement], now: datetime, *, starts_after: datetime
    ) -> Applied:
        """Make the roster's subscriptions these, in one transaction.

        A new one starts told through the last article gathered before `starts_after`. A changed edition
        changes `edition_key` and `next_due_at`, never `told_through`. A person's own choice (unsubscribed,
        paused, wishes set on the preferences page) wins over the roster. Those that the roster declared
        before and no longer does become `ended`; one that comes back is active again.
        """
        ...

    async def add_placements(
        self, placements: Sequence[Placement], now: datetime, *, starts_after: datetime
    ) -> Applied:
        """Add or change these, as an import does, and leave everybody else alone: one transaction.

        As in `save_placements`, a person's own choice wins. Give some thousands at a time.
        """
        ...

    async def save_choice(self, placement: Placement, now: datetime) -> None:
        """Store wishes that the person chose; from now on they win over the roster."""
        ...

    async def memberships(
        self, *, newsletter: str | None = None, email: str | None = None, subscriber_id: str | None = None
    ) -> Sequence[Membership]:
        """Return subscriptions with their people, by address and newsletter, whatever their status."""
        ...

    async def memberships_page(self, after: str | None, limit: int) -> Sequence[Membership]:
        """Return the memberships of the next `limit` people, in the order in which they came.

        `after` is the id of the last person of the page before, None for the first page; () is the end.
        """
        ...

    async def known_subscribers(self, ids: Collection[str]) -> set[str]:
        """Return which of these subscriber ids are stored already."""
        ...

    async def set_status(
        self, subscriber_id: str, newsletter: str | None, status: SubscriptionStatus, now: datetime
    ) -> int:
        """Set the person's own status for one newsletter, or for all with None; return how many changed.

        Who is not active stands along with the others of their group, so that becoming active again never
        brings back what those were told meanwhile. With None, pausing takes the active ones and resuming the
        paused ones: what was unsubscribed comes back only when it is named. What was `ended` stays ended,
        whatever the person says, until the roster or an import names it again.
        """
        ...

    async def suppress(self, email: str, reason: str, now: datetime) -> None:
        """Never mail this address again, whatever config says, until `unsuppress`."""
        ...

    async def erase(self, email: str) -> bool:
        """Forget who the person was; return whether there was one.

        Name, address, subscriptions and bounces go, and every reason and reply that may quote the address.
        The ledger keeps its lines, without saying to whom, and a suppression stays, which is a hash alone.
        """
        ...

    async def suppression(self, email: str) -> str | None:
        """Return why this address is suppressed, or None when it is not."""
        ...

    async def unsuppress(self, email: str) -> bool:
        """Allow the address again, and count its bounces anew; return whether it was suppressed."""
        ...

    async def signing_key(self) -> bytes:
        """Return the key that signs links: 32 random bytes made when the database was."""
        ...
