"""The margin: what an issue says beside its stories, corrections and the sources that are not heard from.

    take     the edits of what the group was told that it does not know of; how the feeds stand
    work     which sentences are otherwise now; which of its own sources the group should know about

Neither makes an issue: where there is no story to tell and none is sent, corrections wait for the next one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from service.compose.corrections import find_correction
from service.compose.ports import ComposeStore, EditedArticle, SentenceSplitter, SourceHealthReader
from service.core.model import Correction, Edition, Group, Newsletter, SourceHealth

MAX_CORRECTIONS = 3
"""So many articles are corrected in one issue: those whose edit is the oldest, the others in the next."""
CORRECTION_WINDOW = timedelta(days=35)
"""How long ago an article may have been told: the readers of a monthly know their last issue."""
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Notices:
    """What stands beside the stories of one issue."""

    corrections: tuple[Correction, ...] = ()
    unhealthy_sources: tuple[SourceHealth, ...] = ()


@dataclass
class NoticeFinder:
    """Finds what belongs into the margins of one pass's issues.

    `settle` is how long an edit rests, like an article, before it is told. Without a `splitter` there are no
    corrections, without `sources` nobody is named. `trouble` is told of an article that cannot be compared.
    """

    store: ComposeStore
    splitter: SentenceSplitter | None
    source_health: SourceHealthReader | None
    now: datetime
    settle: timedelta
    report_problem: Callable[[str], None]
    _standing: dict[datetime, Sequence[SourceHealth]] = field(default_factory=dict)
    _compared: dict[EditedArticle, Correction | None] = field(default_factory=dict)

    async def find(self, group: Group, newsletter: Newsletter, at: datetime) -> Notices:
        """Return the margin of the group's issue; its sources stand there as they did `at` its moment."""
        return Notices(
            await self._corrections(group) if newsletter.corrections == "show" else (),
            await self._unheard(group.edition, at) if newsletter.show_source_health else (),
        )

    async def _corrections(self, group: Group) -> tuple[Correction, ...]:
        if self.splitter is None:
            return ()
        edited = await self.store.edited_articles(group, self.now - CORRECTION_WINDOW, self.now - self.settle)
        found = await asyncio.to_thread(self._compare, edited, self.splitter)
        return tuple(sorted(found, key=lambda c: (c.edit.at, c.article.position))[:MAX_CORRECTIONS])

    def _compare(self, edited: Sequence[EditedArticle], split: SentenceSplitter) -> list[Correction]:
        """Return the corrections among the edits; groups that were told the same are compared once."""
        for one in edited:
            if one in self._compared:
                continue
            try:
                self._compared[one] = find_correction(one, split)
            except Exception as error:  # noqa: BLE001 - one odd text must not cost the readers their issue
                self._compared[one] = None
                reason = str(error) or type(error).__name__
                self.report_problem(f"the edit of {one.article.title!r} could not be compared, {reason}")
        return [found for one in edited if (found := self._compared[one]) is not None]

    async def _unheard(self, edition: Edition, at: datetime) -> tuple[SourceHealth, ...]:
        if self.source_health is None:
            return ()
        if at not in self._standing:
            self._standing[at] = await self.source_health.source_health(at)
        return find_unhealthy_sources(self._standing[at], edition.topics)


def find_unhealthy_sources(
    sources: Iterable[SourceHealth], topics: Sequence[str]
) -> tuple[SourceHealth, ...]:
    """Return the sources on these topics (none: on all) that nothing is heard from, the latest lost first.

    A publisher with several feeds is named once, and only when none of them is heard.
    """
    wanted = set(topics)
    ours: dict[str, list[SourceHealth]] = {}
    for source in sources:
        if not wanted or wanted & set(source.topics):
            ours.setdefault(source.name, []).append(source)
    lost = [
        max(feeds, key=lambda source: source.last_healthy_at or NEVER)
        for feeds in ours.values()
        if not any(source.is_healthy for source in feeds)
    ]
    by_name = sorted(lost, key=lambda source: source.name.casefold())
    return tuple(sorted(by_name, key=lambda source: source.last_healthy_at or NEVER, reverse=True))
