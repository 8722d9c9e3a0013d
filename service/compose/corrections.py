"""Corrections: the changes of a sent article that its subscribers should know (pure).

A sentence that was sent and is not in the article any more was changed or removed: that is a correction, and
so is a headline with other words. A comma, a capital, the name of the site behind a headline or a new
paragraph elsewhere is none. The old and the new words are shown verbatim.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from urllib.parse import urlsplit

from service.compose.ports import EditedArticle
from service.core.model import Article, Correction, Excerpt, SentenceChange
from service.text.blocks import plain_blocks
from service.text.scripts import IDEOGRAPH
from service.text.sentences import split_sentences

MIN_REPLACEMENT_SIMILARITY = 0.5  # of the words of two sentences, if one replaced the other
MIN_UNCHANGED_SHARE = 0.5  # of an article's sentences, if one was removed; below, it was rewritten
MIN_LENGTH_RATIO, MAX_LENGTH_RATIO = 0.5, 3.0  # beyond these, a teaser or another page replaced the article
MAX_SITE_NAMES = 2  # behind a headline: a section and the site
MAX_SITE_WORDS, MIN_HOST_LETTERS = 5, 3  # of the name of a site behind a headline, and found in its address
MAX_MATCHED_LETTERS = 120  # looked for in an issue; a theme may shorten longer sentences

_TOKEN = re.compile(
    r"(?<!\w)[-\u2212]?\d+(?:[.,:]\d+)*|[%‰+<>=$\u00a2-\u00a5\u20a0-\u20cf°]"
    r"|[^\s!-/:-@\[-`{-~\u00a1-\u00bf\u2000-\u206f\u3000-\u303f\u060c\u061b\u061f\u0964\u0965\u06d4]+"
    r"(?:['’-][^\W_]+)*"
)
_SENTENCE_ENDS = frozenset(".!?…。！？؟۔।\"'”’»)]）」』:：、•‣▪●◦∙·*-–—")

_SITE_SEPARATORS = (" | ", " – ", " — ", " - ", " · ", " • ", " :: ")

SentencePosition = tuple[tuple[str, ...], int, int]
"""Normalized words, start and end of a sentence."""


def find_correction(edited: EditedArticle) -> Correction | None:
    """Return the correction of an edit, None if nothing that was sent has changed."""
    first, current = edited.article.text, edited.edit.text
    if not MIN_LENGTH_RATIO * len(first) <= len(current) <= MAX_LENGTH_RATIO * len(first):
        return None
    missing = [excerpt for excerpt in _known_sentences(edited) if not _is_sentence_of(current, excerpt.text)]
    missing = [one for one in missing if one.edit or was_sent(one.text, edited.sent_texts)]
    changes = [*_headline_changes(edited)]
    if missing:
        language = edited.article.language
        after = _sentences(current, language)
        before = [words for words, _, _ in _sentences(first, language)]
        changes += _changes(missing, before, after, edited)
    return Correction(edited.article, edited.edit, tuple(changes)) if changes else None


def normalized_words(sentence: str) -> tuple[str, ...]:
    """Return the words, numbers, units and signs of a sentence, without case and punctuation."""
    folded = unicodedata.normalize("NFKC", sentence).casefold().replace("\u2212", "-")
    found: list[str] = []
    for token in _TOKEN.findall(folded):
        found += token if IDEOGRAPH.search(token) else [token]
    return tuple(found)


def headline_words(title: str, article: Article) -> tuple[str, ...]:
    """Return the normalized words of a title, without the name of the site or section behind it."""
    head = title
    for _ in range(MAX_SITE_NAMES):
        place, mark = max((head.rfind(mark), mark) for mark in _SITE_SEPARATORS)
        if place <= 0 or not _names_site(normalized_words(head[place + len(mark) :]), mark, article):
            break
        head = head[:place]
    return normalized_words(head) or normalized_words(title)


def _names_site(words: Sequence[str], mark: str, article: Article) -> bool:
    """Return whether these words behind a headline name its site; behind a bar, a few words always do."""
    if not words or len(words) > MAX_SITE_WORDS:
        return False
    publisher = normalized_words(article.publisher)
    host = "".join(normalized_words((urlsplit(article.url).hostname or "").removeprefix("www.")))
    own = "".join(words)
    is_named = set(words) <= set(publisher) or bool(publisher and set(publisher) <= set(words))
    return "|" in mark or is_named or (len(own) >= MIN_HOST_LETTERS and own in host)


def _headline_changes(edited: EditedArticle) -> Iterator[SentenceChange]:
    """Yield the change of the headline, if one with other words was sent."""
    known = Excerpt(edited.article.title, 0, len(edited.article.title), is_headline=True)
    for change in chain.from_iterable(edited.previous_changes):
        if change.current is not None and change.current.is_headline:
            known = change.current
    title, article = edited.edit.title, edited.article
    old, new = headline_words(known.text, article), headline_words(title, article)
    if old and new and old != new and (known.edit or was_sent(known.text, edited.sent_texts)):
        yield SentenceChange(known, Excerpt(title, 0, len(title), edited.edit.key, is_headline=True))


def _known_sentences(edited: EditedArticle) -> Sequence[Excerpt]:
    """Return the sentences that subscribers may know: those of the summary, as corrected since."""
    summary = edited.summary
    known = dict.fromkeys(Excerpt(point.text, point.start, point.end) for point in summary.key_points)
    for change in _previous_sentence_changes(edited):
        known.pop(change.sent, None)
        if change.current is not None:
            known[change.current] = None
    return tuple(known)


def _previous_sentence_changes(edited: EditedArticle) -> Iterator[SentenceChange]:
    changes = chain.from_iterable(edited.previous_changes)
    return (change for change in changes if not change.sent.is_headline)


def was_sent(sentence: str, sent_texts: Iterable[str]) -> bool:
    """Return whether an issue's text has the sentence, whatever line breaks and marks its theme adds."""
    letters = _letters(sentence)[:MAX_MATCHED_LETTERS]
    return any(letters in _letters(text) for text in sent_texts)


def _sentences(text: str, language: str) -> list[SentencePosition]:
    """Return the sentences of a text, and its lines without one: list items and table rows."""
    spans: list[tuple[int, int]] = [(start, end) for start, end in split_sentences(text, language)]
    ends = {end for _, end in spans}
    spans += [(block.start, block.end) for block in plain_blocks(text, language) if block.end not in ends]
    return [(normalized_words(text[start:end]), start, end) for start, end in sorted(spans)]


def _joined(sentences: Sequence[SentencePosition], count: int) -> Sequence[SentencePosition]:
    """Return each run of `count` sentences as one: a key point with a whole quotation has several."""
    if count <= 1:
        return sentences
    runs = (sentences[n : n + count] for n in range(len(sentences) - count + 1))
    return [(tuple(chain.from_iterable(w for w, _, _ in run)), run[0][1], run[-1][2]) for run in runs]


def _changes(
    missing: Sequence[Excerpt],
    before: Sequence[tuple[str, ...]],
    after: Sequence[SentencePosition],
    edited: EditedArticle,
) -> Iterator[SentenceChange]:
    """Yield the change of each missing sentence that was replaced or removed."""
    current = {words for words, _, _ in after}
    old = set(before) - {normalized_words(change.sent.text) for change in _previous_sentence_changes(edited)}
    new = [position for position in after if position[0] not in old]
    same_article = sum(words in current for words in before) >= MIN_UNCHANGED_SHARE * len(before)
    for excerpt in missing:
        words = normalized_words(excerpt.text)
        count = len(split_sentences(excerpt.text, edited.article.language))
        joined = _joined(after, count)
        if words in current or (count > 1 and any(words == other for other, _, _ in joined)):
            continue
        replacement = _most_similar(words, new if count <= 1 else joined)
        if replacement is not None:
            start, end = replacement
            yield SentenceChange(excerpt, Excerpt(edited.edit.text[start:end], start, end, edited.edit.key))
        elif same_article:
            yield SentenceChange(excerpt, None)


def _most_similar(words: tuple[str, ...], new: Sequence[SentencePosition]) -> tuple[int, int] | None:
    """Return start and end of the most similar new sentence, the first of equals; None if none is similar."""
    counts = Counter(words)
    best, place = 0.0, None
    for other, start, end in new:
        shared = (counts & Counter(other)).total()
        similarity = 2 * shared / (len(words) + len(other) or 1)
        if similarity >= MIN_REPLACEMENT_SIMILARITY and similarity > best:
            best, place = similarity, (start, end)
    return place


def _is_sentence_of(text: str, sentence: str) -> bool:
    """Return whether the text has exactly this sentence, not a longer one that contains it."""
    at = text.find(sentence)
    while at >= 0:
        ahead, behind = text[:at].rstrip(), text[at + len(sentence) :][:1]
        begins = not ahead or ahead[-1] in _SENTENCE_ENDS or "\n" in text[len(ahead) : at]
        # A full stop before a digit or a letter does not end a sentence: 3.5.
        if begins and not (sentence[-1:] == "." and behind.isalnum()):
            return True
        at = text.find(sentence, at + 1)
    return False


@lru_cache(maxsize=64)
def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))
