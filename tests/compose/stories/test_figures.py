"""Newest tolls: the newest figure of a story leads, and what it outdates."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from service.compose.stories.figures import leading_article, newest_tolls, stated_tolls
from service.core.model import CondensedArticle
from tests.builders import NOON, an_article, condensed


def told(title: str, text: str, hours_ago: float, **changes: Any) -> CondensedArticle:
    """Return an article that was published that many hours ago, with all its sentences as key points."""
    at = NOON - timedelta(hours=hours_ago)
    times = {"published_at": at, "gathered_at": at + timedelta(minutes=5)}
    article = an_article(title, text=text, url=f"https://wire.example/{title}", **(times | changes))
    return condensed(
        article, *(f"{part.rstrip('.。')}{text[-1]}" for part in text[:-1].split(f"{text[-1]} "))
    )


EARLY = told(
    "Quake in Kessary kills 41", "A quake in Kessary killed at least 41 people. Schools are closed.", 6
)
LATE = told("Kessary quake: 44 dead", "The death toll rose to 44. Rescuers still search two villages.", 2)


def outdated(*articles: CondensedArticle) -> list[tuple[str, int, list[str]]]:
    """Return the kind and value of each newest toll, with the words of those that it outdates."""
    return [
        (toll.newest.kind, toll.newest.value, [one.text for one in toll.outdated])
        for toll in newest_tolls(articles)
    ]


def test_a_newer_toll_outdates_an_earlier_one_in_any_order():
    assert outdated(EARLY, LATE) == outdated(LATE, EARLY) == [("dead", 44, ["at least 41"])]


def test_a_toll_has_the_words_of_the_key_point_with_its_qualifier():
    (toll,) = stated_tolls(EARLY)

    assert (toll.text, toll.in_title) == ("at least 41", True)
    assert toll.sentence == "A quake in Kessary killed at least 41 people."


def test_the_latest_of_several_earlier_tolls_comes_first():
    first = told("Quake kills 12", "A quake in Kessary killed 12 people.", 9)

    assert outdated(first, LATE, EARLY) == [("dead", 44, ["at least 41", "12"])]


def test_a_number_of_an_older_article_never_outdates():
    late_and_lower = told("Quake kills 38", "A quake in Kessary killed 38 people.", 1)

    assert outdated(LATE, late_and_lower) == []
    assert outdated(EARLY, LATE, late_and_lower) == [("dead", 44, ["at least 41"])]


def test_equal_times_and_equal_numbers_outdate_nothing():
    same_time = told("Kessary quake: 44 dead", "The death toll rose to 44.", 6)
    same_number = told("Quake toll at 41", "The death toll stands at 41.", 2)

    assert outdated(EARLY, same_time) == outdated(EARLY, same_number) == []


def test_an_article_without_a_date_outdates_nothing():
    undated = told("Kessary quake: 44 dead", "The death toll rose to 44.", 2, published_at=None)

    assert outdated(EARLY, undated) == []


def test_the_injured_never_outdate_the_dead():
    injured = told("Kessary quake: 44 injured", "In all 44 people were injured.", 2)

    assert outdated(EARLY, injured) == []


def test_a_toll_that_falls_counts_if_the_newer_article_names_the_earlier_one():
    part = told("Three children among the victims", "The quake killed three children.", 2)
    revised = told("Kessary toll revised", "The death toll was lowered to 38 from 41.", 2)

    assert outdated(EARLY, part) == []
    assert outdated(EARLY, revised) == [("dead", 38, ["at least 41"])]


def test_the_toll_of_another_year_is_history():
    history = told("Why Kessary shakes", "A quake in 1999 killed 90 people in the region.", 2)

    assert outdated(EARLY, history) == []


def test_a_large_growth_is_believed_in_a_title_only():
    text = "The quake killed 300 people."

    assert outdated(EARLY, told("Rescue goes on", text, 2)) == []
    assert outdated(EARLY, told("Quake kills 300", text, 2)) == [("dead", 300, ["at least 41"])]


def test_figures_of_two_speakers_are_a_dispute():
    army = told("Clash at Tarn", "The army of Oltmark said that 12 people were killed.", 4)
    rebels = told("Clash at Tarn again", "The Free Vellers said that 40 people were killed.", 2)

    assert outdated(army, rebels) == []


@pytest.mark.parametrize(
    ("language", "early", "late"),
    [
        ("de", "Bei dem Beben starben mindestens 41 Menschen.", "Die Zahl der Toten stieg auf 44."),
        ("fr", "Le séisme a fait au moins 41 morts.", "Au moins 44 personnes ont été tuées."),
        ("ru", "Погибли не менее 41 человек.", "Число погибших выросло до 44."),
        ("ar", "أدى الزلزال إلى مقتل 41 شخصا.", "ارتفعت حصيلة القتلى إلى 44."),
        ("zh", "地震造成至少41人死亡。", "死亡人数升至44人。"),
    ],
)
def test_tolls_of_other_languages(language: str, early: str, late: str):
    articles = [told(str(hours), text, hours, language=language) for text, hours in ((early, 6), (late, 2))]
    (toll,) = newest_tolls(articles)

    assert (toll.newest.value, [one.value for one in toll.outdated]) == (44, [41])


def test_the_article_with_the_newest_toll_leads():
    plain = told("What is known of Kessary", "Rescuers search two villages.", 4)

    assert leading_article([EARLY, LATE], EARLY) is LATE
    assert leading_article([EARLY, LATE], LATE) is LATE
    assert leading_article([EARLY, plain, LATE], plain) is plain
    assert leading_article([EARLY, plain], EARLY) is EARLY


def test_a_later_title_with_the_dead_leads_an_article_that_knows_of_none():
    search = told("60 missing after ferry sinks", "A ferry sank off Kalmara with 212 people.", 6)
    found = told("Ferry toll rises to 31", "Divers recovered 31 bodies.", 1)

    assert leading_article([search, found], search) is found
    assert leading_article([search, found, LATE], search) is found
    assert leading_article([search, found], found) is found
