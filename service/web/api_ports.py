"""Sends: what the API asks of the house; wiring stands behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from service.core.model import ManualSend
from service.core.read_models import IssueDetails
from service.core.send_request import SendRequest


@dataclass(frozen=True, slots=True)
class DryRunIssue:
    """An issue that a send would make: its subject, for how many readers, with how many stories."""

    subject: str
    readers: int
    stories: int


@dataclass(frozen=True, slots=True)
class DryRunResult:
    """What a send would do. `nothing_new` and `left_out` are those of ManualSend."""

    issues: tuple[DryRunIssue, ...]
    nothing_new: int
    left_out: Mapping[str, str]
    problems: tuple[str, ...]


class Sends(Protocol):
    """Answers the API. Every method may raise StoreError when the record cannot be reached."""

    async def send(self, wanted: SendRequest) -> ManualSend:
        """Plan what is wanted, or return what was planned for it before. Raises UsageError."""
        ...

    async def try_out(self, wanted: SendRequest) -> DryRunResult:
        """Return what a send would do; nothing is recorded. Raises UsageError."""
        ...

    async def issues(self, newsletter: str | None, limit: int) -> Sequence[IssueDetails]:
        """Return the last issues with their books, newest first; of one newsletter, or of all."""
        ...

    async def issue(self, issue_id: str) -> IssueDetails | None:
        """Return an issue with its books."""
        ...

    async def pause(self, issue_id: str) -> None:
        """Stop sending an issue until it is resumed."""
        ...

    async def resume(self, issue_id: str) -> None:
        """Let an issue go on."""
        ...
