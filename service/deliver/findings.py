"""Findings: what a letter says about one recipient (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """What is to be done about an address: never mail it again, count it, or nothing."""

    HARD = "hard"
    SOFT = "soft"
    NONE = "none"


WORSE = (Action.NONE, Action.SOFT, Action.HARD)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a letter says about a recipient. `recipient` is empty when it names none."""

    recipient: str
    action: Action
    status: str
    reason: str
    complaint: bool = False


def merged(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return one finding for each recipient, the worst."""
    worst: dict[str, Finding] = {}
    for finding in findings:
        key = finding.recipient.lower()
        if key not in worst or WORSE.index(finding.action) > WORSE.index(worst[key].action):
            worst[key] = finding
    return tuple(worst.values())
