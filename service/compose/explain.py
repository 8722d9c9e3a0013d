"""Explain: why an article is, or is not, in a subscriber's issue (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from service.core.model import Article, DeliveryState, Digest, Membership, SubscriptionStatus


@dataclass(frozen=True, slots=True)
class PastIssue:
    """An issue of the subscriber, with the state of its delivery."""

    due_at: datetime
    article_ids: tuple[str, ...]
    state: DeliveryState


@dataclass(frozen=True, slots=True)
class ExplainInput:
    """One article and one subscription.

    `set_aside` is the reason why condense gave up the article. `past_issue` is the subscriber's issue whose
    range contains its position. `next_digest` is the next issue as it would be now.
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
    """Whether the subscriber got the article (None: not yet), and the reason, without a full stop."""

    sent: bool | None
    reason: str


def explain(case: ExplainInput, *, now: datetime, settle: timedelta) -> ArticleExplanation:
    """Return the explanation for an article and a subscription.

    `now` is aware UTC, `settle` the time between gathering and sending. The explanation has the subscriber's
    local times.
    """
    return _explain_past_issue(case) or _explain_exclusion(case) or _explain_next_issue(case, now, settle)


def _explain_past_issue(case: ExplainInput) -> ArticleExplanation | None:
    """Return the explanation by a past issue; None if there is none."""
    if case.past_issue is None:
        return None
    when = f"the issue of {_at(case.past_issue.due_at, case)}"
    if case.article.id in case.past_issue.article_ids:
        return ArticleExplanation(sent=True, reason=f"it is in {when}, {_STATES[case.past_issue.state]}")
    if reason := _mismatch(case):
        return ArticleExplanation(sent=False, reason=reason)
    return ArticleExplanation(sent=False, reason=f"{when} left it out: {_left_out(case)}")


def _explain_exclusion(case: ExplainInput) -> ArticleExplanation | None:
    """Return why the article will never be in an issue; None if it may."""
    subscription = case.membership.subscription
    if reason := _mismatch(case):
        return ArticleExplanation(sent=False, reason=reason)
    if case.article.position <= subscription.served_through:
        return ArticleExplanation(
            sent=False,
            reason="it arrived before the articles of their next issue and was in none of their issues: "
            "they had not subscribed or had paused, or an issue was skipped because it was too late",
        )
    if case.membership.suppressed is not None:
        return ArticleExplanation(
            sent=False, reason=f"nothing is mailed to this address: {case.membership.suppressed}"
        )
    if subscription.status is not SubscriptionStatus.ACTIVE:
        return ArticleExplanation(sent=False, reason=_STATUSES[subscription.status])
    return None


def _mismatch(case: ExplainInput) -> str | None:
    """Return why the article does not fit the edition, None if it does."""
    if case.set_aside is not None:
        return f"it was set aside, because three attempts to condense it failed: {case.set_aside}"
    chosen, topics = case.membership.edition.topics, case.article.topics
    if chosen and not set(chosen) & set(topics):
        return f"its topics ({_listed(topics)}) are not among theirs ({_listed(chosen)})"
    return None


def _explain_next_issue(case: ExplainInput, now: datetime, settle: timedelta) -> ArticleExplanation:
    """Return what the article waits for before the next issue."""
    due = f"their next issue is due {_at(case.membership.subscription.next_due_at, case)}"
    settles_at = case.article.gathered_at + settle
    if not case.condensed:
        return ArticleExplanation(sent=None, reason=f"it has not been condensed yet; {due}")
    if settles_at > now:
        return ArticleExplanation(sent=None, reason=f"it settles until {_at(settles_at, case)}; {due}")
    if case.article.position > case.release_position:
        waits = "it waits for articles gathered before it, which are not condensed yet or settle"
        return ArticleExplanation(sent=None, reason=f"{waits}; {due}")
    if case.next_digest is None:
        return ArticleExplanation(sent=None, reason=f"it waits for nothing else; {due}")
    for place, story in enumerate(case.next_digest.stories, start=1):
        if case.article.id in {article.id for article in story.articles}:
            kind = "an update, story" if story.is_update else "story"
            of = f"{kind} {place} of {len(case.next_digest.stories)}"
            return ArticleExplanation(sent=None, reason=f"as things stand it will be {of}; {due}")
    return ArticleExplanation(sent=None, reason=f"as things stand it is left out: {_left_out(case)}; {due}")


def _left_out(case: ExplainInput) -> str:
    most = case.membership.edition.stories
    return f"at most {most} stories fit and others ranked higher, or it has nothing new of a known story"


def _at(moment: datetime, case: ExplainInput) -> str:
    zone = case.membership.edition.timezone
    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} {zone}"


def _listed(topics: tuple[str, ...]) -> str:
    return ", ".join(topics) or "none"


_STATES = {
    DeliveryState.PLANNED: "which waits in the outbox",
    DeliveryState.ATTEMPTING: "which is being sent",
    DeliveryState.DEFERRED: "which the receiving server deferred, so that it is tried again",
    DeliveryState.UNCERTAIN: "of which it is unknown whether it arrived",
    DeliveryState.SENT: "which was sent",
    DeliveryState.REFUSED: "which the receiving server refused",
    DeliveryState.SUPPRESSED: "which was not sent, because this address is suppressed",
}

_STATUSES = {
    SubscriptionStatus.PAUSED: "their subscription is paused, and articles of that time are not sent later",
    SubscriptionStatus.UNSUBSCRIBED: "they unsubscribed",
    SubscriptionStatus.ENDED: "their subscription ended: the roster does not name it any more",
}
