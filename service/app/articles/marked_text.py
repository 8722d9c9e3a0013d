"""The text of an article with its key points, caveats, ties and labels where they stand, in parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.app.articles.labels import NumberedSentence, numbered_sentences
from service.core.errors import UsageError
from service.core.model import BlockKind, Grade, KeyPoint, LabelKind, Role
from service.core.read_models import ArticleDetails
from service.text.blocks import plain_blocks

if TYPE_CHECKING:
    from service.app.factories.application import Application

MAX_PIECES = 80  # sentences and other pieces of a part; each has buttons
MAX_CHARACTERS = 9_000  # of a part
MAX_PIECE_CHARACTERS = 3_000  # of a piece; a longer one is cut


@dataclass(frozen=True, slots=True)
class Tie:
    """What a caveat qualifies: the sentence of a point (number and text), or what `words` say."""

    number: int | None
    words: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A sentence that can be labelled, or a text between such sentences (`sentence` is None).

    `point` is its key point, `tie` that of a caveat; `caveats` are the numbers of the caveats that are tied
    to it.
    """

    text: str
    sentence: NumberedSentence | None = None
    point: KeyPoint | None = None
    tie: Tie | None = None
    caveats: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class MarkedBlock:
    """A block of the text, or the piece of it that is in this part."""

    kind: BlockKind
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class MarkedText:
    """One part of an article's text. `points` are the sentences with key points, for ties.

    `parts` maps the number of a sentence to its part. With `has_point_labels`, the sentences without a label
    count as not worth showing.
    """

    blocks: tuple[MarkedBlock, ...]
    number: int
    numbers: int
    points: tuple[NumberedSentence, ...]
    headline_caveats: tuple[int, ...]
    parts: dict[int, int]
    has_point_labels: bool


async def marked_text(
    app: Application, details: ArticleDetails, *, part: int = 1, sentence: int | None = None
) -> MarkedText:
    """Return a part of the text: the one with this sentence, else number `part`, at most the last."""
    try:
        sentences = await numbered_sentences(app, details)
    except UsageError:
        sentences = ()
    ties = _ties(details, sentences)
    parts = _parts([*_pieces(details, sentences, ties)])
    places = {
        piece.sentence.number: number
        for number, blocks in enumerate(parts, start=1)
        for block in blocks
        for piece in block.pieces
        if piece.sentence is not None
    }
    wanted = places.get(sentence, part) if sentence is not None else part
    number = min(max(1, wanted), max(1, len(parts)))
    return MarkedText(
        tuple(parts[number - 1]) if parts else (),
        number,
        max(1, len(parts)),
        tuple(one for one in sentences if one.role == Role.POINT),
        tuple(caveat for caveat, tie in ties.items() if tie.number is None and tie.words == HEADLINE),
        places,
        any(label.kind is LabelKind.POINT for one in sentences for label in one.labels),
    )


HEADLINE = "the headline"


def _ties(details: ArticleDetails, sentences: Sequence[NumberedSentence]) -> dict[int, Tie]:
    """Return what each caveat (number of its sentence) qualifies."""
    points = details.summary.key_points if details.summary else ()
    ties = {}
    for point in points:
        number = _number(point, sentences)
        if point.role is not Role.CAVEAT or number is None:
            continue
        if point.grade is not Grade.TIED:
            ties[number] = Tie(None, "something in its story; which point is not sure")
        elif point.qualifies is None:
            ties[number] = Tie(None, HEADLINE)
        else:
            claim = points[point.qualifies]
            ties[number] = Tie(_number(claim, sentences), claim.text)
    return ties


def _number(point: KeyPoint, sentences: Sequence[NumberedSentence]) -> int | None:
    """Return the number of the sentence that contains most of the key point."""
    common = {
        one.number: min(one.span.end, point.end) - max(one.span.start, point.start) for one in sentences
    }
    best = max(common, key=lambda number: common[number], default=None)
    return best if best is not None and common[best] > 0 else None


def _pieces(
    details: ArticleDetails, sentences: Sequence[NumberedSentence], ties: dict[int, Tie]
) -> Iterator[tuple[int, BlockKind, Piece]]:
    """Yield number and kind of the block, and the piece, in the order of the text."""
    article = details.article
    of_number: dict[int, KeyPoint] = {}
    for point in details.summary.key_points if details.summary else ():
        if (number := _number(point, sentences)) is not None:
            of_number.setdefault(number, point)
    waiting = list(sentences)[::-1]
    for index, block in enumerate(article.blocks or plain_blocks(article.text, article.language)):
        at = block.start
        while waiting and waiting[-1].span.start < block.end:
            one = waiting.pop()
            if before := article.text[at : one.span.start].strip():
                yield index, block.kind, Piece(_cut(before))
            caveats = tuple(caveat for caveat, tie in ties.items() if tie.number == one.number)
            yield (
                index,
                block.kind,
                Piece(_cut(one.text), one, of_number.get(one.number), ties.get(one.number), caveats),
            )
            at = max(at, one.span.end)
        if rest := article.text[at : block.end].strip():
            yield index, block.kind, Piece(_cut(rest))


def _cut(text: str) -> str:
    return text if len(text) <= MAX_PIECE_CHARACTERS else text[: MAX_PIECE_CHARACTERS - 1] + "…"


def _parts(pieces: Sequence[tuple[int, BlockKind, Piece]]) -> list[list[MarkedBlock]]:
    """Return the blocks of each part; a long block goes on in the next part."""
    parts: list[list[tuple[int, BlockKind, Piece]]] = []
    size = 0
    for one in pieces:
        if not parts or len(parts[-1]) >= MAX_PIECES or size + len(one[2].text) > MAX_CHARACTERS:
            parts.append([])
            size = 0
        parts[-1].append(one)
        size += len(one[2].text)
    return [_blocks(part) for part in parts]


def _blocks(pieces: Sequence[tuple[int, BlockKind, Piece]]) -> list[MarkedBlock]:
    blocks: dict[int, tuple[BlockKind, list[Piece]]] = {}
    for index, kind, piece in pieces:
        blocks.setdefault(index, (kind, []))[1].append(piece)
    return [MarkedBlock(kind, tuple(found)) for kind, found in blocks.values()]
