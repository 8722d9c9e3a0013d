"""The tree of errors: what may go wrong beyond the outcomes that stages expect.

CaveatError                 every error that we raise on purpose; its text is one sentence for a person
├── UsageError              the command was used wrongly                                 exit 2
│   ├── UnknownName         a newsletter, method, channel ... that does not exist; lists those that do
│   └── KeyReused           an idempotency key that stands for another send already
├── ConfigError             config/ or the environment is wrong; holds every Fault       exit 2
├── StoreError              the database cannot be opened, is too new, or was lost       exit 1
├── WordsChanged            an article was edited while it was made an issue of      (made anew)
├── FeedUnreadable          bytes that are no feed                     (set down against the feed)
├── SummaryRefused          a text that cannot be condensed            (set down against the article)
├── PoolUnavailable         no process could take a task               (the pass fails; its rows wait)
└── ChannelUnavailable      a channel that cannot be reached at all    (deliveries wait)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches


class CaveatError(Exception):
    """Something went wrong that a person can be told in one sentence."""


class UsageError(CaveatError):
    """The command was used wrongly."""


class UnknownName(UsageError):
    """A name was asked for that the registry does not hold.

    `kind` says what was looked up ("summariser"), `name` what was asked for, `known` what there is.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, tuple(sorted(known))
        near = get_close_matches(name, self.known, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        listed = ", ".join(self.known) if self.known else "none so far"
        super().__init__(f"there is no {kind} {name!r}.{hint} Known: {listed}.")


class IdempotencyKeyReused(UsageError):
    """An idempotency key stands for a send already, and this is another one."""

    def __init__(self) -> None:
        super().__init__("this key was used for another send before; give this one a key of its own")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in a config file, and where. Line and column count from 1; 0 means unknown."""

    file: str
    line: int
    column: int
    message: str
    expected: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {self.message}" + (f", expected {self.expected}" if self.expected else "")


class ConfigError(CaveatError):
    """The config folder or the environment is wrong; `faults` names every place."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class StoreError(CaveatError):
    """The database cannot be used; the text says which one and what to do."""


class ArticleChanged(CaveatError):
    """An article got new words between being read and being told; nothing was recorded."""


class FeedUnreadable(CaveatError):
    """The bytes are no feed that we can read; the text says what they are instead."""


class SummaryRefused(CaveatError):
    """The text cannot be condensed (too large, no sentence in it); the text says why."""


class ChannelUnavailable(CaveatError):
    """A channel cannot be reached at all: connection refused, TLS failed, login refused.

    `permanent` tells whether trying again without a change of settings is pointless (wrong password), and
    `too_much` that the server takes no further connection at this moment.
    """

    def __init__(self, text: str, *, permanent: bool = False, too_many_connections: bool = False) -> None:
        self.permanent, self.too_many_connections = permanent, too_many_connections
        super().__init__(text)


class PoolUnavailable(CaveatError):
    """The process pool could not run a task, which is the task's fault in no way; it can be tried later."""
