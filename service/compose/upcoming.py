"""Upcoming: the next issues and the articles that they would show, as things stand; nothing is recorded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from service.compose.composition import Composition, IssuePlan
from service.compose.stage import Composer, Preview, start_composition
from service.core.errors import StoreError
from service.core.model import CondensedArticle, Group

MAX_RANGES = 50
"""Ranges of articles that are grouped into stories: each may take a second, every minute."""


async def upcoming_articles(
    composer: Composer, groups: Sequence[Group], *, now: datetime
) -> list[CondensedArticle]:
    """Return the articles of the stories that these groups would get when they are due, each once.

    They are in the order of due times, and within an issue in that of its stories. A group whose stories
    cannot be found is left out; compose names it when it is due. Raises StoreError.
    """
    found: dict[str, CondensedArticle] = {}
    seen: set[tuple[object, ...]] = set()
    ranges: set[tuple[object, ...]] = set()
    composition: tuple[datetime, Composition] | None = None
    # Groups that share a range of articles stand together: a composition remembers few ranges.
    for group in sorted(groups, key=lambda group: (_moment(group, now), group.edition.topics)):
        edition, moment = group.edition, _moment(group, now)
        ranges.add((moment, edition.topics))
        stories = (moment, edition.newsletter, edition.topics, edition.stories, group.served_through)
        if edition.newsletter not in composer.newsletters or stories in seen or len(ranges) > MAX_RANGES:
            continue
        seen.add(stories)
        if composition is None or composition[0] != moment:
            composition = moment, await start_composition(composer, moment, assign_stories=False)
        for one in await _shown(composition[1], group):
            found.setdefault(one.article.id, one)
    return list(found.values())


async def upcoming_issues(
    composer: Composer, groups: Sequence[Group], *, now: datetime
) -> AsyncIterator[tuple[Group, Preview]]:
    """Yield each group with the issue that it would get now. Raises StoreError.

    Groups without news are left out, and those with a fault.
    """
    composition = await start_composition(composer, now, assign_stories=False)
    for group in sorted(groups, key=lambda group: group.edition.topics):
        newsletter = composer.newsletters.get(group.edition.newsletter)
        if newsletter is None:
            continue
        through = max(composition.release_position, group.served_through)
        plan = IssuePlan(group, newsletter, "upcoming", now, now, group.served_through, through)
        try:
            updates = await composition.story_updates(group, group.served_through)
            if updates:
                yield group, Preview(*await composition.make_issue(plan, updates))
        except StoreError:
            raise
        except Exception:  # noqa: BLE001, S112 - compose reports a group with a fault when it is due
            continue


def _moment(group: Group, now: datetime) -> datetime:
    """Return when the group's issue will be composed."""
    return max(group.due_at or now, now)


async def _shown(composition: Composition, group: Group) -> list[CondensedArticle]:
    """Return the articles of the stories that the group would get; none if one of its articles is damaged."""
    try:
        updates = await composition.story_updates(group, group.served_through)
        ranked = await asyncio.to_thread(composition.rank, group.edition, updates, composition.now)
    except StoreError:
        raise
    except Exception:  # noqa: BLE001 - one bad group must not stop the others; compose reports it when it is due
        return []
    chosen = ranked[: group.edition.stories]
    return [one for ranked_story in chosen for one in ranked_story.update.story.articles]
