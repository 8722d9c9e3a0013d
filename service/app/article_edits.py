"""Edits: what publishers changed of articles that were told, and who heard of it. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.app.forecast import occasion
from service.app.readers import Reader
from service.compose.corrections import correction_of
from service.compose.ports import Edited
from service.core.model import Change, Edit, Membership
from service.core.read_models import ArticleLine, CorrectionLine
from service.store.sent_corrections import CorrectionRecords
from service.text.sentences import split_sentences

if TYPE_CHECKING:
    from service.app.factories.application import House

DELIVERIES_LOOKED_AT = 1_000


@dataclass(frozen=True, slots=True)
class Editing:
    """An article that was told as its publisher has it now. `changes` are those of its key points."""

    edit: Edit
    changes: tuple[Change, ...]
    told: tuple[CorrectionLine, ...]


async def editing_of(house: House, line: ArticleLine) -> Editing | None:
    """Return what became of an article after it was told, None when it stands as it was."""
    records = CorrectionRecords(house.database)
    edit = await records.edit_of(line.article.id)
    if edit is None or line.summary is None:
        return None
    texts = [point.text for point in line.summary.key_points] + [c.text for c in line.summary.context]
    whole = Edited(line.article, line.summary, edit, told_in=("\n".join(texts),))
    found = correction_of(whole, split_sentences)
    told = await records.told_of(line.article.id)
    return Editing(edit, found.changes if found else (), tuple(told))


async def heard_of(house: House, editing: Editing, membership: Membership, article_id: str) -> str:
    """Return where a reader was told, or will be, what was edited; empty when nothing is to be told."""
    subscription = membership.subscription
    deliveries = await house.overview.deliveries_to(membership.subscriber.id, limit=DELIVERIES_LOOKED_AT)
    given = {delivery.issue_id for delivery in deliveries}
    for told in reversed(editing.told):
        [issue] = await house.overview.issues_named(told.issue_id)
        if told.issue_id in given and issue.newsletter == subscription.newsletter:
            return f"the issue of {occasion(issue)} corrected it"
    reader = Reader(membership.edition, subscription.told_through, membership.subscriber)
    coming = (await house.preview(reader)).digest.corrections
    return "their next issue corrects it" if article_id in {c.article.id for c in coming} else ""


async def corrections_in(house: House, issue_id: str) -> Sequence[CorrectionLine]:
    """Return what an issue corrected."""
    return await CorrectionRecords(house.database).told_by(issue_id)


async def edited_since(house: House, article_ids: Sequence[str]) -> int:
    """Return how many of an issue's articles their publishers edited after they had been told."""
    return await CorrectionRecords(house.database).edited_among(article_ids)
