"""Waiting: whether stories wait for a later issue, and from when on articles are too old for one (pure).

Articles wait if their readers were away, if an issue had too few stories, or if compose did not run. An issue
has what is at most a week old, or two periods of a schedule that is due more seldom.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from service.compose.lateness import DuePlan
from service.compose.stories.updates import StoryUpdate
from service.core.model import Newsletter

MAX_AGE = timedelta(days=7)  # of an article that waits, since it was gathered; older news is history
PERIODS = 2  # of a schedule that is due more seldom than twice in MAX_AGE


def oldest_allowed(due: DuePlan) -> datetime:
    """Return the time before which an article was gathered that is too old for this issue."""
    return due.shown_at - _longest_wait(due)


def stories_wait(updates: Sequence[StoryUpdate], newsletter: Newsletter, due: DuePlan) -> bool:
    """Return whether there are too few stories for an issue, and all of them can wait for the next one.

    A newsletter that sends issues without stories never waits. The first story that would be too old by the
    next due time ends the waiting.
    """
    if newsletter.empty == "send" or not 0 < len(updates) < newsletter.min_stories:
        return False
    newest = (max(one.article.gathered_at for one in update.story.articles) for update in updates)
    return min(newest) >= due.next_due_at - _longest_wait(due)


def _longest_wait(due: DuePlan) -> timedelta:
    return max(MAX_AGE, PERIODS * (due.next_due_at - due.shown_at))
