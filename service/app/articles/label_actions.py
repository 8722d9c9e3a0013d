"""One click of an editor about a sentence: a label, its undo, or the decision about a reader's report.

wrong N          no summary should show sentence N, or not so
point N          a good summary shows it
no_caveat N      it is no caveat
missing N        it is a caveat, of the nearest key point before it
wrong_tie N      the caveat N does not qualify what it is tied to
tie N M          the caveat N qualifies sentence M
undo N L         remove the label L (`label_name`) of sentence N
agree N L        the reader is right: the label becomes the editor's
dismiss N L      the reader is not right: the label is removed
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from service.app.articles.labels import NumberedSentence, numbered_sentences
from service.app.articles.marked_text import marked_text
from service.core.errors import UsageError
from service.core.ids import text_key
from service.core.model import Label, LabelKind, LabelSource, Role
from service.core.read_models import ArticleDetails
from service.store.labels import SqlLabelStore

if TYPE_CHECKING:
    from service.app.factories.application import Application

_ACTION = re.compile("([a-z_]{1,20}) ([0-9]{1,4})(?: ([a-z_0-9-]{1,40}))?")
SIMPLE = {"wrong": LabelKind.WRONG, "point": LabelKind.POINT, "no_caveat": LabelKind.NO_CAVEAT}
OF_LABEL = ("undo", "agree", "dismiss")


@dataclass(frozen=True, slots=True)
class LabelAction:
    """What was done to which sentence; `label` is the label that was given, removed or settled."""

    name: str
    sentence: int
    label: Label

    @property
    def is_new(self) -> bool:
        """Whether the label was given by the action itself."""
        return self.name not in OF_LABEL


async def act_on_label(app: Application, details: ArticleDetails, text: str) -> LabelAction:
    """Do what the text of a button says. Raises UsageError for another text or an unknown sentence."""
    found = _ACTION.fullmatch(text)
    if found is None:
        raise UsageError("there is no such action")
    name, number = found[1], int(found[2])
    sentences = await numbered_sentences(app, details)
    sentence = _sentence(sentences, number)
    store = SqlLabelStore(app.database)
    if name in OF_LABEL:
        label = _label(sentence, found[3])
        if name == "agree":
            await store.record(details.article.id, [replace(label, source=LabelSource.EDITOR)], app.clock())
        elif not await store.remove_one(details.article.id, label):
            raise UsageError("the label is not there any more")
    else:
        label = await _new_label(app, details, (name, sentence, found[3]), sentences)
        await store.record(details.article.id, [label], app.clock())
    return LabelAction(name, number, label)


async def _new_label(
    app: Application,
    details: ArticleDetails,
    action: tuple[str, NumberedSentence, str | None],
    sentences: Sequence[NumberedSentence],
) -> Label:
    name, sentence, other = action
    key = text_key(details.article.text)
    if name in SIMPLE:
        return Label(key, SIMPLE[name], sentence.span)
    if name == "missing":
        return Label(key, LabelKind.CAVEAT, sentence.span, _nearest_point(sentence, sentences).span)
    if name == "tie" and other is not None and other.isdecimal():
        if int(other) == sentence.number:
            raise UsageError("a sentence cannot qualify itself")
        return Label(key, LabelKind.CAVEAT, sentence.span, _sentence(sentences, int(other)).span)
    if name == "wrong_tie":
        return await _wrong_tie(app, details, sentence, sentences)
    raise UsageError("there is no such action")


async def _wrong_tie(
    app: Application,
    details: ArticleDetails,
    sentence: NumberedSentence,
    sentences: Sequence[NumberedSentence],
) -> Label:
    text = await marked_text(app, details, sentence=sentence.number)
    tied = [
        piece.tie
        for block in text.blocks
        for piece in block.pieces
        if piece.sentence is not None and piece.sentence.number == sentence.number
    ]
    if not tied or tied[0] is None:
        raise UsageError("this sentence is not shown as a caveat")
    claim = tied[0].number
    span = None if claim is None else _sentence(sentences, claim).span
    return Label(text_key(details.article.text), LabelKind.WRONG_TIE, sentence.span, span)


def _nearest_point(sentence: NumberedSentence, sentences: Sequence[NumberedSentence]) -> NumberedSentence:
    """Return the key point before the sentence, else the first one behind it. Raises UsageError for none."""
    points = [one for one in sentences if one.role == Role.POINT and one.number != sentence.number]
    before = [one for one in points if one.number < sentence.number]
    if not points:
        raise UsageError("the article has no key point that this sentence could qualify")
    return before[-1] if before else points[0]


def _sentence(sentences: Sequence[NumberedSentence], number: int) -> NumberedSentence:
    if number >= len(sentences):
        raise UsageError(
            f"there is no sentence {number} any more; the publisher may have changed the article"
        )
    return sentences[number]


def label_name(label: Label) -> str:
    """Return the name of a label among those of its sentence, for a button."""
    return f"{label.kind.value}-{label.claim.start if label.claim else 0}"


def _label(sentence: NumberedSentence, name: str | None) -> Label:
    for one in sentence.labels:
        if label_name(one) == name:
            return one
    raise UsageError("the label is not there any more")
