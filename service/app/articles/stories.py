"""The story of an article: its articles, and the split of one that does not belong to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

from typing_extensions import override

from service.compose.composition import STORY_MEMORY
from service.compose.ports import StoryStore
from service.compose.stories.assign import StoryAssigner
from service.core.errors import UsageError
from service.core.ids import split_story_id
from service.core.model import Article
from service.core.read_models import ArticleDetails, StorySplit
from service.store.compose import SqlComposeStore
from service.store.stories import SqlStoryStore

if TYPE_CHECKING:
    from service.app.factories.application import Application

MAX_ISSUES_READ = 1_000
"""Issues that are searched for the article, newest first."""


class SplitOutcome(Enum):
    """What a split did: it gave the article a story of its own, or it found that it has one.

    ALREADY_SPLIT: by an earlier split. ALONE: no other article ever joined it.
    """

    SPLIT = "split"
    ALREADY_SPLIT = "already_split"
    ALONE = "alone"


@dataclass(frozen=True, slots=True)
class StoryDetails:
    """A story (id) with its articles in gather order, and the splits of these articles, the oldest first."""

    id: str
    articles: tuple[ArticleDetails, ...]
    splits: tuple[StorySplit, ...] = ()


@dataclass(frozen=True, slots=True)
class SplitReport:
    """The result of a split, or of its dry run.

    `split_from` is the story that the article left, with the articles that stay in it; `story` the id of its
    own story. `sent_issues` and `waiting_issues` are the numbers of composed issues with the article, of
    which all deliveries, or not all of them, are finished.
    """

    outcome: SplitOutcome
    split_from: StoryDetails
    story: str
    sent_issues: int = 0
    waiting_issues: int = 0


async def story_of(app: Application, details: ArticleDetails) -> StoryDetails:
    """Return the story of an article as it is recorded, or as compose would record it now.

    Raises UsageError for an article that has no story yet.
    """
    unrecorded = UnrecordedStories(SqlStoryStore(app.database))
    return await _story_of(app, details, unrecorded)


async def split(app: Application, details: ArticleDetails, *, dry_run: bool = False) -> SplitReport:
    """Give an article a story of its own, permanently; composed issues stay as they are.

    `dry_run` records nothing. Raises UsageError for an article that has no story yet.
    """
    store = SqlStoryStore(app.database)
    article_id = details.article.id
    story = await _story_of(app, details, UnrecordedStories(store) if dry_run else store)
    others = tuple(one for one in story.articles if one.article.id != article_id)
    own: str | None = split_story_id(article_id, story.id)
    if others and not dry_run:
        own = await store.split(article_id, app.clock())
    if not others or own is None:
        earlier = any(one.article_id == article_id for one in await store.splits_of([article_id]))
        outcome = SplitOutcome.ALREADY_SPLIT if earlier else SplitOutcome.ALONE
        return SplitReport(outcome, story, story.id)
    issues = [one for one in await app.queries.issues(limit=MAX_ISSUES_READ) if article_id in one.article_ids]
    waiting = sum(issue.books.waiting > 0 for issue in issues)
    return SplitReport(
        SplitOutcome.SPLIT, replace(story, articles=others), own, len(issues) - waiting, waiting
    )


async def _story_of(app: Application, details: ArticleDetails, store: StoryStore) -> StoryDetails:
    """Return the article's story, after the released articles without a story got theirs in `store`."""
    await _assign(app, store)
    stored, article_id = SqlStoryStore(app.database), details.article.id
    unrecorded = store.found if isinstance(store, UnrecordedStories) else {}
    story = {**unrecorded, **await stored.stories_of([article_id])}.get(article_id)
    if story is None:
        raise UsageError(
            f"the article {details.article.title!r} has no story yet: it gets one when it and all articles "
            "before it are condensed and have settled"
        )
    ids = [*await stored.articles_of(story), *(key for key, value in unrecorded.items() if value == story)]
    articles = await app.queries.articles_by_id(ids)
    return StoryDetails(story, tuple(reversed(articles)), tuple(await stored.splits_of(ids)))


async def _assign(app: Application, store: StoryStore) -> None:
    """Assign every released article to a story, as compose does before an issue."""
    positions, now = SqlComposeStore(app.database), app.clock()
    await StoryAssigner(store).assign(
        memory_position=await positions.release_position(now - STORY_MEMORY),
        release_position=await positions.release_position(now - app.settings.fetch.settle),
    )


@dataclass(frozen=True, slots=True)
class UnrecordedStories(StoryStore):
    """Reads the recorded stories; new ones go to `found` (article id -> story id) and are not recorded."""

    stored: SqlStoryStore
    found: dict[str, str] = field(default_factory=dict)

    @override
    async def articles_between(
        self, after: int, through: int, limit: int
    ) -> Sequence[tuple[Article, str | None]]:
        return await self.stored.articles_between(after, through, limit)

    @override
    async def split_count(self) -> int:
        return await self.stored.split_count()

    @override
    async def record_stories(self, stories: Mapping[str, str], *, split_count: int) -> Mapping[str, str]:
        self.found.update(stories)
        return dict(stories)
