"""`caveat draft`: issues that wait for an editor, shown, changed, approved, held and stopped."""

from __future__ import annotations

import asyncio
import getpass
import tempfile
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from service.cli.draft.view import (
    change_text,
    draft_record,
    print_changed,
    print_draft,
    print_hidden_caveats,
    sentence_record,
    short_record,
    story_records,
)
from service.cli.ui.commands import CommandTyper
from service.cli.ui.input import require_confirmation
from service.cli.ui.lazy_imports import lazy_imports
from service.cli.ui.options import AsJson, Yes
from service.cli.ui.output import print_data, print_json, print_message, print_records, quantity
from service.core.errors import UsageError
from service.core.model import Draft, DraftState, Drop, EditAction, Move, Place, Placement, Story

with lazy_imports():
    from service.app.accounts import audit
    from service.app.drafts import editor
    from service.app.factories import application
    from service.cli.ui import open_app
    from service.core.content_ids import standalone_html

DraftName = Annotated[
    str,
    typer.Argument(
        metavar="DRAFT",
        help="Id of the draft, its first characters, or id of a newsletter for all its drafts.",
    ),
]
StoryName = Annotated[
    str,
    typer.Argument(
        metavar="STORY", help="Number of the story in the latest `draft show`, or first characters of its id."
    ),
]

commands = CommandTyper(
    """Review issues before they are sent: change, approve, hold, stop.

    A newsletter with `review` has its issues composed that long before they are due. Without a decision they
    are sent or held, as its `unreviewed` says.

    Numbers of stories are those that `draft show` prints now: pin, move, place and drop change them.
    """,
    name="draft",
)


@commands.add("list", "caveat draft list\ncaveat draft list morning --json")
def list_drafts(
    newsletter: Annotated[
        str | None,
        typer.Argument(metavar="NEWSLETTER", help="Id of a newsletter. Default: all newsletters."),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List the drafts with their states, due times and numbers of readers."""

    async def work(app: application.Application) -> bool:
        found = await editor.drafts(app, newsletter)
        records = [draft_record(one) if as_json else short_record(one) for one in found]
        print_records(records, as_json=as_json, empty_message="No draft waits.")
        return True

    open_app.run_in_app(work)


@commands.add("show", "caveat draft show 4a66\ncaveat draft show morning --json")
def show(draft: DraftName, *, as_json: AsJson = False) -> None:
    """Show the stories of a draft, as they would be sent."""

    async def work(app: application.Application) -> bool:
        for one in await editor.drafts_named(app, draft):
            if not as_json:
                print_draft(one)
                continue
            for record in story_records(one):
                print_json(record)
        return True

    open_app.run_in_app(work)


@commands.add("preview", "caveat draft preview 4a66\ncaveat draft preview 4a66 --html > issue.html")
def preview(
    draft: DraftName, *, html: Annotated[bool, typer.Option("--html", help="HTML instead of text.")] = False
) -> None:
    """Print the mail that a draft would become."""

    async def work(app: application.Application) -> bool:
        issue = (await editor.preview(app, await _one(app, draft))).issue
        print_data(standalone_html(issue, issue.rendered.html) if html else issue.rendered.text)
        return True

    open_app.run_in_app(work)


@commands.add("open", "caveat draft open 4a66")
def open_draft(draft: DraftName) -> None:
    """Open the mail that a draft would become in the web browser."""

    async def work(app: application.Application) -> bool:
        issue = (await editor.preview(app, await _one(app, draft))).issue
        folder = await asyncio.to_thread(tempfile.mkdtemp, prefix="caveat-draft-")
        page = Path(folder) / f"{issue.id}.html"
        await asyncio.to_thread(
            page.write_text, standalone_html(issue, issue.rendered.html), encoding="utf-8"
        )
        if not await asyncio.to_thread(webbrowser.open, page.as_uri()):
            print_message("No web browser was found.")
        print_message(f"Wrote {page}: {issue.rendered.subject}")
        return True

    open_app.run_in_app(work)


@commands.add("pin", "caveat draft pin 4a66 3\ncaveat draft pin morning d0dd4f60")
def pin(draft: DraftName, story: StoryName) -> None:
    """Make a story the first of the issue; the subject then names it."""
    _edit(draft, story, lambda found: Place(found.id, Placement.LEAD))


@commands.add("drop", "caveat draft drop 4a66 7")
def drop(draft: DraftName, story: StoryName) -> None:
    """Drop a story from the issue. Its subscribers do not get it later either.

    A later article about the same event can bring the story into another issue.
    """
    _edit(draft, story, lambda found: Drop(found.id))


@commands.add("move", "caveat draft move 4a66 9 2")
def move(
    draft: DraftName,
    story: StoryName,
    place: Annotated[
        int, typer.Argument(metavar="NUMBER", min=1, help="New number of the story in the issue.")
    ],
) -> None:
    """Move a story to another place; it is shown like the story that stood there."""
    _edit(draft, story, lambda found: Move(found.id, place))


@commands.add("place", "caveat draft place 4a66 9 story\ncaveat draft place 4a66 2 short")
def place(
    draft: DraftName,
    story: StoryName,
    placement: Annotated[
        Placement,
        typer.Argument(
            metavar="PLACEMENT", help="lead (first), story (with points), short (one line) or web."
        ),
    ],
) -> None:
    """Show more or less of a story: as the first, with points, as one line, or on the web page only."""
    _edit(draft, story, lambda found: Place(found.id, placement))


@commands.add("sentences", "caveat draft sentences 4a66 1\ncaveat draft sentences 4a66 1 --json")
def sentences(draft: DraftName, story: StoryName, *, as_json: AsJson = False) -> None:
    """List the sentences of a story's articles, with the numbers for `choose`.

    shown_as: what the draft shows the sentence as. caveat_of: what it qualifies, the number of a sentence,
    headline or story.
    """

    async def work(app: application.Application) -> bool:
        found = await _one(app, draft)
        rows = editor.story_sentences(found, editor.story_named(found, story))
        print_records([sentence_record(one) for one in rows], as_json=as_json)
        return True

    open_app.run_in_app(work)


@commands.add("choose", "caveat draft choose 4a66 1 2 7\ncaveat draft choose 4a66 1 2 7 --without 9")
def choose(
    draft: DraftName,
    story: StoryName,
    numbers: Annotated[list[int], typer.Argument(metavar="NUMBER", help="Numbers of sentences, in order.")],
    without: Annotated[
        list[int] | None,
        typer.Option("--without", metavar="NUMBER", help="Number of a caveat to leave out; may be repeated."),
    ] = None,
) -> None:
    """Show other sentences of a story's articles as its points, word for word.

    The caveats that are tied to them, and to the headline, are added unless --without names them. Other
    caveats of the story are named if they are not shown.
    """

    async def work(app: application.Application) -> bool:
        found = await _one(app, draft)
        named = editor.story_named(found, story)
        chosen = editor.choice(found, named, numbers, without or ())
        changed = await _edited(app, found, chosen)
        print_changed([changed], change_text(chosen, changed))
        print_hidden_caveats(editor.hidden_caveats(changed, named))
        return True

    open_app.run_in_app(work)


@commands.add("undo", "caveat draft undo 4a66\ncaveat draft undo 4a66 --story 3")
def undo(
    draft: DraftName,
    *,
    story: Annotated[
        str | None,
        typer.Option("--story", metavar="STORY", help="All changes of this story. Default: the last."),
    ] = None,
) -> None:
    """Undo the last change of the stories, or all changes of one story."""

    async def work(app: application.Application) -> bool:
        found = await _drafts_with(app, draft, story)
        having = [(one, key) for one, key in found if one.edits.last(key)]
        for one, key in having or found[:1]:
            changed, undone = await editor.undo(app, one, by=getpass.getuser(), story=key)
            words = "; ".join(change_text(each, changed) for each in undone)
            await _record(app, "draft_undone", changed, change=words)
            print_changed([changed], f"undone: {words}")
        return True

    open_app.run_in_app(work)


@commands.add("approve", "caveat draft approve 4a66\ncaveat draft approve morning --yes")
def approve(draft: DraftName, *, yes: Yes = False) -> None:
    """Approve a draft: it is sent when it is due, or at once if it is overdue.

    More than one reader asks for confirmation.
    """
    _decide(draft, DraftState.APPROVED, "Approved", ask="Approve", confirmed=yes)


@commands.add("hold", "caveat draft hold morning")
def hold(draft: DraftName) -> None:
    """Hold a draft: nothing is sent until it is approved or stopped, however late."""
    _decide(draft, DraftState.HELD, "Held")


@commands.add("stop", "caveat draft stop 4a66\ncaveat draft stop morning --yes")
def stop(draft: DraftName, *, yes: Yes = False) -> None:
    """Stop a draft: there is no issue this time, and its stories wait for the next one.

    Until it is due, `approve` and `hold` change that again. More than one reader asks for confirmation.
    """
    _decide(draft, DraftState.STOPPED, "Stopped", ask="Stop", confirmed=yes)


async def _one(app: application.Application, name: str) -> Draft:
    """Return the only draft of that name. Raises UsageError for several."""
    found = await editor.drafts_named(app, name)
    if len(found) > 1:
        raise UsageError(f"{name} has {len(found)} drafts; name one: caveat draft list {name}")
    return found[0]


async def _drafts_with(
    app: application.Application, draft: str, story: str | None
) -> list[tuple[Draft, str | None]]:
    """Return the drafts of that name that have the story, each with the story's id; all of them without one.

    A number means the story that the first draft has there. Raises UsageError if no draft has the story.
    """
    found = await editor.drafts_named(app, draft)
    if story is None:
        return [(one, None) for one in found]
    if len(found) == 1 or story.isdecimal():
        story = editor.story_named(found[0], story).id
    having = [one for one in found if any(each.id.startswith(story) for each in one.digest.stories)]
    if not having:
        raise UsageError(f"no draft of {draft} has a story {story!r}")
    return [(one, editor.story_named(one, story).id) for one in having]


async def _edited(app: application.Application, draft: Draft, action: EditAction) -> Draft:
    """Store a change of the draft, and who made it; return the changed draft."""
    changed = await editor.edit(app, draft, action, by=getpass.getuser())
    await _record(app, "draft_edited", changed, change=change_text(action, changed))
    return changed


async def _record(app: application.Application, action: str, draft: Draft, **details: object) -> None:
    await audit.record_command(app, action, draft.id, newsletter=draft.newsletter, **details)


def _edit(draft: str, story: str, action: Callable[[Story], EditAction]) -> None:
    """Change a story in a draft; in all drafts of a newsletter that have it, named by its id."""

    async def work(app: application.Application) -> bool:
        found = await _drafts_with(app, draft, story)
        made = [action(editor.story_named(one, key or story)) for one, key in found]
        changed = [await _edited(app, one, each) for (one, _), each in zip(found, made, strict=True)]
        print_changed(changed, change_text(made[0], changed[0]))
        return True

    open_app.run_in_app(work)


def _decide(draft: str, state: DraftState, what: str, *, ask: str = "", confirmed: bool = False) -> None:
    """Decide about the drafts of that name. `ask` is the verb of the question to several readers."""

    async def work(app: application.Application) -> bool:
        found = list(await editor.drafts_named(app, draft))
        readers = sum(one.size for one in found)
        if ask and readers > 1:
            question = f"{ask} {quantity(len(found), 'draft')} for {quantity(readers, 'reader')}?"
            require_confirmation(question, confirmed=confirmed)
        decided = []
        for one in found:
            decided.append(await editor.decide(app, one, state, by=getpass.getuser()))
            await _record(app, "draft_decided", one, state=state.value, readers=one.size)
        print_changed(decided, what)
        return True

    open_app.run_in_app(work)
