"""Story assignment: each new article joins a story or starts one, permanently (a small stage of its own).

    take     the articles that arrived since the last pass
    work     compare each with the recent articles in the index, in a thread
    record   its story, unless another worker recorded one first: then that one counts

The index lives as long as the process; a new process fills it from the record. An article therefore has the
same story in every edition, on every day and in every worker, and is compared once.

An operator can split an article from its story. The index is then rebuilt from the record, in every worker.

An article that cannot be placed becomes a story of its own. If the index fails on an article that a new index
can place, it is rebuilt from the record.
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
"""Articles with the ids of their stories, None without one."""


@dataclass(frozen=True, slots=True)
class AssignmentReport:
    """The number of articles that got a story, and the problems that were not reported before."""

    articles: int = 0
    problems: tuple[str, ...] = ()


@dataclass
class StoryAssigner:
    """Assigns articles to stories.

    The index has all recent articles up to the position `_known`, with their stories after `_split_count`
    splits.
    """

    store: StoryStore
    _index: StoryIndex | None = None
    _known: int = 0
    _split_count: int = 0
    _reported: set[str] = field(default_factory=set)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def assign(self, *, memory_position: int, release_position: int) -> AssignmentReport:
        """Assign every article up to `release_position` to a story.

        The stories of articles up to `memory_position` do not grow any more. Raises StoreError; failures of
        single articles are in the report's `problems`.
        """
        async with self._lock:
            problems: list[str] = []
            assigned, rebuilt = 0, False
            while self._index is None or self._known < release_position:
                split_count = await self.store.split_count()
                if self._index is None or split_count != self._split_count:
                    self._index, self._known, self._split_count = StoryIndex(), memory_position, split_count
                until = max(self._known, min(self._known + BATCH_ARTICLES, release_position))
                arrived = await self._arrived(until, problems.append)
                found = await asyncio.to_thread(
                    _place_articles, self._index, arrived, problems.append, rebuilt=rebuilt
                )
                if found is None:
                    self._index, rebuilt = None, True
                    continue
                recorded = await self.store.record_stories(found, split_count=split_count) if found else {}
                assigned += len(found.items() & recorded.items())
                # If another worker recorded other stories, or an operator split one, rebuild from those.
                self._index = self._index if recorded == found else None
                self._known = until
            return AssignmentReport(assigned, self._new(problems))

    async def _arrived(self, until: int, trouble: ProblemReporter) -> ArticlesWithStories:
        read = partial(self.store.articles_between, limit=BATCH_ARTICLES)
        return await read_undamaged(read, self._known, until, trouble) if until > self._known else []

    def _new(self, problems: Sequence[str]) -> tuple[str, ...]:
        """Return the problems that were not reported before."""
        new = tuple(problem for problem in dict.fromkeys(problems) if problem not in self._reported)
        self._reported.update(new)
        return new


def _place_articles(
    index: StoryIndex, arrived: ArticlesWithStories, trouble: ProblemReporter, *, rebuilt: bool
) -> dict[str, str] | None:
    """Add the articles to the index; return article id -> story id for those that had no story.

    None if the index is damaged, unless it was `rebuilt` already.
    """
    found = {}
    for article, story in arrived:
        try:
            if story is None:
                found[article.id] = index.place(article)
            else:
                index.remember(article, story)
        except Exception as error:  # noqa: BLE001 - one bad article must not stop the others
            if not rebuilt and _is_sound(article):
                return None
            # An article with a story keeps it, but the index cannot compare others with it.
            if story is None:
                found[article.id] = article.id
                trouble(placement_problem(article, error))
    return found


def _is_sound(article: Article) -> bool:
    """Return whether an empty index can place the article."""
    try:
        StoryIndex().place(article)
    except Exception:  # noqa: BLE001 - any error means no
        return False
    return True
