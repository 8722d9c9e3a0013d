"""Readers' reports that no editor has settled: sentences of articles that readers call wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from service.app.articles.labels import latest_labels, sentence_spans
from service.core.errors import UsageError
from service.core.ids import text_key
from service.core.model import Article, Label, LabelKind, LabelSource

if TYPE_CHECKING:
    from service.app.factories.application import Application

MAX_REPORTS = 50

REPORT_WORDS = {
    LabelKind.WRONG: "A reader calls this sentence wrong",
    LabelKind.NO_CAVEAT: "A reader says that this is no caveat",
    LabelKind.POINT: "A reader would show this sentence",
    LabelKind.CAVEAT: "A reader says that this is a caveat",
}


@dataclass(frozen=True, slots=True)
class OpenReport:
    """A report. `number` is that of the sentence, None if the publisher changed the article since."""

    article: Article
    label: Label
    at: datetime
    number: int | None

    @property
    def words(self) -> str:
        """What the reader says."""
        return REPORT_WORDS.get(self.label.kind, "A reader reported this sentence")

    @property
    def sentence(self) -> str:
        """The reported text, "" if the article was changed since."""
        return "" if self.number is None else self.article.text[slice(*self.label.sentence)]


async def open_reports(app: Application) -> Sequence[OpenReport]:
    """Return the latest reports that no editor has settled, newest first."""
    found = await latest_labels(app, MAX_REPORTS, LabelSource.READER)
    return await asyncio.to_thread(
        lambda: [OpenReport(article, label, at, _number(article, label)) for article, label, at in found]
    )


def _number(article: Article, label: Label) -> int | None:
    """Return the number of the sentence that has most of the reported text."""
    if label.text_key != text_key(article.text):
        return None
    try:
        spans = sentence_spans(article)
    except UsageError:
        return None
    said = label.sentence
    common = [min(one.end, said.end) - max(one.start, said.start) for one in spans]
    best = max(range(len(common)), key=common.__getitem__)
    return best if common[best] > 0 else None
