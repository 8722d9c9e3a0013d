"""Lead: the first sentences of an article, a strong baseline for news (pure)."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import override

from service.condense.candidates import build_summary, candidate_sentences
from service.condense.ports import Summarizer
from service.core.model import Block, Summary


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
        sentences = candidate_sentences(text, blocks, language, max(points, 1))
        return build_summary(self.name, text, sentences[: max(points, 0)])
