"""Explain: why an article is, or is not, in the issues of one subscriber; read-only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from service.app.preview import PreviewReader, next_issue
from service.compose.explain import ArticleExplanation, ExplainInput, PastIssue, explain
from service.core.model import Membership
from service.core.read_models import ArticleDetails
from service.store.compose import SqlComposeStore

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
    next_digest = None
    if subscription.served_through < position <= release_position:
        reader = PreviewReader(membership.edition, subscription.served_through, membership.subscriber)
        next_digest = (await next_issue(app, reader)).digest
    return ExplainInput(
        membership,
        article.article,
        condensed=article.summary is not None,
        set_aside=article.problem if article.state == "set_aside" else None,
        past_issue=await _past_issue(app, membership, position),
        release_position=release_position,
        next_digest=next_digest,
    )


async def _past_issue(app: Application, membership: Membership, position: int) -> PastIssue | None:
    """Return the subscriber's issue whose range of articles includes this position, if there is one."""
    issues = await app.queries.issues(membership.subscription.newsletter, limit=MAX_ISSUES_READ)
    by_id = {issue.id: issue for issue in issues if issue.served_from < position <= issue.served_through}
    for delivery in await app.queries.deliveries_to(membership.subscriber.id, limit=MAX_ISSUES_READ):
        if (issue := by_id.get(delivery.issue_id)) is not None:
            return PastIssue(issue.due_at, issue.article_ids, delivery.state)
    return None
