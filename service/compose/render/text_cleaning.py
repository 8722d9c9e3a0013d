"""Text cleaning: text from feeds, made safe for templates, mail clients and readers (pure)."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Iterable

from service.core.placeholders import without_placeholders
from service.text.scripts import IDEOGRAPH, THAI_LAO_TIBETAN_KHMER

MAX_TITLE_CHARACTERS = 220
MAX_SENTENCE_CHARACTERS = 900
WORDS_PER_MINUTE = 220  # reading speed of an adult
IDEOGRAPHS_PER_WORD, UNSPACED_LETTERS_PER_WORD = 2, 5  # of Chinese and Japanese; of Thai, Lao, Khmer, Burmese
MAX_LINE_CHARACTERS = 76  # of plain text; quoted-printable breaks longer lines

_UNSPACED_LETTER = re.compile(f"[{THAI_LAO_TIBETAN_KHMER}\\u1000-\\u109f]")  # with Burmese
# Embeddings, overrides and isolates reorder the text around them: a title could change its neighbours.
_REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Surrogates (Cs) are replaced, private use (Co) is dropped, controls and line ends become a space.
_REPLACEMENTS = {"Cs": "\ufffd", "Cc": " ", "Zl": " ", "Zp": " ", "Co": ""}


def clean(text: str, max_characters: int = MAX_SENTENCE_CHARACTERS) -> str:
    """Return `text` as one line without controls, placeholders and reordering, shortened."""
    # Cut before the slow part, for a title of a million characters.
    kept = without_placeholders(text)[: max_characters * 4]
    clean_text = kept if kept.isprintable() else "".join(_clean_character(character) for character in kept)
    return shorten(" ".join(clean_text.split()), max_characters)


def shorten(text: str, max_characters: int) -> str:
    """Return the text cut between words to at most `max_characters`, with an ellipsis at the cut."""
    if len(text) <= max_characters:
        return text
    cut = text[: max_characters - 1]
    whole_words, space, _ = cut.rpartition(" ")
    # An unspaced script or one very long word is cut anywhere.
    kept = whole_words if space and len(whole_words) > max_characters // 2 else cut
    return kept.rstrip(" ,;:–—-") + "…"


def reading_words(text: str) -> float:
    """Return how many words a text takes as long to read as.

    In scripts without spaces between words, two ideographs or five letters count as one.
    """
    words: float = len(text.split())
    if not text.isascii():
        words += len(IDEOGRAPH.findall(text)) / IDEOGRAPHS_PER_WORD
        words += len(_UNSPACED_LETTER.findall(text)) / UNSPACED_LETTERS_PER_WORD
    return words


def reading_minutes(texts: Iterable[str]) -> int:
    """Return the minutes that reading the texts takes, at least one."""
    return words_to_minutes(sum(map(reading_words, texts)))


def words_to_minutes(words: float) -> int:
    """Return the minutes that reading so many words takes, at least one."""
    return max(1, round(words / WORDS_PER_MINUTE))


def wrap(text: str, indent: str = "", first: str | None = None) -> str:
    """Return `text` in lines of at most MAX_LINE_CHARACTERS; `first` indents the first line, if given."""
    lead = indent if first is None else first
    words = [word for word in text.split(" ") if word]  # not at no-break spaces
    if max(map(len, words), default=0) + max(len(lead), len(indent)) > MAX_LINE_CHARACTERS:
        # A word without room, such as a sentence of an unspaced script, is broken anywhere.
        broken = textwrap.wrap(
            text, MAX_LINE_CHARACTERS, initial_indent=lead, subsequent_indent=indent, break_on_hyphens=False
        )
        return "\n".join(broken)
    lines: list[str] = []
    line, start = lead, ""
    for word in words:
        if len(line) + len(start) + len(word) > MAX_LINE_CHARACTERS:
            lines.append(line)
            line, start = indent, ""
        line, start = line + start + word, " "
    return "\n".join([*lines, line]) if words else lead.rstrip()


def _clean_character(character: str) -> str:
    if character in _REORDERING or _is_noncharacter(ord(character)):
        return ""
    return _REPLACEMENTS.get(unicodedata.category(character), character)


def _is_noncharacter(code: int) -> bool:
    return code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
