"""Words of titles and openings: sentences, marks, dates and scripts without spaces."""

from __future__ import annotations

from service.compose.stories.words import plain_terms, without_dates, words_of


def kept(text: str, language: str) -> list[str]:
    return [word.text for word in without_dates(words_of(text), language)]


def test_a_word_knows_whether_it_begins_a_sentence_and_stands_apart():
    words = {word.text: word for word in words_of("He left. Then Rita, his aunt,\nBo and (Ole) came.")}
    assert [text for text, word in words.items() if word.begins] == ["He", "Then", "Bo"]
    assert [text for text, word in words.items() if word.apart] == ["He", "Then", "his", "Bo", "Ole", "came"]


def test_a_date_is_left_out_in_every_language():
    assert kept("Court list: Sunday, 29 November 2026", "en") == ["Court", "list"]
    assert kept("La météo : dimanche 29 novembre 2026", "fr") == ["La", "météo"]
    assert kept("Gericht am Sonntag, 29. November 2026", "de") == ["Gericht", "am"]


def test_a_number_without_a_month_is_kept_and_so_is_a_word_that_looks_like_a_month():
    assert kept("We may march for 29 days", "en") == ["We", "may", "march", "for", "29", "days"]


def test_unspaced_scripts_give_bigrams():
    assert list(plain_terms("央行下调 5 rates")) == ["央行", "行下", "下调", "rates"]


def test_spellings_of_one_word_are_one_term():
    assert list(plain_terms("إيران أعلنت الهُدنة")) == list(plain_terms("ايران اعلنت الهدنة"))
    assert list(plain_terms("Королёв")) == list(plain_terms("Королев"))
