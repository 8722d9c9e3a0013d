"""Points: the key points of a story as the themes get them, with what must be shown with them (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from service.compose.render.links import sentence_link
from service.compose.render.sources import MAX_NAME_CHARACTERS
from service.compose.render.text_cleaning import MAX_SENTENCE_CHARACTERS, clean, shorten
from service.compose.render.times import publication_label
from service.compose.render.typography import typographic
from service.core.model import Article, BlockKind, Grade, Role, StoryPoint
from service.core.transfer_encoding.text_parts import quoted_printable_size
from service.text.i18n import Localizer
from service.text.quotations import find_quotations

MAX_STORY_BYTES = 14_000
MIN_SENTENCE_CHARACTERS = 60
MAX_HINT_CHARACTERS = 60  # a name


@dataclass(frozen=True, slots=True)
class SentenceView:
    """A sentence with its source; `url` leads to it on the publisher's page, "" without a link.

    `time` is that of publication, "" if unknown. `introduction` is shown before the sentence, "" if there is
    none or the same one is shown above. `hint` is the name that a pronoun of it stands for, "" if that is
    clear. `label` says what a caveat does ("Denied:"), "" for a point. `is_cut`: the text begins within a
    sentence of its article, so that themes show an ellipsis before it. `key` is the letter of its source, ""
    if all sentences of the story have the same one.
    """

    text: str
    source: str
    time: str
    url: str
    introduction: str = ""
    hint: str = ""
    label: str = ""
    is_cut: bool = False
    key: str = ""

    @property
    def plain(self) -> str:
        """The sentence as plain text, with its label, its hint and an ellipsis where it is cut."""
        hint = f"[{self.hint}]" if self.hint else ""
        return " ".join(part for part in (self.label, hint, "…" if self.is_cut else "", self.text) if part)


@dataclass(frozen=True, slots=True)
class PointView:
    """A key point with its caveats, which themes mark.

    `grade` is "" for a point, else that of a caveat that qualifies no single point: `context`, or `story` for
    those that stand last. `earlier` are the figures that its own outdates, with the source of each: "41"
    instead of a sentence.
    """

    line: SentenceView
    caveats: tuple[SentenceView, ...]
    earlier: tuple[SentenceView, ...] = ()
    grade: str = ""

    @property
    def context(self) -> tuple[SentenceView, ...]:
        """Nothing: themes that were made when points had context sentences still loop over them."""
        return ()


def view_points(
    points: Sequence[StoryPoint], at: datetime, localizer: Localizer, keys: Mapping[str, str]
) -> tuple[tuple[SentenceView, ...], tuple[PointView, ...]]:
    """Return the caveats of the headline, and the points with their caveats.

    A caveat whose point is missing becomes a point. Times have no date if it is that of `at`, the time under
    the headline. `keys` are the letters of the articles. Points of one list have their introduction once, and
    none if it is itself a point above.
    """
    longest = longest_sentence([text for point in points for text in (point.introduction, point.text)])
    headline: list[SentenceView] = []
    shown: dict[int, PointView] = {}
    introduced: set[tuple[str, str]] = set()
    for index, point in enumerate(points):
        key = point.article.id, point.introduction
        introduction = "" if key in introduced else _shown(point.article, point.introduction, longest)
        introduced |= {key, (point.article.id, point.text)}
        text = clean(point.text, longest)
        text = text if _is_code(point) else typographic(text, point.article.language)
        text = _quoted(text, localizer) if point.quoted else text
        sentence = replace(
            _view(point.article, point.text, text, at, localizer),
            introduction=introduction,
            hint=clean(point.hint, MAX_HINT_CHARACTERS),
            label=_label(point, localizer),
            is_cut=point.is_cut and not point.quoted,
            key=keys.get(point.article.id, ""),
        )
        owner = shown.get(point.qualifies) if point.qualifies is not None else None
        if point.is_of_headline:
            headline.append(sentence)
        elif owner and point.qualifies is not None:
            shown[point.qualifies] = replace(owner, caveats=(*owner.caveats, sentence))
        else:
            earlier = tuple(
                _view(one.article, one.sentence, _shown(one.article, one.text, longest), at, localizer)
                for one in point.earlier
            )
            grade = point.grade.value if point.role is Role.CAVEAT and point.qualifies is None else ""
            shown[index] = PointView(sentence, (), earlier, grade)
    return tuple(headline), tuple(shown.values())


def count_caveats(headline: Sequence[SentenceView], points: Sequence[PointView]) -> int:
    """Return the number of caveats of the headline, of points and of the story."""
    return len(headline) + sum(len(p.caveats) + (p.grade == Grade.STORY.value) for p in points)


def _label(point: StoryPoint, localizer: Localizer) -> str:
    """Return what is shown before a caveat: its kind, else that it is one."""
    if point.role is not Role.CAVEAT:
        return ""
    plain = "context" if point.grade is Grade.CONTEXT else "caveat"
    label = localizer.text(point.kind.value if point.kind else plain, n=1)
    return localizer.text("run_in", label=label)


def _view(article: Article, verbatim: str, text: str, at: datetime, localizer: Localizer) -> SentenceView:
    return SentenceView(
        text=text,
        source=clean(article.publisher, MAX_NAME_CHARACTERS),
        time=publication_label(article, at, localizer),
        url=sentence_link(article.url, verbatim),
    )


def _shown(article: Article, text: str, longest: int) -> str:
    return typographic(clean(text, longest), article.language)


def _is_code(point: StoryPoint) -> bool:
    """Return whether the point is from a preformatted block: code, or verse."""
    return any(
        block.kind is BlockKind.PREFORMATTED and block.start <= point.start < block.end
        for block in point.article.blocks
    )


def _quoted(text: str, localizer: Localizer) -> str:
    """Return the text in the reader's quotation marks, unless it is in marks of its own."""
    spans = find_quotations(text).spans
    return text if spans[:1] == ((0, len(text)),) else localizer.text("quoted", text=text)


def longest_sentence(sentences: Sequence[str], heaviest: int = MAX_STORY_BYTES) -> int:
    """Return the maximum length of a sentence, in characters; lower for a story of extreme size."""
    texts = [clean(text) for text in sentences]
    longest = MAX_SENTENCE_CHARACTERS
    while (
        longest > MIN_SENTENCE_CHARACTERS
        and sum(quoted_printable_size(shorten(t, longest)) for t in texts) > heaviest
    ):
        longest = longest * 4 // 5
    return longest
