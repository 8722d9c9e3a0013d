"""What condense needs from the rest of the service: a summarizer, and stores of summaries and answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

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

    async def record_summaries(self, made: Mapping[str, Summary], now: datetime) -> None:
        """Store the summaries by the ids of their articles, in place of earlier ones: all, or on error none.

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


@dataclass(frozen=True, slots=True)
class JudgeRecord:
    """What is known of a question (`key`) to a judge.

    `model` is the judge's name, `host` the machine that was asked, "" for an imported answer. `result` is
    ASKED until the answer is recorded, then ANSWERED or the name of a JudgeProblem. `answer` is that of
    `stored_answer`, None if there is none.
    """

    key: str
    model: str
    host: str
    asked_at: datetime
    result: str
    answer: Mapping[str, Any] | None = None

    @property
    def judge(self) -> str:
        """The judge as readers are told: its name, and in brackets the machine."""
        return f"{self.model} ({self.host})" if self.host else self.model


ASKED, ANSWERED = "asked", "answered"
"""The first results of a JudgeRecord: of a question that was asked, and of one with an answer."""


class ClaimResult(StrEnum):
    """Whether a question may be asked. TAKEN: it was asked before. SPENT: no more questions today."""

    GRANTED = "granted"
    TAKEN = "taken"
    SPENT = "spent"


class JudgeStore(Protocol):
    """The record of questions to a judge, and of summaries that follow its answers."""

    async def find(self, key: str) -> Sequence[JudgeRecord]:
        """Return all records of the question, the newest first."""
        ...

    async def claim(self, record: JudgeRecord, per_day: int) -> ClaimResult:
        """Store the record of a question that is about to be asked, so that it is asked once.

        Nothing is stored if one of the same key and model is, or if `per_day` questions were asked in the 24
        hours before it.
        """
        ...

    async def record(self, record: JudgeRecord) -> None:
        """Store the record, in place of one of the same key and model."""
        ...

    async def unsent(self, article_ids: Collection[str]) -> Collection[str]:
        """Return those of the articles (ids) that no issue contains."""
        ...

    async def replace_summary(self, article: Article, summary: Summary, now: datetime) -> bool:
        """Replace the article's summary by one with a judge's evidence; return whether that was done.

        Not if the article has another title or text by now, or if an issue contains it.
        """
        ...

    async def note_exported(self, articles: Mapping[str, Collection[str]], now: datetime) -> None:
        """Remember the articles (ids) of each exported question (key)."""
        ...

    async def exported(self, key: str) -> Sequence[Article]:
        """Return the articles of an exported question, as they are now."""
        ...

    async def counts(self, since: datetime) -> Mapping[str, int]:
        """Return the number of records since then by result; "imported" for those of imported answers."""
        ...

    async def prune(self, before: datetime) -> int:
        """Delete records and exports of questions from before that time; return the number of rows."""
        ...
