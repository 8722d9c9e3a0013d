"""What a publisher adds to articles is told from news, in any language."""

from __future__ import annotations

import pytest

from service.text.furniture.rules import (
    MAX_LINE_CHARACTERS,
    addresses_reader,
    is_furniture,
    is_notice_of_move,
    leads_elsewhere,
    outside_quotations,
)
from tests.text.furniture.lines import known_lines

LINES = [*known_lines("lines.txt"), *known_lines("later_lines.txt")]


def decided(*, furniture: bool) -> list[str]:
    """Return the lines that the rules should take for furniture, or for news."""
    return [line.text for line in LINES if (line.is_furniture != line.is_mistaken) == furniture]


@pytest.mark.parametrize("line", decided(furniture=True))
def test_a_line_that_publishers_add_is_furniture(line: str):
    assert is_furniture(line)


@pytest.mark.parametrize("line", decided(furniture=False))
def test_a_sentence_of_news_that_looks_like_it_is_not(line: str):
    assert not is_furniture(line)


def test_the_lines_are_many_in_many_languages_and_few_are_mistaken():
    furniture = [line for line in LINES if line.is_furniture]
    news = [line for line in LINES if not line.is_furniture]
    assert min(len(furniture), len(news)) >= 250
    assert min(len({line.language for line in part}) for part in (furniture, news)) >= 12
    assert sum(line.is_mistaken for line in furniture) <= 0.05 * len(furniture)
    assert sum(line.is_mistaken for line in news) <= 0.01 * len(news)


def test_what_is_quoted_is_never_furniture():
    assert is_furniture("Download our app today.")
    assert not is_furniture("“Download our app today.”")
    assert not is_furniture("The mail said: „Laden Sie jetzt unsere App herunter“.")


def test_a_line_without_words_is_furniture():
    assert is_furniture("* * *")
    assert is_furniture("—")


def test_a_long_line_is_text():
    assert not is_furniture("Download our app today. " * (MAX_LINE_CHARACTERS // 20))


def test_quotations_are_blanked_and_the_text_keeps_its_length():
    assert outside_quotations("He said “no” twice.") == "He said      twice."
    assert outside_quotations("He said “no twice.") == "He said           "
    assert outside_quotations("no” twice.") == "    twice."


@pytest.mark.parametrize(
    "heading", ["Read also", "Related articles", "Lire aussi :", "Mehr zum Thema", "関連記事"]
)
def test_a_heading_that_announces_links_leads_elsewhere(heading: str):
    assert leads_elsewhere(heading)


@pytest.mark.parametrize(
    "heading", ["What happened", "The new rules", "Related charges dropped", "Chronologie"]
)
def test_a_heading_of_the_article_does_not(heading: str):
    assert not leads_elsewhere(heading)


def test_a_sentence_in_the_second_person_speaks_to_the_reader():
    assert addresses_reader("I will be with you until noon.")
    assert not addresses_reader("The ferry leaves at noon.")


@pytest.mark.parametrize(
    "title", ["We have moved", "This feed has moved", "Wir sind umgezogen", "Nous avons déménagé"]
)
def test_a_title_that_only_tells_a_new_address_is_a_notice(title: str):
    assert is_notice_of_move(title)


@pytest.mark.parametrize(
    "title", ["The museum has moved", "Ferry moved to pier 4", "Photos: storm hits Tarn"]
)
def test_a_headline_about_a_move_is_none(title: str):
    assert not is_notice_of_move(title)
