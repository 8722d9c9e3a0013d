"""Explain: why an article is, or is not, in a reader's issue, in plain sentences (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from service.core.model import (
    Article,
    DeliveryState,
    Digest,
    Issue,
    Membership,
    SubscriptionStatus,
)


@dataclass(frozen=True, slots=True)
class Given:
    """An issue that the reader was given, and where its delivery stands."""

    issue: Issue
    state: DeliveryState


@dataclass(frozen=True, slots=True)
class Case:
    """What is known of one article and one reader of one newsletter.

    `article` is None when none was gathered; `set_aside` says why condense gave it up. `given` is the issue
    in whose range the article lies (`told_from < position <= told_through`). `through` is the position up to
    which can be told by now, `coming` what the reader's next issue would be if it were made now.
    """

    membership: Membership
    article: Article | None
    condensed: bool = False
    set_aside: str | None = None
    given: Given | None = None
    through: int = 0
    coming: Digest | None = None


def explain(case: Case, *, now: datetime, settle: timedelta) -> tuple[str, ...]:
    """Return the sentences that say what became of the article for this reader, and what will.

    `now` is aware UTC, `settle` how long an article rests before it is told. Times are the reader's own.
    """
    article = case.article
    if article is None:
        return (
            "No article of that address or id was gathered.",
            "Either no feed in the roster names it, or its feed was not looked at since it came out.",
        )
    seen = _at(article.gathered_at, case)
    return (
        f"{article.title!r} by {article.publisher} was gathered {seen}.",
        *(_past(case, article) or _future(case, article, now, settle)),
    )


def _past(case: Case, article: Article) -> tuple[str, ...]:
    """Return what was decided about the article already; nothing when it is still to come."""
    edition, subscription = case.membership.edition, case.membership.subscription
    if case.given is not None and article.id in case.given.issue.article_ids:
        when, state = _at(case.given.issue.due_at, case), _STATES[case.given.state]
        return (f"It is in their issue of {when}, {state}.",)
    if case.set_aside is not None:
        return (f"It was set aside, because it could not be condensed in three tries: {case.set_aside}",)
    if edition.topics and not set(edition.topics) & set(article.topics):
        theirs, its = ", ".join(edition.topics), ", ".join(article.topics) or "nothing in particular"
        return (f"It is outside their topics: its feed is about {its}, they want {theirs}.",)
    if case.given is not None:
        when = _at(case.given.issue.due_at, case)
        return (
            f"Their issue of {when} told what had come by then, and it is not in it.",
            f"Either {_cap(case)}, or it said nothing new of a story that they knew.",
        )
    if article.position <= subscription.told_through:
        return (
            "It came before what their next issue will tell, and it was in no issue of theirs.",
            "They had not subscribed then or had paused, or an issue was passed over for being too late.",
        )
    return ()


def _future(case: Case, article: Article, now: datetime, settle: timedelta) -> tuple[str, ...]:
    """Return what stands between the article and the reader's next issue."""
    subscription = case.membership.subscription
    if case.membership.suppressed is not None:
        return (f"Nothing is mailed to this address: {case.membership.suppressed}.",)
    if subscription.status is not SubscriptionStatus.ACTIVE:
        return (_STATUSES[subscription.status],)
    due = _at(subscription.next_due_at, case)
    rests_until = article.gathered_at + settle
    if not case.condensed:
        return ("It has not been condensed yet.", f"Their next issue is due {due}.")
    if rests_until > now:
        return (f"It settles until {_at(rests_until, case)}.", f"Their next issue is due {due}.")
    if article.position > case.through:
        waits = "It waits for articles gathered before it, which have not been condensed or have not settled."
        return (waits, f"Their next issue is due {due}.")
    return (_coming(case, article, due),)


def _coming(case: Case, article: Article, due: str) -> str:
    """Return the sentence about an article that nothing holds up any more."""
    if case.coming is None:
        return f"It can be told in their next issue, due {due}."
    stories = case.coming.stories
    for place, story in enumerate(stories, start=1):
        if article.id in {told.id for told in story.articles}:
            kind = "the update" if story.update else "story"
            return f"It is {kind} {place} of {len(stories)} in their next issue, due {due}, as things stand."
    return (
        f"It is not in their next issue, due {due}, as things stand: either {_cap(case)}, or it says nothing "
        "new of a story that they know."
    )


def _cap(case: Case) -> str:
    return f"others were the {case.membership.edition.stories} stories that an issue holds at most"


def _at(moment: datetime, case: Case) -> str:
    zone = case.membership.edition.timezone
    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} ({zone})"


_STATES = {
    DeliveryState.PLANNED: "which waits in the outbox",
    DeliveryState.ATTEMPTING: "which is being sent",
    DeliveryState.DEFERRED: "which was put off by the receiving server and is tried again",
    DeliveryState.UNCERTAIN: "of which nobody knows whether it arrived",
    DeliveryState.SENT: "which was sent",
    DeliveryState.REFUSED: "which the receiving server refused",
    DeliveryState.SUPPRESSED: "which was held back, because nothing may be mailed to this address",
}

_STATUSES = {
    SubscriptionStatus.PAUSED: "Their subscription is paused, and what comes meanwhile is not told later.",
    SubscriptionStatus.UNSUBSCRIBED: "They unsubscribed.",
    SubscriptionStatus.ENDED: "Their subscription ended, because the roster does not name it any more.",
}
