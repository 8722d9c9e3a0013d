"""Publication dates of a document's entries, read by the habits that the feed's dates show. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from service.core.model import Entry
from service.gather.dates.grammar import Order
from service.gather.dates.reading import (
    EARLIEST,
    MAX_FUTURE,
    DateHabits,
    PublicationDate,
    habits_of,
    publication_date,
)
from service.gather.dates.words import minutes
from service.gather.entries.seen_items import FeedStatistics


def date_habits(
    entries: Iterable[Entry], statistics: FeedStatistics, language: str, now: datetime
) -> DateHabits:
    """Return the habits that the dates of these entries show, else those remembered of the feed."""
    known = DateHabits(
        language=language,
        latest=now,
        order=Order(statistics.date_order) if statistics.date_order in set(Order) else None,
        offset=_minutes(statistics.utc_offset),
    )
    return habits_of((text for entry in entries for text in entry.dates), known)


def with_date_habits(statistics: FeedStatistics, habits: DateHabits) -> FeedStatistics:
    """Return the statistics with the feed's habits."""
    if habits.offset is None:
        offset = ""
    else:
        hours, rest = divmod(abs(habits.offset), 60)
        offset = f"{'-' if habits.offset < 0 else '+'}{hours:02}:{rest:02}"
    return replace(statistics, date_order=habits.order or "", utc_offset=offset)


def plausible_date(entry: Entry, habits: DateHabits, now: datetime) -> PublicationDate | None:
    """Return when the entry was published; None without a date, and for one in the future or before feeds."""
    found = publication_date(entry.dates, habits)
    if found is None or found.at.date() < EARLIEST or found.at > now + MAX_FUTURE:
        return None
    return found


def _minutes(offset: str) -> int | None:
    try:
        return minutes(offset) if offset else None
    except ValueError:
        return None
