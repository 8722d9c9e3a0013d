"""Invented news in languages without labelled articles: caveats are shown, look-alikes are not marked."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from service.condense.keypoints import KeyPoints
from service.core.model import Grade, KeyPoint, Role
from service.text.lexicon import has_cue_words
from tests.condense.test_invented import has

FOLDER = Path(__file__).with_name("invented")
LANGUAGES = ("ar", "pt", "it", "nl", "ru")
ARTICLES: dict[str, list[dict[str, Any]]] = {
    language: tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))["article"]
    for language in LANGUAGES
}
TALKS: dict[str, dict[str, str]] = tomllib.loads((FOLDER / "talks.toml").read_text(encoding="utf-8"))
MIN_SHOWN_IN_FIVE_LINES = 22  # of 25
MIN_SHOWN_IN_THREE_LINES = 10  # of 25; without cue words 1 to 4
MIN_MARKED = 3  # of 25; a mark must be certain


def key_points(article: dict[str, Any], language: str, points: int = 5) -> tuple[KeyPoint, ...]:
    return KeyPoints().summarize(article["text"].strip(), language=language, points=points).key_points


def shown_with_claim(language: str, points: int) -> list[str]:
    """Return the names of the articles whose caveat is shown with its claim."""
    names = []
    for article in ARTICLES[language]:
        texts = [point.text for point in key_points(article, language, points)]
        if all(any(has(text, words) for text in texts) for pair in article["caveats"] for words in pair):
            names.append(article["name"])
    return names


def marked(article: dict[str, Any], language: str) -> list[str]:
    """Return the sentences that readers see marked as caveats."""
    return [
        point.text
        for point in key_points(article, language)
        if point.role is Role.CAVEAT and point.grade is not Grade.CONTEXT
    ]


def is_caveat(text: str, article: dict[str, Any]) -> bool:
    return any(has(text, caveat) for _, caveat in article["caveats"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_25_articles_with_their_words_once(language: str):
    articles = ARTICLES[language]
    assert len({article["name"] for article in articles}) == 25
    assert sum(article.get("unseen", False) for article in articles) == 10
    for article in articles:
        for words in (*(words for pair in article["caveats"] for words in pair), *article["decoys"]):
            for either in words.split("|"):
                assert article["text"].count(either) == 1, (article["name"], either)


@pytest.mark.parametrize("language", LANGUAGES)
def test_claims_are_shown_with_their_caveats(language: str):
    assert len(shown_with_claim(language, 5)) >= MIN_SHOWN_IN_FIVE_LINES


@pytest.mark.parametrize("language", LANGUAGES)
def test_cue_words_keep_caveats_in_short_summaries(language: str):
    assert len(shown_with_claim(language, 3)) >= MIN_SHOWN_IN_THREE_LINES


@pytest.mark.parametrize("language", LANGUAGES)
def test_some_caveats_are_marked_and_no_other_sentence(language: str):
    found = [(article, text) for article in ARTICLES[language] for text in marked(article, language)]
    assert [(article["name"], text) for article, text in found if not is_caveat(text, article)] == []
    assert len(found) >= MIN_MARKED


@pytest.mark.parametrize("language", TALKS)
def test_an_agreement_is_shown_with_what_it_does_not_mean_in_every_language(language: str):
    assert has_cue_words(language)
    article = TALKS[language]
    texts = [point.text for point in key_points(article, language)]
    assert any(article["agreement"] in text for text in texts)
    assert any(article["caveat"] in text for text in texts)
    assert any(article["caveat"] in text for text in marked(article, language))
