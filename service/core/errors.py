"""The exceptions that Caveat raises on purpose. Outcomes that a stage expects are values, not exceptions.

CaveatError                 base class; its text is one sentence for a person
├── UsageError              the command was used wrongly                      exit 2
│   ├── UnknownName         a newsletter, method, channel ... does not exist
│   └── IdempotencyKeyReusedthe key belongs to another send
├── ConfigError             config/ or the environment is wrong               exit 2
├── ChangeHeld              config/ would end too many subscriptions          exit 2; nothing changes
├── TemplateFailed          a template or its labels cannot be used           the issue is not sent
├── StoreError              the database cannot be used, or is too new        exit 1
├── ArticleChanged          an article was edited meanwhile                   the issue is composed again
├── FeedUnreadable          the bytes are not a feed                          stored with the feed
├── SummaryRefused          the text cannot be condensed                      stored with the article
├── JudgeAnswerRefused      a judge's answer cannot be used                   the summary stays as it was
├── PoolUnavailable         no process could run a task                       the pass fails; its rows wait
└── ChannelUnavailable      the channel cannot be reached                     deliveries wait
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service.core.model import HeldChange


class CaveatError(Exception):
    """Base class of every exception that Caveat raises on purpose; its text is one sentence for a person."""

    @property
    def sentence(self) -> str:
        """The text with a capital first letter."""
        text = str(self)
        return text[:1].upper() + text[1:]


class UsageError(CaveatError):
    """The command was used wrongly."""


class UnknownName(UsageError):
    """A registry does not have the requested name.

    `kind` is the kind of entry ("summariser"), `name` the requested name, `known` the names that exist.
    `problem` is the error as a clause, without the known names.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, tuple(sorted(known))
        near = get_close_matches(name, self.known, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        listed = ", ".join(self.known) if self.known else "none so far"
        self.problem = f"there is no {kind} {name!r}" + (f" (did you mean {near[0]}?)" if near else "")
        super().__init__(f"there is no {kind} {name!r}.{hint} Known: {listed}.")


class IdempotencyKeyReused(UsageError):
    """The idempotency key belongs to an earlier send with another request."""

    def __init__(self) -> None:
        super().__init__("this key was used for another send before; give this one a key of its own")


@dataclass(frozen=True, slots=True)
class Fault:
    """One error in a config file and its place. Line and column count from 1; 0 means unknown."""

    file: str
    line: int
    column: int
    message: str
    expected: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {self.message}" + (f", expected {self.expected}" if self.expected else "")


class ConfigError(CaveatError):
    """The config folder or the environment is wrong; `faults` lists every error with its place."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class ChangeHeld(CaveatError):
    """The configuration would end too many subscriptions, so it was not applied; nothing was changed."""

    def __init__(self, change: HeldChange) -> None:
        self.change = change
        super().__init__(change.sentence)


class TemplateFailed(CaveatError):
    """A template of a mail, or its labels, cannot be used.

    `file` is its path in the folder of templates, `line` its failing line (0: unknown).
    """

    def __init__(self, file: str, line: int, reason: str) -> None:
        self.file, self.line, self.reason = file, line, reason
        super().__init__(f"the template {file}{f', line {line}' if line else ''} fails: {reason}")


class StoreError(CaveatError):
    """The database cannot be used; the text names the database and a remedy."""


class ArticleChanged(CaveatError):
    """An article was edited between the choice of stories and the commit of the issue; nothing was stored."""


class DraftChanged(CaveatError):
    """A draft was changed or used by somebody else since it was read; nothing was stored."""


class FeedUnreadable(CaveatError):
    """The bytes are not a feed in a supported format; the text says what they look like."""


class SummaryRefused(CaveatError):
    """An article's text cannot be condensed; the message gives the reason (too large, no sentence)."""


class JudgeAnswerRefused(CaveatError):
    """A judge's answer is not one to the question; the message gives the reason (too large, not JSON)."""


class ChannelUnavailable(CaveatError):
    """A channel cannot be reached: connection refused, TLS failed, login refused.

    `permanent`: a retry with the same settings cannot succeed (wrong password).
    `too_many_connections`: the server accepts no further connection at the moment.
    """

    def __init__(self, text: str, *, permanent: bool = False, too_many_connections: bool = False) -> None:
        self.permanent, self.too_many_connections = permanent, too_many_connections
        super().__init__(text)


class PoolUnavailable(CaveatError):
    """The process pool could not run a task. The task itself is not the cause, so it can be retried."""
