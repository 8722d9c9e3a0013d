"""Lead: the first sentences, as editors wrote them to be read first; hard to beat in news (pure)."""

from __future__ import annotations

from service.condense.candidates import build_summary, candidate_sentences
from service.core.model import Summary


class Lead:
    """The first sentences of the article, the first being the weightiest."""

    name = "lead"

    def summarize(self, text: str, *, title: str = "", language: str = "en", points: int = 5) -> Summary:  # noqa: ARG002 - the contract's; lead needs no title
        """Return the first `points` sentences. Raises SummaryRefused for a text without a sentence."""
        return build_summary(
            self.name, text, candidate_sentences(text, language, max(points, 1))[: max(points, 0)]
        )
