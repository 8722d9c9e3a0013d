"""A sentence that the headline repeats, and one that says more."""

from __future__ import annotations

import pytest

from service.condense.headline import repeats_headline
from service.text.lexicon import lexicon_for

TITLE = "Ferry line to Ostrel approved - Velmarsh Courier"


def repeats(sentence: str, title: str = TITLE, language: str = "en") -> bool:
    return repeats_headline(sentence, title, lexicon_for(language))


@pytest.mark.parametrize(
    "sentence", ["Ferry line to Ostrel approved Velmarsh Courier", "The ferry line to Ostrel was approved."]
)
def test_the_words_of_the_headline_repeat_it(sentence: str):
    assert repeats(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "The ferry line to Ostrel was not approved.",
        "The ferry line to Ostrel was approved for 240 passengers.",
        "The ferry line to Ostrel was approved, the harbour board said.",
        "The Courier was approved.",
        "",
    ],
)
def test_a_number_a_denial_or_other_words_say_more(sentence: str):
    assert not repeats(sentence)


def test_other_languages_are_compared_without_word_lists():
    assert repeats("オストレル行きフェリー路線が承認された。", "オストレル行きフェリー路線が承認", "ja")
    assert not repeats("フェリーは来年五月から週に三回運航する。", "オストレル行きフェリー路線が承認", "ja")


def test_without_a_headline_nothing_repeats_it():
    assert not repeats("The ferry line was approved.", "")
