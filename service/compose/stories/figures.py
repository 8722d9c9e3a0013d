"""Newest figures: which article of a story has the newest number, and which numbers it outdates (pure).

News of a disaster repeats its toll, which rises: "41 dead", later "at least 44". The newest one counts, and
the earlier ones are outdated. Only the first toll of each kind in an article is compared.

Another number is outdated by a newer sentence that says the same with another one: "12,000 homes lost power".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from service.compose.stories.tolls import KINDS, Toll, find_tolls, qualified_start
from service.core.model import Article, CondensedArticle, EarlierFigure
from service.text.lexicon import FLAG_BIT, lexicon_for, tokenize
from service.text.numbers import extract_numbers, parse_number
from service.text.similarity import SentenceFeatures, sentence_features

MAX_ARTICLES = 64  # of a story are compared, the newest ones
MAX_GROWTH_OUTSIDE_TITLE = 4  # a larger growth is believed only if the newer article's title has the toll
MAX_GROWTH_OF_OTHERS = 1.5  # beyond, the figures of two named speakers are a dispute and no update
OPENING_CHARACTERS = 2_000  # searched for the earlier figure, if the toll has fallen

_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_NUMBER = re.compile(r"\d[\d.,]*\d|\d|[^\W\d_]+")
_SAID = 1 << FLAG_BIT["say"]


@dataclass(frozen=True, slots=True)
class StatedToll:
    """The toll of one kind that an article states first.

    `text` are its words in a `sentence` of the key points, or in the title. `in_title`: the title has it.
    """

    article: Article
    kind: str
    value: int
    text: str
    sentence: str
    in_title: bool

    @property
    def earlier(self) -> EarlierFigure:
        """The toll as an outdated figure."""
        return EarlierFigure(self.text, self.article, self.sentence)


@dataclass(frozen=True, slots=True)
class NewestToll:
    """The newest toll of one kind in a story, and the outdated ones, the newest of them first."""

    newest: StatedToll
    outdated: tuple[StatedToll, ...]


def newest_tolls(articles: Sequence[CondensedArticle]) -> tuple[NewestToll, ...]:
    """Return the newest toll of each kind that has outdated ones, in the order of KINDS.

    Only a strictly newer article, with a time of its own, outdates another's toll. A toll that has fallen
    counts only if the newer article names the earlier figure too: else it may be a part of the whole.
    """
    recent = sorted(articles, key=lambda one: one.article.effective_published_at)[-MAX_ARTICLES:]
    stated = [toll for condensed in recent for toll in stated_tolls(condensed)]
    found = []
    for kind in KINDS:
        tolls = [toll for toll in stated if toll.kind == kind]
        outdating = [one for one in tolls if any(_outdates(one, other) for other in tolls)]
        if outdating:
            outdated = [one for one in tolls if any(_outdates(other, one) for other in outdating)]
            found.append(NewestToll(outdating[-1], tuple(reversed(outdated))))
    return tuple(found)


def leading_article(articles: Sequence[CondensedArticle], lead: CondensedArticle) -> CondensedArticle:
    """Return the article that leads the story: that with the newest toll if the one of `lead` is outdated.

    If the title of `lead` has a number of missing or injured people, and it knows of no dead, the newest
    later article leads whose title has their number.
    """
    for toll in newest_tolls(articles):
        if any(one.article.id == lead.article.id for one in toll.outdated):
            return next(one for one in articles if one.article.id == toll.newest.article.id)
    known = stated_tolls(lead)
    if any(one.kind == "dead" for one in known) or not any(one.in_title for one in known):
        return lead
    later = [one for one in articles if _is_newer(one.article, lead.article) and _has_dead_in_title(one)]
    return max(later, key=lambda one: one.article.effective_published_at, default=lead)


def _has_dead_in_title(condensed: CondensedArticle) -> bool:
    return any(one.kind == "dead" and one.in_title for one in stated_tolls(condensed))


def stated_tolls(condensed: CondensedArticle) -> Sequence[StatedToll]:
    """Return the first toll of each kind in the article's title and key points, in its words there.

    If a key point has the toll of the title as well, the words are those of the key point: a title often
    lacks the qualifier.
    """
    article = condensed.article
    points = sorted(condensed.summary.key_points, key=lambda point: point.start)
    found: dict[str, StatedToll] = {}
    for sentence, in_title in ((article.title, True), *((point.text, False) for point in points)):
        for toll in tolls_of(sentence, article):
            first, words = found.get(toll.kind), sentence[toll.start : toll.end]
            if first is None:
                found[toll.kind] = StatedToll(article, toll.kind, toll.value, words, sentence, in_title)
            elif first.sentence == article.title and first.value == toll.value:
                found[toll.kind] = replace(first, text=words, sentence=sentence)
    return tuple(found.values())


def tolls_of(sentence: str, article: Article) -> tuple[Toll, ...]:
    """Return the tolls in a sentence of an article, () if it names another year: that is history."""
    year = str(article.effective_published_at.year)
    return find_tolls(sentence, article.language) if set(_YEAR.findall(sentence)) <= {year} else ()


def earlier_figure(
    newer: tuple[Article, SentenceFeatures], older: tuple[Article, SentenceFeatures]
) -> EarlierFigure | None:
    """Return the figure of `older`, if the newer sentence says the same with another number; else None.

    The sentences are known to be similar. If both are somebody's words and each has a term that the other
    lacks, they may be the words of two: a dispute and no update.
    """
    (article, features), (other_article, others) = newer, older
    if not _is_newer(article, other_article) or features.negated != others.negated:
        return None
    if features.terms - others.terms and others.terms - features.terms:
        quoted = (_quotes(features.text, article), _quotes(others.text, other_article))
        if all(quoted):
            return None
    outdated = [
        number
        for what, number in others.counts.items()
        if features.counts.get(what, number) != number and number not in features.numbers
    ]
    words = _words_of(outdated[0], others.text, other_article.language) if len(outdated) == 1 else ""
    return EarlierFigure(words, other_article, others.text) if words else None


def _words_of(number: str, sentence: str, language: str) -> str:
    """Return the number with its qualifier as the sentence has it, "" if it is not there in digits once."""
    found = [match for match in _NUMBER.finditer(sentence) if parse_number(match[0]) == number]
    if len(found) != 1:
        return ""
    return sentence[qualified_start(sentence, found[0].start(), language) : found[0].end()]


def _is_newer(article: Article, other: Article) -> bool:
    is_later = article.effective_published_at > other.effective_published_at
    return article.published_at is not None and is_later


def _outdates(newer: StatedToll, older: StatedToll) -> bool:
    if not _is_newer(newer.article, older.article):
        return False
    if newer.value <= older.value:
        return newer.value < older.value and _names_number(newer.article, older.value)
    growth = newer.value / max(older.value, 1)
    is_believed = newer.in_title or growth <= MAX_GROWTH_OUTSIDE_TITLE
    return is_believed and not (growth > MAX_GROWTH_OF_OTHERS and _are_of_other_speakers(newer, older))


def _names_number(article: Article, number: int) -> bool:
    return str(number) in extract_numbers(f"{article.title} {article.text[:OPENING_CHARACTERS]}")


def _are_of_other_speakers(one: StatedToll, other: StatedToll) -> bool:
    """Return whether both sentences quote somebody, and have no name in common."""
    names = [sentence_features(toll.sentence, toll.article.language).names for toll in (one, other)]
    quoted = all(_quotes(toll.sentence, toll.article) for toll in (one, other))
    return quoted and bool(names[0] and names[1]) and names[0].isdisjoint(names[1])


def _quotes(sentence: str, article: Article) -> bool:
    """Return whether the sentence says that somebody said it."""
    lexicon = lexicon_for(article.language)
    return any(lexicon[token] & _SAID for token in tokenize(sentence))
