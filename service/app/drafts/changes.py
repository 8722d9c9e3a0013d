"""Changes of drafts in words, and what changed since a page of a draft was shown (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from service.core.ids import content_id
from service.core.model import Choose, Draft, DraftState, Drop, EditAction, Move, Place, Placement

SHORT_ID_CHARACTERS = 8
TOKEN_CHARACTERS = 12  # of an action, in what a page has seen
SEPARATOR = "."

STATE_SENTENCES = {
    DraftState.WAITING: "nobody has decided about it",
    DraftState.APPROVED: "it is approved",
    DraftState.HELD: "it is held",
    DraftState.STOPPED: "it is stopped",
}


@dataclass(frozen=True, slots=True)
class SeenDraft:
    """What a page showed of a draft: its version, its state, and its changes as tokens."""

    version: int
    state: str
    actions: tuple[str, ...]

    @classmethod
    def of(cls, draft: Draft) -> SeenDraft:
        """Return what a page of this draft shows."""
        return cls(draft.version, draft.state.value, tuple(map(_token, draft.edits.actions)))

    @classmethod
    def read(cls, text: str) -> SeenDraft | None:
        """Return what `text` says, None if it is damaged."""
        version, _, rest = text.partition(SEPARATOR)
        state, *actions = rest.split(SEPARATOR)
        if not version.isdecimal() or state not in list(DraftState):
            return None
        return cls(int(version), state, tuple(actions))

    @property
    def text(self) -> str:
        """The value for a hidden field of a form."""
        return SEPARATOR.join((str(self.version), self.state, *self.actions))


def changes_since(seen: SeenDraft | None, draft: Draft) -> Sequence[str] | None:
    """Return what was changed since a page showed the draft, as sentences; None if nothing was."""
    if seen is not None and seen.version == draft.version:
        return None
    if seen is None:
        return ["The draft was changed."]
    current = [_token(one) for one in draft.edits.actions]
    added = [one for one in draft.edits.actions if _token(one) not in seen.actions]
    undone = sum(token not in current for token in seen.actions)
    sentences = [_sentence(change_text(one, draft)) for one in added]
    if undone:
        sentences.append(f"{undone} {'change was' if undone == 1 else 'changes were'} undone or replaced.")
    if seen.state != draft.state:
        sentences.append(_sentence(f"now {STATE_SENTENCES[draft.state]}"))
    if draft.note:
        sentences.append(draft.note)
    return sentences or ["The draft was changed, and changed back."]


def change_text(action: EditAction, draft: Draft) -> str:
    """Return what an editor did, with the headline of the story: `pinned "Talks resume"`."""
    story = next((one for one in draft.digest.stories if one.id == action.story), None)
    # a story of an earlier version of the draft has only its id
    name = f'"{story.headline}"' if story else f"story {action.story[:SHORT_ID_CHARACTERS]}"
    match action:
        case Drop():
            return f"dropped {name}"
        case Move(place=place):
            return f"moved {name} to place {place}"
        case Place(placement=Placement.LEAD):
            return f"pinned {name} as the first story"
        case Place(placement=placement):
            return f"{name} shown as {placement}"
        case Choose(sentences=sentences):
            return f"{len(sentences)} sentence{'s' * (len(sentences) != 1)} chosen for {name}"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _token(action: EditAction) -> str:
    return content_id("action", repr(action))[:TOKEN_CHARACTERS]
