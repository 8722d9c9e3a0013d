"""What traits are worth in a score."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.compose.scoring.weights import MOST_OF_NEWS_WORDS, NEWS_WORDS, WEIGHTS, weighted_parts

WORDS = st.dictionaries(st.sampled_from(NEWS_WORDS), st.floats(-1, 1))


def test_a_trait_of_zero_has_no_part():
    assert weighted_parts({"length": 0.0, "position": 1.0}) == (("position", WEIGHTS["position"]),)


@given(WORDS)
def test_words_together_have_a_limit_and_keep_their_proportions(values):
    parts = dict(weighted_parts(values))
    total = sum(parts.values())

    assert total < MOST_OF_NEWS_WORDS
    plain = {name: WEIGHTS[name] * value for name, value in values.items() if value}
    if total > 0:
        factor = total / sum(plain.values())
        assert parts == pytest.approx({name: value * factor for name, value in plain.items()}, abs=1e-9)


@given(WORDS, st.sampled_from(NEWS_WORDS), st.floats(0, 1))
def test_a_stronger_word_never_lowers_a_score(values, name, more):
    weaker = sum(value for _, value in weighted_parts(values))
    stronger = sum(value for _, value in weighted_parts(values | {name: values.get(name, 0.0) + more}))

    assert stronger >= weaker - 1e-9
