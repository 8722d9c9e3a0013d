"""Self-service: what the preferences page offers."""

from __future__ import annotations

from service.app.self_service import SelfService
from service.core.model import Feed
from tests.builders import NOON, a_feed, a_newsletter
from tests.subscribers.rosters import a_roster
from tests.web.conftest import SITE


def a_self_service(*feeds: Feed) -> SelfService:
    roster = a_roster(feeds=feeds)
    return SelfService(SITE, roster, None, lambda: NOON)


def test_the_languages_of_a_newsletter_are_those_of_its_feeds_and_its_own():
    service = a_self_service(
        a_feed("https://a.example/f", language="fr-CA"),
        a_feed("https://b.example/f", language="nb"),
        a_feed("https://c.example/f", language=None),
        a_feed("https://d.example/f", language="de", topics=("sport",)),
        a_feed("https://e.example/f", language="es", topics=(), categories=(("news", "world"),)),
    )
    assert service.languages(a_newsletter(languages=("it",))) == ["en", "es", "fr", "it", "no"]
    assert service.languages(a_newsletter(topics=())) == ["de", "en", "es", "fr", "no"]


def test_the_topics_to_choose_from_include_those_of_categories():
    service = a_self_service(a_feed(topics=("world",), categories=(("sport", "sports"),)))
    assert {"world", "sports"} <= {*service.topics}
