"""References: what each candidate leans on, and how it can be shown so that it is understood (pure)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple, overload

from typing_extensions import override

from service.condense.block_reading import Candidate
from service.core.model import TextSpan
from service.text.references.datelines import dateline_end
from service.text.references.leaning import NOTHING, Leaning, SentenceReader, may_end_question
from service.text.references.names import bare_name
from service.text.references.persons import NamedPerson, persons_named
from service.text.references.pronouns import PERSONAL, is_personal, quotations_of, speaks
from service.text.references.words import PRONOUN, ReferenceWords, TokenClass, reference_words

MAX_GAP_CHARACTERS = 60  # between a candidate and the one before it; more is a part that is no candidate
MAX_HINT_DISTANCE = 3  # sentences from a pronoun to the name

_OTHER_GENDER = {TokenClass.HE: TokenClass.FEMALE, TokenClass.SHE: TokenClass.MALE}
_NO_NAME = re.compile(r"[^\w\s.'’-]|\.\w{2}")
_TOKEN = re.compile(r"\S+")
_FIRST_WORD = re.compile(r"[–—―\s-]{0,6}(?P<word>[^\W\d_]\S{0,40})")
_UNSEEN_PART = re.compile(r"[^\W_]")


class Reference(NamedTuple):
    """How a candidate that leans on what stands before it can be shown.

    `antecedent` is the place of the candidate just before it in the text, which makes it clear when it stands
    directly above; -1 without one. `hint` is the part of the text that names what its pronoun means, or who
    speaks; None if that is not sure. `trimmed_start` is where it starts without its dateline, and without its
    connective if nothing else in it leans on anything; else it is the candidate's start. `needs_antecedent`
    says that a pronoun or a speaker leans; else it is clear below any sentence on its subject: "The deal".
    """

    antecedent: int
    hint: TextSpan | None
    trimmed_start: int
    needs_antecedent: bool = True


def find_references(text: str, candidates: Sequence[Candidate], language: str) -> References:
    """Return the reference of each candidate of a text, in its order; None for one that stands alone.

    In a language without reference words, only datelines are found.
    """
    return References(text, candidates, reference_words(language))


class References(Sequence["Reference | None"]):
    """The references of the candidates of one text. Each is found when it is asked for: few ever are."""

    def __init__(self, text: str, candidates: Sequence[Candidate], words: ReferenceWords | None) -> None:
        self._candidates = candidates
        self._found: dict[int, Reference | None] = {}
        self._text = text
        self._finder = _Finder(text, candidates, words) if words is not None and candidates else None

    @override
    def __len__(self) -> int:
        return len(self._candidates)

    @overload
    def __getitem__(self, place: int) -> Reference | None: ...
    @overload
    def __getitem__(self, place: slice) -> list[Reference | None]: ...
    @override
    def __getitem__(self, place: int | slice) -> Reference | list[Reference | None] | None:
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        if place not in self._found:
            self._found[place] = self._find(range(len(self))[place])
        return self._found[place]

    def _find(self, place: int) -> Reference | None:
        candidate = self._candidates[place]
        start = dateline_end(self._text, candidate.start, candidate.end, is_first=place == 0)
        reference = self._finder.find(place, start) if self._finder is not None else None
        if reference is None and start > candidate.start:
            return Reference(-1, None, start)
        return reference


class _Finder:
    """Finds what the candidates of one text lean on."""

    def __init__(self, text: str, candidates: Sequence[Candidate], words: ReferenceWords) -> None:
        self._text = text
        self._candidates = candidates
        self._words = words
        lead = text[candidates[0].start : candidates[0].end].split()
        self._reader = SentenceReader(text, words, lead)
        self._read: dict[int, tuple[list[str], list[int]]] = {}
        self._begins_small = text[candidates[0].start : candidates[0].start + 1].islower()

    def find(self, place: int, start: int) -> Reference | None:
        """Return the reference of a candidate whose words begin at `start`, behind its dateline."""
        candidate = self._candidates[place]
        if candidate.introduction is not None:
            return None
        tokens = self._text[start : candidate.end].split()
        if self._goes_on(place, start) or self._is_answer(place, tokens):
            return Reference(place - 1 if self._follows_directly(place) else -1, None, candidate.start)
        if place:
            before = partial(self._tokens, place - 1) if self._follows_directly(place) else list[str]
            leaning = self._reader.read(tokens, before)
        else:
            leaning = self._reader.read_first(tokens)
        if candidate.quoted and leaning is NOTHING:
            leaning = Leaning(speaker=True)
        if not leaning.leans:
            return None
        antecedent = place - 1 if self._is_clear_below(place, tokens, leaning) else -1
        hint = self._hint(place, tokens, leaning) if leaning.only_person else None
        if leaning.only_link:
            start = _token_spans(self._text, start, candidate.end)[leaning.link_end].start
        trimmed_start = start if leaning.only_link else candidate.start
        needs_antecedent = leaning.pronoun >= 0 or leaning.speaker
        return Reference(antecedent, hint, trimmed_start, needs_antecedent)

    def _goes_on(self, place: int, start: int) -> bool:
        """Return whether a candidate, in small letters, is the rest of a sentence that was cut.

        That shows nothing in a text whose first sentence begins so, nor of a name like "iPhone" or "al-Bakr".
        """
        if (
            not place
            or self._text[start : start + 1].isupper()
            or self._begins_small
            or self._text[start - 1] == "\n"
        ):
            return False
        first = _FIRST_WORD.match(self._text, start, self._candidates[place].end)
        return first is not None and first["word"].islower()

    def _is_answer(self, place: int, tokens: Sequence[str]) -> bool:
        """Return whether a candidate answers the question before it in its paragraph."""
        if not place:
            return False
        before = self._candidates[place - 1]
        if not may_end_question(self._text[before.end - 1]):  # the usual case, in little time
            return False
        if "\n" in self._text[before.end : self._candidates[place].start]:
            return False
        return self._reader.is_answer(tokens, self._tokens(place - 1)[-1])

    def _is_clear_below(self, place: int, tokens: Sequence[str], leaning: Leaning) -> bool:
        """Return whether the candidate is clear directly below the one before it in the text."""
        if not self._follows_directly(place):
            return False
        codes = self._reader.codes_of(tokens)
        if leaning.pronoun < 0 or not is_personal(codes, leaning.pronoun):
            return True
        if codes[0] & TokenClass.ASKED:  # "Asked whether he knew, Holm": of a third person
            return False
        person = TokenClass.PERSON | TokenClass.TITLE | PERSONAL
        return any(
            code & person
            or (number and code & TokenClass.NAME and not code & (TokenClass.GROUP | TokenClass.TIME))
            for number, code in enumerate(self._codes(place - 1))
        )

    def _follows_directly(self, place: int) -> bool:
        """Return whether nothing but marks stands between a candidate and the one before it."""
        if place == 0 or not self._candidates[place - 1].shown:
            return False
        end, start = self._candidates[place - 1].end, self._candidates[place].start
        if not 0 <= start - end <= MAX_GAP_CHARACTERS:
            return False
        return self._text[end:start].isspace() or not _UNSEEN_PART.search(self._text, end, start)

    def _tokens(self, place: int) -> list[str]:
        return self._tokens_and_codes(place)[0]

    def _codes(self, place: int) -> list[int]:
        return self._tokens_and_codes(place)[1]

    def _tokens_and_codes(self, place: int) -> tuple[list[str], list[int]]:
        """Return the tokens of a candidate and their classes; several others look at one."""
        if place not in self._read:
            tokens = self._text[self._candidates[place].start : self._candidates[place].end].split()
            self._read[place] = tokens, self._reader.codes_of(tokens)
        return self._read[place]

    def _hint(self, place: int, tokens: Sequence[str], leaning: Leaning) -> TextSpan | None:
        """Return the name of the only person in the sentences before that a pronoun or quotation can mean."""
        codes = [self._words[token] for token in tokens]
        kinds = codes[leaning.pronoun] & PRONOUN if leaning.pronoun >= 0 else 0
        if kinds and is_personal(codes, leaning.pronoun):
            kinds &= PERSONAL
        quotations = quotations_of(codes)
        is_unsure = kinds and codes[leaning.pronoun] & TokenClass.THAT  # "celui-ci" means the later of two
        is_unsure = is_unsure or codes[0] & TokenClass.ASKED
        is_quoted = kinds and quotations and quotations[leaning.pronoun] >= 0
        if kinds & ~PERSONAL or is_unsure or is_quoted:
            return None
        for before in range(place - 1, max(-1, place - 1 - MAX_HINT_DISTANCE), -1):
            if not self._follows_directly(before + 1):
                return None
            said = self._tokens(before)
            said_codes = self._codes(before)
            if kinds and any(code & PERSONAL and not code & kinds for code in said_codes):
                return None
            persons = persons_named(said, said_codes, self._reader.names)
            if persons:
                is_free = not _mentions_another(said_codes, persons[0].first, is_speech=not kinds)
                return self._name_of(before, persons, kinds, tokens) if is_free else None
            if not any(code & PERSONAL for code in said_codes):
                return None
            kinds = kinds or next(code & PERSONAL for code in said_codes if code & PERSONAL)
        return None

    def _name_of(
        self, place: int, persons: Sequence[NamedPerson], kinds: int, tokens: Sequence[str]
    ) -> TextSpan | None:
        """Return the words that name the only person of a sentence, if they fit the pronoun."""
        person = persons[0]
        if len(persons) > 1 or person.first < 0 or not person.is_sure:
            return None
        if person.gender == _OTHER_GENDER.get(kinds, -1) if kinds else not person.speaks:
            return None
        candidate = self._candidates[place]
        spans = _token_spans(self._text, candidate.start, candidate.end)[person.first : person.last + 1]
        names = [bare_name(self._text[start:end]) for start, end in spans]
        if names[-1] in map(bare_name, tokens):
            return None
        is_short = len(names) == 1 or self._reader.names.stands_alone(names[-1], names[-2])
        first = -1 if is_short else 0
        start = self._text.index(names[first], spans[first].start)
        end = self._text.index(names[-1], spans[-1].start) + len(names[-1])
        return None if _NO_NAME.search(self._text, start, end) else TextSpan(start, end)


def _token_spans(text: str, start: int, end: int) -> list[TextSpan]:
    return [TextSpan(*found.span()) for found in _TOKEN.finditer(text, start, end)]


def _mentions_another(codes: Sequence[int], name: int, *, is_speech: bool) -> bool:
    """Return whether a pronoun may mean another person than the one whose name stands in the sentence before.

    That is so after a question, after a pronoun that is an object ("Holm replaced her"), and if a pronoun
    stands before the name ("He said Holm left") or, for a speaker, beside a verb of speech.
    """
    if any(code & TokenClass.ASKED for code in codes):
        return True
    pronouns = [place for place, code in enumerate(codes) if code & PERSONAL]
    if is_speech and any(speaks(codes, place) for place in pronouns):
        return True
    if any(codes[place] & TokenClass.OBJECT and not _determines(codes, place) for place in pronouns):
        return True
    before = name - 1
    while before > 0 and codes[before] & TokenClass.TITLE:
        before -= 1
    is_named_late = name > 0 and not codes[before] & TokenClass.COMMA
    return is_named_late and bool(pronouns) and pronouns[0] < name


def _determines(codes: Sequence[int], place: int) -> bool:
    """Return whether a pronoun stands before its noun: "her roof", but not "replaced her"."""
    is_last = place + 1 == len(codes) or codes[place] & TokenClass.COMMA
    return not is_last and codes[place + 1] & (TokenClass.NOUN | TokenClass.PERSON) > 0
