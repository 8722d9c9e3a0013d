"""What condense asks of the outside: a way to pick key points, and a record of summaries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from service.core.model import Article, Summary


class Summarizer(Protocol):
    """A method that picks key points."""

    name: str

    def summarize(self, text: str, *, title: str = "", language: str = "en", points: int = 5) -> Summary:
        """Return at most `points` key points of the text, verbatim, in reading order.

        Raises SummaryRefused for a text that cannot be condensed.
        """
        ...


class FailureResult(StrEnum):
    """What a failed try leads to. An edit is what a publisher changed of an article that stands already.

    AGAIN and EDIT_AGAIN are tried again. ASIDE, after the third try: the article is told to nobody.
    EDIT_ASIDE: the article stays as it was before the edit. OVER: nothing of it waits to be condensed.
    """

    RETRY = "again"
    SET_ASIDE = "aside"
    EDIT_RETRY = "edit_again"
    EDIT_SET_ASIDE = "edit_aside"
    NOT_WAITING = "over"


class CondenseStore(Protocol):
    """What condense asks of the record."""

    async def uncondensed(self, limit: int) -> Sequence[Article]:
        """Return articles without a summary that were not set aside, in gather order.

        Behind them come edited ones whose new words have no summary yet, with these words.
        """
        ...

    async def record_summary(self, article_id: str, summary: Summary, now: datetime) -> None:
        """Store the summary; a summary that is there already is replaced.

        One of new words comes together with them. One of words that were edited meanwhile is passed over.
        """
        ...

    async def record_failure(self, article_id: str, problem: str, now: datetime) -> FailureResult:
        """Count a failed try; the third one sets the article, or what was edited of it, aside."""
        ...
