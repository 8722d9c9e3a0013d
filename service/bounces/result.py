"""Result: what an inbound mail reports about one recipient (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class BounceAction(StrEnum):
    """HARD: suppress the address. SOFT: count the failure. NONE: change nothing."""

    HARD = "hard"
    SOFT = "soft"
    NONE = "none"


DELAYED = "delayed"  # the kind of a notice about a mail that may still arrive
BY_SEVERITY = (BounceAction.NONE, BounceAction.SOFT, BounceAction.HARD)


@dataclass(frozen=True, slots=True)
class RecipientResult:
    """What a mail reports about a recipient.

    `recipient` is empty when the mail names none. `kind` is the reason: a ReplyMeaning, `delayed`,
    `delivered` or `complaint`; empty when it is unknown. `rule` names what decided: `status 5.1.1`,
    `code 550`, `words`, `action`.
    """

    recipient: str
    action: BounceAction
    status: str
    reason: str
    complaint: bool = False
    kind: str = ""
    rule: str = ""


def worst_per_recipient(results: Iterable[RecipientResult]) -> tuple[RecipientResult, ...]:
    """Return the worst result of each recipient."""
    worst: dict[str, RecipientResult] = {}
    for result in results:
        key = result.recipient.lower()
        if key not in worst or BY_SEVERITY.index(result.action) > BY_SEVERITY.index(worst[key].action):
            worst[key] = result
    return tuple(worst.values())
