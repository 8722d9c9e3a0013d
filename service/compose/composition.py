"""The desk: one pass of compose at work, with what its groups have in common."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from service.compose.digest import make_digest
from service.compose.fault_isolation import as_condensed, readable, reason
from service.compose.notices import Proofreader
from service.compose.ports import ComposeStore, Renderer, Teller
from service.compose.size_budget import fitted
from service.compose.stories.group import Telling, group_stories
from service.compose.stories.updates import Chapter, chapters, goes_on
from service.core import ids as identity
from service.core.model import (
    CondensedArticle,
    Digest,
    Edition,
    Group,
    Issue,
    Newsletter,
    Rendered,
    StoryPoint,
)

KEPT_RANGES = 8
MEMORY = timedelta(days=3)
"""How long readers are taken to remember a story that they were told."""


@dataclass(frozen=True, slots=True)
class Slot:
    """What makes an issue this one: whose, which moment, from where to where. `at` is the date it shows."""

    group: Group
    newsletter: Newsletter
    occurrence: str
    due_at: datetime
    at: datetime
    told_from: int
    told_through: int


@dataclass
class Desk:
    """One pass at work. `through` is the position up to which can be told by now.

    Editions that differ in hour or length alone tell the same articles; these are grouped into stories once,
    together with those of the last days: from the position `memory` on, a story is known to go on.
    `problems` are sentences about single articles and stories that something was wrong with. `proofreader`
    knows what stands beside the stories.
    """

    store: ComposeStore
    renderer: Renderer
    teller: Teller
    through: int
    memory: int
    now: datetime
    proofreader: Proofreader
    problems: list[str] = field(default_factory=list)
    _grouped: dict[tuple[tuple[str, ...], int, int], tuple[Telling, ...]] = field(default_factory=dict)

    async def chapters(self, group: Group, told_from: int, *, repeated: bool = False) -> tuple[Chapter, ...]:
        """Return what there is to tell to the group behind `told_from`; all of it anew when `repeated`."""
        edition = group.edition
        through = max(self.through, group.told_through)
        tellings = await self._tellings(edition, min(self.memory, told_from), through)
        known: Collection[str] = ()
        if not repeated and any(goes_on(telling, told_from) for telling in tellings):
            known = await self.store.told_lately(group, self.now - MEMORY)
        return await asyncio.to_thread(
            chapters, tellings, after=told_from, told=known, tell=self._tell, points=edition.points
        )

    async def _tellings(self, edition: Edition, after: int, through: int) -> tuple[Telling, ...]:
        """Return the stories in `after < position <= through` that fit the edition."""
        key = (edition.topics, after, through)
        if key not in self._grouped:
            read = partial(self.store.tellable, edition)
            articles = await readable(read, after, through, self.problems.append)
            if len(self._grouped) >= KEPT_RANGES:
                self._grouped.clear()
            # In a thread: thousands of comparisons must not stop the heartbeats of this process.
            found = await asyncio.to_thread(group_stories, articles, self.problems.append)
            self._grouped[key] = found
        return self._grouped[key]

    def _tell(
        self, articles: Sequence[CondensedArticle], *, points: int, told: Sequence[CondensedArticle] = ()
    ) -> tuple[StoryPoint, ...]:
        """Return what the teller tells; where it fails, what condense made of the article that leads."""
        try:
            return self.teller(articles, points=points, told=told)
        except Exception as error:  # noqa: BLE001 - one story's trouble must not cost its readers their issue
            lead = articles[0]
            self.problems.append(
                f"the story {lead.story or lead.article.id} could not be told by all its articles, "
                f"{reason(error)}; it is told by its first"
            )
            return as_condensed(lead, points)

    async def issue(self, slot: Slot, told: tuple[Chapter, ...]) -> tuple[Digest, Issue]:
        """Return the digest of the stories, with its margin, and the issue that it is rendered to."""
        group, newsletter = slot.group, slot.newsletter
        margin = await self.proofreader.margin(group, newsletter, slot.at)
        issue_id = identity.issue_id(group.edition_key, slot.occurrence, slot.told_from)

        def render(digest: Digest) -> Rendered:
            return self.renderer.render(
                digest, title=newsletter.title, theme=newsletter.theme, issue_id=issue_id
            )

        def work() -> tuple[Digest, Rendered]:
            digest = make_digest(group.edition, told, at=slot.at, tell=self._tell)
            whole = replace(digest, corrections=margin.corrections, unheard=margin.unheard)
            return fitted(whole, render)

        digest, rendered = await asyncio.to_thread(work)
        articles = [article for story in digest.stories for article in story.articles]
        return digest, Issue(
            id=issue_id,
            newsletter=newsletter.id,
            edition_key=group.edition_key,
            occurrence=slot.occurrence,
            due_at=slot.due_at,
            told_from=slot.told_from,
            told_through=slot.told_through,
            rendered=rendered,
            article_ids=tuple(article.id for article in articles),
            created_at=self.now,
            corrections=digest.corrections,
            words=tuple(identity.edit_key(a.id, a.title, a.text) for a in articles),
        )

    def read_anew(self) -> None:
        """Forget what articles said."""
        self._grouped.clear()
