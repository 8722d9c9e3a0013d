"""Notices: the corrections and unhealthy sources that an issue names beside its stories.

    take     the edits of sent articles whose corrections the group lacks; the health of the feeds
    work     find the sentences that changed, and the unhealthy sources of the group's topics

Notices alone make no issue: without a story to send, corrections wait for the next issue.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from service.compose.corrections import find_correction
from service.compose.fault_isolation import error_text
from service.compose.ports import ComposeStore, EditedArticle, SourceHealthReader
from service.core.model import Correction, Edition, Group, Newsletter, SourceHealth

MAX_CORRECTIONS = 3  # articles per issue; the oldest edits first, the others in the next issue
CORRECTION_WINDOW = timedelta(days=35)  # after sending; subscribers of a monthly still know their last issue
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Notices:
    """The notices of one issue."""

    corrections: tuple[Correction, ...] = ()
    unhealthy_sources: tuple[SourceHealth, ...] = ()


@dataclass
class NoticeFinder:
    """Finds the notices of the issues of one pass.

    `settle` is the time between seeing an edit and sending its correction. Without `source_health`, no source
    is named. `report_problem` gets a sentence about each article that cannot be compared.
    """

    store: ComposeStore
    source_health: SourceHealthReader | None
    now: datetime
    settle: timedelta
    report_problem: Callable[[str], None]
    _health: dict[datetime, Sequence[SourceHealth]] = field(default_factory=dict)
    _compared: dict[EditedArticle, Correction | None] = field(default_factory=dict)

    async def find(self, group: Group, newsletter: Newsletter, at: datetime) -> Notices:
        """Return the notices of the group's issue, with the health of its sources `at` that time."""
        return Notices(
            await self._corrections(group) if newsletter.corrections == "show" else (),
            await self._unhealthy_sources(group.edition, at) if newsletter.show_source_health else (),
        )

    async def _corrections(self, group: Group) -> tuple[Correction, ...]:
        edited = await self.store.edited_articles(group, self.now - CORRECTION_WINDOW, self.now - self.settle)
        found = await asyncio.to_thread(self._compare, edited) if edited else ()
        return tuple(sorted(found, key=lambda c: (c.edit.at, c.article.position))[:MAX_CORRECTIONS])

    def _compare(self, edited: Sequence[EditedArticle]) -> list[Correction]:
        """Return the corrections of these edits; an article that several groups got is compared once."""
        for one in edited:
            if one in self._compared:
                continue
            try:
                self._compared[one] = find_correction(one)
            except Exception as error:  # noqa: BLE001 - one bad text must not stop the issue
                self._compared[one] = None
                self.report_problem(
                    f"the edit of {one.article.title!r} could not be compared, {error_text(error)}"
                )
        return [found for one in edited if (found := self._compared[one]) is not None]

    async def _unhealthy_sources(self, edition: Edition, at: datetime) -> tuple[SourceHealth, ...]:
        if self.source_health is None:
            return ()
        if at not in self._health:
            self._health[at] = await self.source_health.source_health(at)
        return find_unhealthy_sources(self._health[at], edition.topics)


def find_unhealthy_sources(
    sources: Iterable[SourceHealth], topics: Sequence[str]
) -> tuple[SourceHealth, ...]:
    """Return the unhealthy sources of these topics (none: of all), the latest one to fail first.

    A publisher with several feeds is named once, and only if none of them is healthy.
    """
    chosen_topics = set(topics)
    by_publisher: dict[str, list[SourceHealth]] = {}
    for source in sources:
        if not chosen_topics or chosen_topics & set(source.topics):
            by_publisher.setdefault(source.name, []).append(source)
    unhealthy = [
        max(feeds, key=lambda source: source.last_healthy_at or NEVER)
        for feeds in by_publisher.values()
        if not any(source.is_healthy for source in feeds)
    ]
    by_name = sorted(unhealthy, key=lambda source: source.name.casefold())
    return tuple(sorted(by_name, key=lambda source: source.last_healthy_at or NEVER, reverse=True))
