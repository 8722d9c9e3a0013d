"""Main claim: a story begins with what its headline says, and repetitions give way to caveats."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from service.compose.stories.merging.merge import merge_key_points
from service.compose.stories.shortening import first_points
from service.core.model import CaveatKind, CondensedArticle, Grade
from tests.builders import NOON
from tests.compose.stories.merging.test_grades import HE_ADDED, Line, story, texts, tied, told

TOLL = "At least 14 people died when the ferry Santa Irena capsized off Kalmara, the coastguard said."
BOUND = "The ship was bound for Port Lessing when a squall hit it."
SEARCH = (
    "Coastguard ships searched for 60 people missing from the Santa Irena, the ferry that capsized off "
    "Kalmara with the loss of at least 14 lives."
)
VIGIL = "Hundreds of islanders lit candles in the harbour church."
DENIED = "The shipping company denied that the ferry had been overloaded."
PROVISIONAL = "The coastguard cautioned that the number was provisional."
RESCUED = "Two fishing boats pulled ninety passengers from the water."
DROWNED = "Some 14 people drowned when the ferry Santa Irena capsized off Kalmara."


def headed(title: str, one: CondensedArticle, hours_ago: float = 5) -> CondensedArticle:
    at = NOON - timedelta(hours=hours_ago)
    return replace(one, article=replace(one.article, title=title, published_at=at, gathered_at=at))


def test_a_story_begins_with_what_its_headline_says():
    lead = headed("At least 14 dead after ferry capsizes off Kalmara", told(BOUND, RESCUED))
    other = headed("Ferry capsizes, 14 dead", told(TOLL, VIGIL, number=1))
    assert texts(merge_key_points([lead, other], points=4))[0] == TOLL
    assert texts(merge_key_points([lead, other], points=1)) == [TOLL]


def test_what_leans_on_the_main_claim_moves_with_it():
    lead = headed("At least 14 people died: ferry capsized off Kalmara", told(BOUND, RESCUED))
    other = headed("Ferry Santa Irena capsized", told(VIGIL, TOLL, Line(HE_ADDED, above=1), number=1))
    assert texts(merge_key_points([lead, other], points=6))[:2] == [TOLL, HE_ADDED]


def test_without_agreement_the_order_is_that_of_the_text():
    lead = headed("Quayside diary", told(BOUND, RESCUED))
    assert texts(merge_key_points([lead, told(TOLL, RESCUED, number=1)], points=4))[0] == BOUND


def test_the_same_figure_in_a_newer_article_outdates_nothing():
    older = headed("At least 14 dead after ferry capsizes off Kalmara", told(TOLL, BOUND), hours_ago=5)
    newer = headed("Search for 60 missing", told(SEARCH, number=1), hours_ago=2)
    merged = merge_key_points([older, newer], points=6)
    assert "14" in merged[0].text
    assert all(not point.earlier for point in merged)


def test_a_repetition_gives_way_to_a_caveat_of_the_story():
    lead = headed("Ferry capsizes off Kalmara", told(TOLL, BOUND, RESCUED))
    other = headed("Ferry disaster", told(DROWNED, VIGIL, story(DENIED, kind=CaveatKind.DENIED), number=1))
    merged = merge_key_points([lead, other], points=4)
    assert DROWNED not in texts(merged)
    assert texts(merged)[-1] == DENIED
    assert texts(first_points(merged, 2))[-1] == DENIED


def test_a_repetition_leaves_its_caveat_with_the_claim_that_it_repeats():
    lead = headed("Ferry capsizes off Kalmara", told(TOLL, BOUND))
    other = headed("Ferry disaster", told(DROWNED, tied(PROVISIONAL, 0), number=1))
    merged = merge_key_points([lead, other], points=4)
    assert texts(merged) == [TOLL, PROVISIONAL, BOUND]
    assert (merged[1].grade, merged[1].qualifies) == (Grade.TIED, 0)


def test_of_several_articles_a_sentence_with_a_negation_is_chosen_before_other_further_points():
    unseen = "The coastguard had not seen the list of passengers."
    lead = headed("Ferry capsizes off Kalmara", told(TOLL, BOUND, RESCUED, unseen))
    other = headed("Islanders mourn", told(VIGIL, number=1))
    assert unseen in texts(merge_key_points([lead, other], points=4))
    assert unseen not in texts(merge_key_points([lead], points=3))
