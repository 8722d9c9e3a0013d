"""Lead: the first sentences of an article, a strong baseline for news (pure)."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import override

from service.condense.candidates import build_summary, shown_candidates
from service.condense.ports import Summarizer
from service.core.model import Block, Summary

MAX_SPARE_SENTENCES = 20  # read beyond those shown, in place of questions and repetitions of the headline


class Lead(Summarizer):
    """The first sentences of the article; the first one weighs most."""

    name = "lead"

    @override
    def summarize(
        self,
        text: str,
        *,
        blocks: Sequence[Block] = (),
        title: str = "",
        language: str = "en",
        points: int = 5,
    ) -> Summary:
        candidates = shown_candidates(text, blocks, title, language, max(points, 1) + MAX_SPARE_SENTENCES)
        return build_summary(self.name, text, candidates[: max(points, 0)])
