"""Find an article by its address, its id, or the first characters of its id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.core.errors import UsageError
from service.core.ids import article_id
from service.core.read_models import ArticleDetails

if TYPE_CHECKING:
    from service.app.factories.application import Application

SHORT_ID_CHARACTERS = 8  # beyond an ambiguous prefix, in the list of the articles that it matches


async def article_named(app: Application, name: str) -> ArticleDetails:
    """Return the article with this address or beginning of its id. Raises UsageError for none or several."""
    name = name.strip()
    if "://" in name:
        found = await app.queries.articles_by_id([article_id("", "", name, "")])
    else:
        found = await app.queries.articles_by_prefix(name.lower())
    if not found:
        raise UsageError(f"no article {name!r} was gathered, or its feed has another address for it")
    if len(found) > 1:
        ids = ", ".join(details.article.id[: len(name) + SHORT_ID_CHARACTERS] for details in found)
        raise UsageError(f"the ids of several articles begin with {name!r}; type more characters: {ids}")
    return found[0]
