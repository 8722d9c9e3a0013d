"""Guard: a roster that would end too many subscriptions is not applied by itself (pure).

An emptied or truncated file looks like the wish to end everybody. More than MAX_ENDED subscriptions and more
than MAX_SHARE of the running ones end only after a person confirmed it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from fractions import Fraction

from service.core.model import HeldChange

MAX_ENDED = 5
"""Subscriptions that a change may end whatever their share: small lists change by large shares."""

MAX_SHARE = Fraction(1, 5)
"""Share of the running subscriptions that a change may end: of those in the files, and of all."""


def held_change(
    declared: Collection[tuple[str, str]],
    undeclared: Mapping[str, int],
    *,
    placed: Collection[tuple[str, str]],
    kept: Collection[str],
    removed: Collection[str],
) -> HeldChange | None:
    """Return what a roster would end if that is too much, else None.

    `declared` are the running subscriptions of the files (ids of subscriber and newsletter), `undeclared` the
    numbers of the others by newsletter. `placed` are those that the roster declares, `kept` the subscribers
    who stay as they are, `removed` the newsletters that it no longer has: nobody gets these any more.
    """
    ended = Counter(
        newsletter
        for subscriber, newsletter in declared
        if newsletter in removed or not (subscriber in kept or (subscriber, newsletter) in placed)
    )
    of_files, in_files = ended.total(), len(declared)
    for newsletter in removed:
        ended[newsletter] += undeclared.get(newsletter, 0)
    named = tuple(sorted((+ended).items(), key=lambda one: (-one[1], one[0])))
    total, everybody = ended.total(), in_files + sum(undeclared.values())
    if is_too_much(total, everybody):
        return HeldChange(total, everybody, named)
    return HeldChange(total, in_files, named) if is_too_much(of_files, in_files) else None


def is_too_much(ended: int, running: int) -> bool:
    """Return whether ending this number of the running subscriptions needs a confirmation."""
    return ended > MAX_ENDED and ended > running * MAX_SHARE
