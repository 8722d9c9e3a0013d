"""Summarize: key points of a text that is not in the database."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import unescape
from typing import NamedTuple, Protocol, runtime_checkable

from service.condense.ports import Summarizer
from service.condense.registry import SUMMARIZERS, get_summarizer
from service.core.errors import SummaryRefused, UsageError
from service.core.languages import primary_language
from service.core.model import Block, Role, Summary, TextSpan
from service.gather.cleaning.characters import one_line
from service.gather.cleaning.markup import read_markup
from service.gather.language import detect_language
from service.gather.pages.full_text import decoded, extract_text
from service.gather.pages.tree import PageTooLarge
from service.text.lexicon import has_cue_words

DEFAULT_METHOD = "keypoints"
MAX_PAGE_BYTES = 16 * 1024 * 1024  # of HTML; a larger page is not an article
_TITLE = re.compile(r"<title(?:\s[^<>]{0,300})?>([^<]{0,2000})</title", re.IGNORECASE)

__all__ = [
    "ArticlePage",
    "ExplainedSentence",
    "detect_language",
    "explain_sentences",
    "finds_caveats",
    "page_text",
    "primary_language",
    "summarize_for_program",
    "summarizer_named",
    "summary_record",
]


class ExplainedSentence(Protocol):
    """A sentence with its scores. `parts` and `reasons` are the features of the scores with their weights.

    `caveat` is the probability that it qualifies anything; `probability` that it does so to `qualifies`.
    """

    text: str
    pick: float
    order: float
    caveat: float
    parts: Sequence[tuple[str, float]]
    role: str
    qualifies: str
    reasons: Sequence[tuple[str, float]]
    probability: float


@runtime_checkable
class _Explaining(Protocol):
    def explain(
        self, text: str, *, blocks: Sequence[Block], title: str, language: str, points: int
    ) -> Sequence[ExplainedSentence]: ...


def summarizer_named(name: str | None) -> Summarizer:
    """Return the method of that name, with None the default one. Raises UnknownName."""
    return get_summarizer(name or DEFAULT_METHOD)


def explain_sentences(
    method: Summarizer, text: str, *, blocks: Sequence[Block], title: str, language: str, points: int
) -> Sequence[ExplainedSentence]:
    """Return all sentences with their scores. Raises UsageError for a method that cannot explain them."""
    if not isinstance(method, _Explaining):
        able = [name for name in SUMMARIZERS if isinstance(get_summarizer(name), _Explaining)]
        raise UsageError(f"{method.name} cannot explain its choice; {', '.join(able)} can")
    return method.explain(text, blocks=blocks, title=title, language=language, points=points)


def finds_caveats(method: Summarizer, language: str) -> bool:
    """Return whether the method finds caveats in this language; True for one that never looks for any."""
    return method.name != DEFAULT_METHOD or has_cue_words(language)


class ArticlePage(NamedTuple):
    """The title and the text of an article's page, and the text's blocks."""

    title: str
    text: str
    blocks: tuple[Block, ...]


def page_text(page: bytes) -> ArticlePage:
    """Return the article of an HTML page. Raises SummaryRefused for a large page."""
    if len(page) > MAX_PAGE_BYTES:
        raise SummaryRefused(f"the page is larger than {MAX_PAGE_BYTES >> 20} MB")
    html = decoded(page)
    found = _TITLE.search(html)
    title = one_line(unescape(found[1])) if found else ""
    try:
        read = extract_text(page)
    except PageTooLarge as error:
        raise SummaryRefused(str(error)) from None
    if not read.text:
        read = read_markup(html)
    return ArticlePage(title, read.text, read.blocks)


def summarize_for_program(
    text: str, *, html: bool, title: str, language: str, method: str | None, points: int
) -> dict[str, object]:
    """Return the summary of a text or page as `caveat summarize --json` prints it; for a pool process.

    An empty `title` is that of the page, an empty `language` is detected. Raises SummaryRefused.
    """
    page = page_text(text.encode("utf-8", "replace")) if html else ArticlePage("", text, ())
    summary = summarizer_named(method).summarize(
        page.text,
        blocks=page.blocks,
        title=title or page.title,
        language=primary_language(language) if language else detect_language(page.text),
        points=points,
    )
    return summary_record(None, summary, page.text)


def summary_record(article_id: object, summary: Summary, text: str) -> dict[str, object]:
    """Return a summary as `--json` prints it; `text` is that of the article."""
    return {
        "id": article_id,
        "method": summary.method,
        "key_points": [
            {
                "text": point.text,
                "start": point.start,
                "end": point.end,
                "role": point.role.value,
                "qualifies": point.qualifies,
                "introduction": _span_record(point.introduction, text),
                "quoted": point.quoted,
                "grade": point.grade.value if point.role is Role.CAVEAT else None,
                "kind": point.kind.value if point.kind else None,
                "hint": _span_record(point.hint, text),
            }
            for point in summary.key_points
        ],
        "context": [],  # sentences of this kind are key points now; programs may still read the field
    }


def _span_record(span: TextSpan | None, text: str) -> dict[str, object] | None:
    if span is None:
        return None
    start, end = span
    return {"text": text[start:end], "start": start, "end": end}
