"""Phrases: what servers say when they refuse, in the words that they use (pure).

Most servers give a code of RFC 3463; many give a wrong one, or none, and say it in words, and some in the
words of their country. Replies and bounce mails are read by the same lists: reply_patterns.txt, one phrase
a line.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache

from service.text.word_lists import load_ordered_patterns

MAX_TEXT_CHARACTERS = 20_000
SHORTHAND = {
    "{who}": r"\b(user|recipient|rcpt|mail ?box|address|account|alias|addressee|customer|person|inbox"
    r"|subscriber)(s|\(s\)|es)?( name| address)?",
    "{named}": r"( <?[^\s<>]{1,80}>?)?",
    "{near}": r"(?:[^.;:!?]|\.(?=\w)){0,60}",
    "{no}": r"((is|was|are|has|have|had|been|does|do|could|can|be|that|which|listed) ){0,3}"
    r"(un|not (?:yet )?|no longer |in(?=valid|correct|active)|non-?|n't )(be )?",
}

# Cisco's mail gateways say this before the reply that they quote, whatever it was.
QUOTING_PREFIX = re.compile(r"(?i)unknown address error (?=[45]\d\d\W)")


class ReplyMeaning(StrEnum):
    """What the words are about."""

    UNKNOWN = "unknown"  # there is no such mailbox or domain, or not any more
    MOVED = "moved"  # the person has another address now
    DISABLED = "disabled"  # the mailbox is closed, suspended or not in use any more
    UNAVAILABLE = "unavailable"  # "mailbox unavailable": anything, until something else is said
    FULL = "full"  # the mailbox is full
    SIZE = "size"  # the message is too large
    BLOCKED = "blocked"  # the sending server: its reputation, a block list, its name in the DNS
    POLICY = "policy"  # spam, authentication, relaying, an access rule
    RATE = "rate"  # too many messages or connections in a time
    NETWORK = "network"  # a connection or a DNS query that failed and may succeed later
    SYSTEM = "system"  # a fault of a mail program: a loop, a configuration, a full disk
    LATER = "later"  # greylisting, too busy, a delay, given up after long tries


MAILBOX_GONE = frozenset({ReplyMeaning.UNKNOWN, ReplyMeaning.MOVED, ReplyMeaning.DISABLED})


def reply_meaning(text: str) -> ReplyMeaning | None:
    """Return what the text is about, by the first list that has its words; None when none has."""
    text = " ".join(text[:MAX_TEXT_CHARACTERS].replace("’", "'").split())
    text = QUOTING_PREFIX.sub("", text)
    return next((saying for saying, pattern in _sayings() if pattern.search(text)), None)


@cache
def _sayings() -> tuple[tuple[ReplyMeaning, re.Pattern[str]], ...]:
    """Return the sections of reply_patterns.txt, each as one pattern."""
    return tuple(
        (ReplyMeaning(name), words)
        for name, words in load_ordered_patterns(__package__, "reply_patterns.txt", SHORTHAND)
    )
