"""Values of labels: what people say of the key points and caveats of an article."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from service.core.model.condense import CaveatKind
from service.core.model.gather import TextSpan


class LabelKind(StrEnum):
    """What a label says of its sentence.

    POINT: a good summary shows it. WRONG: no summary should show it, or not as it was shown. CAVEAT: it
    qualifies the claim. NO_CAVEAT: it was marked as a caveat, or looks like one, and is none. WRONG_TIE: it
    was shown as a caveat of the claim, or of the headline, and does not qualify that.
    """

    POINT = "point"
    WRONG = "wrong"
    CAVEAT = "caveat"
    NO_CAVEAT = "no_caveat"
    WRONG_TIE = "wrong_tie"


class LabelSource(StrEnum):
    """Who gave a label: an editor, who read the article, or a reader of a digest."""

    EDITOR = "editor"
    READER = "reader"


@dataclass(frozen=True, slots=True)
class Label:
    """A label of a sentence, given as offsets into the text that `text_key` identifies (`ids.text_key`).

    `claim` is the sentence that a CAVEAT qualifies, or that a WRONG_TIE does not qualify; None of a WRONG_TIE
    is the headline. `is_needed` says that the claim misleads without it.
    """

    text_key: str
    kind: LabelKind
    sentence: TextSpan
    claim: TextSpan | None = None
    caveat_kind: CaveatKind | None = None
    is_needed: bool = False
    source: LabelSource = LabelSource.EDITOR

    def __post_init__(self) -> None:
        """Raise ValueError if a caveat has no claim, or another kind of label has one."""
        may_have_claim = self.kind in (LabelKind.CAVEAT, LabelKind.WRONG_TIE)
        if self.claim is None if self.kind is LabelKind.CAVEAT else self.claim and not may_have_claim:
            raise ValueError("a caveat has a claim, and no other label has one")
