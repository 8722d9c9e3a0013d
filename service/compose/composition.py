"""The desk: one pass of compose at work, with what its groups have in common."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from service.compose.digest import make_digest
from service.compose.fault_isolation import error_text, read_undamaged, unmerged_points
from service.compose.notices import NoticeFinder
from service.compose.ports import ComposeStore, KeyPointMerger, Renderer
from service.compose.size_budget import fit_to_size
from service.compose.stories.group import GroupedStory, group_stories
from service.compose.stories.updates import StoryUpdate, continues, story_updates
from service.core import ids as identity
from service.core.model import (
    CondensedArticle,
    Digest,
    Edition,
    Group,
    Issue,
    Newsletter,
    RenderedMail,
    StoryPoint,
)

MAX_CACHED_RANGES = 8
STORY_MEMORY = timedelta(days=3)
"""How long readers are taken to remember a story that they were told."""


@dataclass(frozen=True, slots=True)
class IssuePlan:
    """What makes an issue this one: whose, which moment, from where to where. `at` is the date it shows."""

    group: Group
    newsletter: Newsletter
    occurrence: str
    due_at: datetime
    shown_at: datetime
    served_from: int
    served_through: int


@dataclass
class Composition:
    """One pass at work. `through` is the position up to which can be told by now.

    Editions that differ in hour or length alone tell the same articles; these are grouped into stories once,
    together with those of the last days: from the position `memory` on, a story is known to go on.
    `problems` are sentences about single articles and stories that something was wrong with. `proofreader`
    knows what stands beside the stories.
    """

    store: ComposeStore
    renderer: Renderer
    merge: KeyPointMerger
    release_position: int
    memory_position: int
    now: datetime
    notice_finder: NoticeFinder
    problems: list[str] = field(default_factory=list)
    _grouped: dict[tuple[tuple[str, ...], int, int], tuple[GroupedStory, ...]] = field(default_factory=dict)

    async def story_updates(
        self, group: Group, served_from: int, *, repeated: bool = False
    ) -> tuple[StoryUpdate, ...]:
        """Return what there is to tell to the group behind `told_from`; all of it anew when `repeated`."""
        edition = group.edition
        through = max(self.release_position, group.served_through)
        tellings = await self._stories(edition, min(self.memory_position, served_from), through)
        known: Collection[str] = ()
        if not repeated and any(continues(telling, served_from) for telling in tellings):
            known = await self.store.recently_sent(group, self.now - STORY_MEMORY)
        return await asyncio.to_thread(
            story_updates,
            tellings,
            served_through=served_from,
            sent=known,
            merge=self._merge,
            points=edition.points,
        )

    async def _stories(self, edition: Edition, after: int, through: int) -> tuple[GroupedStory, ...]:
        """Return the stories in `after < position <= through` that fit the edition."""
        key = (edition.topics, after, through)
        if key not in self._grouped:
            read = partial(self.store.released_articles, edition)
            articles = await read_undamaged(read, after, through, self.problems.append)
            if len(self._grouped) >= MAX_CACHED_RANGES:
                self._grouped.clear()
            # In a thread: thousands of comparisons must not stop the heartbeats of this process.
            found = await asyncio.to_thread(group_stories, articles, self.problems.append)
            self._grouped[key] = found
        return self._grouped[key]

    def _merge(
        self, articles: Sequence[CondensedArticle], *, points: int, known: Sequence[CondensedArticle] = ()
    ) -> tuple[StoryPoint, ...]:
        """Return what the teller tells; where it fails, what condense made of the article that leads."""
        try:
            return self.merge(articles, points=points, known=known)
        except Exception as error:  # noqa: BLE001 - one story's trouble must not cost its readers their issue
            lead = articles[0]
            self.problems.append(
                f"the story {lead.story or lead.article.id} could not be told by all its articles, "
                f"{error_text(error)}; it is told by its first"
            )
            return unmerged_points(lead, points)

    async def make_issue(self, plan: IssuePlan, updates: tuple[StoryUpdate, ...]) -> tuple[Digest, Issue]:
        """Return the digest of the stories, with its margin, and the issue that it is rendered to."""
        group, newsletter = plan.group, plan.newsletter
        margin = await self.notice_finder.find(group, newsletter, plan.shown_at)
        issue_id = identity.issue_id(group.edition_key, plan.occurrence, plan.served_from)

        def render(digest: Digest) -> RenderedMail:
            return self.renderer.render(
                digest, title=newsletter.title, theme=newsletter.theme, issue_id=issue_id
            )

        def work() -> tuple[Digest, RenderedMail]:
            digest = make_digest(group.edition, updates, at=plan.shown_at, merge=self._merge)
            whole = replace(
                digest, corrections=margin.corrections, unhealthy_sources=margin.unhealthy_sources
            )
            return fit_to_size(whole, render)

        digest, rendered = await asyncio.to_thread(work)
        articles = [article for story in digest.stories for article in story.articles]
        return digest, Issue(
            id=issue_id,
            newsletter=newsletter.id,
            edition_key=group.edition_key,
            occurrence=plan.occurrence,
            due_at=plan.due_at,
            served_from=plan.served_from,
            served_through=plan.served_through,
            rendered=rendered,
            article_ids=tuple(article.id for article in articles),
            created_at=self.now,
            corrections=digest.corrections,
            edit_keys=tuple(identity.edit_key(a.id, a.title, a.text) for a in articles),
        )

    def forget_articles(self) -> None:
        """Forget what articles said."""
        self._grouped.clear()
