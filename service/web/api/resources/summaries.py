"""Summaries and articles of the API: key points word for word, with the caveats that qualify them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from service.app.api.lists import pages
from service.app.api.summaries import MAX_TEXT_CHARACTERS, summarize
from service.app.summarize import summary_record
from service.core.model import ApiScope
from service.core.read_models import ArticleDetails
from service.web.api.cursors import read_cursor, write_cursor
from service.web.api.operations import ApiCall, ApiInput, ApiOutput, Line, Operation, PageQuery, not_found

LongText = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT_CHARACTERS)]
MAX_SUMMARY_BYTES = 2 * 1024 * 1024  # of a body: the characters of a text, escaped
MAX_POINTS = 50


class SummaryRequest(ApiInput):
    """A text to condense: either `text` or `html`."""

    text: LongText | None = Field(default=None, description="Plain text; an empty line ends a paragraph.")
    html: LongText | None = Field(default=None, description="A web page, whose article is looked for.")
    title: Line | None = Field(default=None, description="Headline. Left out: that of the page, or none.")
    language: Line | None = Field(default=None, description="Language, such as en. Left out: detected.")
    method: Line | None = Field(default=None, description="Method. Left out: keypoints.")
    points: int = Field(default=6, ge=1, le=MAX_POINTS, description="Maximum number, with the caveats.")


class QuotedPart(ApiOutput):
    """A part of the text: `text[start:end]` in characters."""

    text: str
    start: int
    end: int


class KeyPointResource(QuotedPart):
    """A key point: a part of the text, word for word."""

    role: Literal["point", "caveat"]
    qualifies: int | None = Field(
        description="Of a tied caveat, the index of the key point that it qualifies; null: the headline."
    )
    introduction: QuotedPart | None = Field(
        description="What is shown before it, such as the line of a list."
    )
    quoted: bool = Field(description="Whether it is a quotation without marks.")
    grade: Literal["tied", "story", "context"] | None = Field(description="How sure a caveat's tie is.")
    kind: str | None = Field(description="What a caveat says, such as `denied`.")
    hint: QuotedPart | None = Field(description="The name that a pronoun in it stands for.")


class SummaryResource(ApiOutput):
    """A summary, as `caveat summarize --json` prints it."""

    id: str | None
    method: str
    key_points: list[KeyPointResource]
    context: list[str] = Field(description="Always empty; kept for older programs.")


class ArticleResource(ApiOutput):
    """An article with its key points and caveats; offsets count characters of its text."""

    id: str
    feed: str = Field(description="Id of its feed.")
    url: str
    title: str
    publisher: str
    language: str
    topics: list[str]
    published_at: datetime | None
    gathered_at: datetime
    state: str = Field(description="new, condensed or set_aside.")
    problem: str = Field(description="Why it could not be condensed; empty if nothing is wrong.")
    method: str | None
    key_points: list[KeyPointResource]


class ArticleText(ArticleResource):
    """An article with its text."""

    text: str
    text_note: str = Field(description="Why the text may be incomplete; empty if it is complete.")


class ArticleResourceList(ApiOutput):
    """Articles in the order of their arrival, or newest first."""

    items: list[ArticleResource]
    next_cursor: str | None = Field(
        description="Cursor of the next page, or of later articles with `order=oldest`; else null."
    )


class ArticleQuery(PageQuery):
    """Which articles."""

    order: Literal["newest", "oldest"] = Field(default="newest", description="Order of arrival.")


async def summarize_text(call: ApiCall) -> SummaryResource:
    """Condense a text in a process of the pool; store nothing."""
    asked = call.body_as(SummaryRequest)
    found = await summarize(
        call.app,
        text=asked.text,
        html=asked.html,
        title=asked.title or "",
        language=asked.language or "",
        method=asked.method,
        points=asked.points,
    )
    return SummaryResource.model_validate(found)


async def list_articles(call: ApiCall) -> ArticleResourceList:
    """Return a page of the articles."""
    query = call.query_as(ArticleQuery)
    after = await read_cursor(call)
    found = await pages(call.app).articles_from(
        None if after is None else int(after), query.limit + 1, newest_first=query.order == "newest"
    )
    shown = found[: query.limit]
    place = str(shown[-1].article.position) if shown else after
    has_next = len(found) > query.limit or query.order == "oldest"
    cursor = await write_cursor(call, place) if place is not None and has_next else None
    return ArticleResourceList(items=[ArticleResource(**_values(one)) for one in shown], next_cursor=cursor)


async def get_article(call: ApiCall) -> ArticleText:
    """Return one article with its text."""
    found = await call.app.queries.articles_by_id([call.path("article")])
    details = found[0] if found else not_found("article")
    article = details.article
    return ArticleText(**_values(details), text=article.text, text_note=article.text_note)


def _values(details: ArticleDetails) -> dict[str, Any]:
    article, summary = details.article, details.summary
    record = summary_record(article.id, summary, article.text) if summary else {}
    return {
        "id": article.id,
        "feed": article.feed_id,
        "url": article.url,
        "title": article.title,
        "publisher": article.publisher,
        "language": article.language,
        "topics": list(article.topics),
        "published_at": article.published_at,
        "gathered_at": article.gathered_at,
        "state": details.state,
        "problem": details.problem or "",
        "method": record.get("method"),
        "key_points": record.get("key_points", []),
    }


ARTICLE_OPERATIONS = (
    Operation(
        "GET",
        "/articles",
        "List the articles",
        list_articles,
        ApiScope.ARTICLES_READ,
        ArticleResourceList,
        query=ArticleQuery,
        description="With `order=oldest`, the cursor of the last page gives the articles that come later.",
    ),
    Operation(
        "GET", "/articles/{article}", "Get an article", get_article, ApiScope.ARTICLES_READ, ArticleText
    ),
    Operation(
        "POST",
        "/summarize",
        "Condense a text",
        summarize_text,
        ApiScope.SUMMARIZE,
        SummaryResource,
        body=SummaryRequest,
        description="Key points of a text or page, with their caveats; nothing is stored.",
        max_bytes=MAX_SUMMARY_BYTES,
        cost=10,
    ),
)
