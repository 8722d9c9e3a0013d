"""Explain: why an article is, or is not, in a reader's issue (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from service.core.model import Article, DeliveryState, Digest, Membership, SubscriptionStatus


@dataclass(frozen=True, slots=True)
class PastIssue:
    """An issue that the reader was given, and where its delivery stands."""

    due_at: datetime
    article_ids: tuple[str, ...]
    state: DeliveryState


@dataclass(frozen=True, slots=True)
class ExplainInput:
    """What is known of one article and one reader of one newsletter.

    `set_aside` says why condense gave the article up. `given` is the issue in whose range it lies
    (`told_from < position <= told_through`). `through` is the position up to which can be told by now,
    `coming` what the reader's next issue would be if it were made now.
    """

    membership: Membership
    article: Article
    condensed: bool = False
    set_aside: str | None = None
    past_issue: PastIssue | None = None
    release_position: int = 0
    next_digest: Digest | None = None


@dataclass(frozen=True, slots=True)
class ArticleExplanation:
    """Whether the article was told to the reader (None: not yet), and why, as a sentence without its stop."""

    sent: bool | None
    reason: str


def explain(case: ExplainInput, *, now: datetime, settle: timedelta) -> ArticleExplanation:
    """Return what became of the article for this reader, or what will.

    `now` is aware UTC, `settle` how long an article rests before it is told. Times are the reader's own.
    """
    return _explain_past_issue(case) or _explain_exclusion(case) or _explain_next_issue(case, now, settle)


def _explain_past_issue(case: ExplainInput) -> ArticleExplanation | None:
    """Return what an issue did about the article already; None when there was none."""
    if case.past_issue is None:
        return None
    when = f"the issue of {_at(case.past_issue.due_at, case)}"
    if case.article.id in case.past_issue.article_ids:
        return ArticleExplanation(sent=True, reason=f"it is in {when}, {_STATES[case.past_issue.state]}")
    if reason := _mismatch(case):
        return ArticleExplanation(sent=False, reason=reason)
    return ArticleExplanation(sent=False, reason=f"{when} left it out: {_left_out(case)}")


def _explain_exclusion(case: ExplainInput) -> ArticleExplanation | None:
    """Return why the article will be in no issue; None when nothing keeps it out for good."""
    subscription = case.membership.subscription
    if reason := _mismatch(case):
        return ArticleExplanation(sent=False, reason=reason)
    if case.article.position <= subscription.served_through:
        return ArticleExplanation(
            sent=False,
            reason="it came before what their next issue tells and was in no issue of theirs: they had not "
            "subscribed or had paused, or an issue was passed over for being too late",
        )
    if case.membership.suppressed is not None:
        return ArticleExplanation(
            sent=False, reason=f"nothing is mailed to this address: {case.membership.suppressed}"
        )
    if subscription.status is not SubscriptionStatus.ACTIVE:
        return ArticleExplanation(sent=False, reason=_STATUSES[subscription.status])
    return None


def _mismatch(case: ExplainInput) -> str | None:
    """Return why the article fits no issue of this edition, None when it does."""
    if case.set_aside is not None:
        return f"it was set aside, because three tries could not condense it: {case.set_aside}"
    wanted, topics = case.membership.edition.topics, case.article.topics
    if wanted and not set(wanted) & set(topics):
        return f"its topics ({_listed(topics)}) are not among theirs ({_listed(wanted)})"
    return None


def _explain_next_issue(case: ExplainInput, now: datetime, settle: timedelta) -> ArticleExplanation:
    """Return what stands between the article and the reader's next issue."""
    due = f"their next issue is due {_at(case.membership.subscription.next_due_at, case)}"
    rests_until = case.article.gathered_at + settle
    if not case.condensed:
        return ArticleExplanation(sent=None, reason=f"it has not been condensed yet; {due}")
    if rests_until > now:
        return ArticleExplanation(sent=None, reason=f"it settles until {_at(rests_until, case)}; {due}")
    if case.article.position > case.release_position:
        waits = "it waits for articles gathered before it, which are not condensed yet or settle"
        return ArticleExplanation(sent=None, reason=f"{waits}; {due}")
    if case.next_digest is None:
        return ArticleExplanation(sent=None, reason=f"nothing holds it up; {due}")
    for place, story in enumerate(case.next_digest.stories, start=1):
        if case.article.id in {told.id for told in story.articles}:
            kind = "an update, story" if story.is_update else "story"
            of = f"{kind} {place} of {len(case.next_digest.stories)}"
            return ArticleExplanation(sent=None, reason=f"as things stand it will be {of}; {due}")
    return ArticleExplanation(sent=None, reason=f"as things stand it is left out: {_left_out(case)}; {due}")


def _left_out(case: ExplainInput) -> str:
    most = case.membership.edition.stories
    return f"at most {most} stories get in and others weighed more, or it says nothing new of one they know"


def _at(moment: datetime, case: ExplainInput) -> str:
    zone = case.membership.edition.timezone
    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} {zone}"


def _listed(topics: tuple[str, ...]) -> str:
    return ", ".join(topics) or "none"


_STATES = {
    DeliveryState.PLANNED: "which waits in the outbox",
    DeliveryState.ATTEMPTING: "which is being sent",
    DeliveryState.DEFERRED: "which the receiving server put off, so that it is tried again",
    DeliveryState.UNCERTAIN: "of which nobody knows whether it arrived",
    DeliveryState.SENT: "which was sent",
    DeliveryState.REFUSED: "which the receiving server refused",
    DeliveryState.SUPPRESSED: "which was held back, because nothing may be mailed to this address",
}

_STATUSES = {
    SubscriptionStatus.PAUSED: "their subscription is paused, and what comes meanwhile is not told later",
    SubscriptionStatus.UNSUBSCRIBED: "they unsubscribed",
    SubscriptionStatus.ENDED: "their subscription ended: the roster does not name it any more",
}
