"""PhraseMatcher: the words and phrases of a list that are found in a text (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from service.text.phrases.stemmed_text import StemmedText, acronym_of, split_words
from service.text.phrases.word_forms import fold, phrase_forms_of


@dataclass(frozen=True, slots=True)
class _Phrase:
    """A phrase as written, with the forms of each of its words."""

    text: str
    words: tuple[frozenset[str], ...]

    def starts_at(self, place: int, words: Sequence[frozenset[str]]) -> bool:
        """Return whether the phrase is in the text from the word at `place` on."""
        return len(words) - place >= len(self.words) and all(
            not own.isdisjoint(words[place + n]) for n, own in enumerate(self.words)
        )


class PhraseMatcher:
    """Finds words and phrases in texts: whole words in their inflected forms, in any case.

    A phrase of several words is found where they stand side by side, in its order and in one line. A phrase
    without accents also finds the spelling with them. A word of two to five capitals is an acronym: `WHO`
    does not find "who". In scripts without spaces between words a phrase is found in any place. A phrase
    without a letter or number finds nothing.

    A compound word is another word: "klima" does not find "Klimawandel".
    """

    def __init__(self, phrases: Sequence[str]) -> None:
        self.phrases = tuple(phrases)
        self._by_language: dict[str, Mapping[str, list[_Phrase]]] = {}

    def matches(self, text: str, language: str) -> tuple[str, ...]:
        """Return the phrases that are in the text, in the order of the list.

        `language` is the text's language tag, "" if unknown: then only equal words are found.
        """
        return self.found_in(StemmedText.of([(text, language)]))

    def found_in(self, text: StemmedText) -> tuple[str, ...]:
        """Return the phrases that are in the text, in the order of the list.

        For many lists and texts: the words of a text are read once, and a text without a word of the list
        costs one comparison of sets.
        """
        found: set[str] = set()
        for language in text.languages:
            by_first = self._phrases_by_first(language)
            if text.forms.isdisjoint(by_first):
                continue
            for place, word in enumerate(text.words):
                for form in word & by_first.keys():
                    found.update(p.text for p in by_first[form] if p.starts_at(place, text.words))
        return tuple(phrase for phrase in self.phrases if phrase in found)

    def _phrases_by_first(self, language: str) -> Mapping[str, list[_Phrase]]:
        """Return the phrases by each form of their first word."""
        if language not in self._by_language:
            by_first: dict[str, list[_Phrase]] = {}
            for text in self.phrases:
                words = tuple(_forms(word, language) for word in split_words(text))
                for form in words[0] if words else ():
                    by_first.setdefault(form, []).append(_Phrase(text, words))
            self._by_language[language] = by_first
        return self._by_language[language]


def _forms(word: str, language: str) -> frozenset[str]:
    """Return the forms to look for: of a word in two to five capitals only the acronym."""
    acronym = acronym_of(word) if word.isupper() else ""
    return frozenset({acronym}) if acronym else phrase_forms_of(fold(word), language)
