"""Article edits: what publishers changed after an article was sent, and who got a correction; read-only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.app.forecast import issue_time
from service.app.preview import PreviewReader, next_issue
from service.compose.corrections import find_correction
from service.compose.ports import EditedArticle
from service.core.model import Edit, Membership, SentenceChange
from service.core.read_models import ArticleDetails, CorrectionDetails
from service.store.sent_corrections import CorrectionQueries

if TYPE_CHECKING:
    from service.app.factories.application import Application

MAX_DELIVERIES_READ = 1_000
"""Deliveries of a subscriber that are searched for a correction, newest first."""


@dataclass(frozen=True, slots=True)
class ArticleEdits:
    """The last edit of an article that was sent, the changes of its key points, and the corrections sent."""

    edit: Edit
    changes: tuple[SentenceChange, ...]
    sent_corrections: tuple[CorrectionDetails, ...]


async def article_edits(app: Application, article: ArticleDetails) -> ArticleEdits | None:
    """Return how an article was edited after it was sent; None when it was not."""
    queries = CorrectionQueries(app.database)
    edit = await queries.latest_edit(article.article.id)
    if edit is None or article.summary is None:
        return None
    texts = [article.article.title, *(point.text for point in article.summary.key_points)]
    edited = EditedArticle(article.article, article.summary, edit, sent_texts=("\n".join(texts),))
    found = find_correction(edited)
    sent = await queries.of_article(article.article.id)
    return ArticleEdits(edit, found.changes if found else (), tuple(sent))


async def correction_sentence(
    app: Application, edits: ArticleEdits, membership: Membership, article_id: str
) -> str:
    """Return which issue corrected the article for a subscriber, or will; empty when none does."""
    subscription = membership.subscription
    deliveries = await app.queries.deliveries_to(membership.subscriber.id, limit=MAX_DELIVERIES_READ)
    received = {delivery.issue_id for delivery in deliveries}
    for sent in reversed(edits.sent_corrections):
        [issue] = await app.queries.issues_by_prefix(sent.issue_id)
        if sent.issue_id in received and issue.newsletter == subscription.newsletter:
            return f"the issue of {issue_time(issue)} corrected it"
    reader = PreviewReader(membership.edition, subscription.served_through, membership.subscriber)
    corrections = (await next_issue(app, reader)).digest.corrections
    return "their next issue corrects it" if article_id in {c.article.id for c in corrections} else ""


async def corrections_in(app: Application, issue_id: str) -> Sequence[CorrectionDetails]:
    """Return the corrections in an issue (id)."""
    return await CorrectionQueries(app.database).of_issue(issue_id)


async def count_edited(app: Application, article_ids: Sequence[str]) -> int:
    """Return the number of these articles (ids) that were edited after they were sent."""
    return await CorrectionQueries(app.database).count_edited(article_ids)
