"""Sentences: where each sentence of a text starts and ends (pure).

Rules rather than a learned model, so that a wrong cut has a reason that can be read and corrected. Every rule
reads a bounded number of characters before and after a mark: time is linear in the length of any text.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from service.text.languages import primary_language
from service.text.scripts import HAN, KANA, THAI_LAO_TIBETAN_KHMER

MAX_LOOK_BACK_CHARACTERS = 24  # before a mark; no abbreviation is longer
MAX_QUOTE_CHARACTERS = 240  # of a Japanese quotation inside a sentence
MAX_WRAPPED_LINE_CHARACTERS = 120  # a longer line is a paragraph of its own, not wrapped text
MIN_LINE_WORDS = 5  # a line of more words counts as a sentence where a text has no marks at all

_LINE_ENDS = "\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_INVISIBLE = "\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff"
_WIDE_CLOSERS = f"\"'”’»›)\\]}}」』】》〉）］{_INVISIBLE}"
# German closes with the quotation marks that English opens with.
_CLOSERS = f"“‘{_WIDE_CLOSERS}"
_OPENERS = f"\"'“‘‚„«‹(\\[{{「『【《〈（［¿¡–—•\\-{_INVISIBLE}"
_WIDE = "。！？｡؟۔।॥։።။។"
_HAN = KANA + HAN
# The pattern starts with one character class, which `re` finds fast. A run of marks is matched from its first
# character only and possessively, so that "...." takes linear time.
_MARK = re.compile(
    rf"[.!?…{_WIDE}](?:"
    rf"(?<=[.!?…])(?<![.!?…][.!?…])[.!?…]*+[{_CLOSERS}]*+(?:[ \u00a0\u202f][»›])?(?=\s|\Z)"
    rf"|(?P<wide>(?<=[{_WIDE}])(?<![{_WIDE}][{_WIDE}])[{_WIDE}]*+[{_WIDE_CLOSERS}]*+"
    rf"|(?<=[!?])(?<![.!?][!?])[!?]*+[{_WIDE_CLOSERS}]*+(?=[{_HAN}]))"
    rf"|(?P<glued>(?<=[^\W\dA-Z_][^\W\dA-Z_][.!?])[{_CLOSERS}]?(?=[^\W\da-z_])))"
)
_SPACE = re.compile(r"\s*+")
_AHEAD = re.compile(
    rf"\s*+(?P<open>[{_OPENERS}]*+)(?:(?<=[\"'”’])\s)?(?P<word>[^\W\d_]{{0,24}}(?:['’][^\W\d_]{{1,24}})?)(?P<rest>.?)"
)
_NAMES = re.compile(r"(?:[^\W\d_][\w.'’-]{0,24}[ \u00a0]){0,3}[^\W\d_]{1,24}")
_WHITE = re.compile(r"\s")
_HAN_SAID = re.compile(f"[{_HAN}]{{0,8}}?(?:说|說|问|問|表示|称|稱|道|指出)|[とってはがをにもでのなや]")
_FINAL = re.compile(rf"[.!?…{_WIDE}][{_CLOSERS}\s]*\Z")
_BULLET = re.compile(r"(?:[•‣▪●◦∙·*–—-]|\(?\d{1,2}[.)]|\(?[a-z]\))[ \t\u00a0]+")
_JOINTS = re.compile("[-'’]")
_DOTTED = re.compile(r"(?:[^\W\d_]{1,2}\.)+[^\W\d_]{1,2}")
_UNMARKED = re.compile(f"[{THAI_LAO_TIBETAN_KHMER}]")
_DOTS = frozenset(".…!?")
_QUOTES = frozenset("\"'“”‘’„«»‹›「『¿¡")
_BEFORE_WORD = "\"'“‘„«‹([{¿¡–—"
_TO_NEWLINES = str.maketrans(dict.fromkeys(_LINE_ENDS, "\n"))


class Sentence(NamedTuple):
    """A sentence of a text: `text[start:end]`, without white space around it."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class SentenceRules:
    """The rules of one language; abbreviations.toml explains each key."""

    never: frozenset[str]
    number: frozenset[str]
    may: frozenset[str]
    starters: frozenset[str]
    speech_verbs: frozenset[str]
    ordinal: bool

    def opens_sentence(self, word: str) -> bool:
        """Return whether the word (`It`, `It's`) starts more sentences than it follows abbreviations."""
        return word in self.starters or _JOINTS.split(word)[0] in self.starters

    def is_ordinary_word(self, token: str) -> bool:
        """Return whether `token` is clearly an ordinary word and no abbreviation (the fast path)."""
        return (
            len(token) > 2
            and token.isalpha()
            and token not in self.may
            and token not in self.never
            and (token.islower() or not (token.lower() in self.may or token.lower() in self.never))
        )


def split_sentences(text: str, language: str = "en") -> list[Sentence]:
    """Return the sentences of `text` in order, as disjoint spans; the text between them is in no sentence.

    A line without a final mark (a heading, a caption, a list of names) is no sentence, nor are the words
    after the last mark of a paragraph. If the whole text has no mark, every line of more than MIN_LINE_WORDS
    words is a sentence. `language` is a tag such as `pt-BR`; unknown ones get the common abbreviations.
    """
    return list(iter_sentences(text, language))


def iter_sentences(text: str, language: str = "en") -> Iterator[Sentence]:
    """Yield the sentences of `split_sentences`, each found when it is needed."""
    rules = rules_for(language)
    plain = _with_plain_newlines(text)
    marked = False
    for start, end in _blocks(plain, rules):
        for sentence in _in_block(plain, start, end, rules):
            marked = True
            yield sentence
    if not marked:
        for start, end in _blocks(plain, rules):
            if len(plain[start:end].split(None, MIN_LINE_WORDS)) > MIN_LINE_WORDS:
                yield Sentence(start, end)


def rules_for(language: str) -> SentenceRules:
    """Return the rules of a language tag."""
    return _rules(primary_language(language))


@cache
def _tables() -> dict[str, dict[str, str | bool]]:
    return tomllib.loads(Path(__file__).with_name("abbreviations.toml").read_text(encoding="utf-8"))


@cache
def _rules(language: str) -> SentenceRules:
    common, own = _tables()["any"], _tables().get(language, {})

    def words(key: str) -> frozenset[str]:
        return frozenset(f"{common.get(key, '')} {own.get(key, '')}".split())

    return SentenceRules(
        words("never"),
        words("number"),
        words("may"),
        words("starters"),
        words("said"),
        bool(own.get("ordinal")),
    )


def _with_plain_newlines(text: str) -> str:
    """Return the text, of the same length, with every kind of line end as a newline."""
    if "\r" in text:
        text = text.replace("\r", " " if "\n" in text else "\n")
    return text.translate(_TO_NEWLINES) if any(mark in text for mark in _LINE_ENDS) else text


def _blocks(text: str, rules: SentenceRules) -> Iterator[tuple[int, int]]:
    """Yield the paragraphs, headings and list items as spans, without white space and bullets around them.

    Adjacent lines are one block if their lengths and ends look like wrapped text.
    """
    for lines in _paragraphs(text):
        widest = max(end - start for start, end in lines)
        begin, last = lines[0]
        for start, end in lines[1:]:
            if _BULLET.match(text, start) or not _wraps(text, (begin, last), (start, end), widest, rules):
                yield _without_bullet(text, begin, last, rules)
                begin = start
            last = end
        yield _without_bullet(text, begin, last, rules)


def _paragraphs(text: str) -> Iterator[list[tuple[int, int]]]:
    """Yield the runs of lines between empty lines."""
    lines: list[tuple[int, int]] = []
    place = 0
    for line in text.split("\n"):
        bare = line.strip()
        if bare:
            start = place + line.index(bare[0])
            lines.append((start, start + len(bare)))
        elif lines:
            yield lines
            lines = []
        place += len(line) + 1
    if lines:
        yield lines


def _wraps(
    text: str, above: tuple[int, int], below: tuple[int, int], widest: int, rules: SentenceRules
) -> bool:
    """Return whether the line `below` continues the block `above`."""
    begin, last = above
    if _FINAL.search(text, max(begin, last - MAX_LOOK_BACK_CHARACTERS), last):
        token = _last_token(text, begin, last)
        return token.endswith(".") and _is_abbreviation(token[:-1], rules)
    if text[below[0]].islower():
        return True
    line = last - max(begin, text.rfind("\n", max(begin, last - MAX_WRAPPED_LINE_CHARACTERS), last) + 1)
    first_word = text[below[0] : min(below[1], below[0] + MAX_LOOK_BACK_CHARACTERS)].split(None, 1)[0]
    return widest <= MAX_WRAPPED_LINE_CHARACTERS and line + 1 + len(first_word) > widest


def _without_bullet(text: str, start: int, end: int, rules: SentenceRules) -> tuple[int, int]:
    bullet = _BULLET.match(text, start, end)
    if bullet is None or (rules.ordinal and "." in bullet[0]):
        return start, end
    return _skip(_SPACE, text, bullet.end(), end).end(), end


def _in_block(text: str, start: int, end: int, rules: SentenceRules) -> Iterator[Sentence]:
    """Yield the sentences of one block."""
    begin = start
    for mark in _MARK.finditer(text, start, end):
        first, last = mark.span()
        if first > begin and (last == end or _ends(text, begin, mark, end, rules)):
            yield Sentence(begin, last)
            begin = _skip(_SPACE, text, last, end).end()
    if end - begin >= MAX_LOOK_BACK_CHARACTERS and _UNMARKED.match(text, end - 1):
        yield Sentence(begin, end)


def _ends(text: str, begin: int, mark: re.Match[str], stop: int, rules: SentenceRules) -> bool:
    """Return whether a sentence that starts at `begin` ends with this mark."""
    first, last = mark.span()
    token = _last_token(text, begin, first)
    if text[first : last + 1] == ". " and text[last + 1].isupper() and rules.is_ordinary_word(token):
        return True
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
    is_number_of_item = token.isdigit() and len(token) == length <= 2
    return not is_number_of_item and _ends_after_stop(token.lstrip(_BEFORE_WORD), ahead, rules)


def _ends_after_stop(token: str, ahead: re.Match[str], rules: SentenceRules) -> bool:
    """Return whether a full stop after `token` ends the sentence, not only an abbreviation."""
    if ahead["rest"].isdigit() and not ahead["word"] and _is_in(token, rules.number):
        return False
    if not _is_abbreviation(token, rules):
        return True
    initial_follows = len(ahead["word"]) == 1 and ahead["rest"] == "."
    if initial_follows or _is_in(token, rules.never):
        return False
    return rules.opens_sentence(ahead["word"]) or ahead["open"][:1] in _QUOTES


def _is_abbreviation(token: str, rules: SentenceRules) -> bool:
    """Return whether a full stop after `token` may be part of an abbreviation."""
    if len(token) == 1 and token.lower() != token.upper():
        return True
    if rules.ordinal and len(token) <= 2 and token.isdigit():
        return True
    return _is_in(token, rules.never) or _is_in(token, rules.may) or _DOTTED.fullmatch(token) is not None


def _is_in(token: str, words: frozenset[str]) -> bool:
    if token not in words:
        token = _JOINTS.split(token)[-1]
    return token in words or (token[:1].isupper() and token.lower() in words)


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


def _last_token(text: str, begin: int, end: int) -> str:
    """Return the characters between the last white space and `end`, at most MAX_LOOK_BACK_CHARACTERS."""
    near = text[max(begin, end - MAX_LOOK_BACK_CHARACTERS) : end]
    space = near.rfind(" ")
    if not near.isascii() or "\n" in near or "\t" in near:
        tokens = _WHITE.split(near)
        return tokens[-1]
    return near[space + 1 :]


def _skip(pattern: re.Pattern[str], text: str, start: int, stop: int) -> re.Match[str]:
    found = pattern.match(text, start, stop)
    if found is None:
        raise AssertionError("a pattern that may be empty always matches")
    return found
