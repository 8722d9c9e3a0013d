"""Defaults: people without a value of their own follow a newsletter's changed default, such as its time.

The database holds each subscription with the edition of its newsletter and its own preferences. People of
subscribers.yaml are placed anew whenever the roster is applied. Everybody else (imported, signed up, added by
the API, with preferences of the web page) is placed anew here, all subscriptions that are alike in one step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from service.core import ids as identity
from service.core.errors import UsageError
from service.core.model import Edition, Newsletter, Preferences
from service.core.schedules import start_of_day
from service.subscribers.ports import AlikeSubscriptions, RosterState, SubscriptionPlace
from service.subscribers.preferences import edition_for, next_due

GROUPS_PER_TRANSACTION = 100
SHORTEST_TIME = timedelta(microseconds=1)  # a due time is searched for after a moment, without it


@dataclass(frozen=True, slots=True)
class DefaultMove:
    """Running subscriptions that get another edition, and their place then."""

    subscriptions: AlikeSubscriptions
    place: SubscriptionPlace


async def follow_defaults(state: RosterState, newsletters: Sequence[Newsletter], now: datetime) -> int:
    """Place all subscriptions anew that follow a changed default; return how many moved.

    Cursor, status and pause stay. Only newsletters whose own edition is not the one stored by the last call
    are looked at, so that a call without a change reads one row. A call that was interrupted is completed by
    the next one.
    """
    known = await state.applied_editions()
    moved = 0
    for newsletter, key in _changed(newsletters, known):
        place = PlaceRule(newsletter, now).place
        found = await state.alike_subscriptions(newsletter.id)
        groups = sorted({one.group for one in found if place(one) != one.place})
        for first in range(0, len(groups), GROUPS_PER_TRANSACTION):
            moved += await state.move_subscriptions(groups[first : first + GROUPS_PER_TRANSACTION], place)
        await state.record_edition(newsletter.id, key)
    return moved


async def changed_defaults(state: RosterState, newsletters: Sequence[Newsletter]) -> dict[str, Newsletter]:
    """Return the newsletters (by id) whose subscriptions `follow_defaults` has to look at."""
    return {one.id: one for one, _ in _changed(newsletters, await state.applied_editions())}


async def default_moves(
    state: RosterState, newsletters: Sequence[Newsletter], now: datetime
) -> dict[str, list[DefaultMove]]:
    """Return what `follow_defaults` would change for running subscriptions of no file, by newsletter (id)."""
    found = {}
    for newsletter in (await changed_defaults(state, newsletters)).values():
        rule = PlaceRule(newsletter, now)
        alike = await state.alike_subscriptions(newsletter.id, outside_files=True)
        moves = [DefaultMove(one, rule.place(one)) for one in alike if one.active]
        found[newsletter.id] = [move for move in moves if move.place != move.subscriptions.place]
    return found


class PlaceRule:
    """Decides at one time which place a newsletter's subscriptions belong to."""

    def __init__(self, newsletter: Newsletter, now: datetime) -> None:
        self._newsletter, self._now = newsletter, now
        self._edition: Callable[..., tuple[Edition, str] | None] = lru_cache(maxsize=4096)(self._edition_of)

    def place(self, alike: AlikeSubscriptions) -> SubscriptionPlace:
        """Return the place of these subscriptions: the present one if their edition stays, or is invalid.

        The due time stays as long as the schedule and its time zone do. With another schedule it is the next
        one after now, and after a pause until a date. If nobody of them is active and the due time has
        passed, it stays: it says since when they were away.
        """
        found = self._edition(alike.preferences, alike.timezone)
        before = alike.place
        if found is None or found[1] == before.edition_key:
            return before
        edition, key = found
        old = before.edition
        if (edition.schedule, edition.timezone) == (old.schedule, old.timezone):
            return SubscriptionPlace(edition, key, before.next_due_at, before.paused_until)
        if before.paused_until is not None:
            day = before.paused_until.astimezone(ZoneInfo(old.timezone)).date()
            until = start_of_day(day, ZoneInfo(edition.timezone))
            due_at = next_due(edition, max(until - SHORTEST_TIME, self._now))
            return SubscriptionPlace(edition, key, due_at, until)
        if not alike.active and before.next_due_at <= self._now:
            return SubscriptionPlace(edition, key, before.next_due_at, None)
        return SubscriptionPlace(edition, key, next_due(edition, self._now), None)

    def _edition_of(self, preferences: Preferences, timezone: str | None) -> tuple[Edition, str] | None:
        try:
            edition = edition_for(self._newsletter, preferences, timezone)
        except UsageError:
            return None  # stored by another version of Caveat: the subscription stays as it is
        return edition, identity.edition_key(edition)


def _changed(newsletters: Sequence[Newsletter], known: Mapping[str, str]) -> list[tuple[Newsletter, str]]:
    """Return the newsletters whose own edition is not the known one, with the key of the new one."""
    keyed = [(one, identity.edition_key(edition_for(one, Preferences(), None))) for one in newsletters]
    return [(one, key) for one, key in keyed if known.get(one.id) != key]
