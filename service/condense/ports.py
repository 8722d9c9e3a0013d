"""What condense needs from the rest of the service: a summarizer and a store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from service.core.model import Article, Block, Summary


class Summarizer(Protocol):
    """A method that selects key points; `name` is its name in the configuration and in each summary."""

    name: str

    def summarize(
        self,
        text: str,
        *,
        blocks: Sequence[Block] = (),
        title: str = "",
        language: str = "en",
        points: int = 5,
    ) -> Summary:
        """Return at most `points` key points of the text, verbatim, in reading order, ranked by weight.

        `blocks` are those of the text; without any, the text is read as plain text (`plain_blocks`).
        Raises SummaryRefused for a text that cannot be condensed: empty, too large, without a sentence.
        """
        ...


class FailureResult(StrEnum):
    """What follows a failed attempt to condense an article or a publisher's edit of it.

    RETRY and EDIT_RETRY: the next pass tries again. SET_ASIDE, after the third attempt or if a retry cannot
    help: no issue contains the article. EDIT_SET_ASIDE: the article stays as it was before the edit.
    NOT_WAITING: nothing is left to do.
    """

    RETRY = "again"
    SET_ASIDE = "aside"
    EDIT_RETRY = "edit_again"
    EDIT_SET_ASIDE = "edit_aside"
    NOT_WAITING = "over"


class CondenseStore(Protocol):
    """The record of summaries."""

    async def uncondensed(self, limit: int) -> Sequence[Article]:
        """Return at most `limit` articles without a summary that are not set aside, in gather order.

        After them come edited articles, with their new text, whose new text has no summary yet.
        """
        ...

    async def record_summary(self, article_id: str, summary: Summary, now: datetime) -> None:
        """Store the summary, in place of an earlier one.

        The summary of an edit is stored together with the edited text; it is dropped if the text was edited
        again in the meantime.
        """
        ...

    async def record_failure(
        self, article_id: str, problem: str, now: datetime, *, may_retry: bool = True
    ) -> FailureResult:
        """Count a failed attempt; the third one, or one that may not be retried, sets the article aside.

        The same holds for an edit of the article.
        """
        ...
