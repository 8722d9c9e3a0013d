"""Released stories: articles of a pass, read and grouped once for all editions that have the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from service.compose.fault_isolation import ProblemReporter, read_undamaged
from service.compose.ports import ComposeStore
from service.compose.stories.group import BuiltStories, group_stories
from service.compose.stories.updates import GrowingStories, KnownGrowth, growing_stories
from service.core.languages import is_readable
from service.core.model import CondensedArticle, Edition

MAX_CACHED_RANGES = 64  # of articles: sets of topics and languages, and cursors
MAX_CACHED_ARTICLES = 16_000  # about 160 MB with all that is made of them: more than a city's day

_ArticleRange = tuple[tuple[str, ...], tuple[str, ...], int, int, int]
"""Topics and languages of an edition, and the positions `after`, `through` and `served_from`."""


@dataclass
class ReleasedStories:
    """The stories of one pass of compose. Each article is read once, and each story built once.

    If there is no room for further articles, `make_room` is called, which calls `forget`: whoever keeps
    something made of the articles forgets it too.
    """

    store: ComposeStore
    report_problem: ProblemReporter
    make_room: Callable[[], None]
    _articles: dict[int, CondensedArticle] = field(default_factory=dict)
    _unreadable: set[int] = field(default_factory=set)
    _built: BuiltStories = field(default_factory=dict)
    _growing: KnownGrowth = field(default_factory=dict)
    _stories: dict[_ArticleRange, GrowingStories] = field(default_factory=dict)

    async def stories(
        self, edition: Edition, after: int, through: int, *, served_from: int
    ) -> GrowingStories:
        """Return the stories in `after < position <= through` that fit the edition.

        Only those with an article behind `served_from`; the others have nothing new.
        """
        key = (edition.topics, edition.languages, after, through, served_from)
        if key not in self._stories:
            if len(self._stories) >= MAX_CACHED_RANGES:
                self._stories.clear()
            released = await self.store.released_positions(edition, after, through)
            articles = await self._read(list(_of_growing_stories(released, served_from)))
            wanted = [c for c in articles if is_readable(c.article.language, edition.languages)]
            # In a thread: thousands of comparisons must not block the heartbeats of this process.
            self._stories[key] = await asyncio.to_thread(self._group, wanted, served_from)
        return self._stories[key]

    def _group(self, articles: Sequence[CondensedArticle], served_from: int) -> GrowingStories:
        stories = group_stories(articles, self.report_problem, self._built)
        return growing_stories(stories, served_from, self._growing)

    def forget(self) -> None:
        """Forget the articles read so far."""
        self._articles.clear()
        self._built.clear()
        self._growing.clear()
        self._stories.clear()

    async def _read(self, positions: Sequence[int]) -> list[CondensedArticle]:
        """Return the articles at these positions, without those that cannot be read."""
        missing = self._missing(positions)
        if self._articles and len(self._articles) + len(missing) > MAX_CACHED_ARTICLES:
            self.make_room()
            missing = self._missing(positions)
        if missing:

            async def read(start: int, end: int) -> Sequence[CondensedArticle]:
                return await self.store.articles_at([at for at in missing if start < at <= end])

            found = await read_undamaged(read, missing[0] - 1, missing[-1], self.report_problem)
            self._articles |= {condensed.article.position: condensed for condensed in found}
            self._unreadable.update(at for at in missing if at not in self._articles)
        return [self._articles[at] for at in positions if at in self._articles]

    def _missing(self, positions: Sequence[int]) -> list[int]:
        """Return the positions of articles that are not read yet."""
        return [at for at in positions if at not in self._articles and at not in self._unreadable]


def _of_growing_stories(released: Sequence[tuple[int, str]], served_from: int) -> Iterator[int]:
    """Yield the positions of articles whose story has one behind `served_from`.

    All positions, if an article has no story yet: it may belong to any.
    """
    growing = {story for position, story in released if position > served_from}
    is_complete = all(story for _, story in released)
    return (position for position, story in released if not is_complete or story in growing)
