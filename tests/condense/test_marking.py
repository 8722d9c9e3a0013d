"""Marking: a caveat is tied only to a claim that it surely qualifies; less sure ones have a lower grade."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.condense.caveat_words import kind_of
from service.condense.features import extract_features
from service.condense.marking import CaveatEvidence, CaveatLink, Mark, mark_caveats, tie_caveats
from service.core.model import CaveatKind, Grade
from service.text.lexicon import lexicon_for

LEAD = "Prosecutors accused Mayor Olga Renn of taking money from builders in Harrow."
PLAN = "The council of Harrow will build a bridge over the Ansel."
DENIAL = "Renn denied the allegations of the prosecutors in Harrow."
ANOTHER_DENIAL = "Her brother denied the allegations against the builders as well."
UNSURE = "It has not been confirmed that the builders of Harrow paid the mayor."
WEAK = "The builders of Harrow have not said when the bridge over the Ansel will open."
CONDITION = "The plan for the bridge takes effect only if Harrow pays half."
PLAIN = "The bridge over the Ansel is 90 metres long."

SENTENCES = [LEAD, PLAN, DENIAL, ANOTHER_DENIAL, UNSURE, PLAIN]


def marks(
    sentences: Sequence[str],
    *,
    pairs: Mapping[tuple[int, int], float],
    qualifies: Mapping[int, float],
    shown: Sequence[int] | None = None,
    headline: int | None = None,
    judged: Mapping[tuple[int, int], CaveatKind] | None = None,
) -> dict[int, Mark]:
    """Return the marks for the given probabilities of (claim, caveat) and of qualifying anything."""
    evidence = evidence_of(sentences, pairs, qualifies, judged)
    places = list(range(len(sentences)) if shown is None else shown)
    return mark_caveats(places, headline, evidence, tie_caveats([places], headline, evidence))


def ties(
    sentences: Sequence[str], stages: Sequence[Sequence[int]], pairs: Mapping[tuple[int, int], float]
) -> dict[int, CaveatLink]:
    """Return the ties of sentences that enter in stages, each of which surely qualifies something."""
    return tie_caveats(stages, None, evidence_of(sentences, pairs, dict.fromkeys(range(len(sentences)), 0.9)))


def evidence_of(
    sentences: Sequence[str],
    pairs: Mapping[tuple[int, int], float],
    qualifies: Mapping[int, float],
    judged: Mapping[tuple[int, int], CaveatKind] | None = None,
) -> CaveatEvidence:
    count = len(sentences)
    probability = np.zeros((count, count))
    for (claim, caveat), value in pairs.items():
        probability[claim, caveat] = value
    of_any = np.array([qualifies.get(place, 0.0) for place in range(count)])
    return CaveatEvidence(
        extract_features(sentences, "", lexicon_for("en")),
        np.arange(count),
        probability,
        probability,
        of_any,
        judged or {},
    )


def test_a_sure_caveat_is_tied_to_its_claim():
    found = marks([LEAD, PLAN, DENIAL], pairs={(0, 2): 0.8, (1, 2): 0.3}, qualifies={2: 0.9})
    assert {place: (mark.grade, mark.claim) for place, mark in found.items()} == {2: (Grade.TIED, 0)}


def test_a_caveat_may_qualify_the_headline():
    found = marks([LEAD, PLAN, UNSURE], pairs={(0, 2): 0.8}, qualifies={2: 0.9}, shown=[1, 2], headline=0)
    assert (found[2].grade, found[2].claim) == (Grade.TIED, 0)


def test_a_caveat_whose_claim_is_not_sure_qualifies_the_story():
    found = marks([LEAD, PLAN, UNSURE], pairs={(0, 2): 0.2, (1, 2): 0.2}, qualifies={2: 0.8})
    assert (found[2].grade, found[2].claim) == (Grade.STORY, None)


@pytest.mark.parametrize("caveat", [CONDITION, "Renn said that the accusation was false."])
@pytest.mark.parametrize(("shown", "is_marked"), [((0, 1, 3), True), ((0, 3), False)])
def test_words_that_leave_no_doubt_mark_a_sentence_just_behind_what_is_shown(caveat, shown, is_marked):
    found = marks([LEAD, PLAN, PLAIN, caveat], pairs={(0, 3): 0.05}, qualifies={3: 0.2}, shown=shown)
    assert [mark.grade for mark in found.values()] == [Grade.STORY] * is_marked


def test_a_tie_stays_when_more_is_shown():
    sentences = [PLAN, PLAIN, CONDITION]
    pairs = {(0, 2): 0.5, (1, 2): 0.9}
    assert ties(sentences, [[0, 2]], pairs)[2][0] == 0
    assert ties(sentences, [[0, 2], [1]], pairs)[2][0] == 0
    assert ties(sentences, [[0, 1, 2]], pairs)[2][0] == 1


def test_a_claim_of_a_tie_becomes_no_caveat_when_more_is_shown():
    pairs = {(1, 2): 0.9, (0, 1): 0.9}
    assert set(ties([PLAN, UNSURE, CONDITION], [[1, 2], [0]], pairs)) == {2}


def test_a_caveat_is_tied_when_its_claim_enters():
    assert ties([PLAN, PLAIN, CONDITION], [[1, 2], [0]], {(0, 2): 0.9}) == {2: (0, pytest.approx(0.81))}


def test_a_tie_counts_only_if_its_claim_is_shown():
    evidence = evidence_of([PLAN, PLAIN, CONDITION], {(0, 2): 0.9}, {2: 0.9})
    found = mark_caveats([1, 2], None, evidence, {2: (0, 0.8)})
    assert found[2].grade is Grade.STORY


def test_a_likely_caveat_without_a_word_that_qualifies_is_context():
    found = marks([LEAD, PLAN, PLAIN], pairs={(1, 2): 0.2}, qualifies={2: 0.8})
    assert (found[2].grade, found[2].kind) == (Grade.CONTEXT, None)


def test_an_unlikely_caveat_is_a_point():
    assert marks([LEAD, PLAN, WEAK], pairs={(0, 2): 0.05}, qualifies={2: 0.2}) == {}


def test_the_first_sentence_is_a_point():
    assert marks([DENIAL, PLAN, LEAD], pairs={(1, 0): 0.9, (2, 0): 0.9}, qualifies={0: 1.0}) == {}


def test_a_caveat_is_not_tied_to_a_later_sentence():
    found = marks([PLAN, DENIAL, LEAD], pairs={(2, 1): 0.9}, qualifies={1: 0.9})
    assert found[1].grade is not Grade.TIED


def test_a_judge_may_tie_a_caveat_to_a_later_sentence_and_names_its_kind():
    given = {"pairs": {(2, 1): 0.9}, "qualifies": {1: 0.9}}
    found = marks([PLAN, UNSURE, LEAD], **given, judged={(2, 1): CaveatKind.LIMITED})
    assert found[1][:3] == (Grade.TIED, 2, CaveatKind.LIMITED)


def test_a_judge_may_tie_a_second_denial():
    given = {"pairs": {(0, 1): 0.9, (0, 2): 0.9}, "qualifies": {1: 0.9, 2: 0.9}}
    second = marks([LEAD, DENIAL, ANOTHER_DENIAL], **given, judged={(0, 2): CaveatKind.DENIED})[2]
    assert (second.grade, second.claim) == (Grade.TIED, 0)


def test_pairs_of_a_judge_that_form_a_circle_are_marked_in_one_direction():
    circle = {(1, 2): CaveatKind.LIMITED, (2, 3): CaveatKind.LIMITED, (3, 1): CaveatKind.LIMITED}
    found = marks(
        [LEAD, PLAN, UNSURE, PLAIN],
        pairs=dict.fromkeys(circle, 0.9),
        qualifies={1: 0.9, 2: 0.9, 3: 0.9},
        judged=circle,
    )
    assert len([mark for mark in found.values() if mark.grade is Grade.TIED]) == 2


@pytest.mark.parametrize(("caveat", "grade"), [(UNSURE, Grade.STORY), (DENIAL, Grade.TIED)])
def test_a_doubt_is_tied_to_a_sentence_nearby_and_a_denial_to_any(caveat, grade):
    found = marks([LEAD, *[PLAIN] * 6, caveat], pairs={(0, 7): 0.9}, qualifies={7: 0.9}, shown=(0, 7))
    assert found[7].grade is grade


def test_a_denial_is_not_tied_to_a_sentence_that_denies():
    found = marks([PLAN, DENIAL, ANOTHER_DENIAL], pairs={(1, 2): 0.9}, qualifies={2: 0.9})
    assert (found[2].grade, found[2].claim) == (Grade.STORY, None)


@pytest.mark.parametrize(("shown", "grade"), [((0, 1, 2), Grade.TIED), ((0, 2), Grade.STORY)])
def test_a_denial_is_tied_only_if_the_latest_accusation_is_shown(shown, grade):
    sentences = [LEAD, "Neighbours accused the builders of Harrow of theft.", DENIAL]
    found = marks(sentences, pairs={(0, 2): 0.9}, qualifies={2: 0.9}, shown=shown)
    assert found[2].grade is grade


def test_a_second_denial_of_a_point_is_context():
    sure = {(0, 1): 0.8, (0, 2): 0.8, (1, 2): 0.9}
    found = marks([LEAD, DENIAL, ANOTHER_DENIAL], pairs=sure, qualifies={1: 0.9, 2: 0.9})
    assert [found[1].grade, found[2].grade] == [Grade.TIED, Grade.CONTEXT]


def test_a_caveat_of_a_caveat_qualifies_the_point_of_the_latter():
    chain = {(0, 1): 0.9, (1, 2): 0.9}
    found = marks([LEAD, DENIAL, UNSURE], pairs=chain, qualifies={1: 0.9, 2: 0.9})
    assert [found[1].claim, found[2].claim] == [0, 0]


def test_a_claim_with_a_tied_caveat_is_a_point_itself():
    only = "Only builders of Harrow paid the mayor, the prosecutors said."
    found = marks([LEAD, only, UNSURE], pairs={(0, 1): 0.15, (1, 2): 0.9}, qualifies={1: 0.9, 2: 0.9})
    assert set(found) == {2}


@pytest.mark.parametrize(("shown", "grade"), [((0, 1, 2), Grade.TIED), ((0, 2), Grade.STORY)])
def test_a_sentence_with_but_is_tied_only_if_what_it_opposes_is_shown(shown, grade):
    sentences = [
        PLAN,
        "The builders of Harrow expect to start in May.",
        "But it is unclear if builders will come to Harrow.",
    ]
    found = marks(sentences, pairs={(0, 2): 0.9, (1, 2): 0.9}, qualifies={2: 0.9}, shown=shown)
    assert found[2].grade is grade


def test_the_opinion_of_a_speaker_is_context():
    quote = "“We have no evidence that the council of Harrow will build it,” Renn said."
    found = marks([PLAN, quote], pairs={(0, 1): 0.9}, qualifies={1: 0.9})
    assert found[1].grade is Grade.CONTEXT


@pytest.mark.parametrize(("shown", "grade"), [((0, 2, 3), Grade.TIED), ((0, 3), Grade.CONTEXT)])
def test_a_doubt_without_a_word_of_what_is_shown_is_context_unless_it_comes_next(shown, grade):
    sentences = [PLAN, PLAIN, "The mayor smiled.", "That has not been confirmed."]
    found = marks(sentences, pairs={(0, 3): 0.9, (2, 3): 0.9}, qualifies={3: 0.9}, shown=shown)
    assert found[3].grade is grade


def test_a_doubt_in_a_quotation_is_not_tied():
    quote = "“It is not confirmed that the council of Harrow will build it,” the paper says."
    found = marks([PLAN, quote], pairs={(0, 1): 0.9}, qualifies={1: 0.9})
    assert found[1].grade is Grade.STORY


def test_a_denial_in_a_quotation_is_more_than_an_opinion():
    quote = "“I denied it and I had no money of the builders of Harrow,” Renn said."
    found = marks([LEAD, quote], pairs={(0, 1): 0.9}, qualifies={1: 0.9})
    assert found[1].grade is Grade.TIED


def test_a_caveat_about_what_is_not_shown_is_context():
    film = "A film of wolves in Tarn appeared on Monday."
    sentences = [PLAN, film, PLAIN, "The film of wolves near Harrow is not confirmed."]
    found = marks(sentences, pairs={(0, 3): 0.3}, qualifies={3: 0.9}, shown=(0, 3))
    assert found[3].grade is Grade.CONTEXT


@given(st.data())
def test_whatever_the_models_say_a_tied_caveat_qualifies_a_point_above_it_or_the_headline(data):
    count = data.draw(st.integers(1, 6))
    sentences = data.draw(st.lists(st.sampled_from(SENTENCES), min_size=count, max_size=count))
    chance = st.floats(0, 1)
    places = st.integers(0, count - 1)
    found = marks(
        sentences,
        pairs=data.draw(st.dictionaries(st.tuples(places, places), chance)),
        qualifies=data.draw(st.dictionaries(places, chance)),
        shown=(shown := sorted(data.draw(st.sets(places)))),
        headline=(headline := data.draw(st.none() | places)),
    )
    assert set(found) <= set(shown) - {0}
    for place, mark in found.items():
        assert (mark.claim is None) == (mark.grade is not Grade.TIED)
        assert mark.claim is None or mark.claim == headline or mark.claim < place
        assert mark.claim is None or mark.claim not in found


@pytest.mark.parametrize(
    ("sentence", "kind"),
    [
        ("Renn denied the allegations.", CaveatKind.DENIED),
        ("The treaty takes effect only if both parliaments agree.", CaveatKind.CONDITIONAL),
        ("The figures have not been confirmed.", CaveatKind.UNCONFIRMED),
        ("The talks are in no way a step towards recognition.", CaveatKind.LIMITED),
        ("A spokesman dismissed that account.", CaveatKind.DISPUTED),
        ("Renn had nothing to do with the charges.", None),
        ("He could neither confirm nor deny the report.", None),
        ("The bridge is 90 metres long.", None),
    ],
)
def test_the_kind_of_a_caveat_is_told_by_its_words(sentence, kind):
    assert kind_of(0, extract_features([sentence], "", lexicon_for("en"))) is kind


@pytest.mark.parametrize(
    ("language", "sentence", "kind"),
    [
        ("en", "The sale depends on the approval of the minister.", CaveatKind.CONDITIONAL),
        ("de", "Voraussetzung ist, dass das Land die Hälfte zahlt.", CaveatKind.CONDITIONAL),
        ("ar", "ويشترط أن تدفع الوزارة نصف المبلغ.", CaveatKind.CONDITIONAL),
        ("fr", "La nouvelle n'a été confirmée ni par la police ni par le maire.", CaveatKind.UNCONFIRMED),
    ],
)
def test_conditions_and_missing_confirmations_have_a_kind_in_other_languages(language, sentence, kind):
    assert kind_of(0, extract_features([sentence], "", lexicon_for(language))) is kind
