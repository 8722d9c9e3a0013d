"""Joining: every article that arrives joins its story or begins one, once (a small stage of its own).

    take     what arrived since the last time, behind what the index knows of the last days
    work     each meets the recent ones, in a thread
    record   its story, unless another worker was faster: then that one's word counts

The index lives as long as the process; a new process fills it from the record. So an article's story is the
same for every edition, every day and every worker, and costs milliseconds once.

An article that cannot be placed is a story of its own. An index that fails on an article which is sound is
built anew from the record.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from service.compose.fault_isolation import ProblemReporter, placement_problem, read_undamaged
from service.compose.ports import StoryStore
from service.compose.stories.index import StoryIndex
from service.core.model import Article

BATCH_ARTICLES = 500

ArticlesWithStories = Sequence[tuple[Article, str | None]]
"""Articles, and the stories of those that have one."""


@dataclass(frozen=True, slots=True)
class AssignmentReport:
    """What joining did: how many articles were given a story, and what went wrong, each thing said once."""

    articles: int = 0
    problems: tuple[str, ...] = ()


@dataclass
class StoryAssigner:
    """Gives articles their stories. Its index knows all articles up to the position `_known`."""

    store: StoryStore
    _index: StoryIndex | None = None
    _known: int = 0
    _reported: set[str] = field(default_factory=set)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def assign(self, *, memory_position: int, release_position: int) -> AssignmentReport:
        """Give a story to every article up to the position `through`.

        `memory` is the position behind which articles are recent enough to be in a story that can grow.
        Raises StoreError; what is wrong with single articles is in the answer's `problems`.
        """
        async with self._lock:
            problems: list[str] = []
            joined, mended = 0, False
            while self._index is None or self._known < release_position:
                if self._index is None:
                    self._index, self._known = StoryIndex(), memory_position
                until = max(self._known, min(self._known + BATCH_ARTICLES, release_position))
                arrived = await self._arrived(until, problems.append)
                found = await asyncio.to_thread(
                    _place_articles, self._index, arrived, problems.append, mended=mended
                )
                if found is None:
                    self._index, mended = None, True
                    continue
                stands = await self.store.record_stories(found) if found else {}
                joined += len(found.items() & stands.items())
                # Was another worker faster? Start over from what stands; each round leaves less to place.
                self._index = self._index if stands == found else None
                self._known = until
            return AssignmentReport(joined, self._new(problems))

    async def _arrived(self, until: int, trouble: ProblemReporter) -> ArticlesWithStories:
        read = partial(self.store.articles_between, limit=BATCH_ARTICLES)
        return await read_undamaged(read, self._known, until, trouble) if until > self._known else []

    def _new(self, problems: Sequence[str]) -> tuple[str, ...]:
        """Return the problems that were not named before."""
        new = tuple(problem for problem in dict.fromkeys(problems) if problem not in self._reported)
        self._reported.update(new)
        return new


def _place_articles(
    index: StoryIndex, arrived: ArticlesWithStories, trouble: ProblemReporter, *, mended: bool
) -> dict[str, str] | None:
    """Return the stories of those that had none; the others are remembered.

    None when the index is to blame for a failure, unless it was `mended` already.
    """
    found = {}
    for article, story in arrived:
        try:
            if story is None:
                found[article.id] = index.place(article)
            else:
                index.remember(article, story)
        except Exception as error:  # noqa: BLE001 - one article's trouble must not cost the others their story
            if not mended and _is_sound(article):
                return None
            # One that has a story keeps it: only that no other will find it there, which is no loss.
            if story is None:
                found[article.id] = article.id
                trouble(placement_problem(article, error))
    return found


def _is_sound(article: Article) -> bool:
    """Tell whether the article can be placed where nothing else is."""
    try:
        StoryIndex().place(article)
    except Exception:  # noqa: BLE001 - that there is one is the answer
        return False
    return True
