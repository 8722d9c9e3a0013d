"""Labels of an article's sentences: show, record and export them for learning (bench/learn_keypoints.py)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from service.condense.candidates import read_candidates
from service.core.errors import SummaryRefused, UsageError
from service.core.ids import text_key
from service.core.model import Article, CaveatKind, Label, LabelKind, LabelSource, TextSpan
from service.core.read_models import ArticleDetails
from service.store.labels import SqlLabelStore

if TYPE_CHECKING:
    from service.app.factories.application import Application

MAX_SENTENCES = 2_000  # that are numbered; no news article is longer

_EXPORTED_KINDS = {
    CaveatKind.DENIED: "denial",
    CaveatKind.CONDITIONAL: "condition",
    CaveatKind.UNCONFIRMED: "uncertainty",
    CaveatKind.LIMITED: "limit",
    CaveatKind.DISPUTED: "contradiction",
}
"""The kinds of the labelled articles that the weights are learned from."""


@dataclass(frozen=True, slots=True)
class NumberedSentence:
    """A sentence that could be a key point, with its labels and its role in the summary, "" if not shown."""

    number: int
    text: str
    span: TextSpan
    role: str
    labels: tuple[Label, ...] = ()


@dataclass(frozen=True, slots=True)
class GivenLabels:
    """What an editor or a reader says of an article, with the numbers of its sentences.

    `pairs` are claim and caveat. `caveat_kind` and `is_needed` are those of all pairs.
    """

    points: tuple[int, ...] = ()
    wrong: tuple[int, ...] = ()
    no_caveat: tuple[int, ...] = ()
    pairs: tuple[tuple[int, int], ...] = ()
    caveat_kind: CaveatKind | None = None
    is_needed: bool = False
    source: LabelSource = LabelSource.EDITOR


@dataclass(frozen=True, slots=True)
class LabelledArticle:
    """An article with its sentences and the labels of its present text, as numbers of sentences.

    `pairs` are (claim, caveat, kind or None, whether it is needed). Without `points`, the others say nothing
    of the sentences that they do not name. `by_readers` are the sentences whose labels readers gave.
    `wrong_ties` are (claim, or None for the headline, caveat).
    """

    article: Article
    sentences: tuple[str, ...]
    points: tuple[int, ...]
    wrong: tuple[int, ...]
    no_caveat: tuple[int, ...]
    pairs: tuple[tuple[int, int, str | None, bool], ...]
    by_readers: tuple[int, ...] = ()
    wrong_ties: tuple[tuple[int | None, int], ...] = ()


async def numbered_sentences(app: Application, details: ArticleDetails) -> Sequence[NumberedSentence]:
    """Return the sentences of an article. Raises UsageError for an article without any."""
    given = await SqlLabelStore(app.database).of_article(details.article.id)
    key = text_key(details.article.text)
    current = [label for label in given if label.text_key == key]
    points = details.summary.key_points if details.summary else ()
    return [
        NumberedSentence(
            number,
            details.article.text[span.start : span.end],
            span,
            next((one.role.value for one in points if _covers(TextSpan(one.start, one.end), span)), ""),
            tuple(label for label in current if _covers(label.sentence, span)),
        )
        for number, span in enumerate(sentence_spans(details.article))
    ]


async def record_labels(app: Application, details: ArticleDetails, given: GivenLabels) -> int:
    """Store the labels; return their number. Raises UsageError for a number without a sentence."""
    spans = sentence_spans(details.article)
    key = text_key(details.article.text)

    def span(number: int) -> TextSpan:
        if not 0 <= number < len(spans):
            raise UsageError(
                f"there is no sentence {number}; the article has 0 to {len(spans) - 1}: caveat label show"
            )
        return spans[number]

    labels = [
        Label(key, kind, span(number), source=given.source)
        for kind, numbers in (
            (LabelKind.POINT, given.points),
            (LabelKind.WRONG, given.wrong),
            (LabelKind.NO_CAVEAT, given.no_caveat),
        )
        for number in numbers
    ]
    for claim, caveat in given.pairs:
        if claim == caveat:
            raise UsageError(f"sentence {claim} cannot qualify itself")
        labels.append(
            Label(
                key,
                LabelKind.CAVEAT,
                span(caveat),
                span(claim),
                given.caveat_kind,
                given.is_needed,
                given.source,
            )
        )
    await SqlLabelStore(app.database).record(details.article.id, labels, app.clock())
    return len(labels)


async def record_reader_label(
    store: SqlLabelStore, article: Article, sentence: TextSpan, kind: LabelKind, at: datetime
) -> None:
    """Store what a reader says of a sentence of the article; a label of an editor is not replaced."""
    label = Label(text_key(article.text), kind, sentence, source=LabelSource.READER)
    await store.record(article.id, [label], at)


async def remove_labels(app: Application, details: ArticleDetails) -> int:
    """Delete the labels of an article; return their number."""
    return await SqlLabelStore(app.database).remove(details.article.id)


async def latest_labels(
    app: Application, limit: int, source: LabelSource | None = None
) -> Sequence[tuple[Article, Label, datetime]]:
    """Return the latest labels, of one source or of all, newest first, with their articles and times."""
    return await SqlLabelStore(app.database).latest(limit, source)


async def labelled_articles(app: Application) -> AsyncIterator[LabelledArticle]:
    """Yield the labelled articles; labels of a text that its publisher changed since are left out."""
    async for article, given in SqlLabelStore(app.database).labelled():
        key = text_key(article.text)
        current = _without_overruled([label for label in given if label.text_key == key])
        if current:
            yield _labelled(article, current)


def sentence_spans(article: Article) -> Sequence[TextSpan]:
    """Return the parts of the article that could be key points. Raises UsageError if there is none."""
    try:
        found = read_candidates(article.text, article.blocks, article.language, MAX_SENTENCES)
    except SummaryRefused as error:
        raise UsageError(f"the article {article.title!r} has no sentence to label: {error}") from None
    return [TextSpan(one.start, one.end) for one in found]


def _labelled(article: Article, labels: Sequence[Label]) -> LabelledArticle:
    spans = sentence_spans(article)

    def numbers(kind: LabelKind) -> tuple[int, ...]:
        named = (_numbers(label.sentence, spans) for label in labels if label.kind is kind)
        return tuple(dict.fromkeys(number for group in named for number in group))

    pairs = [
        (claim, caveat, _EXPORTED_KINDS[label.caveat_kind] if label.caveat_kind else None, label.is_needed)
        for label in labels
        if label.claim is not None and label.kind is LabelKind.CAVEAT
        for claim in _numbers(label.claim, spans)
        for caveat in _numbers(label.sentence, spans)
        if claim != caveat
    ]
    return LabelledArticle(
        article,
        tuple(article.text[start:end] for start, end in spans),
        numbers(LabelKind.POINT),
        numbers(LabelKind.WRONG),
        numbers(LabelKind.NO_CAVEAT),
        tuple(pairs),
        tuple(
            dict.fromkeys(
                number
                for label in labels
                if label.source is LabelSource.READER
                for number in _numbers(label.sentence, spans)
            )
        ),
        tuple(
            (claim, caveat)
            for label in labels
            if label.kind is LabelKind.WRONG_TIE
            for claim in (_numbers(label.claim, spans) if label.claim else (None,))
            for caveat in _numbers(label.sentence, spans)
        ),
    )


def _without_overruled(labels: Sequence[Label]) -> Sequence[Label]:
    """Return the labels without those of readers for sentences that an editor has labelled."""
    by_editors = [one.sentence for one in labels if one.source is LabelSource.EDITOR]
    by_editors += [one.claim for one in labels if one.source is LabelSource.EDITOR and one.claim]
    return [
        one
        for one in labels
        if one.source is LabelSource.EDITOR or not any(_covers(span, one.sentence) for span in by_editors)
    ]


def _numbers(span: TextSpan, sentences: Sequence[TextSpan]) -> Iterator[int]:
    """Yield the numbers of the sentences that are a part of the span, or that it is a part of."""
    return (number for number, sentence in enumerate(sentences) if _covers(span, sentence))


def _covers(span: TextSpan, sentence: TextSpan) -> bool:
    """Return whether the two share at least half of the shorter one."""
    common = min(span.end, sentence.end) - max(span.start, sentence.start)
    return 2 * common >= min(span.end - span.start, sentence.end - sentence.start)
