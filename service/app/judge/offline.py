"""Offline: questions for a file that any model or person works on, and the answers that come back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from service.app.judge.condensing import articles_ahead, condense_with, question_of
from service.condense.judge.exchange import question_line, read_answer_line, stored_answer
from service.condense.ports import ANSWERED, JudgeRecord
from service.core.errors import JudgeAnswerRefused
from service.store.judge import SqlJudgeStore

if TYPE_CHECKING:
    from service.app.factories.application import Application

MAX_NAME_CHARACTERS = 80  # of whoever answered, for the footer of mails
STATUS_PERIOD = timedelta(days=1)
TOO_LATE = "an article keeps its key points, because it was edited or an issue contains it by now"


@dataclass(frozen=True, slots=True)
class ImportedLine:
    """What became of one line of answers: `improved` articles have other key points now.

    `problem` says why the line, or one of its articles, could not be used; "" if all went well.
    """

    number: int
    improved: int = 0
    problem: str = ""


async def export_questions(app: Application, ahead: timedelta) -> AsyncIterator[Mapping[str, Any]]:
    """Yield the question about each article that the issues due within `ahead` would show, as JSON objects.

    Articles with the same text share a question. The service remembers the questions for the import.
    """
    store, keys = SqlJudgeStore(app.database), set[str]()
    for article in await articles_ahead(app, ahead):
        question = await question_of(app, article)
        if question is None:
            continue
        await store.note_exported({question.key: [article.id]}, app.clock())
        if question.key not in keys:
            keys.add(question.key)
            yield question_line(question)


async def import_answers(
    app: Application, lines: Iterable[tuple[int, bytes | None]], judge: str
) -> AsyncIterator[ImportedLine]:
    """Check and store each line of answers, and condense its articles again; yield what became of it.

    `lines` are numbered; None in place of one that is too long. `judge` is the name of whoever answered.
    """
    for number, line in lines:
        try:
            yield await _import_line(app, number, line, judge)
        except JudgeAnswerRefused as error:
            yield ImportedLine(number, problem=str(error))


async def judge_results(app: Application) -> Mapping[str, int]:
    """Return the number of questions of the last 24 hours by result."""
    return await SqlJudgeStore(app.database).counts(app.clock() - STATUS_PERIOD)


async def _import_line(app: Application, number: int, line: bytes | None, judge: str) -> ImportedLine:
    """Store the answer and condense the articles of its question. Raises JudgeAnswerRefused."""
    if line is None:
        raise JudgeAnswerRefused("the line is too long")
    try:
        read = read_answer_line(line.decode())
    except UnicodeDecodeError:
        raise JudgeAnswerRefused("the line is not UTF-8") from None
    store, improved = SqlJudgeStore(app.database), 0
    articles = await store.exported(read.key)
    if not articles:
        raise JudgeAnswerRefused("no question with this key was exported from here")
    for article in articles:
        question = await question_of(app, article)
        if question is None or question.key != read.key:
            continue
        answer = stored_answer(read.answer(question))
        record = JudgeRecord(read.key, judge, "", app.clock(), ANSWERED, answer)
        await store.record(record)
        improved += await condense_with(app, article, record)
    unchanged = len(articles) - improved
    return ImportedLine(number, improved, TOO_LATE if unchanged else "")
