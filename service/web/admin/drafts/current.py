"""The draft of a request: as it is now, changed by somebody else meanwhile, or gone."""

from __future__ import annotations

import re
from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.responses import Response

from service.app.drafts import editor
from service.app.drafts.changes import SeenDraft, changes_since
from service.core.model import Draft, Story
from service.web.admin.context import AdminContext

_ID = re.compile(r"[0-9a-f]{8,64}")
KEPT_FIELDS = ("do", "sentence", "without", "order")
"""Fields of a form that its repetition after a conflict sends again."""


async def draft_of(context: AdminContext) -> Draft | None:
    """Return the draft of the path, None if it is gone. Raises HTTPException 404 for what is no id."""
    draft_id = context.path("draft")
    if not _ID.fullmatch(draft_id):
        raise HTTPException(404, "There is no draft of this id.")
    return await editor.draft_with_id(context.app, draft_id)


def story_of(context: AdminContext, draft: Draft) -> Story:
    """Return the story of the path, as it was before the editor's changes. Raises HTTPException 404."""
    for story in draft.digest.stories:
        if story.id == context.path("story"):
            return story
    raise HTTPException(404, "The draft does not have this story any more.")


async def gone(context: AdminContext, wanted: str = "") -> Response:
    """Return the page that says why there is no draft any more, and what became of the editor's wish.

    `wanted` is what was asked for, as a clause ("drop the story").
    """
    issues = await context.app.queries.issues_by_prefix(context.path("draft"))
    # Without an issue it is not known whether there was such a draft.
    status = 410 if issues or context.request.method == "POST" else 404
    return context.page("drafts/gone.html", status=status, issue=issues[0] if issues else None, wanted=wanted)


def conflict(context: AdminContext, draft: Draft, wanted: str) -> Response | None:
    """Return a page with what others changed since the form was shown, None if nothing was changed.

    The page repeats the form, so that nothing that was typed is lost.
    """
    changes = changes_since(SeenDraft.read(context.value("seen")), draft)
    if changes is None:
        return None
    return context.page(
        "drafts/conflict.html",
        status=409,
        draft=draft,
        changes=changes,
        wanted=wanted,
        fields=kept_fields(context),
        seen=SeenDraft.of(draft).text,
        address=context.request.url.path,
    )


def kept_fields(context: AdminContext) -> Mapping[str, list[str]]:
    """Return the values of the form that its repetition needs."""
    return {name: context.fields[name] for name in KEPT_FIELDS if name in context.fields}
