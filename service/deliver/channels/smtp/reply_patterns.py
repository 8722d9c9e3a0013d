"""Reply patterns: the meaning of a refusal by its text (pure).

Most servers send a code of RFC 3463; many send a wrong one, or none, and give the reason only in the text,
some in their own language. The same lists serve for replies and bounce mails: reply_patterns.txt, one
pattern a line.
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

# Cisco's mail gateways write this before any reply that they quote.
QUOTING_PREFIX = re.compile(r"(?i)unknown address error (?=[45]\d\d\W)")


class ReplyMeaning(StrEnum):
    """What the text of a refusal is about."""

    UNKNOWN = "unknown"  # the mailbox or domain does not exist, or not any more
    MOVED = "moved"  # the person has another address now
    DISABLED = "disabled"  # the mailbox is closed, suspended or not used any more
    UNAVAILABLE = "unavailable"  # "mailbox unavailable": may mean anything
    FULL = "full"  # the mailbox is full
    SIZE = "size"  # the message is too large
    BLOCKED = "blocked"  # the sending server: its reputation, a block list, its name in the DNS
    POLICY = "policy"  # spam, authentication, relaying, an access rule
    RATE = "rate"  # too many messages or connections in some period
    NETWORK = "network"  # a connection or a DNS query that failed and may succeed later
    SYSTEM = "system"  # a fault of a mail program: a loop, a configuration, a full disk
    LATER = "later"  # greylisting, too busy, a delay, a delivery that expired


MAILBOX_GONE = frozenset({ReplyMeaning.UNKNOWN, ReplyMeaning.MOVED, ReplyMeaning.DISABLED})


def reply_meaning(text: str) -> ReplyMeaning | None:
    """Return the meaning of the first section with a pattern that matches the text; None when none does."""
    text = " ".join(text[:MAX_TEXT_CHARACTERS].replace("’", "'").split())
    text = QUOTING_PREFIX.sub("", text)
    return next((meaning for meaning, pattern in _patterns() if pattern.search(text)), None)


@cache
def _patterns() -> tuple[tuple[ReplyMeaning, re.Pattern[str]], ...]:
    """Return the sections of reply_patterns.txt in order, each as one pattern."""
    sections = load_ordered_patterns(__package__, "reply_patterns.txt", SHORTHAND)
    return tuple((ReplyMeaning(name), pattern) for name, pattern in sections)
