"""Questions: sentences that ask, short replies, and the labels of speakers before them (pure)."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

from service.text.marks import CLOSERS
from service.text.scripts import CJK

MAX_REPLY_WORDS = 5  # of a reply that says nothing without its question: "No." "That is nonsense."
MAX_REPLY_IDEOGRAPHS = 8  # the same in a script without spaces
MAX_REPLY_CHARACTERS = 80
MAX_LABEL_CHARACTERS = 40
MAX_MARKS = 12  # at the end of a sentence

_QUESTION_END = re.compile(rf"[?？؟⁇‽՞፧\u037e][!！?？{CLOSERS}\s]*\Z")
_LABEL = re.compile(rf"(?P<name>[^\W\d_][^\n:：.!?]{{0,{MAX_LABEL_CHARACTERS}}}?)\s?[:：]\s*")
_UNSPACED = re.compile(f"[{CJK}]")


def is_question(text: str, start: int = 0, end: int | None = None) -> bool:
    """Return whether the sentence `text[start:end]` asks: whether a question mark of any script ends it."""
    stop = len(text) if end is None else end
    return _QUESTION_END.search(text, max(start, stop - MAX_MARKS), stop) is not None


def is_short_reply(text: str, start: int = 0, end: int | None = None) -> bool:
    """Return whether the sentence is so short that it says nothing without the question before it."""
    body = text[skip_label(text, start, end) : end]
    if len(body) > MAX_REPLY_CHARACTERS:
        return False
    unspaced = len(_UNSPACED.findall(body))
    return unspaced <= MAX_REPLY_IDEOGRAPHS and len(body.split(None, MAX_REPLY_WORDS)) <= MAX_REPLY_WORDS


def skip_label(text: str, start: int = 0, end: int | None = None) -> int:
    """Return where `text[start:end]` begins behind a label of a question or answer: "Q:", "Frage:".

    The name of a speaker stays: it says who speaks.
    """
    found = _LABEL.match(text, start, len(text) if end is None else end)
    if found is None or found["name"].strip().casefold() not in _labels():
        return start
    return found.end()


@cache
def _labels() -> frozenset[str]:
    table = tomllib.loads(Path(__file__).with_name("speaker_labels.toml").read_text(encoding="utf-8"))
    return frozenset(label.casefold() for labels in table.values() for label in labels)
