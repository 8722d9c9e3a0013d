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
    app: Application, line: ArticleDetails, memberships: Sequence[Membership]
) -> list[tuple[str, ArticleExplanation]]:
    """Return, for each of somebody's newsletters (ids), what became or will become of the article there."""
    now, settle = app.clock(), app.settings.fetch.settle
    through = await SqlComposeStore(app.database).release_position(now - settle)
    found = []
    for membership in memberships:
        case = await _case(app, line, membership, through)
        found.append((membership.subscription.newsletter, explain(case, now=now, settle=settle)))
    return found


async def _case(app: Application, line: ArticleDetails, membership: Membership, through: int) -> ExplainInput:
    """Return everything that is known of an article and a reader."""
    subscription, position = membership.subscription, line.article.position
    coming = None
    if subscription.served_through < position <= through:
        reader = PreviewReader(membership.edition, subscription.served_through, membership.subscriber)
        coming = (await next_issue(app, reader)).digest
    return ExplainInput(
        membership,
        line.article,
        condensed=line.summary is not None,
        set_aside=line.problem if line.state == "set_aside" else None,
        past_issue=await _given(app, membership, position),
        release_position=through,
        next_digest=coming,
    )


async def _given(app: Application, membership: Membership, position: int) -> PastIssue | None:
    """Return the issue of somebody's in whose range an article lies."""
    issues = await app.overview.issues(membership.subscription.newsletter, limit=MAX_ISSUES_READ)
    by_id = {issue.id: issue for issue in issues if issue.served_from < position <= issue.served_through}
    for delivery in await app.overview.deliveries_to(membership.subscriber.id, limit=MAX_ISSUES_READ):
        if (issue := by_id.get(delivery.issue_id)) is not None:
            return PastIssue(issue.due_at, issue.article_ids, delivery.state)
    return None
