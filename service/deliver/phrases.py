"""Phrases: what servers say when they refuse, in the words that they use (pure).

Most servers give a code of RFC 3463; many give a wrong one, or none, and say it in words, and some in the
words of their country. Replies and bounce mails are read by the same lists: phrases.txt, one phrase a line.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache

from service.deliver.wordlists import ordered_sections

LONGEST_TEXT = 20_000
SHORTHAND = {
    "{who}": r"\b(user|recipient|mail ?box|address|account|alias|addressee|customer|person|inbox|subscriber)"
    r"(s|\(s\)|es)?( name| address)?",
    "{named}": r"( <?[^\s<>]{1,80}>?)?",
    "{near}": r"[^.;:!?]{0,60}",
    "{no}": r"((is|was|are|has|have|had|been|does|do|could|can|be|that|which|listed) ){0,3}"
    r"(un|not (?:yet )?|no longer |in(?=valid|correct|active)|non-?|n't )(be )?",
}


class Saying(StrEnum):
    """What the words are about."""

    UNKNOWN = "unknown"  # there is no such mailbox or domain, or not any more
    FULL = "full"  # the mailbox is full
    SIZE = "size"  # the message is too large
    POLICY = "policy"  # spam, reputation, authentication, relaying, a block list
    LATER = "later"  # greylisting, too busy, a delay, given up after long tries


def say(text: str) -> Saying | None:
    """Return what the text is about, by the first list that has its words; None when none has."""
    text = " ".join(text[:LONGEST_TEXT].replace("’", "'").split())
    return next((saying for saying, pattern in _sayings() if pattern.search(text)), None)


@cache
def _sayings() -> tuple[tuple[Saying, re.Pattern[str]], ...]:
    """Return the sections of phrases.txt, each as one pattern."""
    return tuple((Saying(name), words) for name, words in ordered_sections("phrases.txt", SHORTHAND))
