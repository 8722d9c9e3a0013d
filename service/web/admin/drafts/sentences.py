"""Other sentences for a story: chosen in the text of its articles, with what happens to their caveats."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from starlette.responses import Response

from service.app.drafts import editor
from service.app.drafts.changes import SeenDraft, change_text
from service.core.errors import UsageError
from service.core.model import Choose, Draft, Story
from service.web.admin.context import AdminContext
from service.web.admin.drafts.current import conflict, draft_of, gone, story_of

_NUMBER = re.compile(r"\d{1,5}")


async def show(context: AdminContext) -> Response:
    """Show the sentences of the story's articles; those that are its points are ticked."""
    draft = await draft_of(context)
    if draft is None:
        return await gone(context)
    story = story_of(context, draft)
    ticked = [one.number for one in editor.story_sentences(draft, story) if one.role == "point"]
    return _page(context, draft, story, ticked=ticked, without=[])


async def choose(context: AdminContext) -> Response:
    """Show what a choice would look like, or make it."""
    draft = await draft_of(context)
    if draft is None:
        return await gone(context, "choose other sentences")
    story = story_of(context, draft)
    if page := conflict(context, draft, "choose other sentences"):
        return page
    ticked, without = _numbers(context, "sentence"), _numbers(context, "without")
    first = [int(word) for word in _NUMBER.findall(context.value("order")) if int(word) in ticked]
    numbers = list(dict.fromkeys([*first, *ticked]))
    try:
        choice = _choice(draft, story, numbers, without)
    except UsageError as error:
        return _page(
            context, draft, story, ticked=ticked, without=without, problem=error.sentence + ".", status=422
        )
    if context.value("do") != "choose":
        return _page(context, draft, story, ticked=numbers, without=without, choice=choice)
    try:
        await editor.edit(context.app, draft, choice, by=context.account.name)
    except UsageError:
        return await gone(context, "choose other sentences")
    change = change_text(choice, draft)
    await context.record("draft_edited", draft.id, newsletter=draft.newsletter, change=change)
    return context.redirect(f"/drafts/{draft.id}", done="edited")


def _choice(draft: Draft, story: Story, numbers: Sequence[int], without: Sequence[int]) -> Choose:
    """Return the choice. Raises UsageError without a sentence, and for a number that there is not."""
    if not numbers:
        raise UsageError("tick at least one sentence")
    return editor.choice(draft, story, numbers, without)


def _numbers(context: AdminContext, name: str) -> list[int]:
    return [int(one) for one in context.fields.get(name, ()) if _NUMBER.fullmatch(one)]


def _page(
    context: AdminContext,
    draft: Draft,
    story: Story,
    *,
    ticked: Sequence[int],
    without: Sequence[int],
    choice: Choose | None = None,
    problem: str = "",
    status: int = 200,
) -> Response:
    """Return the page; with a `choice`, also the story as it would be, and its hidden caveats."""
    tried = replace(draft, edits=draft.edits.added(choice)) if choice else draft
    result = next((one for one in editor.shown(tried).stories if one.id == story.id), None)
    sentences = editor.story_sentences(draft, story)
    by_article = {key: list(group) for key, group in groupby(sentences, key=lambda one: one.place.article)}
    return context.page(
        "drafts/sentences.html",
        status=status,
        draft=draft,
        story=story,
        articles=[(article, by_article.get(article.id, ())) for article in story.articles],
        ticked=set(ticked),
        without=set(without),
        order=context.value("order"),
        result=result,
        hidden=editor.hidden_caveats(tried, story),
        is_tried=choice is not None,
        problem=problem,
        seen=SeenDraft.of(draft).text,
    )
