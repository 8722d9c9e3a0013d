"""What an editor does with drafts: show, change, approve, hold and stop issues that wait.

The command line and the web pages call the same functions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from service.app.articles.labels import sentence_spans
from service.compose.drafts.edits import apply_edits, point_at
from service.compose.drafts.preview import preview_draft
from service.compose.drafts.review import groups_to_compose
from service.compose.stage import Preview
from service.core.errors import DraftChanged, UsageError
from service.core.model import (
    Choose,
    ChosenSentence,
    Digest,
    Draft,
    DraftEdits,
    DraftState,
    Drop,
    EditAction,
    Grade,
    Role,
    Story,
    StoryPoint,
)
from service.store.compose import SqlComposeStore
from service.store.drafts import ListedDraft, SqlDraftStore

if TYPE_CHECKING:
    from service.app.factories.application import Application

SHORT_ID_CHARACTERS = 8
MAX_ATTEMPTS = 3  # to store a change, when a worker changes the draft at the same time


@dataclass(frozen=True, slots=True)
class StorySentence:
    """A sentence of a story's articles. `role` is `point`, `caveat` or "": what the draft shows it as.

    `caveat_of` is the number of the sentence that it qualifies as a caveat, whether it is shown or not;
    `headline` or `story` if it qualifies that, "" if it is no caveat.
    """

    number: int
    place: ChosenSentence
    text: str
    publisher: str
    role: str
    caveat_of: str = ""


async def count_missing(app: Application) -> int:
    """Return the number of groups whose time for review has begun, and that have no draft yet."""
    now = app.clock()
    newsletters = {one.id: one for one in app.roster.newsletters if one.review is not None}
    groups = await groups_to_compose(SqlComposeStore(app.database), newsletters, now)
    places = await SqlDraftStore(app.database).places()
    known = {(one.edition_key, one.served_from, one.due_at) for one in places}
    early = [
        one for one in groups if one.edition.newsletter in newsletters and one.due_at and one.due_at > now
    ]
    return sum((one.edition_key, one.served_through, one.due_at) not in known for one in early)


async def drafts(app: Application, newsletter: str | None = None) -> Sequence[Draft]:
    """Return the drafts of one newsletter (id) or of all, by due time."""
    return await SqlDraftStore(app.database).drafts_of(newsletter)


async def listed_drafts(app: Application, limit: int) -> Sequence[ListedDraft]:
    """Return the first drafts of all newsletters by due time, without their content."""
    return await SqlDraftStore(app.database).listed(limit)


async def draft_with_id(app: Application, draft_id: str) -> Draft | None:
    """Return the draft with this id, None if its issue was made or it was replaced."""
    return await SqlDraftStore(app.database).draft(draft_id)


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
    visible = _story(shown(draft), story)
    material = _story(draft.material, story)
    found: list[StorySentence] = []
    for article in story.articles:
        for span in sentence_spans(article):
            place = ChosenSentence(article.id, span.start, span.end)
            point = point_at(visible.points, place)
            text = article.text[span.start : span.end]
            role = point.role.value if point else ""
            found.append(StorySentence(len(found) + 1, place, text, article.publisher, role))
    return [replace(one, caveat_of=_caveat_of(one, found, material.points)) for one in found]


def hidden_caveats(draft: Draft, story: Story) -> Sequence[StorySentence]:
    """Return the sentences that are caveats of something in the story, and are not shown in the draft."""
    return [one for one in story_sentences(draft, story) if one.caveat_of and not one.role]


def _story(digest: Digest, story: Story) -> Story:
    """Return the story as it is in this digest; as it is given, if the digest does not have it."""
    return next((one for one in digest.stories if one.id == story.id), story)


def _caveat_of(
    sentence: StorySentence, sentences: Sequence[StorySentence], points: Sequence[StoryPoint]
) -> str:
    """Return what a sentence qualifies according to the points that were found of its story."""
    point = point_at(points, sentence.place)
    if point is None or point.role is not Role.CAVEAT or point.grade is Grade.CONTEXT:
        return ""
    if point.qualifies is None:
        return "headline" if point.is_of_headline else "story"
    owner = points[point.qualifies]
    return next((str(one.number) for one in sentences if point_at((owner,), one.place)), "story")


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


async def undo(
    app: Application, draft: Draft, *, by: str, story: str | None = None
) -> tuple[Draft, Sequence[EditAction]]:
    """Undo the last change, or all changes of one story (id); return the draft and what was undone.

    Raises UsageError if there is nothing to undo, and if the issue was made.
    """
    undone: Sequence[EditAction] = ()

    def without(one: Draft) -> Draft:
        nonlocal undone
        undone = one.edits.last(story)
        if not undone:
            short_id, what = one.id[:SHORT_ID_CHARACTERS], "this story of " if story else ""
            raise UsageError(f"{what}draft {short_id} has no changes to undo")
        return replace(one, edits=one.edits.undone(story))

    return await _change(app, draft, by, without), undone


async def restore(app: Application, draft: Draft, story: str, *, by: str) -> Draft:
    """Put a story (id) that was dropped back; its other changes stay. Raises UsageError like `edit`."""

    def restored(one: Draft) -> Draft:
        kept = (each for each in one.edits.actions if each != Drop(story))
        return replace(one, edits=DraftEdits(tuple(kept)))

    return await _change(app, draft, by, restored)


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
            current = await store.draft(draft.id)
            if current is None:
                break
            draft = current
    short_id = draft.id[:SHORT_ID_CHARACTERS]
    raise UsageError(
        f"draft {short_id} is no longer there: its issue was made, or its subscribers were sent another one; "
        f"caveat issue show {short_id}"
    )
