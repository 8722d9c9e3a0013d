"""Evidence: what keeps two articles apart, and what brings them together."""

from __future__ import annotations

from datetime import timedelta

import pytest

from service.compose.stories.index import StoryIndex
from service.core.model import Article
from tests.builders import NOON, an_article

QUAKE = "A quake of magnitude {} shook Ostrel at dawn. A tsunami warning was not issued in Velmarsh."


def report(title: str, text: str, publisher: str = "The Courier", hours: float = 0) -> Article:
    at = NOON + timedelta(hours=hours)
    return an_article(
        title,
        text,
        url=f"https://{publisher.lower().replace(' ', '-')}.example/{title}/{hours}",
        publisher=publisher,
        published_at=at,
        gathered_at=at,
    )


def meet(*articles: Article) -> bool:
    index = StoryIndex()
    return len({index.place(article) for article in articles}) == 1


def test_two_quakes_at_one_place_are_two_stories_whoever_reports_them():
    one = report("M 4.8 - Ostrel, Velmarsh", QUAKE.format("4.8"), "Quake Watch")
    assert not meet(one, report("M 4.6 - Ostrel, Velmarsh", QUAKE.format("4.6"), "Geo Service", hours=8))
    assert meet(one, report("M 4.8 - Ostrel, Velmarsh", QUAKE.format("4.8"), "Geo Service", hours=1))


@pytest.mark.parametrize("publisher", ["The Courier", "Harwick Post"])
def test_a_count_that_grows_does_not_divide_a_story(publisher: str):
    assert meet(
        report(
            "41 dead as dam bursts above Sellin",
            "A dam burst above Sellin in the Ruddock valley. 41 people died.",
        ),
        report(
            "Dam above Sellin: at least 44 dead",
            "At least 44 people died when a dam burst above Sellin in the Ruddock valley.",
            publisher,
            hours=8,
        ),
    )


def test_what_a_publisher_repeats_is_no_evidence():
    form = "Reported from Dunmore by the Tarn Herald desk in Belgor."
    items = [
        report("Baker wins prize", f"Ole Varga baked it. {form}", "Tarn Herald", 0),
        report("Bridge is closed", f"Engineers found cracks. {form}", "Tarn Herald", 9),
        report("School gets a roof", f"Parents paid half. {form}", "Tarn Herald", 18),
        report("Ferry runs late", f"Fog lay on the sound. {form}", "Tarn Herald", 27),
    ]
    index = StoryIndex()
    assert len({index.place(item) for item in items}) == len(items)


def test_short_items_with_a_common_place_but_nothing_else_are_two_stories():
    assert not meet(
        report(
            "Bicycle stolen in Harwick", "A bicycle was stolen outside the library in Harwick, police said."
        ),
        report(
            "Man fined in Harwick",
            "A man was fined for speeding near the market in Harwick, police said.",
            "Post",
        ),
    )


def test_short_items_days_apart_are_two_stories():
    one = report("Portline settles with Ostrel dockers", "Portline gave the dockers of Ostrel more money.")
    title, text = (
        "Cranes of Ostrel move again",
        "The strike of the dockers is over. Portline gave in at night.",
    )
    assert meet(one, report(title, text, "Harwick Post", hours=40))
    assert not meet(one, report(title, text, "Harwick Post", hours=50))


def test_parts_of_different_names_are_not_common_names():
    assert not meet(
        report(
            "Arsonist jailed",
            "A man was jailed for arson at Dunmore Crown Court, the clerk of the list said.",
        ),
        report(
            "Fraudster jailed",
            "A woman was jailed for fraud at Harwick Crown Court, the clerk of the list said.",
            "Post",
        ),
    )
