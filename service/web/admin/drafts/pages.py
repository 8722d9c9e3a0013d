"""The list of drafts, and the page of one: its stories as they will be sent, with an editor's actions."""

from __future__ import annotations

import re

from starlette.exceptions import HTTPException
from starlette.responses import Response

from service.app.drafts import editor
from service.app.drafts.changes import SeenDraft, change_text
from service.app.preview import personalized
from service.core.errors import UsageError
from service.core.model import Draft, DraftState, Drop, EditAction, Move, Place, Placement, Story
from service.web.admin.context import AdminContext
from service.web.admin.drafts.current import conflict, draft_of, gone, story_of
from service.web.admin.mail_frame import framed_mail

MAX_LISTED = 200
MAX_UNTYPED = 100  # readers of an overdue draft that is approved without typing their number
FORMS = ("desktop", "phone", "text")
DECISIONS = {"approve": DraftState.APPROVED, "hold": DraftState.HELD, "stop": DraftState.STOPPED}
MOVES = ("up", "down")
PLACEMENTS = {"pin": Placement.LEAD, "story": Placement.STORY, "short": Placement.SHORT, "web": Placement.WEB}


async def show_list(context: AdminContext) -> Response:
    """Show the drafts by due time."""
    newsletters = {one.id: one for one in context.app.roster.newsletters}
    drafts = await editor.listed_drafts(context.app, MAX_LISTED)
    reviewed = [one for one in context.app.roster.newsletters if one.review is not None]
    return context.page(
        "drafts/list.html", drafts=drafts, newsletters=newsletters, reviewed=reviewed, most=MAX_LISTED
    )


async def show(context: AdminContext) -> Response:
    """Show a draft."""
    draft = await draft_of(context)
    if draft is None:
        return await gone(context)
    return _page(context, draft)


async def edit(context: AdminContext) -> Response:
    """Pin, drop, restore or move a story, or show more or less of it; a dropped one is restored first."""
    draft, do = await draft_of(context), context.value("do")
    if draft is None:
        return await gone(context, "change a story")
    story = story_of(context, draft)
    if do in (*PLACEMENTS, *MOVES) and all(one.id != story.id for one in editor.shown(draft).stories):
        seen = SeenDraft.of(draft).text
        return context.page("drafts/dropped.html", status=409, draft=draft, story=story, seen=seen)
    action = None if do == "restore" else _action(do, draft, story)
    wanted = change_text(action, draft) if action else f'restored "{story.headline}"'
    if page := conflict(context, draft, wanted):
        return page
    by = context.account.name
    try:
        if action is None:
            await editor.restore(context.app, draft, story.id, by=by)
        else:
            await editor.edit(context.app, draft, action, by=by)
    except UsageError:
        return await gone(context, wanted)
    await context.record("draft_edited", draft.id, newsletter=draft.newsletter, change=wanted)
    return context.redirect(f"/drafts/{draft.id}", done="edited")


async def undo(context: AdminContext) -> Response:
    """Undo the last change."""
    draft = await draft_of(context)
    if draft is None:
        return await gone(context, "undo the last change")
    if page := conflict(context, draft, "undo the last change"):
        return page
    try:
        changed, undone = await editor.undo(context.app, draft, by=context.account.name)
    except UsageError:
        if await draft_of(context) is None:
            return await gone(context, "undo the last change")
        raise
    words = "; ".join(change_text(one, changed) for one in undone)
    await context.record("draft_undone", draft.id, newsletter=draft.newsletter, change=words)
    return context.redirect(f"/drafts/{draft.id}", done="undone")


async def decide(context: AdminContext) -> Response:
    """Approve, hold or stop a draft; ask first before it stops, or before it is sent at once."""
    do = context.value("do")
    if do not in DECISIONS:
        raise HTTPException(400, "Choose approve, hold or stop.")
    draft, state = await draft_of(context), DECISIONS[do]
    if draft is None:
        return await gone(context, f"{do} the draft")
    if page := conflict(context, draft, f"{do} the draft"):
        return page
    if page := _question(context, draft, do):
        return page
    try:
        await editor.decide(context.app, draft, state, by=context.account.name)
    except UsageError:
        return await gone(context, f"{do} the draft")
    await context.record(
        "draft_decided", draft.id, newsletter=draft.newsletter, state=state.value, readers=draft.size
    )
    return context.redirect(f"/drafts/{draft.id}", done=state.value)


async def preview(context: AdminContext) -> Response:
    """Show the mail that the draft would become, in a frame as wide as a phone or a desktop, or as text."""
    draft = await draft_of(context)
    if draft is None:
        return await gone(context)
    form = context.query("form") if context.query("form") in FORMS else FORMS[0]
    issue = (await editor.preview(context.app, draft)).issue
    rendered = await personalized(context.app, issue, None)
    return context.page(
        "drafts/preview.html",
        draft=draft,
        form=form,
        forms=FORMS,
        subject=rendered.subject,
        text=rendered.text,
    )


async def mail(context: AdminContext) -> Response:
    """Show the mail, for the frame."""
    draft = await draft_of(context)
    if draft is None:
        raise HTTPException(410)
    issue = (await editor.preview(context.app, draft)).issue
    return framed_mail((await personalized(context.app, issue, None)).html)


def _page(context: AdminContext, draft: Draft) -> Response:
    digest = editor.shown(draft)
    kept = {story.id for story in digest.stories}
    return context.page(
        "drafts/draft.html",
        draft=draft,
        newsletter=context.app.roster.newsletter(draft.newsletter),
        stories=digest.stories,
        dropped=[story for story in draft.digest.stories if story.id not in kept],
        changes=[change_text(one, draft) for one in draft.edits.actions],
        is_due=draft.due_at <= context.app.clock(),
        seen=SeenDraft.of(draft).text,
        placements=list(Placement),
    )


def _action(do: str, draft: Draft, story: Story) -> EditAction:
    """Return the action of a button; only a story that is shown can be moved. Raises HTTPException."""
    if do == "drop":
        return Drop(story.id)
    if do in PLACEMENTS:
        return Place(story.id, PLACEMENTS[do])
    if do not in MOVES:
        raise HTTPException(400, "The draft has no such action.")
    shown = [one.id for one in editor.shown(draft).stories]
    place = shown.index(story.id) + 1
    return Move(story.id, max(1, place - 1) if do == "up" else min(len(shown), place + 1))


def _question(context: AdminContext, draft: Draft, do: str) -> Response | None:
    """Return the page that asks whether a decision is meant; None if it is, or if it can be changed later."""
    is_due = draft.due_at <= context.app.clock()
    sends_at_once = do == "approve" and is_due
    if do == "hold" or not (sends_at_once or do == "stop"):
        return None
    needs_number = sends_at_once and draft.size > MAX_UNTYPED
    typed, problem = re.sub(r"[\s.,'’]", "", context.value("number")), ""
    if context.value("sure") == "yes":
        if not needs_number or typed == str(draft.size):
            return None
        problem = f"Type the number of readers, {draft.size:,}, to confirm."
    return context.page(
        "drafts/question.html",
        status=422 if problem else 200,
        draft=draft,
        do=do,
        is_due=is_due,
        needs_number=needs_number,
        problem=problem,
        seen=SeenDraft.of(draft).text,
    )
