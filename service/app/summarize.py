"""Methods: what a door may ask of the condense room for a text that is in no database."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import unescape
from typing import Protocol, runtime_checkable

from service.condense.ports import Summarizer
from service.condense.registry import SUMMARIZERS, get_summarizer
from service.core.errors import SummaryRefused, UsageError
from service.gather.entries.full_text import extract_text
from service.gather.entries.language import detect_language
from service.gather.entries.markup import one_line, plain_text
from service.text.languages import primary_language

DEFAULT_METHOD = "keypoints"
MAX_PAGE_BYTES = 16 * 1024 * 1024
_TITLE = re.compile(rb"<title(?:\s[^<>]{0,300})?>([^<]{0,2000})</title", re.IGNORECASE)

__all__ = [
    "ExplainedSentence",
    "detect_language",
    "explain_sentences",
    "finds_caveats",
    "page_text",
    "primary_language",
    "summarizer_named",
]


class ExplainedSentence(Protocol):
    """One sentence and why it is, or is not, shown. `parts` and `reasons` are features with their weights."""

    text: str
    pick: float
    order: float
    parts: Sequence[tuple[str, float]]
    role: str
    qualifies: str
    reasons: Sequence[tuple[str, float]]
    probability: float


@runtime_checkable
class _Explaining(Protocol):
    def explain(
        self, text: str, *, title: str, language: str, points: int
    ) -> Sequence[ExplainedSentence]: ...


def summarizer_named(name: str | None) -> Summarizer:
    """Return the method of that name, the usual one for None. Raises UnknownName."""
    return get_summarizer(name or DEFAULT_METHOD)


def explain_sentences(
    method: Summarizer, text: str, *, title: str, language: str, points: int
) -> Sequence[ExplainedSentence]:
    """Return every sentence with its reasons. Raises UsageError for a method that cannot say any."""
    if not isinstance(method, _Explaining):
        able = [name for name in SUMMARIZERS if isinstance(get_summarizer(name), _Explaining)]
        raise UsageError(f"{method.name} cannot explain its choice; {', '.join(able)} can")
    return method.explain(text, title=title, language=language, points=points)


def finds_caveats(method: Summarizer, language: str) -> bool:
    """Tell whether the method, if it is one that looks for caveats, can find them in this language."""
    if method.name != DEFAULT_METHOD:
        return True
    from service.text.lexicon import has_cue_words  # noqa: PLC0415 - loads numpy, which other methods may not need

    return has_cue_words(language)


def page_text(page: bytes) -> tuple[str, str]:
    """Return the title and the text of an article's HTML page. Raises SummaryRefused for one too large."""
    if len(page) > MAX_PAGE_BYTES:
        raise SummaryRefused(f"the page is larger than {MAX_PAGE_BYTES >> 20} MB")
    found = _TITLE.search(page)
    title = one_line(unescape(found[1].decode("utf-8", "replace"))) if found else ""
    return title, extract_text(page) or plain_text(page.decode("utf-8", "replace"))
