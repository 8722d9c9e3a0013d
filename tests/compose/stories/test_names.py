"""Names: words with a capital that no rule of writing demands."""

from __future__ import annotations

from service.compose.stories.names import Names, names_of
from service.compose.stories.words import words_of


def names(title: str, opening: str, language: str = "en") -> Names:
    return names_of(words_of(title), words_of(opening), language)


def test_a_capital_inside_a_sentence_makes_a_name():
    assert names("Envoys meet in Tarn", "They met Mira Voss.").certain == {"tarn", "mira", "voss"}


def test_a_word_at_the_start_of_a_sentence_may_be_a_name():
    found = names("", "Portline gave in. Workers cheered, other workers wept.")
    assert (found.certain, found.possible) == (frozenset(), {"portlin"})


def test_a_word_that_starts_two_sentences_and_is_never_small_is_a_name():
    assert names("Portline gives in", "Portline said so.").certain == {"portlin"}


def test_words_of_a_title_with_capitals_may_be_names_unless_the_text_writes_them_small():
    found = names("Helvar Profit Rises", "The profit rises again.")
    assert (found.certain, found.possible) == (frozenset(), {"helvar"})


def test_adjacent_names_are_a_group_and_a_mark_divides_them():
    found = names("", "A letter to Mira Voss, Tarn Rovers and the Dunmore Crown Court.")
    assert {("mira", "voss"), ("tarn", "rovers"), ("dunmore", "crown", "court")} <= found.groups


def test_a_german_noun_behind_its_article_is_no_name():
    found = names("", "Gestern hat das Landgericht in Hartwick den Fall an Rita Kohl verwiesen.", "de")
    assert found.certain == {"hartwic", "rita", "kohl"}
