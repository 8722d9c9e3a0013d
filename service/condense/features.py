"""Features: a table of named numbers for the sentences of an article, from one pass over its tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from service.text.lexicon import CUE_MASK, CUES, FLAG_BIT, FLAG_BITS, STEM_BITS, Lexicon, tokenize

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

SURFACE_FEATURES = (  # noqa: SIM905 - names read best as a line of words
    "lead early near_top deep length long short frequent central like_lead like_title echoes new_words "
    "shared names name_share numbers opens_quote quoted inside_quote question"
).split()
"""Features that need no word list."""
CUE_FEATURES = (  # noqa: SIM905
    "starts_pronoun starts_demonstrative starts_contrast starts_addition before_contrast answers contrast "
    "turn first second future modal day say negation denial false unsure explicit open reserve limit "
    "condition scope accuse accused claimref plan agree finding toll caution absolute reversal"
).split()
"""Features that count cue words; all 0 in a language without cue words."""
FEATURE_NAMES = (*SURFACE_FEATURES, *(f"cue_{name}" if name in CUES else name for name in CUE_FEATURES))
_CUE_ROWS = slice(FEATURE_NAMES.index("cue_contrast"), len(FEATURE_NAMES))
_CUE_BITS = np.array([FLAG_BIT[name.removeprefix("cue_")] for name in FEATURE_NAMES[_CUE_ROWS]])
_NEGATION, _MEANING = 1 << FLAG_BIT["negation"], 1 << FLAG_BIT["meaning"]
_LIMITED = 1 << FLAG_BIT["explicit"] | 1 << FLAG_BIT["scope"]
WORDS_AFTER_NEGATION, WORDS_BEFORE_NEGATION = 5, 2  # how far a negation reaches forward and backward
MAX_BYTE = 255
_FLAGS = (1 << FLAG_BITS) - 1
_PLACE_BITS = 63 - STEM_BITS
_PLACE_MASK = (1 << _PLACE_BITS) - 1
BLOCK_SENTENCES = 200  # compared with their own block and the one before it, so that time is linear


@dataclass(frozen=True, slots=True)
class ArticleFeatures:
    """The features of one article.

    `flag_counts` is sentences x flag bits, `opening_flags` the flags of the first two words of each sentence,
    `flags` those of the whole sentence as bits of one number, `table` sentences x FEATURE_NAMES. `terms` is a
    sparse matrix of sentences x terms as three arrays (row, column, weight) with rows of length 1.
    """

    flag_counts: IntArray
    flags: IntArray
    opening_flags: IntArray
    table: FloatArray
    word_counts: IntArray
    terms: tuple[IntArray, IntArray, FloatArray]

    def similarities(self, sentences: IntArray) -> FloatArray:
        """Return the cosine similarities of these sentences, 0 for a sentence with itself."""
        row, col, weight = self.terms
        place = np.full(len(self.word_counts), -1)
        place[sentences] = np.arange(len(sentences))
        mine = place[row] >= 0
        columns = col[mine]
        used = np.zeros(int(col.max(initial=0)) + 1, dtype=np.int64)
        used[columns] = 1
        at = used.cumsum() - 1
        dense = np.zeros((len(sentences), int(used.sum())))
        dense[place[row[mine]], at[columns]] = weight[mine]
        alike = dense @ dense.T
        alike.reshape(-1)[:: len(alike) + 1] = 0  # np.fill_diagonal takes several times as long
        return alike


def extract_features(sentences: Sequence[str], title: str, lexicon: Lexicon) -> ArticleFeatures:
    """Return the features of an article, given as its sentences (at least one)."""
    tokens = [tokenize(sentence) or ["."] for sentence in sentences]
    length = np.fromiter(map(len, tokens), dtype=np.int64, count=len(tokens))
    start = length.cumsum() - length
    code = np.fromiter(map(lexicon.__getitem__, chain.from_iterable(tokens)), np.int64, int(length.sum()))
    _apply_phrases(code, lexicon)
    if lexicon.has_cues:
        _apply_limits(code, start, length)
    bits = _unpack_flags(code)
    counts = _count_flags(bits, start, length)
    second = np.where(length > 1, code[np.minimum(start + 1, len(code) - 1)], 0)
    opening = _unpack_flags(code[start] | second).astype(np.int64)
    title_codes = map(lexicon.__getitem__, tokenize(title))
    title_stems = {int(one >> FLAG_BITS) for one in title_codes if one >> FLAG_BIT["term"] & 1}
    table = np.zeros((len(FEATURE_NAMES), len(start)))
    columns = dict(zip(FEATURE_NAMES, table, strict=True))
    _fill_position(columns, length)
    terms = _fill_terms(columns, code, bits[:, FLAG_BIT["term"]].astype(bool), length, title_stems)
    _fill_surface(columns, bits, counts, start, length)
    if lexicon.has_cues:
        _fill_cues(table, columns, counts, opening)
    flags = np.bitwise_or.reduceat(code, start) & _FLAGS
    return ArticleFeatures(counts, flags, opening, table.T, length, terms)


def _apply_phrases(codes: IntArray, lexicon: Lexicon) -> None:
    """Set the bits of each phrase on its first token and clear the cues of cancelled words, in place."""
    stems = codes >> FLAG_BITS
    pairs = stems[:-1] << STEM_BITS | stems[1:]
    starts = np.asarray(lexicon.phrase_starts)
    nearest = np.minimum(starts.searchsorted(pairs), len(starts) - 1)
    found = [
        (start, len(phrase), bits)
        for start in np.flatnonzero(starts[nearest] == pairs).tolist()
        for phrase, bits in lexicon.phrases.get(int(pairs[start]), ())
        if len(phrase) == 2 or tuple(stems[start : start + len(phrase)].tolist()) == phrase
    ]
    for start, length, bits in found:
        if not bits:
            codes[start : start + length] &= ~CUE_MASK
    for start, _, bits in found:
        codes[start] |= bits


def _apply_limits(codes: IntArray, start: IntArray, length: IntArray) -> None:
    """Set the bits of an explicit limit on each word of meaning that a negation of its sentence is near.

    "It does not in itself imply ..." says what something is not, in whatever words; most languages set the
    negation before the word, and some after it.
    """
    meanings = np.flatnonzero(codes & _MEANING)
    negations = np.flatnonzero(codes & _NEGATION)
    if not len(meanings) or not len(negations):
        return
    sentence = np.repeat(np.arange(len(start)), length)
    following = negations.searchsorted(meanings)
    for nearest, words in ((following - 1, WORDS_AFTER_NEGATION), (following, WORDS_BEFORE_NEGATION)):
        other = negations[np.minimum(np.maximum(nearest, 0), len(negations) - 1)]
        near = (np.abs(meanings - other) <= words) & (sentence[meanings] == sentence[other])
        codes[meanings[near]] |= _LIMITED


def _unpack_flags(code: IntArray) -> NDArray[np.uint8]:
    """Return 0 or 1 for each flag of each token, tokens x flags."""
    low = code.astype("<i8").view(np.uint8).reshape(-1, 8)[:, : FLAG_BITS // 8]
    return np.unpackbits(low, axis=1, bitorder="little")


def _count_flags(bits: NDArray[np.uint8], start: IntArray, length: IntArray) -> IntArray:
    """Return how many tokens of each sentence have each flag, sentences x flags."""
    if length.max() > MAX_BYTE:
        return np.add.reduceat(bits, start, axis=0, dtype=np.int64)
    by_eight = np.add.reduceat(bits.view(np.uint64), start, axis=0)  # each byte is a count of its own
    return by_eight.view(np.uint8).astype(np.int64)


def _fill_position(columns: dict[str, FloatArray], length: IntArray) -> None:
    index = np.arange(len(length))
    columns["lead"][0] = 1
    columns["early"][:] = np.exp(-index / 1.5)
    columns["near_top"][:] = np.exp(-index / 5)
    columns["deep"][:] = np.log1p(index)
    columns["length"][:] = np.log(length / (length.sum() / len(length)))
    # np.clip takes several times as long for so few numbers.
    columns["long"][:] = np.minimum(np.maximum((length - 35) / 20, 0), 2)
    columns["short"][:] = np.minimum(np.maximum((12 - length) / 12, 0), 1)


def _fill_terms(
    columns: dict[str, FloatArray],
    code: IntArray,
    is_term: BoolArray,
    length: IntArray,
    title_stems: set[int],
) -> tuple[IntArray, IntArray, FloatArray]:
    """Fill the features of the terms shared with the article, its lead and its title; return the terms."""
    n = len(length)
    place = np.repeat(np.arange(n) << STEM_BITS, length)[is_term]
    if not len(place):
        return place, place, place.astype(np.float64)
    cells = np.sort(place | code[is_term] >> FLAG_BITS)
    first = np.flatnonzero(_differs_from_previous(cells))
    cell, count = cells[first], np.concatenate([first[1:], [len(cells)]]) - first
    row = cell >> STEM_BITS
    stems, col = _numbered(cell & ((1 << STEM_BITS) - 1))
    total, spread = np.bincount(col, count), np.bincount(col)
    ahead = np.empty(len(stems), dtype=np.int64)
    ahead[col[::-1]] = row[::-1]
    lead = np.zeros(len(stems))
    lead[col[row == row[0]]] = count[row == row[0]]
    size = np.maximum(np.bincount(row, minlength=n), 1)
    norm = np.sqrt(np.maximum(np.bincount(row, count**2, n), 1))
    columns["frequent"][:] = np.bincount(row, np.log(total)[col], n) / size
    columns["central"][:] = np.bincount(row, count * total[col], n) / norm / np.sqrt(total @ total)
    columns["shared"][:] = np.bincount(row, spread[col] > 1, n) / size
    columns["new_words"][:] = np.log1p(np.bincount(row, ahead[col] == row, n))
    columns["like_lead"][:] = np.bincount(row, count * lead[col], n) / norm / norm[row[0]]
    columns["like_lead"][row[0]] = 0
    if title_stems:
        sought = np.fromiter(title_stems, dtype=np.int64)
        nearest = np.minimum(stems.searchsorted(sought), len(stems) - 1)
        titled = np.zeros(len(stems))
        titled[nearest[stems[nearest] == sought]] = 1
        columns["like_title"][:] = np.bincount(row, titled[col], n) / len(title_stems)
    several = spread[col] > 1
    weight = count / norm[row]
    columns["echoes"][:] = _max_earlier_similarity(row[several], col[several], weight[several], n)
    return row, col, weight


def _numbered(values: IntArray) -> tuple[IntArray, IntArray]:
    """Return the different values in order, and the place of each value among them.

    The values are stems. For so few numbers, np.unique and np.argsort take several times as long as np.sort.
    """
    with_places = np.sort(values << _PLACE_BITS | np.arange(len(values)))
    ordered = with_places >> _PLACE_BITS
    is_new = _differs_from_previous(ordered)
    places = np.empty(len(values), dtype=np.int64)
    places[with_places & _PLACE_MASK] = is_new.cumsum() - 1
    return ordered[is_new], places


def _differs_from_previous(ordered: IntArray) -> BoolArray:
    differs = np.ones(len(ordered), dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=differs[1:])
    return differs


def _max_earlier_similarity(row: IntArray, col: IntArray, weight: FloatArray, n: int) -> FloatArray:
    """Return the highest cosine of each sentence with an earlier one of its block or the block before."""
    echoes = np.zeros(n)
    for block in range(0, n, BLOCK_SENTENCES):
        first, last = max(0, block - BLOCK_SENTENCES), min(block + BLOCK_SENTENCES, n)
        inside = slice(*row.searchsorted((first, last)))
        terms = np.zeros(col.max(initial=0) + 1, dtype=np.int64)
        terms[col[inside]] = 1
        dense = np.zeros((last - first, int(terms.sum()) or 1), dtype=np.float32)
        dense[row[inside] - first, terms.cumsum()[col[inside]] - 1] = weight[inside]
        alike = dense[block - first :] @ dense.T
        is_earlier = np.arange(first, last) < np.arange(block, last)[:, None]
        echoes[block:last] = np.where(is_earlier, alike, 0).max(axis=1)
    return echoes


def _fill_surface(
    columns: dict[str, FloatArray],
    bits: NDArray[np.uint8],
    counts: IntArray,
    start: IntArray,
    length: IntArray,
) -> None:
    """Fill the features of capitals, digits, quotation marks and question marks."""
    names = counts[:, FLAG_BIT["name"]] - bits[start, FLAG_BIT["name"]]
    columns["names"][:] = np.log1p(names)
    columns["name_share"][:] = names / length
    columns["numbers"][:] = np.log1p(counts[:, FLAG_BIT["number"]])
    columns["question"][:] = counts[:, FLAG_BIT["question"]] > 0
    if not counts[:, [FLAG_BIT["opens"], FLAG_BIT["closes"]]].any():
        return
    opens, closes = bits[:, FLAG_BIT["opens"]].astype(np.int64), bits[:, FLAG_BIT["closes"]].astype(np.int64)
    columns["opens_quote"][:] = opens[start]
    depth = np.cumsum(opens) - np.cumsum(closes) + closes
    before = depth[start] - opens[start]
    depth -= np.repeat(before, length)
    lowest = np.minimum.reduceat(depth - closes, start)
    carried = lowest < 0
    columns["inside_quote"][:] = carried
    columns["quoted"][:] = (
        np.add.reduceat((depth + np.repeat(carried, length)) > 0, start, dtype=np.int64) / length
    )


def _fill_cues(
    table: FloatArray, columns: dict[str, FloatArray], counts: IntArray, opening: IntArray
) -> None:
    """Fill the features of cue words: at the start of a sentence, anywhere in it, and in answer to others."""
    for name in ("pronoun", "demonstrative", "addition"):
        columns[f"starts_{name}"][:] = opening[:, FLAG_BIT[name]]
    against = opening[:, FLAG_BIT["contrast"]] | opening[:, FLAG_BIT["turn"]]
    columns["starts_contrast"][:] = against
    columns["before_contrast"][:-1] = against[1:]
    table[_CUE_ROWS] = np.minimum(counts.take(_CUE_BITS, axis=1), 2).T
    accused = np.minimum(counts[:, FLAG_BIT["accuse"]].cumsum() - counts[:, FLAG_BIT["accuse"]], 1)
    replies = counts[:, FLAG_BIT["denial"]] + counts[:, FLAG_BIT["accused"]] + counts[:, FLAG_BIT["false"]]
    columns["answers"][:] = accused * np.minimum(replies, 1)
