"""Cursors: where a subscriber goes on after an issue was cancelled (pure)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class IssueRange:
    """The articles of an issue to one subscriber: `served_from < position <= served_through`.

    `is_cancelled`: the subscriber does not get the issue, and certainly has not got it.
    """

    served_from: int
    served_through: int
    is_cancelled: bool = False


def cursor_after_cancel(cancelled: IssueRange, others: Collection[IssueRange]) -> int:
    """Return the cursor of a subscriber who does not get the cancelled issue.

    `others` are their other issues of the newsletter. The cursor goes back to the start of the cancelled
    issue, and further where another cancelled issue ends there; but never behind the end of an issue that
    the subscriber got or will get, so that no article is sent twice.
    """
    start = cancelled.served_from
    ends: dict[int, int] = {}
    for one in others:
        if one.is_cancelled:
            ends[one.served_through] = min(one.served_from, ends.get(one.served_through, one.served_from))
    while ends.get(start, start) < start:
        start = ends[start]
    return max([start, *(one.served_through for one in others if not one.is_cancelled)])
