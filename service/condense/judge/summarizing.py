"""Summarizing with a judge: the question about an article, and its summary with the answer; for a pool."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from service.condense.judge.answer import JudgeAnswer
from service.condense.judge.question import JudgeQuestion
from service.condense.registry import get_summarizer
from service.core.errors import SummaryRefused
from service.core.model import Article, Summary

if TYPE_CHECKING:
    from service.condense.keypoints import KeyPoints

JUDGED_METHOD = "keypoints"
"""The method that takes answers as evidence; the others know no caveats."""

MIN_CANDIDATES = 3
"""Of a question worth asking: of fewer sentences, all are shown."""


def question_about(article: Article) -> JudgeQuestion | None:
    """Return the question about an article, None if there is nothing to choose. Picklable, as its result."""
    try:
        question = _method().question(
            article.text, blocks=article.blocks, title=article.title, language=article.language
        )
    except SummaryRefused:
        return None
    return question if len(question.candidates) >= MIN_CANDIDATES else None


def summarize_judged(article: Article, points: int, answer: JudgeAnswer) -> Summary:
    """Return the summary of an article with the answer as evidence. Raises SummaryRefused."""
    return _method().summarize(
        article.text,
        blocks=article.blocks,
        title=article.title,
        language=article.language,
        points=points,
        answer=answer,
    )


def _method() -> KeyPoints:
    return cast("KeyPoints", get_summarizer(JUDGED_METHOD))
