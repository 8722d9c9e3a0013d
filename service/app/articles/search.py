"""Articles for the list of stories: found by title, topic, feed or newsletter, with their stories' sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.core.model import Role
from service.core.read_models import ArticleDetails
from service.core.validators import fold_topic
from service.store.find_articles import ArticleFilter, ArticleFinder
from service.store.stories import SqlStoryStore

if TYPE_CHECKING:
    from service.app.factories.application import Application

PAGE_SIZE = 40
MAX_TEXT_CHARACTERS = 100
MAX_STORY_ARTICLES = 50  # of a story, on the page of one of its articles


@dataclass(frozen=True, slots=True)
class ListedArticle:
    """An article of the list: numbers of its key points and caveats, and of the articles of its story."""

    details: ArticleDetails
    points: int
    caveats: int
    story_size: int


@dataclass(frozen=True, slots=True)
class ArticleList:
    """A page of the list; see FoundArticles."""

    articles: Sequence[ListedArticle]
    next: int | None
    is_partial: bool


async def find_articles(
    app: Application, given: Mapping[str, str], *, before: int | None = None
) -> ArticleList:
    """Return the newest articles that match `given`: `q` (part of the title), `topic`, `feed`, `newsletter`.

    A newsletter stands for its topics; an unknown one does not filter.
    """
    newsletter = app.roster.newsletter(given.get("newsletter", ""))
    topic = fold_topic(given.get("topic", "")[:MAX_TEXT_CHARACTERS])
    topics = (topic,) if topic else newsletter.topics if newsletter else ()
    text = given.get("q", "")[:MAX_TEXT_CHARACTERS].strip()
    finder = ArticleFinder(app.database)
    wanted = ArticleFilter(text, given.get("feed", "")[:MAX_TEXT_CHARACTERS], topics)
    found = await finder.page(wanted, before=before, limit=PAGE_SIZE)
    sizes = await finder.story_sizes([one.article.id for one in found.articles])
    return ArticleList(
        [_listed(one, sizes.get(one.article.id, 1)) for one in found.articles], found.next, found.is_partial
    )


def _listed(details: ArticleDetails, story_size: int) -> ListedArticle:
    points = details.summary.key_points if details.summary else ()
    caveats = sum(one.role is Role.CAVEAT for one in points)
    return ListedArticle(details, len(points) - caveats, caveats, story_size)


async def article_with_id(app: Application, article_id: str) -> ArticleDetails | None:
    """Return the article with this id, or None."""
    found = await app.queries.articles_by_id([article_id])
    return found[0] if found else None


async def recorded_story(app: Application, article_id: str) -> Sequence[ArticleDetails]:
    """Return the articles of the article's story, newest first; () before it has one."""
    store = SqlStoryStore(app.database)
    story = (await store.stories_of([article_id])).get(article_id)
    if story is None:
        return ()
    ids = await store.articles_of(story)
    return await app.queries.articles_by_id(list(ids)[-MAX_STORY_ARTICLES:])
