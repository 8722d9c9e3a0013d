"""Lead: the first sentences, as editors wrote them to be read first; hard to beat in news (pure)."""

from __future__ import annotations

from service.condense.candidates import readable, summary_of
from service.core.model import Summary


class Lead:
    """The first sentences of the article, the first being the weightiest."""

    name = "lead"

    def summarize(self, text: str, *, title: str = "", language: str = "en", points: int = 5) -> Summary:  # noqa: ARG002 - the contract's; lead needs no title
        """Return the first `points` sentences. Raises SummaryRefused for a text without a sentence."""
        return summary_of(self.name, text, readable(text, language, max(points, 1))[: max(points, 0)])
