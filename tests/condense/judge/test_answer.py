"""Answer: numbers of candidates and nothing else, refused as a whole or without its slips."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.condense.judge.answer import (
    MAX_ANSWER_BYTES,
    JudgeAnswer,
    JudgedPair,
    parse_answer,
    parse_confirmation,
    read_answer,
)
from service.condense.judge.question import MAX_PAIRS, MAX_POINTS
from service.core.errors import JudgeAnswerRefused
from service.core.model import CaveatKind
from tests.condense.judge.questions import SPANS, a_question

LOAN = {"claim": 0, "caveat": 2, "kind": "conditional", "must": True}
DENIAL = {"claim": 3, "caveat": 4, "kind": "denied", "must": False}


def answer_to(fields: object) -> JudgeAnswer:
    return parse_answer(json.dumps(fields), a_question())


def pairs_of(*pairs: object) -> list[tuple[int, int]]:
    """Return the pairs of an answer as places."""
    found = answer_to({"points": [0], "pairs": list(pairs)}).pairs
    return [(SPANS.index(pair.claim), SPANS.index(pair.caveat)) for pair in found]


def test_an_answer_has_the_spans_of_its_numbers():
    answer = answer_to({"points": [3, 0], "pairs": [LOAN, DENIAL]})
    assert answer.candidates == tuple(SPANS[:5])
    assert answer.points == (SPANS[3], SPANS[0])
    assert answer.pairs == (
        JudgedPair(SPANS[0], SPANS[2], CaveatKind.CONDITIONAL, must=True),
        JudgedPair(SPANS[3], SPANS[4], CaveatKind.DENIED, must=False),
    )


def test_a_pair_may_be_a_list_with_a_kind_of_the_labels():
    assert pairs_of([0, 2, "condition", True], [3, 4, "not-what-it-seems", False]) == [(0, 2), (3, 4)]


def test_an_answer_may_stand_in_a_code_fence_and_may_have_no_pairs():
    content = 'Some models write\n```json\n{"points": [1]}\n```'
    assert parse_answer(content.partition("\n")[2], a_question()).points == (SPANS[1],)
    with pytest.raises(JudgeAnswerRefused, match="not JSON"):
        parse_answer(content, a_question())


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ([0, 1], "not a JSON object"),
        ({"points": [0], "summary": "The port lends cranes."}, "unknown key"),
        ({"points": [0], "confirmed": [True]}, "unknown key"),
        ({"pairs": [LOAN]}, "points are not a list"),
        ({"points": 0}, "points are not a list"),
        ({"points": [0], "pairs": {}}, "pairs are not a list"),
        ({"points": []}, "no candidate"),
        ({"points": [5]}, "no candidate"),
        ({"points": [0, 6]}, "number of no sentence"),
        ({"points": [-1]}, "number of no sentence"),
        ({"points": [0, True]}, "in place of a number"),
        ({"points": [0.0]}, "in place of a number"),
        ({"points": ["The port of Vessel"]}, "in place of a number"),
        ({"points": [0], "pairs": [[0, 2]]}, "claim, caveat, kind and must"),
        ({"points": [0], "pairs": [LOAN | {"why": "it says so"}]}, "claim, caveat, kind and must"),
        ({"points": [0], "pairs": [LOAN | {"kind": ["denied"]}]}, "claim, caveat, kind and must"),
        ({"points": [0], "pairs": [LOAN | {"must": 1}]}, "claim, caveat, kind and must"),
        ({"points": [0], "pairs": [LOAN | {"caveat": 99}]}, "number of no sentence"),
    ],
)
def test_what_is_no_answer_to_the_question_is_refused(fields: object, reason: str):
    with pytest.raises(JudgeAnswerRefused, match=reason):
        answer_to(fields)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "The key points are 0 and 3.",
        '{"points": [0, 3], "pai',
        '{"points": [0], "points": [3]}',
        "[" * MAX_ANSWER_BYTES,
        '{"points": [' + "9" * 4_000 + "]}",
        '{"points": [NaN]}',
        '{"points": [0]}' + " " * MAX_ANSWER_BYTES,
        '{"points": [0]}' * 100_000,
        "\ud800",
    ],
)
def test_prose_cut_nested_and_huge_replies_are_refused(content: str):
    with pytest.raises(JudgeAnswerRefused):
        parse_answer(content, a_question())


def test_a_slip_drops_only_its_item():
    assert answer_to({"points": [0, 5, 0, 3]}).points == (SPANS[0], SPANS[3])
    context, itself, unknown = LOAN | {"caveat": 5}, LOAN | {"caveat": 0}, LOAN | {"kind": "rumour"}
    turned = {"claim": 2, "caveat": 0, "kind": "denied", "must": True}
    assert pairs_of(context, itself, unknown, LOAN, LOAN, turned, DENIAL) == [(0, 2), (3, 4)]


def test_items_beyond_the_limits_are_dropped():
    every = [[a, b, "limited", True] for a in range(5) for b in range(a + 1, 5)]
    answer = answer_to({"points": [4, 3, 2, 1, 0, 4], "pairs": every})
    assert len(answer.points) == MAX_POINTS
    assert len(answer.pairs) == MAX_PAIRS


def test_only_confirmed_pairs_are_kept():
    answer = answer_to({"points": [0], "pairs": [LOAN, DENIAL]})
    assert answer.confirmed([True, False]).pairs == answer.pairs[:1]
    assert answer.confirmed([None, True]).pairs == answer.pairs[1:]
    assert answer.confirmed([True]).pairs == answer.pairs[:1]
    assert answer.confirmed([]).pairs == ()


def test_confirmations_belong_to_the_pairs_as_they_were_given():
    fields = {"points": [0], "pairs": [LOAN | {"caveat": 5}, LOAN, DENIAL]}
    answer = read_answer(fields, a_question(), [True, False, True])
    assert [pair.claim for pair in answer.pairs] == [SPANS[3]]
    with pytest.raises(JudgeAnswerRefused, match="one confirmation for each pair"):
        read_answer(fields, a_question(), [True])


@pytest.mark.parametrize(
    ("content", "verdict"),
    [
        ('{"answer": "yes"}', True),
        ('```json\n{"answer": "NO"}\n```', False),
        (" Yes.\n", True),
        ("no", False),
        ("Yes, since the council has to sign.", None),
        ('{"answer": true}', None),
        ('{"answer": ["yes"]}', None),
        ('{"answer": "yes", "why": "it says so"}', None),
        ("", None),
        ("yes" + " " * MAX_ANSWER_BYTES, None),
        ("[" * 2_000, None),
    ],
)
def test_a_confirmation_is_yes_or_no(content: str, verdict: bool | None):
    assert parse_confirmation(content) is verdict


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["points", "pairs", "x"]), inner),
    max_leaves=20,
)
NUMBERS = st.integers(-1, 6)
ANSWERS = st.fixed_dictionaries(
    {"points": st.lists(NUMBERS, max_size=8)},
    optional={
        "pairs": st.lists(st.tuples(NUMBERS, NUMBERS, st.sampled_from([*CaveatKind, "?"]), st.booleans()))
    },
)


@given(st.text() | JSON.map(json.dumps) | ANSWERS.map(json.dumps))
def test_any_reply_is_refused_or_names_candidates(content: str):
    question = a_question()
    assert parse_confirmation(content) in (True, False, None)
    with suppress(JudgeAnswerRefused):
        answer = parse_answer(content, question)
        assert 0 < len(set(answer.points)) == len(answer.points) <= MAX_POINTS
        assert len(answer.pairs) <= MAX_PAIRS
        ends = {span for pair in answer.pairs for span in pair[:2]}
        assert {*answer.points, *ends} <= set(answer.candidates)
        assert all(pair.claim != pair.caveat for pair in answer.pairs)
