"""Explain: why an article is, or is not, in a subscriber's issue (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from zoneinfo import ZoneInfo

from service.compose.corrections import was_sent
from service.compose.render.links import web_link
from service.compose.render.text_cleaning import shorten
from service.core.model import (
    Article,
    DeliveryState,
    Digest,
    Membership,
    RenderedMail,
    Story,
    SubscriptionStatus,
    Summary,
)

_TITLE_CHARACTERS = 80  # of the story that an article joined, in an explanation


@dataclass(frozen=True, slots=True)
class ShownArticle:
    """What an issue shows of an article of a story that begins with the article `lead`.

    `has_sentences`: at least one sentence of the article. `is_linked`: a link to it.
    """

    lead: Article
    has_sentences: bool
    is_linked: bool


@dataclass(frozen=True, slots=True)
class PastIssue:
    """An issue of the subscriber, with the state of its delivery.

    `shown` is what it shows of the article, None if it does not have it.
    """

    due_at: datetime
    shown: ShownArticle | None
    state: DeliveryState


@dataclass(frozen=True, slots=True)
class ExplainInput:
    """One article and one subscription.

    `set_aside` is the reason why condense gave up the article. `past_issue` is the subscriber's issue whose
    range contains its position. `next_digest` is the next issue as it would be now, `next_shown` what it
    shows of the article, None if it does not have it.
    """

    membership: Membership
    article: Article
    condensed: bool = False
    set_aside: str | None = None
    past_issue: PastIssue | None = None
    release_position: int = 0
    next_digest: Digest | None = None
    next_shown: ShownArticle | None = None


@dataclass(frozen=True, slots=True)
class ArticleExplanation:
    """Whether the subscriber got the article (None: not yet), and the reason, without a full stop.

    `shown` is what their issue shows of it, None if it is in none of their issues.
    """

    sent: bool | None
    reason: str
    shown: ShownArticle | None = None

    @property
    def joined_to(self) -> str | None:
        """The id of the first article of the story, None without an issue."""
        return self.shown.lead.id if self.shown else None

    @property
    def shown_parts(self) -> str | None:
        """What the issue shows of the article: `sentences`, `link` or `nothing`; None without an issue."""
        if self.shown is None:
            return None
        return "sentences" if self.shown.has_sentences else "link" if self.shown.is_linked else "nothing"


def shown_article(article: Article, summary: Summary, lead: Article, mail: RenderedMail) -> ShownArticle:
    """Return what the mail shows of an article of the story that begins with `lead`.

    A sentence that two articles have word for word counts for both.
    """
    sentences = [point.text for point in summary.key_points]
    link = web_link(article.url)
    return ShownArticle(
        lead,
        has_sentences=any(was_sent(sentence, (mail.text,)) for sentence in sentences),
        is_linked=bool(link) and (link in mail.text.split() or f'"{escape(link)}"' in mail.html),
    )


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
    if (shown := case.past_issue.shown) is not None:
        state = _STATES[case.past_issue.state]
        if _is_only_joined(shown, case):
            joined = f"it is joined to {_named(shown.lead)} in {when}, {state}; {_missing(shown, case)}"
            return ArticleExplanation(shown.is_linked, joined, shown)
        return ArticleExplanation(
            sent=True, reason=f"it is in {when}{_joined(shown, case)}, {state}", shown=shown
        )
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
    if subscription.paused_until is not None:
        local = subscription.next_due_at.astimezone(ZoneInfo(case.membership.edition.timezone))
        return ArticleExplanation(
            sent=False, reason=f"they paused until a date; their next issue is due at {local:%Y-%m-%d %H:%M}"
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
            reason = _next_place(case, story, f"{place} of {len(case.next_digest.stories)}")
            reason = f"as things stand it will be {reason}; {due}"
            return ArticleExplanation(None, reason, case.next_shown)
    return ArticleExplanation(sent=None, reason=f"as things stand it is left out: {_left_out(case)}; {due}")


def _next_place(case: ExplainInput, story: Story, number: str) -> str:
    """Return what an article will be in the next issue, in the story of this number."""
    kind = "an update, story" if story.is_update else "story"
    shown = case.next_shown
    if shown is None or shown.lead.id == case.article.id:
        return f"{kind} {number}"
    if _is_only_joined(shown, case):
        return f"joined to {_named(shown.lead)}, {kind} {number}; {_missing(shown, case)}"
    return f"in {kind} {number}{_joined(shown, case)}"


def _is_only_joined(shown: ShownArticle, case: ExplainInput) -> bool:
    """Return whether the article is in another article's story, without a sentence of its own."""
    return shown.lead.id != case.article.id and not shown.has_sentences


def _joined(shown: ShownArticle, case: ExplainInput) -> str:
    return "" if shown.lead.id == case.article.id else f", joined to {_named(shown.lead)}"


def _named(lead: Article) -> str:
    title = shorten(" ".join(lead.title.split()), _TITLE_CHARACTERS) or "Untitled"
    return f"“{title}” ({lead.publisher})"


def _missing(shown: ShownArticle, case: ExplainInput) -> str:
    """Return what is missing of an article that is only joined to another, and what to do if it is wrong."""
    missing = "nothing of it is shown" + (" but its headline with a link" if shown.is_linked else "")
    return f"{missing} (if it is about another event: caveat story split {case.article.id[:8]})"


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
    DeliveryState.CANCELLED: "which was cancelled before it was sent",
}

_STATUSES = {
    SubscriptionStatus.PAUSED: "their subscription is paused, and articles of that time are not sent later",
    SubscriptionStatus.UNSUBSCRIBED: "they unsubscribed",
    SubscriptionStatus.ENDED: "their subscription ended: the roster does not name it any more",
}
