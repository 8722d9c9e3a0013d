"""A page contains a feed's text when it has its words in their order, but for single ones."""

from __future__ import annotations

from service.gather.pages.word_runs import contains, words_of

FIRST = "The council of Ostrava voted on Monday to rebuild the old bridge across the river."
SECOND = "The mayor called it a careful decision, and said that work begins in spring."
THIRD = "Opponents say that the cost was never discussed in public before the vote."


def test_a_page_contains_a_text_when_single_words_differ_and_not_when_a_sentence_is_missing():
    page = words_of(f"{FIRST} {SECOND} {THIRD}")

    assert contains(page, words_of(f"{FIRST} {SECOND}"))
    assert contains(page, words_of(f"{FIRST} {SECOND.replace('careful ', 'very careful ')} {THIRD}"))
    assert not contains(page, words_of(f"{FIRST} A ferry carries people until then. {SECOND} {THIRD}"))
    assert contains(words_of("港は火曜日に新しい規則を承認した。"), words_of("港は火曜日に、新しい規則を"))
