"""Explain: why an article is, or is not, in a subscriber's issue (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from zoneinfo import ZoneInfo

from service.compose.corrections import was_sent
from service.compose.issue_place import in_words, place_of, story_count
from service.compose.render.links import web_link
from service.compose.render.text_cleaning import shorten
from service.compose.stories.group import GroupedStory
from service.compose.stories.phrases import matcher_for, story_text
from service.core.archive_links import NONE
from service.core.languages import is_readable
from service.core.model import (
    Article,
    CondensedArticle,
    DeliveryState,
    Digest,
    Edition,
    Membership,
    Newsletter,
    Placement,
    RenderedMail,
    SubscriptionStatus,
    Summary,
)
from service.core.read_models import IssuePlace

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

    `shown` is what its mail shows of the article, None if it does not have it. `edition` is what the
    subscriber wanted then, None for what they want now. `digest` is None in an issue from before digests
    were stored.
    """

    due_at: datetime
    shown: ShownArticle | None
    state: DeliveryState
    edition: Edition | None = None
    digest: Digest | None = None


@dataclass(frozen=True, slots=True)
class ExplainInput:
    """One article and one subscription.

    `summary` is None for an article that is not condensed yet, `newsletter` for one that the roster does not
    name any more. `set_aside` is the reason why condense gave up the article. `past_issue` is the
    subscriber's issue whose range contains its position. `next_digest` is the next issue as it would be
    now, with what an editor dropped from its draft; `next_shown` is what it shows of the article, None if it
    does not have it.
    """

    membership: Membership
    article: Article
    summary: Summary | None = None
    newsletter: Newsletter | None = None
    set_aside: str | None = None
    past_issue: PastIssue | None = None
    release_position: int = 0
    next_digest: Digest | None = None
    next_shown: ShownArticle | None = None


@dataclass(frozen=True, slots=True)
class ArticleExplanation:
    """Whether the subscriber got the article (None: not yet), and the reason, without a full stop.

    `shown` is what the mail of their issue shows of it, None if it is in none of their issues. `place` is
    that of its story in this issue, or in the next one as things stand; None if it is not known or in none.
    """

    sent: bool | None
    reason: str
    shown: ShownArticle | None = None
    place: IssuePlace | None = None

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
    past = case.past_issue
    if past is None:
        return None
    when, state = f"the issue of {_at(past.due_at, case)}", _STATES[past.state]
    place = place_of(case.article.id, past.digest) if past.digest else None
    if place is not None and place.placement is Placement.WEB:
        return ArticleExplanation(sent=False, reason=_outside_mail(when, place, case), place=place)
    shown = past.shown
    if shown is None:
        reason = _mismatch(case, past.edition) or f"{when} left it out: {_left_out(case, past.digest)}"
        return ArticleExplanation(sent=False, reason=reason)
    standing = _standing(place) if place else ""
    if _is_only_joined(shown, case):
        joined = f"it is joined to {_named(shown.lead)} in {when}, {state}{standing}; {_missing(shown, case)}"
        return ArticleExplanation(shown.is_linked, joined, shown, place)
    reason = f"it is in {when}{_joined(shown, case)}, {state}{standing}"
    return ArticleExplanation(sent=True, reason=reason, shown=shown, place=place)


def _outside_mail(when: str, place: IssuePlace, case: ExplainInput) -> str:
    """Return why a story that is named on the issue's web page alone is not in the mail."""
    full = f"{in_words(place)}; the mail was full at {place.in_mail}"
    if case.newsletter is not None and case.newsletter.archive == NONE:
        return f"{when} left it out: {full}"
    return f"it is only on the web page of {when}: {full}"


def _standing(place: IssuePlace) -> str:
    """Return the place of a story in the mail, and how much of it is shown; "" for the only story."""
    return f"; {in_words(place)}, {_SHOWN_AS[place.placement]}" if place.total > 1 else ""


def _explain_exclusion(case: ExplainInput) -> ArticleExplanation | None:
    """Return why the article will never be in an issue; None if it may."""
    subscription = case.membership.subscription
    if reason := _mismatch(case, case.membership.edition):
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


def _mismatch(case: ExplainInput, edition: Edition | None) -> str | None:
    """Return why the article does not fit the edition (None: what they want now), None if it does."""
    wanted = edition or case.membership.edition
    if case.set_aside is not None:
        return f"it was set aside, because three attempts to condense it failed: {case.set_aside}"
    if wanted.topics and not set(wanted.topics) & set(case.article.topics):
        return f"its topics ({_listed(case.article.topics)}) are not among theirs ({_listed(wanted.topics)})"
    if not is_readable(case.article.language, wanted.languages):
        return f"its language ({case.article.language}) is not among theirs ({_listed(wanted.languages)})"
    if case.summary is not None and wanted.mute:
        alone = GroupedStory((CondensedArticle(case.article, case.summary),))
        if muted := matcher_for(wanted.mute).found_in(story_text(alone)):
            return f"it is about “{muted[0]}”, which they mute"
    return None


def _explain_next_issue(case: ExplainInput, now: datetime, settle: timedelta) -> ArticleExplanation:
    """Return what the article waits for before the next issue."""
    due = f"their next issue is due {_at(case.membership.subscription.next_due_at, case)}"
    settles_at = case.article.gathered_at + settle
    if case.summary is None:
        return ArticleExplanation(sent=None, reason=f"it has not been condensed yet; {due}")
    if settles_at > now:
        return ArticleExplanation(sent=None, reason=f"it settles until {_at(settles_at, case)}; {due}")
    if case.article.position > case.release_position:
        waits = "it waits for articles gathered before it, which are not condensed yet or settle"
        return ArticleExplanation(sent=None, reason=f"{waits}; {due}")
    if case.next_digest is None:
        return ArticleExplanation(sent=None, reason=f"it waits for nothing else; {due}")
    due += _waiting(case, case.next_digest)
    place = place_of(case.article.id, case.next_digest)
    if place is None or case.article.id in case.next_digest.dropped:
        left_out = _left_out(case, case.next_digest)
        return ArticleExplanation(sent=None, reason=f"as things stand it is left out: {left_out}; {due}")
    reason = f"as things stand it will be {_next_place(case, place)}; {due}"
    return ArticleExplanation(None, reason, case.next_shown, place)


def _waiting(case: ExplainInput, digest: Digest) -> str:
    """Return that the next issue waits for more stories, "" if it has enough."""
    found, least = story_count(digest), case.newsletter.min_stories if case.newsletter else 1
    return f", and waits for more stories: it has {found} of at least {least}" if found < least else ""


def _next_place(case: ExplainInput, place: IssuePlace) -> str:
    """Return what an article will be in the next issue, in the story of this place."""
    shown = case.next_shown
    kind = "an update, story" if place.story.is_update else "story"
    number = f"{kind} {place.number} of {place.total}"
    if place.placement is Placement.SHORT:
        number += ", in one line"
    elif place.placement is Placement.WEB:
        number += f", not in the mail, which is full at {place.in_mail}"
    if shown is None or shown.lead.id == case.article.id:
        return number
    if _is_only_joined(shown, case):
        return f"joined to {_named(shown.lead)}, {number}; {_missing(shown, case)}"
    return f"in {number}{_joined(shown, case)}"


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


def _left_out(case: ExplainInput, digest: Digest | None) -> str:
    """Return why an issue does not name an article that fits it."""
    if digest is not None and case.article.id in digest.dropped:
        return "an editor dropped its story"
    nothing_new = "it has nothing new of a known story"
    if digest is None:
        most = case.membership.edition.stories
        return f"at most {most} stories fit and others ranked higher, or {nothing_new}"
    if digest.left_out:
        return f"{len(digest.stories)} of {story_count(digest)} stories are named, or {nothing_new}"
    return nothing_new


def _at(moment: datetime, case: ExplainInput) -> str:
    zone = case.membership.edition.timezone
    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} {zone}"


def _listed(topics: tuple[str, ...]) -> str:
    return ", ".join(topics) or "none"


_SHOWN_AS = {
    Placement.LEAD: "as the lead",
    Placement.STORY: "with key points",
    Placement.SHORT: "in one line",
}

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
