"""Composition: one pass of compose, with the work that its groups share."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache, partial

from service.compose.digest import HeadlinePoints, make_digest, shown_headline_points
from service.compose.fault_isolation import error_text, unmerged_points
from service.compose.lateness import DuePlan
from service.compose.layout import SharedStories
from service.compose.notices import NoticeFinder, Notices
from service.compose.ports import ComposeStore, KeyPointMerger
from service.compose.ranking import RankedStory, Ranker
from service.compose.released_stories import KeptStories, ReleasedStories
from service.compose.render.lead_picture import LeadPictures
from service.compose.render.shared_text import MailRenderer
from service.compose.size_budget import fit_to_size
from service.compose.stories.merging.merge import headline_points
from service.compose.stories.updates import StoryUpdate, story_updates
from service.compose.waiting import oldest_allowed
from service.core import ids
from service.core.model import (
    CondensedArticle,
    Digest,
    Edition,
    Group,
    Issue,
    Newsletter,
    Picture,
    Placement,
    RenderedMail,
    Story,
    StoryPoint,
)

MAX_CACHED_MERGES = 10_000  # of stories, in tens of MB
STORY_MEMORY = timedelta(days=3)  # how long subscribers remember a story
MATERIAL_POINTS = 12  # of a story, for an editor to choose from

_MergeKey = tuple[int, tuple[str, ...], tuple[str, ...]]
"""The number of points of a story, and the ids of its articles and of those that the group knows."""


@dataclass(frozen=True, slots=True)
class IssuePlan:
    """The identity of an issue: its group, occurrence and range of positions. It is dated `shown_at`."""

    group: Group
    newsletter: Newsletter
    occurrence: str
    due_at: datetime
    shown_at: datetime
    served_from: int
    served_through: int


@dataclass(frozen=True, slots=True)
class _MadeIssue:
    """An issue as it was composed last, and from what."""

    plan: IssuePlan
    updates: tuple[StoryUpdate, ...]
    notices: Notices
    issue_id: str
    digest: Digest
    rendered: RenderedMail
    picture: Picture | None

    def is_for(self, plan: IssuePlan, updates: tuple[StoryUpdate, ...], notices: Notices) -> bool:
        """Return whether another issue looks the same: its edition differs in the schedule only.

        A theme that shows the id of an issue is rendered anew for each.
        """
        mine, theirs = (replace(one.group.edition, schedule="") for one in (self.plan, plan))
        return (
            (mine, self.plan.shown_at, self.notices) == (theirs, plan.shown_at, notices)
            and self.plan.newsletter == plan.newsletter
            and self.updates == updates
            and not any(self.issue_id in part for part in (self.rendered.html, self.rendered.text))
        )


@dataclass
class Composition:
    """One pass of compose at `now`, up to the `release_position`.

    Editions with the same topics and languages have the same articles; these are grouped into stories once.
    The articles behind `memory_position` are grouped with them: their stories may continue. `problems` are
    sentences about single articles and stories. `kept` is what passes before have read and built.
    """

    store: ComposeStore
    renderer: MailRenderer
    merge: KeyPointMerger
    release_position: int
    memory_position: int
    now: datetime
    notice_finder: NoticeFinder
    feed_weights: Mapping[str, float]
    problems: list[str] = field(default_factory=list)
    pictures: LeadPictures = field(default_factory=LeadPictures)
    kept: KeptStories = field(default_factory=KeptStories)
    _released: ReleasedStories = field(init=False)
    _ranker: Ranker = field(init=False)
    _merged: dict[_MergeKey, tuple[StoryPoint, ...]] = field(default_factory=dict)
    _shared: SharedStories = field(default_factory=SharedStories)
    _last: _MadeIssue | None = None

    def __post_init__(self) -> None:
        self.kept.shrink()
        self._ranker = Ranker(self.feed_weights, self.kept.known(self.feed_weights))
        self._released = ReleasedStories(self.store, self.problems.append, self.forget_articles, self.kept)

    async def start_of_issue(self, group: Group, due: DuePlan) -> int:
        """Return the position behind which an issue begins: the cursor, or later if the group waited long."""
        if group.served_through >= self.memory_position:
            return group.served_through
        return max(group.served_through, await self.store.release_position(oldest_allowed(due)))

    async def wanted(
        self, edition: Edition, updates: tuple[StoryUpdate, ...], at: datetime
    ) -> tuple[StoryUpdate, ...]:
        """Return the stories without those that the edition mutes, in any order."""
        if not edition.mute:
            return updates
        ranked = await asyncio.to_thread(self.rank, edition, updates, at)
        return tuple(one.update for one in ranked)

    async def story_updates(
        self, group: Group, served_from: int, *, repeated: bool = False, through: int | None = None
    ) -> tuple[StoryUpdate, ...]:
        """Return the stories for the group behind `served_from`, as new ones if `repeated`.

        They end at the position `through`, by default the last that may be sent by now.
        """
        edition = group.edition
        through = max(self.release_position, group.served_through) if through is None else through
        after = min(self.memory_position, served_from)
        growing = await self._released.stories(edition, after, through, served_from=served_from)
        if repeated or not growing.has_older:
            return growing.updates
        sent = await self.store.recently_sent(group, self.now - STORY_MEMORY)
        return await asyncio.to_thread(
            story_updates,
            growing,
            sent=sent,
            merge=self._merge,
            points=edition.points,
        )

    def _merge(
        self, articles: Sequence[CondensedArticle], *, points: int, known: Sequence[CondensedArticle] = ()
    ) -> tuple[StoryPoint, ...]:
        """Return the merged points, merged once for all groups; of the first article if merging fails."""
        key = points, tuple(one.article.id for one in articles), tuple(one.article.id for one in known)
        if key not in self._merged:
            if len(self._merged) >= MAX_CACHED_MERGES:
                self._merged.clear()
            self._merged[key] = self._merge_anew(articles, points, known)
        return self._merged[key]

    def _merge_anew(
        self, articles: Sequence[CondensedArticle], points: int, known: Sequence[CondensedArticle]
    ) -> tuple[StoryPoint, ...]:
        try:
            return self.merge(articles, points=points, known=known)
        except Exception as error:  # noqa: BLE001 - one bad story must not stop the issue
            lead = articles[0]
            self.problems.append(
                f"the story {lead.story or lead.article.id} could not be merged from all its articles, "
                f"{error_text(error)}; only its first article is shown"
            )
            return unmerged_points(lead, points)

    def rank(self, edition: Edition, updates: Sequence[StoryUpdate], at: datetime) -> Sequence[RankedStory]:
        """Return the stories in the order of the edition's issue dated `at`."""
        return self._ranker.rank(updates, edition, at)

    async def make_issue(self, plan: IssuePlan, updates: tuple[StoryUpdate, ...]) -> tuple[Digest, Issue]:
        """Return the digest of these stories with its notices, and the rendered issue."""
        group, newsletter = plan.group, plan.newsletter
        notices = await self.notice_finder.find(group, newsletter, plan.shown_at)
        issue_id = ids.issue_id(group.edition_key, plan.occurrence, plan.served_from)
        made = self._last
        if made is None or not made.is_for(plan, updates, notices):
            made = await self._compose(plan, updates, notices, issue_id)
            self._last = made
        digest, rendered = replace(made.digest, edition=group.edition), made.rendered
        return digest, replace(self._issue(plan, digest, rendered), picture=made.picture)

    async def issue_of(self, plan: IssuePlan, digest: Digest) -> tuple[Digest, Issue]:
        """Return the digest with its notices, as far as it fits into a mail, and the rendered issue."""
        notices = await self.notice_finder.find(plan.group, plan.newsletter, plan.shown_at)
        issue_id = ids.issue_id(plan.group.edition_key, plan.occurrence, plan.served_from)
        digest, rendered, picture = await self._fitted(plan, notices, issue_id, digest, shown_headline_points)
        return digest, replace(self._issue(plan, digest, rendered), picture=picture)

    async def with_all_points(self, digest: Digest, updates: Sequence[StoryUpdate]) -> Digest:
        """Return the digest with up to MATERIAL_POINTS points for each story, also for those without room."""
        by_article = {update.story.articles[0].article.id: update for update in updates}

        def points(story: Story) -> tuple[StoryPoint, ...]:
            update = by_article.get(story.articles[0].id)
            if update is None:
                return story.points
            if update.new_points is not None:
                return update.new_points
            return self._merge(update.story.articles, points=MATERIAL_POINTS)

        def work() -> Digest:
            return replace(
                digest, stories=tuple(replace(story, points=points(story)) for story in digest.stories)
            )

        return await asyncio.to_thread(work)

    def _issue(self, plan: IssuePlan, digest: Digest, rendered: RenderedMail) -> Issue:
        articles = [
            article for story in digest.placed(Placement.LEAD, Placement.STORY) for article in story.articles
        ]
        return Issue(
            id=ids.issue_id(plan.group.edition_key, plan.occurrence, plan.served_from),
            newsletter=plan.newsletter.id,
            edition_key=plan.group.edition_key,
            occurrence=plan.occurrence,
            due_at=plan.due_at,
            served_from=plan.served_from,
            served_through=plan.served_through,
            rendered=rendered,
            article_ids=tuple(article.id for article in articles),
            created_at=self.now,
            corrections=digest.corrections,
            edit_keys=tuple(ids.edit_key(a.id, a.title, a.text) for a in articles),
            digest=digest,
        )

    async def _compose(
        self, plan: IssuePlan, updates: tuple[StoryUpdate, ...], notices: Notices, issue_id: str
    ) -> _MadeIssue:
        def work() -> Digest:
            ranked = self.rank(plan.group.edition, updates, plan.shown_at)
            return make_digest(
                plan.group.edition, ranked, at=plan.shown_at, merge=self._merge, shared=self._shared
            )

        fitted = await self._fitted(
            plan, notices, issue_id, await asyncio.to_thread(work), _headline_points_of(updates)
        )
        return _MadeIssue(plan, updates, notices, issue_id, *fitted)

    async def _fitted(
        self,
        plan: IssuePlan,
        notices: Notices,
        issue_id: str,
        digest: Digest,
        headline_points: HeadlinePoints,
    ) -> tuple[Digest, RenderedMail, Picture | None]:
        """Return the digest with its notices as far as it fits into a mail, the mail, and the lead's picture.

        `headline_points` are the caveats of a story's headline, for a story that gets one line to save room.
        """
        complete = replace(
            digest, corrections=notices.corrections, unhealthy_sources=notices.unhealthy_sources
        )
        picture = await self.pictures.of(digest, plan.newsletter)
        render = partial(self.renderer.render, newsletter=plan.newsletter, issue_id=issue_id, picture=picture)
        return *await asyncio.to_thread(fit_to_size, complete, render, headline_points), picture

    def forget_articles(self) -> None:
        """Forget the articles read so far: one of them was edited, or there is no room for others."""
        self._released.forget()
        self._ranker.forget()
        self._merged.clear()
        self._shared = SharedStories()
        self._last = None


def _headline_points_of(updates: Sequence[StoryUpdate]) -> HeadlinePoints:
    """Return what finds the caveats of a story's headline; few issues are so large that it is asked."""

    @cache
    def grouped() -> Mapping[str, Sequence[CondensedArticle]]:
        return {update.story.articles[0].article.id: update.story.articles for update in updates}

    return lambda story: headline_points(grouped()[story.articles[0].id])
