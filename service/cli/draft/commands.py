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
    draft_record,
    print_changed,
    print_draft,
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
    from service.app.drafts import editor
    from service.app.factories import application
    from service.cli.ui import open_app

DraftName = Annotated[
    str,
    typer.Argument(
        metavar="DRAFT",
        help="Id of the draft, its first characters, or id of a newsletter for all its drafts.",
    ),
]
StoryName = Annotated[
    str,
    typer.Argument(metavar="STORY", help="Number of the story in the issue, or first characters of its id."),
]

commands = CommandTyper(
    """Review issues before they are sent: change, approve, hold and stop them.

    A newsletter with `review` has its issues composed that long before they are due. Without a decision they
    are sent or held, as its `unreviewed` says.
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
        print_data(issue.rendered.html if html else issue.rendered.text)
        return True

    open_app.run_in_app(work)


@commands.add("open", "caveat draft open 4a66")
def open_draft(draft: DraftName) -> None:
    """Open the mail that a draft would become in the web browser."""

    async def work(app: application.Application) -> bool:
        issue = (await editor.preview(app, await _one(app, draft))).issue
        folder = await asyncio.to_thread(tempfile.mkdtemp, prefix="caveat-draft-")
        page = Path(folder) / f"{issue.id}.html"
        await asyncio.to_thread(page.write_text, issue.rendered.html, encoding="utf-8")
        if not await asyncio.to_thread(webbrowser.open, page.as_uri()):
            print_message("No web browser was found.")
        print_message(f"Wrote {page}: {issue.rendered.subject}")
        return True

    open_app.run_in_app(work)


@commands.add("pin", "caveat draft pin 4a66 3\ncaveat draft pin morning d0dd4f60")
def pin(draft: DraftName, story: StoryName) -> None:
    """Make a story the first of the issue; the subject then names it."""
    _edit(draft, story, "Pinned", lambda found: Place(found.id, Placement.LEAD))


@commands.add("drop", "caveat draft drop 4a66 7")
def drop(draft: DraftName, story: StoryName) -> None:
    """Drop a story from the issue. Its subscribers do not get it later either.

    A later article about the same event can bring the story into another issue.
    """
    _edit(draft, story, "Dropped", lambda found: Drop(found.id))


@commands.add("move", "caveat draft move 4a66 9 2")
def move(
    draft: DraftName,
    story: StoryName,
    place: Annotated[
        int, typer.Argument(metavar="NUMBER", min=1, help="New number of the story in the issue.")
    ],
) -> None:
    """Move a story to another place; it is shown like the story that stood there."""
    _edit(draft, story, f"Moved to {place}", lambda found: Move(found.id, place))


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
    _edit(draft, story, f"Shown as {placement}", lambda found: Place(found.id, placement))


@commands.add("sentences", "caveat draft sentences 4a66 1\ncaveat draft sentences 4a66 1 --json")
def sentences(draft: DraftName, story: StoryName, *, as_json: AsJson = False) -> None:
    """List the sentences of a story's articles, with the numbers for `choose`."""

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

    The caveats that are tied to them, and to the headline, are added unless --without names them.
    """

    async def work(app: application.Application) -> bool:
        found = await _one(app, draft)
        chosen = editor.choice(found, editor.story_named(found, story), numbers, without or ())
        changed = await editor.edit(app, found, chosen, by=getpass.getuser())
        print_changed([changed], f"{quantity(len(chosen.sentences), 'sentence')} chosen")
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
        changed = []
        for one in await editor.drafts_named(app, draft):
            key = editor.story_named(one, story).id if story else None
            changed.append(await editor.undo(app, one, by=getpass.getuser(), story=key))
        print_changed(changed, "Undone")
        return True

    open_app.run_in_app(work)


@commands.add("approve", "caveat draft approve 4a66\ncaveat draft approve morning --yes")
def approve(draft: DraftName, *, yes: Yes = False) -> None:
    """Approve a draft: it is sent when it is due, or at once if it is overdue.

    More than one reader asks for confirmation.
    """

    def confirm(found: list[Draft]) -> None:
        readers = sum(one.size for one in found)
        if readers > 1:
            question = f"Approve {quantity(len(found), 'draft')} for {quantity(readers, 'reader')}?"
            require_confirmation(question, confirmed=yes)

    _decide(draft, DraftState.APPROVED, "Approved", confirm)


@commands.add("hold", "caveat draft hold morning")
def hold(draft: DraftName) -> None:
    """Hold a draft: nothing is sent until it is approved or stopped, however late."""
    _decide(draft, DraftState.HELD, "Held")


@commands.add("stop", "caveat draft stop 4a66")
def stop(draft: DraftName) -> None:
    """Stop a draft: there is no issue this time, and its stories wait for the next one.

    Until it is due, `approve` and `hold` change that again.
    """
    _decide(draft, DraftState.STOPPED, "Stopped")


async def _one(app: application.Application, name: str) -> Draft:
    """Return the only draft of that name. Raises UsageError for several."""
    found = await editor.drafts_named(app, name)
    if len(found) > 1:
        raise UsageError(f"{name} has {len(found)} drafts; name one: caveat draft list {name}")
    return found[0]


def _edit(draft: str, story: str, what: str, action: Callable[[Story], EditAction]) -> None:
    """Change a story in a draft; in all drafts of a newsletter that have it, named by its id."""

    async def work(app: application.Application) -> bool:
        found = list(await editor.drafts_named(app, draft))
        key = story
        if len(found) > 1 and story.isdecimal():
            key = editor.story_named(
                found[0], story
            ).id  # a number means the story that the first draft has there
        having = [
            one for one in found if len(found) == 1 or any(s.id.startswith(key) for s in one.digest.stories)
        ]
        if not having:
            raise UsageError(f"no draft of {draft} has a story {story!r}")
        actions = [(one, action(editor.story_named(one, key))) for one in having]
        changed = [await editor.edit(app, one, made, by=getpass.getuser()) for one, made in actions]
        print_changed(changed, what)
        return True

    open_app.run_in_app(work)


def _decide(
    draft: str,
    state: DraftState,
    what: str,
    confirm: Callable[[list[Draft]], None] = lambda _drafts: None,
) -> None:
    async def work(app: application.Application) -> bool:
        found = list(await editor.drafts_named(app, draft))
        confirm(found)
        print_changed([await editor.decide(app, one, state, by=getpass.getuser()) for one in found], what)
        return True

    open_app.run_in_app(work)
