"""Classify: what a report of a failure says about the address (pure): an ordered rule that names itself.

1. Status 4.x.y, or an SMTP code below 500: soft.
2. Where the report says which command was refused: at MAIL or before, the sender was refused, not the reader.
3. The table of `outcomes.judge`: a precise status code (RFC 3463), unless the words contradict it in a way
   that is known of real servers; then the words; then the rest of the status; then the code.

The address is no good: hard. Everything else: soft.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from service.bounces.result import Action
from service.core.model import Blame
from service.deliver.channels.smtp.replies import LATER, SAID, Stage, Verdict, judge
from service.deliver.channels.smtp.reply_patterns import Saying, say
from service.text.word_lists import sections

STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)")
CODE = re.compile(r"(?<![\d.#/:-])([45][0-7]\d)(?=[\s.,;:)-]|$)")
# After which command a server refused, in the words of Postfix, Exim, Sendmail and Exchange.
AFTER_MAIL = re.compile(
    r"(?i)in reply to (?:mail from|e?hlo|helo|lhlo|auth|starttls)"
    r"|after (?:mail from|initial connection|e?hlo|helo)|refused to talk to me"
)
TRANSCRIPT_OF_MAIL = re.compile(r"(?i)>>> ?mail from[^\n]{0,300}\n<<< ?5")
AFTER_DATA = re.compile(
    r"(?i)in reply to (?:end of )?data|after (?:pipelined )?(?:end of data|sending data|data\b)"
    r"|at the end of data"
)
# The kind of a failure by its status code alone (RFC 3463), for the explanation.
KINDS: dict[str, Saying] = {
    "5.1": Saying.UNKNOWN,
    "5.2": Saying.UNAVAILABLE,
    "5.4": Saying.NETWORK,
    "5.6": Saying.POLICY,
    "5.7": Saying.POLICY,
    "4.1": Saying.LATER,
    "4.2": Saying.LATER,
    "4.3": Saying.LATER,
    "4.4": Saying.NETWORK,
    "4.5": Saying.LATER,
    "4.7": Saying.POLICY,
}
# The kind of a failure of which only is known whom it is about.
WHOSE: dict[Verdict, str] = {
    Blame.ADDRESS: Saying.UNKNOWN,
    Blame.MESSAGE: "",
    Blame.POLICY: Saying.POLICY,
    LATER: Saying.LATER,
}


@dataclass(frozen=True, slots=True)
class Words:
    """What a report says of a failure: an SMTP code, an enhanced one, and the text."""

    code: int | None
    status: str
    text: str

    @classmethod
    def read(cls, text: str, status: str = "") -> Words:
        """Find the codes in a text; a status that is known already wins."""
        code, found = CODE.search(text), STATUS.search(text)
        precise = status and not status.endswith(".0.0") and not status.endswith(".0")
        return cls(int(code[1]) if code else None, status if precise or not found else found[1], text)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is to be done, why in a word (phrases.Saying, or empty), and which rule said so."""

    action: Action
    kind: str
    rule: str


def judgement_of(words: Words, stage: Stage | None = None) -> Judgement:
    """Return whether a failure is hard or soft, and which rule says so.

    Without a stage the words say which command was answered.
    """
    saying, by_status = say(words.text), KINDS.get(".".join(words.status.split(".")[:2]))
    if words.status.startswith("4."):
        return Judgement(Action.SOFT, saying or by_status or "", f"status {words.status}")
    if words.code and words.code < 500 and not words.status.startswith("5.1."):
        return Judgement(Action.SOFT, saying or by_status or "", f"code {words.code}")
    verdict = judge(words.code, words.status or None, words.text, stage or stage_of(words.text))
    action = Action.HARD if verdict is Blame.ADDRESS else Action.SOFT
    if saying is not None and SAID[saying] is verdict:
        return Judgement(action, saying, "words")
    rule = f"status {words.status}" if words.status else f"code {words.code}" if words.code else "words"
    kind = by_status if by_status and SAID[by_status] is verdict else WHOSE[verdict]
    return Judgement(action, kind, rule)


def stage_of(text: str, recipient: str = "") -> Stage:
    """Return which command a server refused, where the report says so: MAIL, the final dot, or else RCPT.

    With a recipient, what is said of others does not count: it stands behind a blank line.
    """
    at = text.find(recipient) if recipient else 0
    about = text[at:].partition("\n\n")[0] if recipient and at >= 0 else text
    if AFTER_MAIL.search(about) or TRANSCRIPT_OF_MAIL.search(text):
        return Stage.MAIL
    return Stage.DOT if AFTER_DATA.search(about) else Stage.RCPT


def without_boilerplate(text: str) -> str:
    """Return the text without the lines that a mail program, or a virus scanner, says to people around it."""
    boilerplate = sections(__package__, "inbound_mail.txt")["boilerplate"]
    return "\n".join(line for line in text.split("\n") if not boilerplate.search(line))
