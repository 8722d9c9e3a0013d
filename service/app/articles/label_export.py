"""Export of labelled articles: JSON lines that bench/learn_keypoints.py learns from."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any

from service.app.articles.labels import LabelledArticle, labelled_articles

if TYPE_CHECKING:
    from service.app.factories.application import Application


async def label_lines(app: Application) -> AsyncIterator[str]:
    """Yield the labelled articles, one JSON object a line."""
    async for one in labelled_articles(app):
        yield json.dumps(export_record(one), ensure_ascii=False) + "\n"


def export_record(one: LabelledArticle) -> dict[str, Any]:
    """Return the object of a labelled article; its numbers are indices of its sentences."""
    return {
        "id": one.article.id,
        "lang": one.article.language,
        "title": one.article.title,
        "text": one.article.text,
        "sentences": list(one.sentences),
        "points": list(one.points),
        "pairs": _pair_records(one.pairs),
        "no_caveat": list(one.no_caveat),
        "wrong": list(one.wrong),
        "by_readers": list(one.by_readers),
        "wrong_ties": [{"claim": claim, "caveat": caveat} for claim, caveat in one.wrong_ties],
    }


def _pair_records(pairs: Sequence[tuple[int, int, str | None, bool]]) -> list[dict[str, Any]]:
    return [
        {"claim": claim, "caveats": [caveat], "kind": kind, "strength": "must" if needed else "should"}
        for claim, caveat, kind, needed in pairs
    ]
