"""Drafts on the terminal and as JSON: the list, the stories of one, the sentences of a story."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from service.cli.ui.lazy_imports import lazy_imports
from service.cli.ui.output import (
    SHORT_ID_CHARACTERS,
    Record,
    local_time,
    print_data,
    print_message,
    printable,
    quantity,
)
from service.core.model import Draft, EditAction, Role, Story

with lazy_imports():
    from service.app.drafts import changes, editor


def draft_record(draft: Draft) -> Record:
    """Return a draft as one row of the list."""
    digest = editor.shown(draft)
    return {
        "draft": draft.id,
        "newsletter": draft.newsletter,
        "state": draft.state,
        "due_at": draft.due_at,
        "timezone": digest.edition.timezone,
        "readers": draft.size,
        "stories": len(digest.stories),
        "changes": len(draft.edits.actions),
        "changed_by": draft.changed_by,
        "note": draft.note,
        "lead": digest.stories[0].headline if digest.stories else "",
    }


def short_record(draft: Draft) -> Record:
    """Return a draft as one row of the list for people."""
    return {**draft_record(draft), "draft": draft.id[:SHORT_ID_CHARACTERS]}


def story_records(draft: Draft) -> Iterator[Record]:
    """Yield the draft, then each of its stories in the order of the issue."""
    yield draft_record(draft)
    for number, story in enumerate(editor.shown(draft).stories, start=1):
        yield {
            "number": number,
            "story": story.id,
            "placement": story.placement,
            "section": story.section,
            "headline": story.headline,
            "publishers": list(story.publishers),
            "points": [
                {"role": point.role, "text": point.text, "qualifies": point.qualifies}
                for point in story.points
            ],
        }


def print_draft(draft: Draft) -> None:
    """Print the draft and its stories, each with its number, placement and points."""
    digest = editor.shown(draft)
    state = f"{draft.state}, due {local_time(draft.due_at)}, {quantity(draft.size, 'reader')}"
    by = f", changed by {printable(draft.changed_by)}" if draft.changed_by else ""
    print_data(f"Draft {draft.id[:SHORT_ID_CHARACTERS]} of {draft.newsletter}: {state}{by}")
    if draft.note:
        print_data(f"Note: {draft.note}")
    for number, story in enumerate(digest.stories, start=1):
        print_data("\n".join(_story_lines(number, story)))
    dropped = [one for one in draft.digest.stories if one.id not in {story.id for story in digest.stories}]
    for story in dropped:
        print_data(f"\n dropped  {printable(story.headline)}  ({story.id[:SHORT_ID_CHARACTERS]})")


def _story_lines(number: int, story: Story) -> Iterator[str]:
    publishers = ", ".join(printable(name) for name in story.publishers)
    key = story.id[:SHORT_ID_CHARACTERS]
    yield f"\n{number:>3}  {story.placement:<5}  {printable(story.headline)} · {publishers}  ({key})"
    for point in story.points:
        mark = "caveat: " if point.role is Role.CAVEAT else "- "
        yield f"            {mark}{printable(point.text)}"


def sentence_record(sentence: editor.StorySentence) -> Record:
    """Return a sentence as one row."""
    return {
        "number": sentence.number,
        "shown_as": sentence.role,
        "caveat_of": sentence.caveat_of,
        "publisher": sentence.publisher,
        "sentence": sentence.text,
    }


def change_text(action: EditAction, draft: Draft) -> str:
    """Return what an editor did, with the headline of the story: `pinned "Talks resume"`."""
    return printable(changes.change_text(action, draft))


def print_changed(changed: Sequence[Draft], what: str) -> None:
    """Print what was changed, and for how many readers."""
    readers = quantity(sum(draft.size for draft in changed), "reader")
    names = ", ".join(draft.id[:SHORT_ID_CHARACTERS] for draft in changed)
    word = "draft" if len(changed) == 1 else "drafts"
    print_message(f"{what[:1].upper()}{what[1:]}: {word} {names}, {readers}.")


def print_hidden_caveats(sentences: Sequence[editor.StorySentence]) -> None:
    """Print the caveats of a story that are not shown, if there are any, with their numbers."""
    if not sentences:
        return
    print_message("Not shown, though they qualify this story (choose them by number to show them):")
    for one in sentences:
        of = one.caveat_of if not one.caveat_of.isdecimal() else f"sentence {one.caveat_of}"
        of = f"the {of}" if of in ("headline", "story") else of
        print_message(f"  {one.number}  caveat of {of}: {printable(one.text)}")
