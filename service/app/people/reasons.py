"""Why a subscriber got the stories that they got, and why they did not get an article."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from service.app.articles.explain import explain_article
from service.app.articles.find import article_named
from service.app.people.person import Person
from service.compose.explain import ArticleExplanation
from service.core.ids import delivery_prefix
from service.core.model import Digest
from service.core.read_models import DeliveryDetails, IssueDetails
from service.store.digests import SqlDigestStore

if TYPE_CHECKING:
    from service.app.factories.application import Application


async def delivery_of(
    app: Application, person: str, issue_id: str
) -> tuple[IssueDetails, DeliveryDetails] | None:
    """Return an issue (its whole id) and its delivery to a subscriber (id); None if there is none."""
    issues = await app.queries.issues_by_prefix(issue_id, for_page=True)
    if len(issues) != 1 or issues[0].id != issue_id:
        return None
    found = await app.queries.delivery(delivery_prefix(issue_id, issues[0].channel) + person)
    return None if found is None else (issues[0], found)


async def stories_of_issue(app: Application, issue: IssueDetails) -> Digest | None:
    """Return the ranked stories of an issue; None for one from before they were stored."""
    return await SqlDigestStore(app.database).digest(issue.id)


async def explained(
    app: Application, person: Person, article: str
) -> tuple[str, Sequence[tuple[str, ArticleExplanation]]]:
    """Return the title of an article (address or id), and for each newsletter (id) whether they got it.

    Raises UsageError if the article is not known.
    """
    details = await article_named(app, article)
    return details.article.title, await explain_article(app, details, person.memberships)
