"""Joining: every article that arrives joins its story or begins one, once (a small stage of its own).

    take     what arrived since the last time, behind what the index knows of the last days
    work     each meets the recent ones, in a thread
    record   its story, unless another worker was faster: then that one's word counts

The index lives as long as the process; a new process fills it from the record. So an article's story is the
same for every edition, every day and every worker, and costs milliseconds once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from service.compose.story_index import StoryIndex
from service.core.contracts import StoryStore
from service.core.model import Article

BATCH = 500


@dataclass
class Joiner:
    """Gives articles their stories. Its index knows all articles up to the position `_known`."""

    store: StoryStore
    _index: StoryIndex | None = None
    _known: int = 0
    _at_work: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def join(self, *, memory: int, through: int) -> int:
        """Give a story to every article up to the position `through`; return how many were given one.

        `memory` is the position behind which articles are recent enough to be in a story that can grow.
        """
        async with self._at_work:
            joined = 0
            while True:
                if self._index is None:
                    self._index, self._known = StoryIndex(), memory
                arrived = await self.store.articles_between(self._known, through, BATCH)
                if not arrived:
                    return joined
                found = await asyncio.to_thread(_found, self._index, arrived)
                stands = await self.store.record_stories(found) if found else {}
                joined += len(found.items() & stands.items())
                if stands == found:
                    self._known = arrived[-1][0].position
                else:
                    # Another worker was faster. Start over from what stands; each round leaves less to place.
                    self._index = None


def _found(index: StoryIndex, arrived: Sequence[tuple[Article, str | None]]) -> dict[str, str]:
    """Return the stories of those that had none; the others are remembered."""
    found = {}
    for article, story in arrived:
        if story is None:
            found[article.id] = index.place(article)
        else:
            index.remember(article, story)
    return found
