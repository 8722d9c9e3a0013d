"""Reports: sentences of an issue that readers call wrong, stored as labels for editors and for learning."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from service.app.archive.archive import STORIES_PER_PAGE, ArchivedIssue, IssueArchive
from service.compose.render.text_cleaning import MAX_TITLE_CHARACTERS, clean
from service.core.model import Digest, LabelKind, Role, StoryPoint, TextSpan
from service.store.digests import SqlDigestStore
from service.store.labels import SqlLabelStore
from service.store.limits import SqlAttemptStore
from service.store.subscribers import SqlSubscriberStore
from service.subscribers.sign_up import attempt_limit
from service.text.i18n import text_direction

VISITOR_LIMIT = 30, timedelta(hours=1)  # reports from one client address
ISSUE_LIMIT = 300, timedelta(days=1)  # reports about one issue
KINDS = {"wrong": LabelKind.WRONG, "no_caveat": LabelKind.NO_CAVEAT}
"""What a reader can say of a sentence, by the name of the button."""

_SENTENCE = re.compile("([1-9][0-9]{0,4})[.]([0-9]{1,3})")


class ReportResult(StrEnum):
    """What became of a report. It is KNOWN if somebody said the same before."""

    RECORDED = "recorded"
    KNOWN = "known"
    NO_SENTENCE = "no_sentence"
    TOO_MANY = "too_many"


@dataclass(frozen=True, slots=True)
class ReportedSentence:
    """A sentence that can be reported; `id` is the number of its story and its index there."""

    id: str
    text: str
    is_caveat: bool


@dataclass(frozen=True, slots=True)
class ReportedStory:
    """The sentences of a story. `language` and `direction` are those of its first article."""

    number: int
    headline: str
    language: str
    direction: str
    sentences: tuple[ReportedSentence, ...]


@dataclass(frozen=True, slots=True)
class SentenceList:
    """The stories of one page of an issue that have sentences; `numbers` is the number of pages."""

    stories: tuple[ReportedStory, ...]
    number: int
    numbers: int


@dataclass(frozen=True, slots=True)
class Reports:
    """Readers' reports about the issues of an archive. Every coroutine may raise StoreError."""

    archive: IssueArchive

    async def sentences(self, issue: ArchivedIssue, number: int = 1) -> SentenceList | None:
        """Return page `number` of the issue's sentences; None without such a page or a stored digest."""
        first = (number - 1) * STORIES_PER_PAGE
        found = await self._digests.part(issue.stored.id, first, STORIES_PER_PAGE)
        if found is None or first >= max(found[1], 1):
            return None
        digest, total = found
        return SentenceList(_stories(digest, first), number, max(1, -(-total // STORIES_PER_PAGE)))

    async def record(self, issue: ArchivedIssue, sentence: str, kind: str, client: str) -> ReportResult:
        """Store a report of a sentence (`ReportedSentence.id`) by a client, named by its address.

        `kind` is a key of KINDS. A label of an editor is never replaced, and a report that was made before
        changes nothing and counts towards no limit.
        """
        point = await self._point(issue, sentence) if kind in KINDS else None
        if point is None or (kind == "no_caveat" and point.role is not Role.CAVEAT):
            return ReportResult.NO_SENTENCE
        labels, now = SqlLabelStore(self.archive.database), self.archive.clock()
        span, label = TextSpan(point.start, point.end), KINDS[kind]
        if any(
            one.kind is label and one.sentence == span for one in await labels.of_article(point.article.id)
        ):
            return ReportResult.KNOWN
        key = await SqlSubscriberStore(self.archive.database).signing_key()
        limited = [
            attempt_limit(key, "report", client, VISITOR_LIMIT),
            attempt_limit(key, "reported", issue.stored.id, ISSUE_LIMIT),
        ]
        if not await SqlAttemptStore(self.archive.database).allows(limited, now):
            return ReportResult.TOO_MANY
        from service.app.articles.labels import record_reader_label  # noqa: PLC0415 - with condense

        await record_reader_label(labels, point.article, span, label, now)
        return ReportResult.RECORDED

    async def _point(self, issue: ArchivedIssue, sentence: str) -> StoryPoint | None:
        named = _SENTENCE.fullmatch(sentence)
        found = await self._digests.part(issue.stored.id, int(named[1]) - 1, 1) if named else None
        points = found[0].stories[0].points if found and found[0].stories else ()
        index = int(named[2]) if named else 0
        return points[index] if index < len(points) else None

    @property
    def _digests(self) -> SqlDigestStore:
        return SqlDigestStore(self.archive.database)


def _stories(digest: Digest, first: int) -> tuple[ReportedStory, ...]:
    return tuple(
        ReportedStory(
            number,
            clean(story.headline, MAX_TITLE_CHARACTERS),
            story.articles[0].language,
            text_direction(story.articles[0].language),
            _sentences(number, story.points),
        )
        for number, story in enumerate(digest.stories, start=first + 1)
        if story.points
    )


def _sentences(number: int, points: Sequence[StoryPoint]) -> tuple[ReportedSentence, ...]:
    return tuple(
        ReportedSentence(f"{number}.{index}", clean(point.text), point.role is Role.CAVEAT)
        for index, point in enumerate(points)
    )
