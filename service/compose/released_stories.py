"""Released stories: articles of a pass, read and grouped once for all editions that have the same.

The issues of a day are composed in dozens of passes, and each would read, group and weigh nearly the same
thousands of articles again: they are kept for the next pass. An article is read again when its story or its
summary has changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from service.compose.fault_isolation import ProblemReporter, read_undamaged
from service.compose.ports import ComposeStore, ReleasedPosition
from service.compose.scoring.known_stories import KnownStories
from service.compose.stories.group import BuiltStories, group_stories
from service.compose.stories.updates import GrowingStories, KnownGrowth, growing_stories
from service.core.languages import is_readable
from service.core.model import CondensedArticle, Edition

MAX_CACHED_RANGES = 64  # of articles: sets of topics and languages, and cursors
MAX_CACHED_ARTICLES = 16_000  # about 160 MB with all that is made of them: more than a city's day
MAX_KEPT_ARTICLES = 5_000  # between two passes, about 45 MB: the newest, which the next issues show
MAX_KEPT_STORIES = 10_000  # of these articles; editions with other topics have other parts of a story

_ArticleRange = tuple[tuple[str, ...], tuple[str, ...], int, int, int]
"""Topics and languages of an edition, and the positions `after`, `through` and `served_from`."""


@dataclass
class KeptStories:
    """Articles by position, each as it was released, and the stories that were built of them.

    One pass at a time may use it.
    """

    articles: dict[int, tuple[ReleasedPosition, CondensedArticle]] = field(default_factory=dict)
    built: BuiltStories = field(default_factory=dict)
    _known: KnownStories | None = None

    def known(self, feed_weights: Mapping[str, float]) -> KnownStories:
        """Return what is known of the stories, which holds for these weights of feeds."""
        if self._known is None:
            self._known = KnownStories(feed_weights)
        return self._known

    def shrink(self) -> None:
        """Forget the oldest articles above MAX_KEPT_ARTICLES, and all stories that have one of them."""
        for position in sorted(self.articles)[:-MAX_KEPT_ARTICLES]:
            del self.articles[position]
        kept = {id(article) for _, article in self.articles.values()}
        built = [(key, story) for key, story in self.built.items() if kept.issuperset(key)]
        self.built = dict(islice(built, max(len(built) - MAX_KEPT_STORIES, 0), None))
        if self._known is not None:
            stories = {id(story) for _, stories in self.built.values() for story in stories}
            self._known.keep(stories, kept)

    def forget(self) -> None:
        """Forget everything."""
        self.articles.clear()
        self.built.clear()
        self._known = None


@dataclass
class ReleasedStories:
    """The stories of one pass of compose. Each article is read once, and each story built once.

    If there is no room for further articles, `make_room` is called, which calls `forget`: whoever keeps
    something made of the articles forgets it too. What earlier passes have `kept` is not made again.
    """

    store: ComposeStore
    report_problem: ProblemReporter
    make_room: Callable[[], None]
    kept: KeptStories = field(default_factory=KeptStories)
    _unreadable: set[int] = field(default_factory=set)
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
        stories = group_stories(articles, self.report_problem, self.kept.built)
        return growing_stories(stories, served_from, self._growing)

    def forget(self) -> None:
        """Forget the articles read so far."""
        self.kept.forget()
        self._growing.clear()
        self._stories.clear()

    async def _read(self, released: Sequence[ReleasedPosition]) -> list[CondensedArticle]:
        """Return the articles at these positions, without those that cannot be read."""
        articles = self.kept.articles
        missing = self._missing(released)
        if articles and len(articles) + len(missing) > MAX_CACHED_ARTICLES:
            self.make_room()
            missing = self._missing(released)
        if missing:
            positions = list(missing)

            async def read(start: int, end: int) -> Sequence[CondensedArticle]:
                return await self.store.articles_at([at for at in positions if start < at <= end])

            found = await read_undamaged(read, positions[0] - 1, positions[-1], self.report_problem)
            articles |= {one.article.position: (missing[one.article.position], one) for one in found}
            self._unreadable.update(at for at in positions if at not in articles)
        return [articles[one.position][1] for one in released if one.position in articles]

    def _missing(self, released: Sequence[ReleasedPosition]) -> dict[int, ReleasedPosition]:
        """Return what is not read yet, or has changed since, by position."""
        articles, missing = self.kept.articles, {}
        for one in released:
            kept = articles.get(one.position)
            if (kept is None or kept[0] != one) and one.position not in self._unreadable:
                articles.pop(one.position, None)
                missing[one.position] = one
        return missing


def _of_growing_stories(released: Sequence[ReleasedPosition], served_from: int) -> Iterator[ReleasedPosition]:
    """Yield the articles whose story has one behind `served_from`.

    All of them, if an article has no story yet: it may belong to any.
    """
    growing = {one.story for one in released if one.position > served_from}
    is_complete = all(one.story for one in released)
    return (one for one in released if not is_complete or one.story in growing)
