"""Why a person got the stories of an issue, and why they did or did not get an article."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.responses import Response

from service.app.people.reasons import delivery_of, explained, stories_of_issue
from service.core.errors import UsageError
from service.web.admin.context import AdminContext
from service.web.admin.subscribers.person_page import required_person

MAX_ARTICLE_CHARACTERS = 2_000  # of the address of an article
ANSWERS = {True: ("yes", "good"), False: ("no", ""), None: ("not yet", "warn")}
"""Whether a person got an article: the word, and the kind of its badge."""


async def show_issue_stories(context: AdminContext) -> Response:
    """Show the stories of an issue that the person got, with the reasons for their order."""
    person = await required_person(context)
    found = await delivery_of(context.app, person.subscriber.id, context.path("issue"))
    if found is None:
        raise HTTPException(404, "This issue has no delivery to this person.")
    issue, delivery = found
    return context.page(
        "subscribers/issue_stories.html",
        person=person,
        issue=issue,
        delivery=delivery,
        digest=await stories_of_issue(context.app, issue),
        titles={one.id: one.title for one in context.app.roster.newsletters},
    )


async def show_explain(context: AdminContext) -> Response:
    """Show for each newsletter of the person whether they got an article, and why."""
    person, article = await required_person(context), context.query("article")[:MAX_ARTICLE_CHARACTERS]
    title, answers, problem = "", [], ""
    if article:
        try:
            title, found = await explained(context.app, person, article)
            answers = [(newsletter, *ANSWERS[one.sent], one.reason) for newsletter, one in found]
        except UsageError as error:
            problem = error.sentence
    return context.page(
        "subscribers/explain.html",
        status=422 if problem else 200,
        person=person,
        article=article,
        title=title,
        answers=answers,
        problem=problem,
        titles={one.id: one.title for one in context.app.roster.newsletters},
    )
