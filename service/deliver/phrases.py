"""Phrases: what servers say when they refuse, in the words that they use (pure).

Most servers give a code of RFC 3463; many give a wrong one, or none, and say it in words. Replies and
bounce mails are read by the same lists.
"""

from __future__ import annotations

import re
from enum import StrEnum


class Saying(StrEnum):
    """What the words are about."""

    UNKNOWN = "unknown"  # there is no such mailbox or domain, or not any more
    FULL = "full"  # the mailbox is full
    SIZE = "size"  # the message is too large
    POLICY = "policy"  # spam, reputation, authentication, relaying, a block list
    LATER = "later"  # greylisting, too busy, a delay


def _any(*phrases: str) -> re.Pattern[str]:
    return re.compile("|".join(phrases), re.IGNORECASE)


SAYINGS: tuple[tuple[Saying, re.Pattern[str]], ...] = (
    (
        Saying.FULL,
        _any(
            r"(mail)?box[^.]{0,40}\b(is |was )?(too )?(full|over ?quota|exceed)",
            r"\b(over|exceed\w*|out of)\b[^.]{0,30}\b(disk |storage |mailbox |mail )?(quota|space allotted)",
            r"\bquota (is )?(exceeded|full|exceed)",
            r"insufficient (disk|storage|mailbox)",
            r"\bover ?quota\b",
            r"not enough (disk |storage )?space",
        ),
    ),
    (
        Saying.UNKNOWN,
        _any(
            r"(user|recipient|mailbox|address|account|alias|addressee)( name)?( \S+)? "
            r"(is |was |has been |does )?(un|not )"
            r"(known|found|listed|exist|recogni[sz]ed|valid|a valid|a known|registered|available in this)",
            r"(no|unknown|invalid|unrecogni[sz]ed|non-?existent|bad|undeliverable) (such )?(local )?"
            r"(user|recipient|mailbox|address(?!es)|account|destination (mailbox|address)|person|addressee)"
            r"\b",
            r"(user|recipient|mailbox|account|address|person)\b[^.]{0,60}"
            r"(doesn'?t|does not|do not|no longer|not) "
            r"(exist|have (a|an) [\w.]* ?(account|mailbox)|in use|active|available here)",
            r"doesn'?t have an? \S+ account",
            r"(account|mailbox|user|address|recipient)\b[^.]{0,40}\b(is |has been |was )?"
            r"(disabled|inactive|deactivated|suspended|closed|discontinued|terminated|deleted|expired)",
            r"mailbox unavailable",
            r"not (a )?(local|our) (user|customer|address)",
            r"no mailbox (here )?by that name",
            r"(host|domain)( name)?( \S+)? (unknown|not found|does not exist|has no mail exchanger)",
            r"(unknown|no such|non-?existent|unroute?able|bad destination) (mail )?(domain|host|system)",
            r"unrouteable address",
            r"does not accept mail \(nullmx\)",
            r"recipient (address )?rejected: (undeliverable|unknown|user|access denied)",
            r"no longer (works?|with|at|valid|employed|on|being used)",
        ),
    ),
    (
        Saying.SIZE,
        _any(
            r"(message|mail|size|attachment)[^.]{0,40}"
            r"(too (large|big|long)|exceeds?[^.]{0,30}(size|limit|maximum))",
            r"exceeds? (the )?(maximum|fixed|allowed)[^.]{0,20}(message )?size",
        ),
    ),
    (
        Saying.POLICY,
        _any(
            r"\bspam\b",
            r"\bunsolicited\b",
            r"\bjunk\b",
            r"black ?list",
            r"block ?list",
            r"\b(dns)?[rd]?bl\b",
            r"spamhaus|spamcop|barracuda|proofpoint|sorbs|uceprotect|senderscore|mimecast|cloudmark",
            r"reputation",
            r"\b(spf|dkim|dmarc)\b",
            r"\bpolic(y|ies)\b",
            r"relay(ing)? (access )?(is )?(denied|not (permitted|allowed))",
            r"(unable|not permitted|not allowed) to relay",
            r"authenticat(ion|e)",
            r"\bvirus|malware|phish",
            r"\bbanned|blocked\b",
            r"content (was )?(rejected|filtered|not accepted)",
            r"reverse (dns|hostname)|\bptr\b",
            r"sender (address )?(was )?(rejected|denied|not allowed|verify failed)",
            r"not (authori[sz]ed|permitted|allowed) to (send|mail|post)",
            r"suspicious|complaints",
        ),
    ),
    (
        Saying.LATER,
        _any(
            r"gr[ae]y-?list",
            r"try (again|later)|retry",
            r"too (many|busy|much)",
            r"rate ?limit|throttl",
            r"temporar(y|ily)",
            r"delayed|deferred",
        ),
    ),
)


def say(text: str) -> Saying | None:
    """Return what the text is about, by the first list that has its words; None when none has."""
    text = " ".join(text.split())
    return next((saying for saying, pattern in SAYINGS if pattern.search(text)), None)
