"""Dialogue: a question is shown with its answer, or not at all (pure)."""

from __future__ import annotations

from collections.abc import Sequence

from service.condense.block_reading import BlockPart, Candidate
from service.core.model import BlockKind, TextSpan
from service.text.questions import is_question, is_short_reply, skip_label

MAX_QUESTION_SENTENCES = 3  # of an interviewer's paragraph; a longer one that ends with a question is prose
MAX_QUESTION_CHARACTERS = 300  # shown before an answer
MAX_REPLY_CHARACTERS = 450  # of a short reply and the sentence after it


def read_dialogue(text: str, parts: Sequence[BlockPart]) -> None:
    """Give answers their question as introduction, in place; no question is shown alone.

    In an interview, the paragraph after a question is its answer. Elsewhere only a short reply is taken for
    an answer. A short reply and the sentence after it are one candidate.
    """
    asked: TextSpan | None = None
    for part in parts:
        if part.block.kind is BlockKind.HEADING:
            asked = _question(text, part.block.start, part.block.end)
        elif part.candidates:
            part.candidates = _with_questions(text, part.candidates, asked)
            is_short = len(part.candidates) <= MAX_QUESTION_SENTENCES
            last = part.candidates[-1]
            asked = _question(text, last.start, last.end) if is_short else None


def _question(text: str, start: int, end: int) -> TextSpan | None:
    """Return the span of a question without its label; None if it is no question or too long to show."""
    begin = skip_label(text, start, end)
    is_shown = is_question(text, begin, end) and end - begin <= MAX_QUESTION_CHARACTERS
    return TextSpan(begin, end) if is_shown else None


def _with_questions(text: str, candidates: Sequence[Candidate], asked: TextSpan | None) -> list[Candidate]:
    """Return the candidates of one part; `asked` is the question before it."""
    found: list[Candidate] = []
    question, is_answer = asked, asked is not None
    is_first, is_reply = is_answer, False
    for candidate in candidates:
        start = candidate.start if found else skip_label(text, candidate.start, candidate.end)
        if is_question(text, start, candidate.end):
            found.append(candidate._replace(start=start, shown=False))
            question, is_answer, is_first = _question(text, start, candidate.end), False, True
            is_reply = False
        elif is_reply and candidate.end - found[-1].start <= MAX_REPLY_CHARACTERS:
            reply = found[-1]
            found[-1] = reply._replace(
                end=candidate.end,
                shown=reply.shown and candidate.shown,
                damaged=reply.damaged or candidate.damaged,
            )
            is_reply = False
        else:
            is_reply = is_first and is_short_reply(text, start, candidate.end)
            shows = question if is_answer or is_reply else None
            introduction = candidate.introduction or shows
            is_shown = candidate.shown and (shows is not None or not is_reply)
            found.append(
                Candidate(start, candidate.end, introduction, candidate.quoted, is_shown, candidate.damaged)
            )
            is_first = False
    return found
