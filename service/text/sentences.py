"""Sentences: where each sentence of a text starts and ends (pure).

Rules rather than a learned model, so that a wrong cut has a reason that can be read and corrected. Every rule
reads a bounded number of characters before and after a mark: time is linear in the length of any text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from service.core.model import Block
from service.text.blocks import plain_blocks, with_plain_newlines
from service.text.marks import CLOSERS, OPENERS, WIDE_CLOSERS, WIDE_MARKS
from service.text.scripts import HAN, KANA, THAI_LAO_TIBETAN_KHMER
from service.text.sentence_rules import MAX_TOKEN_CHARACTERS, SentenceRules, is_listed, last_token, rules_for

MAX_QUOTE_CHARACTERS = 240  # of a Japanese quotation inside a sentence
MAX_PLACE_CHARACTERS = 30  # of a dateline's place with an abbreviation: "AUGUSTA, Me. — "
MIN_LINE_WORDS = 5  # a line of more words counts as a sentence where a text has no marks at all

_HAN = KANA + HAN
# The pattern starts with one character class, which `re` finds fast. A run of marks is matched from its first
# character only and possessively, so that "...." takes linear time.
_MARK = re.compile(
    rf"[.!?…{WIDE_MARKS}](?:"
    rf"(?<=[.!?…])(?<![.!?…][.!?…])[.!?…]*+[{CLOSERS}]*+(?:[ \u00a0\u202f][»›])?(?=\s|\Z)"
    rf"|(?P<wide>(?<=[{WIDE_MARKS}])(?<![{WIDE_MARKS}][{WIDE_MARKS}])[{WIDE_MARKS}!?]*+[{WIDE_CLOSERS}]*+"
    rf"|(?<=[!?])(?<![.!?][!?])[!?]*+[{WIDE_CLOSERS}]*+(?=[{_HAN}]))"
    rf"|(?P<glued>(?<=[^\W\dA-Z_][^\W\dA-Z_][.!?])[{CLOSERS}]?(?=[^\W\da-z_])))"
)
_SPACE = re.compile(r"\s*+")
_AHEAD = re.compile(
    rf"\s*+(?P<open>[{OPENERS}]*+)(?:(?<=[\"'”’–—―-])\s)?(?P<word>[^\W\d_]{{0,24}}(?:['’][^\W\d_]{{1,24}})?)(?P<rest>.?)"
)
_NAMES = re.compile(r"(?:[^\W\d_][\w.'’-]{0,24}[ \u00a0]){0,3}[^\W\d_]{1,24}")
_HAN_SAID = re.compile(f"[{_HAN}]{{0,8}}?(?:说|說|问|問|表示|称|稱|道|指出)|[とってはがをにもでのなや]")
_UNMARKED = re.compile(f"[{THAI_LAO_TIBETAN_KHMER}]")
_CLIPPED = re.compile(r"[B-DF-HJ-NP-TV-XZ][b-df-hj-np-tv-xz]{1,3}")
"""An abbreviation without a vowel, before a number: "Rm. 12", "Bd. 3"."""
_DOTS = frozenset(".…!?")
_QUOTES = frozenset("\"'“”‘’„«»‹›「『¿¡")
_DASHES = ("–", "—", "―", "--")
_BEFORE_WORD = "\"'“‘„«‹([{¿¡–—"


class Sentence(NamedTuple):
    """A sentence of a text: `text[start:end]`, without white space around it."""

    start: int
    end: int


_new_sentence = Sentence._make


def split_sentences(text: str, language: str = "en") -> list[Sentence]:
    """Return the sentences of `text` in order, as disjoint spans; the text between them is in no sentence.

    A line without a final mark (a heading, a caption, a list of names) is no sentence, nor are the words
    after the last mark of a paragraph. If the whole text has no mark, every line of more than MIN_LINE_WORDS
    words is a sentence. `language` is a tag such as `pt-BR`; unknown ones get the common abbreviations.
    """
    return list(iter_sentences(text, language))


def iter_sentences(text: str, language: str = "en") -> Iterator[Sentence]:
    """Yield the sentences of `split_sentences`, each found when it is needed."""
    blocks = plain_blocks(text, language)
    plain = with_plain_newlines(text)
    rules, marked = rules_for(language), False
    for block in blocks:
        for sentence in _in_block(plain, block.start, block.end, rules):
            marked = True
            yield sentence
    if not marked:
        for block in blocks:
            if len(plain[block.start : block.end].split(None, MIN_LINE_WORDS)) > MIN_LINE_WORDS:
                yield Sentence(block.start, block.end)


def sentences_of_block(text: str, block: Block, language: str = "en") -> Iterator[Sentence]:
    """Yield the sentences of one block of `text`; words after its last mark are in no sentence."""
    return _in_block(text, block.start, block.end, rules_for(language))


def _in_block(text: str, start: int, end: int, rules: SentenceRules) -> Iterator[Sentence]:
    """Yield the sentences of one block."""
    begin = start
    for mark in _MARK.finditer(text, start, end):
        first, last = mark.span()
        if first > begin and (last == end or _ends(text, begin, mark, end, rules)):
            yield _new_sentence((begin, last))
            begin = last + 1  # one space, or else any other white space
            if begin >= end or text[last] != " " or text[begin].isspace():
                begin = _skip(_SPACE, text, last, end).end()
    if end - begin >= MAX_TOKEN_CHARACTERS and _UNMARKED.match(text, end - 1):
        yield Sentence(begin, end)


def _ends(text: str, begin: int, mark: re.Match[str], stop: int, rules: SentenceRules) -> bool:
    """Return whether a sentence that starts at `begin` ends with this mark."""
    first, last = mark.span()
    token = last_token(text, begin, first)
    if text[first : last + 1] == ". " and text[last + 1].isupper() and rules.is_ordinary_word(token):
        return True  # so most sentences end
    if mark.lastgroup == "wide":
        return _ends_wide(text, begin, mark, stop)
    ahead = _skip(_AHEAD, text, last, stop)
    word = ahead["word"]
    if mark.lastgroup == "glued":
        return word in rules.starters or not (word[:1].isupper() or word[:1].islower())
    if (word[:1].islower() and ahead["open"][-1:] + word not in rules.starters) or (
        not word and ahead["rest"] in _DOTS
    ):
        return False
    return _ends_after(token, first - begin, mark[0], ahead, rules)


def _ends_after(token: str, length: int, marks: str, ahead: re.Match[str], rules: SentenceRules) -> bool:
    """Return whether `marks` end a sentence of `length` characters whose last token is `token`."""
    if marks[0] in "?!":
        return _QUOTES.isdisjoint(marks) or not _is_attributed(ahead, rules)
    if marks[0] == "…" or marks[1:2] in _DOTS:
        return token != "" or rules.opens_sentence(ahead["word"])
    if marks[1:] and marks[1] not in ")]":
        return True
    if length <= MAX_PLACE_CHARACTERS and token[:1].isupper() and ahead["open"].startswith(_DASHES):
        return False
    is_number_of_item = token.isdigit() and len(token) == length <= 2
    return not is_number_of_item and _ends_after_stop(token.lstrip(_BEFORE_WORD), ahead, rules)


def _ends_after_stop(token: str, ahead: re.Match[str], rules: SentenceRules) -> bool:
    """Return whether a full stop after `token` ends the sentence, not only an abbreviation."""
    is_before_number = ahead["rest"].isdigit() and not ahead["word"]
    if is_before_number and (is_listed(token, rules.number) or _CLIPPED.fullmatch(token)):
        return False
    if not rules.is_abbreviation(token):
        return True
    initial_follows = len(ahead["word"]) == 1 and ahead["rest"] == "."
    if initial_follows or is_listed(token, rules.never):
        return False
    return rules.opens_sentence(ahead["word"]) or ahead["open"][:1] in _QUOTES


def _ends_wide(text: str, begin: int, mark: re.Match[str], stop: int) -> bool:
    """Return whether a mark of a script without spaces ends the sentence.

    It does not inside 「 」, which Japanese embeds in a sentence, nor before the name of the person quoted.
    """
    back = max(begin, mark.start() - MAX_QUOTE_CHARACTERS)
    for opening, closing in ("「」", "『』"):
        if text.rfind(opening, back, mark.end()) > text.rfind(closing, back, mark.end()):
            return text.find(closing, mark.end(), min(stop, mark.end() + MAX_QUOTE_CHARACTERS)) < 0
    return mark[0][-1] not in "”」』" or _HAN_SAID.match(text, mark.end(), stop) is None


def _is_attributed(ahead: re.Match[str], rules: SentenceRules) -> bool:
    """Return whether a name and a verb of speech follow, as in `"Why?" John Smith asked.`."""
    names = _NAMES.match(ahead.string, ahead.start("word"), ahead.endpos)
    if names is None:
        return False
    words = names[0].split()
    return words[0] not in rules.starters and not rules.speech_verbs.isdisjoint(words)


def _skip(pattern: re.Pattern[str], text: str, start: int, stop: int) -> re.Match[str]:
    found = pattern.match(text, start, stop)
    if found is None:
        raise AssertionError("a pattern that may be empty always matches")
    return found
