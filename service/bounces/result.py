"""Findings: what a letter says about one recipient (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class BounceAction(StrEnum):
    """What is to be done about an address: never mail it again, count it, or nothing."""

    HARD = "hard"
    SOFT = "soft"
    NONE = "none"


DELAYED = "delayed"  # the kind of a notice about a mail that may still arrive
BY_SEVERITY = (BounceAction.NONE, BounceAction.SOFT, BounceAction.HARD)


@dataclass(frozen=True, slots=True)
class RecipientResult:
    """What a mail says about a recipient.

    `recipient` is empty when it names none. `kind` says why in one word: one of phrases.Saying, or `delayed`,
    `delivered`, `complaint`; empty when nothing is known. `rule` names what decided: `status 5.1.1`,
    `code 550`, `words`, `action`.
    """

    recipient: str
    action: BounceAction
    status: str
    reason: str
    complaint: bool = False
    kind: str = ""
    rule: str = ""


def worst_per_recipient(findings: Iterable[RecipientResult]) -> tuple[RecipientResult, ...]:
    """Return one finding for each recipient, the worst."""
    worst: dict[str, RecipientResult] = {}
    for finding in findings:
        key = finding.recipient.lower()
        if key not in worst or BY_SEVERITY.index(finding.action) > BY_SEVERITY.index(worst[key].action):
            worst[key] = finding
    return tuple(worst.values())
