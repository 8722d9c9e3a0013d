"""Problems: what is wrong, since when, and what to do about it (pure).

The one list of them: the doctor prints it, the first page of the editors shows it, the operator's mail
contains it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from service.app.doctor.webhooks import webhook_problems
from service.app.operator.observations import Observations
from service.deliver.limits.circuit_breaker import pause_sentence
from service.store.overview import SILENCE, TroubledFeed

MIN_FREE_BYTES = 200 * 2**20  # on each disk
MAX_TRANSACTIONAL_WAIT = timedelta(minutes=15)
"""Age of a waiting transactional mail from which it is reported; greylisting takes five to ten minutes."""
MAX_ISSUE_DELAY = timedelta(hours=1)  # of composing: a restart or a long pass of a stage takes less
MAX_OUTBOX_WAIT = timedelta(hours=6)  # a large issue at a low rate limit takes some hours
MAX_BACKUP_AGE = timedelta(days=8)  # a weekly backup, and a day
MAX_NAMED = 5  # feeds or issues in one sentence


FAULTS = "faults"  # subject of the problem about a configuration that was rejected


class ProblemKind(StrEnum):
    """What a problem is about; the name of its check in the doctor's output."""

    SENDING = "sending"
    CONFIGURATION = "configuration"
    STAGE = "service"
    NEWSLETTER = "newsletter"
    ISSUE = "issue"
    OUTBOX = "outbox"
    DRAFTS = "drafts"
    TRANSACTIONAL = "transactional"
    FEEDS = "feeds"
    WEBHOOK = "webhook"
    DISK = "disk"
    BACKUP = "backup"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    `said` is a clause, `advice` what to do, "" if `said` has it already. `page` is the path of the editors'
    page below /admin. `since` is None if nothing records it. `subject` tells problems of one kind apart.
    """

    kind: ProblemKind
    said: str
    advice: str
    page: str
    since: datetime | None = None
    subject: str = ""
    is_fault: bool = False

    @property
    def key(self) -> str:
        """What makes it the same problem the next time."""
        return f"{self.kind.value}:{self.subject}"

    @property
    def sentence(self) -> str:
        """What is wrong, since when, and what to do, on one line."""
        since = f", since {self.since:%Y-%m-%d %H:%M} UTC" if self.since else ""
        return f"{self.said}{since}{f'; {self.advice}' if self.advice else ''}"


def problems_of(seen: Observations, now: datetime) -> tuple[Problem, ...]:
    """Return what is wrong, what stops all mail first."""
    return (
        *_sending(seen),
        *_configuration(seen),
        *(
            Problem(ProblemKind.STAGE, one, "read the service's log", "/", None, one)
            for one in seen.stage_problems
        ),
        *_newsletters(seen, now),
        *_issues(seen),
        *_outbox(seen, now),
        *_drafts(seen, now),
        *_transactional(seen, now),
        *_feeds(seen, now),
        *_webhooks(seen),
        *disk_problems(seen),
        *_backup(seen, now),
    )


def _sending(seen: Observations) -> Iterator[Problem]:
    waits = "; mail to the operator waits as well" if seen.has_operator else ""
    if seen.hold:
        yield Problem(ProblemKind.SENDING, f"{seen.hold}{waits}", "", "/", None, "hold", is_fault=True)
    if seen.pause:
        said = f"{pause_sentence(seen.pause)}{waits}"
        yield Problem(ProblemKind.SENDING, said, "", "/", None, "pause")


def _configuration(seen: Observations) -> Iterator[Problem]:
    kind = ProblemKind.CONFIGURATION
    if change := seen.held_change:
        yield Problem(kind, change.sentence, "", "/settings", None, "held", is_fault=True)
    if faults := seen.config_faults:
        more = f" (and {len(faults) - 1} more)" if faults[1:] else ""
        said = f"the configuration that was saved last is not in force: {faults[0]}{more}"
        yield Problem(kind, said, "see caveat config check", "/settings", None, FAULTS, is_fault=True)


def _newsletters(seen: Observations, now: datetime) -> Iterator[Problem]:
    for one in seen.due.late:
        if one.at <= now - MAX_ISSUE_DELAY:
            title = seen.titles.get(one.newsletter, one.newsletter)
            said = f"{title} was due and has no issue yet, for {_number(one.subscribers, 'subscriber')}"
            advice = "see whether the service runs, and its log; caveat compose makes the issue now"
            page = f"/newsletters/{one.newsletter}"
            yield Problem(ProblemKind.NEWSLETTER, said, advice, page, one.at, f"{one.newsletter} {one.at}")


def _issues(seen: Observations) -> Iterator[Problem]:
    for issue in seen.paused[:MAX_NAMED]:
        title = seen.titles.get(issue.newsletter, issue.newsletter)
        said = f"an issue of {title} is paused, with {_number(issue.books.waiting, 'mail')} not sent"
        advice = f"caveat issue resume {issue.id}, or caveat issue cancel {issue.id}"
        page = f"/issues/{issue.id}"
        yield Problem(ProblemKind.ISSUE, said, advice, page, issue.paused_at, issue.id)
    if more := len(seen.paused[MAX_NAMED:]):
        said = f"paused as well: {_number(more, 'issue')}"
        yield Problem(ProblemKind.ISSUE, said, "see caveat issue list", "/issues", None, "more")


def _outbox(seen: Observations, now: datetime) -> Iterator[Problem]:
    late = seen.outbox
    if late.since is not None and late.since <= now - MAX_OUTBOX_WAIT:
        said = f"the outbox holds {_number(late.number, 'mail')} that should have left"
        advice = "see whether the service runs, and caveat doctor for the mail server"
        yield Problem(ProblemKind.OUTBOX, said, advice, "/issues", late.since)


def _drafts(seen: Observations, now: datetime) -> Iterator[Problem]:
    overdue = [draft for draft in seen.drafts if draft.due_at <= now]
    if overdue:
        said = f"overdue, and waiting for an editor: {_number(len(overdue), 'draft')}"
        since = min(draft.due_at for draft in overdue)
        yield Problem(ProblemKind.DRAFTS, said, "see caveat draft list", "/drafts", since)


def _transactional(seen: Observations, now: datetime) -> Iterator[Problem]:
    oldest = seen.transactional.oldest
    if oldest is not None and now - oldest > MAX_TRANSACTIONAL_WAIT:
        said = (
            f"not sent yet: {_number(seen.transactional.waiting, 'confirmation or other transactional mail')}"
        )
        advice = "see caveat doctor for the mail server"
        yield Problem(ProblemKind.TRANSACTIONAL, said, advice, "/", oldest)


def _feeds(seen: Observations, now: datetime) -> Iterator[Problem]:
    ended = [feed for feed in seen.feeds if feed.gone_at]
    silent = [feed for feed in seen.feeds if not feed.gone_at and _is_silent(feed, now)]
    if silent:
        said = f"{_number(len(silent), 'feed')} without a successful poll: {_names(silent)}"
        times = [feed.last_success_at for feed in silent if feed.last_success_at]
        advice = "caveat feed health shows the errors"
        yield Problem(ProblemKind.FEEDS, said, advice, "/feeds", min(times, default=None), "silent")
    if ended:
        said = f"{_number(len(ended), 'feed')} ended by the publisher: {_names(ended)}"
        since = min(feed.gone_at for feed in ended if feed.gone_at)
        advice = "remove or replace them in feeds.yaml"
        yield Problem(ProblemKind.FEEDS, said, advice, "/feeds", since, "ended")


def _is_silent(feed: TroubledFeed, now: datetime) -> bool:
    """Return whether the feed was not read for a day; one that was never read counts at once."""
    return feed.last_success_at is None or feed.last_success_at < now - SILENCE


def _names(feeds: Sequence[TroubledFeed]) -> str:
    more = len(feeds) - MAX_NAMED
    return ", ".join(feed.name for feed in feeds[:MAX_NAMED]) + (f" and {more} more" if more > 0 else "")


def _webhooks(seen: Observations) -> Iterator[Problem]:
    for status in seen.webhooks:
        for said in webhook_problems([status]):
            yield Problem(ProblemKind.WEBHOOK, said, "", "/", None, status.url)


def disk_problems(seen: Observations) -> Iterator[Problem]:
    """Yield the disks with little space."""
    for disk in seen.disks:
        if disk.free_bytes < MIN_FREE_BYTES:
            said = f"only {disk.free_bytes / 2**20:.0f} MB are free in {disk.folder}"
            advice = "make room: without it nothing can be stored or sent"
            yield Problem(ProblemKind.DISK, said, advice, "/", None, str(disk.folder))


def _backup(seen: Observations, now: datetime) -> Iterator[Problem]:
    last = seen.last_backup
    if last is not None and now - last > MAX_BACKUP_AGE:
        said = f"the last backup was made {(now - last).days} days ago"
        yield Problem(ProblemKind.BACKUP, said, "caveat backup FILE", "/", last + MAX_BACKUP_AGE)


def dated(problems: Sequence[Problem], first_seen: Mapping[str, datetime]) -> tuple[Problem, ...]:
    """Return the problems; one without a time of its own gets the time when it was seen first."""
    return tuple(replace(one, since=one.since or first_seen.get(one.key)) for one in problems)


def _number(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
