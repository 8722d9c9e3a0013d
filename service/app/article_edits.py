"""Edits: what publishers changed of articles that were told, and who heard of it. Reads only."""

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
from service.text.sentences import split_sentences

if TYPE_CHECKING:
    from service.app.factories.application import Application

MAX_DELIVERIES_READ = 1_000


@dataclass(frozen=True, slots=True)
class ArticleEdits:
    """An article that was told as its publisher has it now. `changes` are those of its key points."""

    edit: Edit
    changes: tuple[SentenceChange, ...]
    sent_corrections: tuple[CorrectionDetails, ...]


async def article_edits(app: Application, line: ArticleDetails) -> ArticleEdits | None:
    """Return what became of an article after it was told, None when it stands as it was."""
    records = CorrectionQueries(app.database)
    edit = await records.latest_edit(line.article.id)
    if edit is None or line.summary is None:
        return None
    texts = [point.text for point in line.summary.key_points] + [c.text for c in line.summary.context]
    whole = EditedArticle(line.article, line.summary, edit, sent_texts=("\n".join(texts),))
    found = find_correction(whole, split_sentences)
    told = await records.of_article(line.article.id)
    return ArticleEdits(edit, found.changes if found else (), tuple(told))


async def correction_sentence(
    app: Application, editing: ArticleEdits, membership: Membership, article_id: str
) -> str:
    """Return where a reader was told, or will be, what was edited; empty when nothing is to be told."""
    subscription = membership.subscription
    deliveries = await app.overview.deliveries_to(membership.subscriber.id, limit=MAX_DELIVERIES_READ)
    given = {delivery.issue_id for delivery in deliveries}
    for told in reversed(editing.sent_corrections):
        [issue] = await app.overview.issues_by_prefix(told.issue_id)
        if told.issue_id in given and issue.newsletter == subscription.newsletter:
            return f"the issue of {issue_time(issue)} corrected it"
    reader = PreviewReader(membership.edition, subscription.served_through, membership.subscriber)
    coming = (await next_issue(app, reader)).digest.corrections
    return "their next issue corrects it" if article_id in {c.article.id for c in coming} else ""


async def corrections_in(app: Application, issue_id: str) -> Sequence[CorrectionDetails]:
    """Return what an issue corrected."""
    return await CorrectionQueries(app.database).of_issue(issue_id)


async def count_edited(app: Application, article_ids: Sequence[str]) -> int:
    """Return how many of an issue's articles their publishers edited after they had been told."""
    return await CorrectionQueries(app.database).count_edited(article_ids)
