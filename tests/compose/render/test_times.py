"""Only the time of publication is shown as such."""

from __future__ import annotations

from datetime import timedelta

from service.compose.render.times import newest_dated, publication_label
from service.text.i18n import localizer_for
from tests.builders import NOON, an_article

ENGLISH = localizer_for({"en": {}}, "en-GB", "Europe/Berlin")


def test_an_article_with_a_date_shows_its_local_time() -> None:
    assert publication_label(an_article(published_at=NOON - timedelta(hours=2)), NOON, ENGLISH) == "11:00"


def test_an_undated_article_shows_no_time() -> None:
    assert publication_label(an_article(published_at=None), NOON, ENGLISH) == ""


def test_a_date_without_an_hour_shows_the_day_as_written() -> None:
    midnight = NOON.replace(hour=0, minute=0)
    article = an_article(published_at=midnight, published_day_only=True)
    new_york = localizer_for({"en": {}}, "en-GB", "America/New_York")
    assert publication_label(article, NOON, ENGLISH) == publication_label(article, NOON, new_york)
    assert ":" not in publication_label(article, NOON, ENGLISH)
    assert str(midnight.day) in publication_label(article, NOON, ENGLISH)


def test_the_newest_article_is_the_newest_with_a_date() -> None:
    dated = an_article("dated", published_at=NOON - timedelta(hours=3))
    undated = an_article("undated", published_at=None, gathered_at=NOON)
    assert newest_dated([undated, dated]) is dated
    assert newest_dated([undated]) is undated
