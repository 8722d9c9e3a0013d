"""What an editor does with drafts: show, change, approve, hold and stop issues that wait.

The command line and the web pages call the same functions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from service.app.articles.labels import sentence_spans
from service.compose.drafts.edits import apply_edits
from service.compose.drafts.preview import preview_draft
from service.compose.drafts.review import groups_to_compose
from service.compose.stage import Preview
from service.core.errors import DraftChanged, UsageError
from service.core.model import (
    Choose,
    ChosenSentence,
    Digest,
    Draft,
    DraftState,
    EditAction,
    Story,
)
from service.store.compose import SqlComposeStore
from service.store.drafts import SqlDraftStore

if TYPE_CHECKING:
    from service.app.factories.application import Application

SHORT_ID_CHARACTERS = 8
MAX_ATTEMPTS = 3  # to store a change, when a worker changes the draft at the same time


@dataclass(frozen=True, slots=True)
class StorySentence:
    """A sentence of a story's articles. `role` is `point`, `caveat` or "": what the draft shows it as."""

    number: int
    place: ChosenSentence
    text: str
    publisher: str
    role: str


async def count_missing(app: Application) -> int:
    """Return the number of groups whose time for review has begun, and that have no draft yet."""
    now = app.clock()
    newsletters = {one.id: one for one in app.roster.newsletters if one.review is not None}
    groups = await groups_to_compose(SqlComposeStore(app.database), newsletters, now)
    known = await SqlDraftStore(app.database).places()
    early = [
        one for one in groups if one.edition.newsletter in newsletters and one.due_at and one.due_at > now
    ]
    return sum((one.edition_key, one.served_through, one.due_at) not in known for one in early)


async def drafts(app: Application, newsletter: str | None = None) -> Sequence[Draft]:
    """Return the drafts of one newsletter (id) or of all, by due time."""
    return await SqlDraftStore(app.database).drafts_of(newsletter)


async def drafts_named(app: Application, name: str) -> Sequence[Draft]:
    """Return the draft whose id begins with the name, or all drafts of the newsletter with this id.

    Raises UsageError for none, and for several ids that begin so.
    """
    if app.roster.newsletter(name) is not None:
        if found := await drafts(app, name):
            return found
        raise UsageError(f"no draft of {name} waits; caveat draft list shows all drafts")
    found = [draft for draft in await drafts(app) if draft.id.startswith(name.strip().lower())]
    if not found:
        raise UsageError(f"there is no draft or newsletter {name!r}; caveat draft list shows all drafts")
    if len(found) > 1:
        ids = ", ".join(draft.id[: len(name) + SHORT_ID_CHARACTERS] for draft in found)
        raise UsageError(f"several draft ids begin with {name!r}; type more characters: {ids}")
    return found


def shown(draft: Draft) -> Digest:
    """Return the issue as it would be sent, with the editor's changes."""
    return apply_edits(draft.digest, draft.edits, draft.material)


def story_named(draft: Draft, name: str) -> Story:
    """Return the story with this number in the issue, or whose id, or an article's, begins so.

    Raises UsageError for none and for several. A story that was dropped has no number.
    """
    stories = shown(draft).stories
    if name.isdecimal() and len(name) < SHORT_ID_CHARACTERS and 1 <= int(name) <= len(stories):
        return stories[int(name) - 1]
    prefix = name.strip().lower()
    found = [
        story
        for story in draft.digest.stories
        if story.id.startswith(prefix) or any(one.id.startswith(prefix) for one in story.articles)
    ]
    if len(found) == 1:
        return found[0]
    short_id = draft.id[:SHORT_ID_CHARACTERS]
    if found:
        raise UsageError(f"several stories of draft {short_id} begin with {name!r}; type more characters")
    raise UsageError(
        f"draft {short_id} has no story {name!r}; it has 1 to {len(stories)}: caveat draft show {short_id}"
    )


def story_sentences(draft: Draft, story: Story) -> Sequence[StorySentence]:
    """Return the sentences of the story's articles, numbered from 1. Raises UsageError if there is none."""
    visible = next((one for one in shown(draft).stories if one.id == story.id), story)
    found: list[StorySentence] = []
    for article in story.articles:
        for span in sentence_spans(article):
            role = next(
                (
                    point.role.value
                    for point in visible.points
                    if point.article.id == article.id and point.start <= span.start and span.end <= point.end
                ),
                "",
            )
            place = ChosenSentence(article.id, span.start, span.end)
            text = article.text[span.start : span.end]
            found.append(StorySentence(len(found) + 1, place, text, article.publisher, role))
    return found


def choice(draft: Draft, story: Story, numbers: Sequence[int], without: Sequence[int]) -> Choose:
    """Return the choice of the sentences with these numbers, without these caveats. Raises UsageError."""
    sentences = {one.number: one.place for one in story_sentences(draft, story)}
    if unknown := [number for number in (*numbers, *without) if number not in sentences]:
        raise UsageError(f"there is no sentence {unknown[0]}; the story has 1 to {len(sentences)}")
    return Choose(
        story.id,
        tuple(sentences[number] for number in dict.fromkeys(numbers)),
        tuple(sentences[number] for number in without),
    )


async def edit(app: Application, draft: Draft, action: EditAction, *, by: str) -> Draft:
    """Add a change to the draft; return the draft with it. Raises UsageError if its issue was made."""
    return await _change(app, draft, by, lambda one: replace(one, edits=one.edits.added(action)))


async def undo(app: Application, draft: Draft, *, by: str, story: str | None = None) -> Draft:
    """Undo the last change, or all changes of one story (id). Raises UsageError if the issue was made."""
    return await _change(app, draft, by, lambda one: replace(one, edits=one.edits.undone(story)))


async def decide(app: Application, draft: Draft, state: DraftState, *, by: str) -> Draft:
    """Approve, hold or stop the draft. Raises UsageError if its issue was made meanwhile.

    An approved draft that is due, and a stopped one, are finished by compose at once.
    """
    decided = await _change(app, draft, by, lambda one: replace(one, state=state, note=""))
    if state is not DraftState.HELD and draft.due_at <= app.clock():
        await app.notify_workers("compose", 1)
    return decided


async def preview(app: Application, draft: Draft) -> Preview:
    """Return the issue that would be made of the draft now, rendered."""
    return await preview_draft(app.composer, draft, shown(draft), now=app.clock())


async def _change(app: Application, draft: Draft, by: str, change: Callable[[Draft], Draft]) -> Draft:
    """Store the changed draft; a draft that a worker composed again meanwhile is read again first."""
    store = SqlDraftStore(app.database)
    for _ in range(MAX_ATTEMPTS):
        try:
            return await store.save(change(draft).changed(app.clock(), by))
        except DraftChanged:
            current = [one for one in await store.drafts_of(draft.newsletter) if one.id == draft.id]
            if not current:
                break
            draft = current[0]
    short_id = draft.id[:SHORT_ID_CHARACTERS]
    raise UsageError(
        f"draft {short_id} is no longer there: its issue was made, or its subscribers were sent another one; "
        f"caveat issue show {short_id}"
    )
