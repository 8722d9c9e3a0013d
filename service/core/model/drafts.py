"""Values of drafts: issues that wait for an editor, and what the editor changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from service.core.model.digest import Digest, Placement


class DraftState(StrEnum):
    """The state of a draft.

    WAITING: without a decision; the newsletter's `unreviewed` decides when it is due. APPROVED: it is sent
    when it is due. HELD: it waits for a decision, however late. STOPPED: there is no issue, and its stories
    wait for the next one.
    """

    WAITING = "waiting"
    APPROVED = "approved"
    HELD = "held"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class ChosenSentence:
    """A part of an article (id): `text[start:end]`."""

    article: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Drop:
    """The story (id) is not in the issue."""

    story: str


@dataclass(frozen=True, slots=True)
class Move:
    """The story stands at this place of the issue, 1 for the first, shown like the one that stood there."""

    story: str
    place: int


@dataclass(frozen=True, slots=True)
class Place:
    """The story is shown in this much detail."""

    story: str
    placement: Placement


@dataclass(frozen=True, slots=True)
class Choose:
    """The story shows these sentences as its points, in this order, with the caveats that belong to them.

    The caveats in `without` are not added.
    """

    story: str
    sentences: tuple[ChosenSentence, ...]
    without: tuple[ChosenSentence, ...] = ()


EditAction = Drop | Move | Place | Choose


@dataclass(frozen=True, slots=True)
class DraftEdits:
    """What an editor changed, in the order in which it was done."""

    actions: tuple[EditAction, ...] = ()

    def added(self, action: EditAction) -> DraftEdits:
        """Return the edits with one more; a new choice of sentences replaces the one for the same story."""
        kept = self.actions
        if isinstance(action, Choose):
            kept = tuple(one for one in kept if not (isinstance(one, Choose) and one.story == action.story))
        return DraftEdits((*kept, action))

    def last(self, story: str | None = None) -> tuple[EditAction, ...]:
        """Return the last action; with a story (id), all of that story."""
        if story is None:
            return self.actions[-1:]
        return tuple(one for one in self.actions if one.story == story)

    def undone(self, story: str | None = None) -> DraftEdits:
        """Return the edits without those of `last`."""
        if story is None:
            return DraftEdits(self.actions[:-1])
        return DraftEdits(tuple(one for one in self.actions if one.story != story))


@dataclass(frozen=True, slots=True)
class Draft:
    """An issue that waits for an editor. `id` is usually that of its issue.

    The edition, `served_from` and `due_at` are those of its group. It covers the articles with
    `served_from < position <= served_through`. `digest` is the issue without the `edits`; `material` has the
    same stories with all points that were found, for stories that get more room. `edit_keys` are the keys of
    the articles' versions. `note` tells the editor what has changed since; "" for nothing. `changed_by` is
    the person who made the last change, "" for nobody. `version` counts the changes, and `size` the active
    members of the group.
    """

    id: str
    edition_key: str
    served_from: int
    served_through: int
    due_at: datetime
    digest: Digest
    material: Digest
    edit_keys: tuple[str, ...]
    created_at: datetime
    changed_at: datetime
    state: DraftState = DraftState.WAITING
    edits: DraftEdits = DraftEdits()
    note: str = ""
    changed_by: str = ""
    version: int = 1
    size: int = 0

    @property
    def newsletter(self) -> str:
        """The id of the newsletter."""
        return self.digest.edition.newsletter

    def changed(
        self, at: datetime, by: str, *, state: DraftState | None = None, edits: DraftEdits | None = None
    ) -> Draft:
        """Return the draft with another state or other edits."""
        return replace(
            self,
            state=state or self.state,
            edits=self.edits if edits is None else edits,
            changed_at=at,
            changed_by=by,
        )
