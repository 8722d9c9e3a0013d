"""Whether two sentences say the same, contradict each other, or differ."""

from __future__ import annotations

import pytest

from service.text.similarity import (
    Relation,
    covers,
    is_echo,
    is_known,
    relation,
    sentence_features,
    term_weights,
)

PAIRS = [
    (
        "The harbour board agreed on Sunday to pay the ferry crews for night crossings.",
        "The ferry crews will be paid for night crossings, the harbour board agreed on Sunday.",
        Relation.SAME,
    ),
    (
        "A storm killed twelve sailors off the northern coast on Friday.",
        "A storm killed nine sailors off the northern coast on Friday.",
        Relation.CONTRADICTION,
    ),
    (
        "A storm killed 12 sailors off the northern coast on Friday.",
        "A storm killed twelve sailors off the northern coast on Friday.",
        Relation.SAME,
    ),
    (
        "The harbour board agreed to pay the ferry crews.",
        "The harbour board did not agree to pay the ferry crews.",
        Relation.CONTRADICTION,
    ),
    (
        "The harbour board agreed to pay the ferry crews for night crossings.",
        "The ferries carry nine hundred people a day.",
        Relation.DIFFERENT,
    ),
    (
        "On Monday Norway said the fishing quota talks would resume.",
        "On Monday Iceland said the fishing quota talks had failed for good this year.",
        Relation.DIFFERENT,
    ),
    (
        "A dust explosion lifted the roof from silo 6 shortly before half past three in the morning.",
        "The fire broke out at about 3:20 a.m. in silo 6, after an explosion of dust tore off the roof.",
        Relation.SAME,
    ),
    (
        "The fire in the grain silo on the western quay broke out at 3:20 a.m. and was put out by noon.",
        "The fire in the grain silo on the western quay broke out at 7:45 a.m. and was put out by noon.",
        Relation.DIFFERENT,
    ),
    (
        "Some 20 people are dead after the storm that hit the northern coast on Friday.",
        "The storm that hit the northern coast on Friday killed 23 people.",
        Relation.CONTRADICTION,
    ),
    (
        "The storm killed sailors off the northern coast on Friday.",
        "The storm killed twelve sailors off the northern coast on Friday.",
        Relation.SAME,
    ),
    (
        "The council voted on Monday to close the old bridge to lorries.",
        "The council voted on Thursday to close the old bridge to lorries.",
        Relation.DIFFERENT,
    ),
    (
        "A dust explosion tore the roof off silo 6 at Skarrow port early on Wednesday.",
        "Police arrested the owner of silo 6 at Skarrow port over the explosion on Wednesday.",
        Relation.DIFFERENT,
    ),
    (
        "The treasurer said that the town pays for a roof over the fish market from reserves this spring.",
        "The treasurer has not said whether stalls of the fish market stay open while the roof is built.",
        Relation.DIFFERENT,
    ),
    ("Profits rose.", "Profits fell.", Relation.DIFFERENT),
    ("Wait.", "Wait.", Relation.SAME),
]


@pytest.mark.parametrize(("one", "other", "expected"), PAIRS)
def test_words_numbers_names_and_negation_decide(one: str, other: str, expected: Relation):
    assert relation(sentence_features(one, "en"), sentence_features(other, "en")) is expected
    assert relation(sentence_features(other, "en"), sentence_features(one, "en")) is expected


ROSE = "The bank raised its main rate to 4 per cent on Thursday."
MAY_RISE = "The bank may raise its main rate to 4 per cent on Thursday."
STORM, TOLL = "The storm killed sailors off the coast.", "The storm killed twelve sailors off the coast."


@pytest.mark.parametrize(
    ("one", "other", "covered"),
    [
        (MAY_RISE, ROSE, True),
        (ROSE, MAY_RISE, False),
        (TOLL, STORM, True),
        (STORM, TOLL, False),
        (STORM, STORM.replace("killed", "did not kill"), False),
    ],
)
def test_a_sentence_with_an_additional_doubt_or_number_covers_the_other(one: str, other: str, covered: bool):
    assert covers(sentence_features(one, "en"), sentence_features(other, "en")) is covered


def test_a_sentence_contained_in_another_is_known_but_not_the_reverse():
    short = sentence_features("The owner put the loss at 11,000 tonnes of wheat.", "en")
    long = sentence_features(
        "The owner put the loss at 11,000 tonnes of wheat on Tuesday and asked for help.", "en"
    )
    assert is_known(short, long)
    assert not is_known(long, short)


NEWS = [
    "Outgoing master Ida Tornquist warned on Tuesday: a longer strike at Skarrow would ruin the grain trade.",
    "Ruin threatens the coast's grain traders if dockers strike longer, port managers said on Tuesday noon.",
    "Harbour master Ida Tornquist asked the leaders of the strike at Skarrow to a meeting on Tuesday.",
    "The strike at Skarrow began a week ago over night shifts.",
    "Two unions called the strike at Skarrow after talks about pay.",
]


def test_words_that_are_rare_in_a_story_identify_repeated_sentences():
    sentences = [sentence_features(text, "en", opens_article=True) for text in NEWS]
    weights = term_weights(sentences)
    assert relation(sentences[0], sentences[1]) is Relation.DIFFERENT
    assert relation(sentences[0], sentences[1], weights) is Relation.SAME
    assert is_echo(sentences[1], sentences[0], weights)
    assert relation(sentences[0], sentences[2], weights) is Relation.DIFFERENT
    assert not is_echo(sentences[2], sentences[0], weights)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "وأعلنت الحكومة إغلاق الميناء أمام السفن الكبيرة حتى نهاية الشهر.",
            "إن حكومة الجزيرة أعلنت إغلاق ميناء المدينة أمام سفن كبيرة حتى نهاية شهر أيار.",
        ),
        ("وقتل ٤١ شخصا في الزلزال الذي ضرب الإقليم.", "قُتل 41 شخصًا في زلزال ضرب إقليم تمال."),
    ],
)
def test_arabic_sentences_are_compared_without_attached_words_and_vowels(one: str, other: str):
    assert relation(sentence_features(one, "ar"), sentence_features(other, "ar")) is Relation.SAME


@pytest.mark.parametrize("text", ["", ".", "\ud800", "5", "1,000.", "他", "a" * 2_000])
def test_any_text_says_the_same_as_itself(text: str):
    assert relation(sentence_features(text, "en"), sentence_features(text, "en")) is Relation.SAME


def test_a_language_without_cue_words_is_compared_by_its_words():
    one = "Burza zabiła dwunastu marynarzy na północnym wybrzeżu"
    other = "Na północnym wybrzeżu burza zabiła dwunastu marynarzy"
    assert relation(sentence_features(one, "pl"), sentence_features(other, "pl")) is Relation.SAME
