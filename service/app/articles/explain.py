"""Explain: why an article is, or is not, in the issues of one subscriber; read-only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from service.app.drafts.editor import shown
from service.app.preview import PreviewReader, next_issue
from service.compose.explain import (
    ArticleExplanation,
    ExplainInput,
    PastIssue,
    ShownArticle,
    explain,
    shown_article,
)
from service.compose.issue_place import place_of
from service.compose.stage import Preview
from service.core.model import DeliveryState, Digest, Group, Membership
from service.core.read_models import ArticleDetails, IssueDetails
from service.store.compose import SqlComposeStore
from service.store.deliver import SqlDeliverStore
from service.store.digests import SqlDigestStore
from service.store.drafts import SqlDraftStore
from service.store.stories import SqlStoryStore

if TYPE_CHECKING:
    from service.app.factories.application import Application

MAX_ISSUES_READ = 1_000
"""Issues of a newsletter, and deliveries of a subscriber, that are searched for the article, newest first."""


async def explain_article(
    app: Application, article: ArticleDetails, memberships: Sequence[Membership]
) -> list[tuple[str, ArticleExplanation]]:
    """Return an explanation for each newsletter (id) of one subscriber's memberships."""
    now, settle = app.clock(), app.settings.fetch.settle
    position = await SqlComposeStore(app.database).release_position(now - settle)
    found = []
    for membership in memberships:
        facts = await _facts(app, article, membership, position)
        found.append((membership.subscription.newsletter, explain(facts, now=now, settle=settle)))
    return found


async def _facts(
    app: Application, article: ArticleDetails, membership: Membership, release_position: int
) -> ExplainInput:
    """Return what the database knows about the article and the membership."""
    subscription, position = membership.subscription, article.article.position
    upcoming = None
    if subscription.served_through < position <= release_position:
        reader = PreviewReader(membership.edition, subscription.served_through, membership.subscriber)
        upcoming = await next_issue(app, reader)
    return ExplainInput(
        membership,
        article.article,
        summary=article.summary,
        newsletter=app.roster.newsletter(subscription.newsletter),
        set_aside=article.problem if article.state == "set_aside" else None,
        past_issue=await _past_issue(app, membership, article),
        release_position=release_position,
        next_digest=replace(upcoming.digest, dropped=await _dropped(app, membership)) if upcoming else None,
        next_shown=_shown_next(article, upcoming) if upcoming else None,
    )


async def _dropped(app: Application, membership: Membership) -> tuple[str, ...]:
    """Return the articles (ids) of the stories that an editor dropped from the draft of the next issue."""
    subscription = membership.subscription
    group = Group(
        membership.edition,
        subscription.edition_key,
        subscription.served_through,
        subscription.next_due_at,
        size=1,
    )
    draft = await SqlDraftStore(app.database).draft_of(group)
    return shown(draft).dropped if draft else ()


def _shown_next(article: ArticleDetails, upcoming: Preview) -> ShownArticle | None:
    """Return what the next issue shows of the article, None if it does not have it."""
    place = place_of(article.article.id, upcoming.digest)
    if place is None or article.summary is None:
        return None
    return shown_article(article.article, article.summary, place.story.articles[0], upcoming.issue.rendered)


async def _past_issue(app: Application, membership: Membership, article: ArticleDetails) -> PastIssue | None:
    """Return the subscriber's issue whose range of articles includes this one's position, if there is one."""
    position = article.article.position
    issues = await app.queries.issues(membership.subscription.newsletter, limit=MAX_ISSUES_READ)
    by_id = {issue.id: issue for issue in issues if issue.served_from < position <= issue.served_through}
    for delivery in await app.queries.deliveries_to(membership.subscriber.id, limit=MAX_ISSUES_READ):
        if delivery.state is DeliveryState.CANCELLED and membership.subscription.served_through < position:
            continue  # its stories are in the next issue
        if (issue := by_id.get(delivery.issue_id)) is not None:
            digest = await SqlDigestStore(app.database).digest(issue.id)
            shown = await _shown_in(app, issue, article, digest)
            return PastIssue(issue.due_at, shown, delivery.state, issue.edition, digest)
    return None


async def _shown_in(
    app: Application, issue: IssueDetails, article: ArticleDetails, digest: Digest | None
) -> ShownArticle | None:
    """Return what the mail of a composed issue shows of the article, None if it does not have it."""
    composed = await SqlDeliverStore(app.database).issue(issue.id)
    if article.summary is None or composed is None:
        return None
    if digest is not None:
        place = place_of(article.article.id, digest)
        lead = place.story.articles[0] if place else None
    elif article.article.id in issue.article_ids:
        [details] = await app.queries.articles_by_id([await _lead_in(app, issue, article.article.id)])
        lead = details.article
    else:
        lead = None
    return shown_article(article.article, article.summary, lead, composed.rendered) if lead else None


async def _lead_in(app: Application, issue: IssueDetails, article_id: str) -> str:
    """Return the id of the first article in the issue of the story that this article had at that time."""
    store = SqlStoryStore(app.database)
    stories = dict(await store.stories_of(issue.article_ids))
    for split in reversed(await store.splits_of(issue.article_ids)):
        if split.at > issue.created_at:
            stories[split.article_id] = split.story
    own = stories.get(article_id)
    mates = (one for one in issue.article_ids if own is not None and stories.get(one) == own)
    return next(mates, article_id)
