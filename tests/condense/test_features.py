"""The features of an article's sentences, and of pairs of sentences."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from service.condense import features
from service.condense.caveat_model import (
    BETWEEN_FEATURES,
    PAIR_FEATURE_NAMES,
    PairFeatures,
    PairModel,
    group_weights,
)
from service.condense.features import FEATURE_NAMES, SURFACE_FEATURES, extract_features
from service.text.lexicon import FLAG_BIT, lexicon_for

WEIGHTS = Path(features.__file__).with_name("weights.json")
LINES = [
    "Norland agreed to lend forty boats to the island school.",
    "The agreement in no way settles who pays for the boats, the mayor said.",
    "“Nobody asked us,” said Ruth Amsel.",
    "But she denied that the school had refused the boats.",
    "It is not only unclear whether the boats float.",
]


def column(name: str, lines: list[str] = LINES, title: str = "") -> list[float]:
    return extract_features(lines, title, lexicon_for("en")).table[:, FEATURE_NAMES.index(name)].tolist()


def test_cues_are_counted_in_the_sentence_that_holds_them():
    assert column("cue_explicit") == [0, 1, 0, 1, 1]
    assert column("cue_agree") == [1, 1, 0, 0, 0]
    assert column("starts_contrast") == [0, 0, 0, 1, 0]
    assert column("before_contrast") == [0, 0, 1, 0, 0]


@pytest.mark.parametrize("words", [4, 255, 256, 700])
def test_the_words_of_a_sentence_of_any_length_are_counted(words: int):
    counts = extract_features(["The ferry is late.", "never " * words], "", lexicon_for("en")).flag_counts
    assert counts[1, FLAG_BIT["negation"]] == words


def test_cancelled_words_are_no_cues():
    assert column("cue_negation")[4] == 0


@pytest.mark.parametrize(
    ("language", "sentence", "is_limited"),
    [
        ("en", "The loan does not by itself imply trust in the bank.", True),
        ("en", "Nothing in the letter confers a right to the land.", True),
        ("en", "Recognition was never on the agenda.", True),
        ("fr", "Le don ne vaut ni reconnaissance ni soutien.", True),
        ("de", "Der Besuch bedeutet jedoch nicht das Ende des Streits.", True),
        ("es", "La visita no supone un cambio.", True),
        ("it", "La visita non implica un cambiamento.", True),
        ("pt", "A visita não implica uma mudança.", True),
        ("nl", "Het bezoek betekent niet dat het geschil voorbij is.", True),
        ("ru", "Этот визит не означает согласия.", True),
        ("ar", "الزيارة لا تعني نهاية الخلاف", True),
        ("en", "The award means recognition for a lifetime of work.", False),
        ("en", "The signal did not reach the village.", False),
        ("en", "Nobody in the crowded hall of the old town that evening heard the signal.", False),
        ("en", "The team not only won recognition but money.", False),
        ("de", "Der Besuch bedeutet viel für die Stadt.", False),
    ],
)
def test_a_word_of_meaning_beside_a_negation_is_an_explicit_limit(
    language: str, sentence: str, is_limited: bool
):
    counts = extract_features([sentence], "", lexicon_for(language)).flag_counts
    assert (counts[0, [FLAG_BIT["explicit"], FLAG_BIT["scope"]]] > 0).tolist() == [is_limited] * 2


def test_a_negation_does_not_reach_into_the_next_sentence():
    sentences = ["He said no.", "Recognition followed."]
    counts = extract_features(sentences, "", lexicon_for("en")).flag_counts
    assert not counts[:, FLAG_BIT["explicit"]].any()


def test_quotations_are_measured():
    assert column("opens_quote") == [0, 0, 1, 0, 0]
    assert column("quoted") == pytest.approx([0, 0, 0.5, 0, 0])


def test_a_quotation_from_an_earlier_sentence_is_recognized():
    lines = ["“We wait.", "Nobody pays us a thing,” he said."]
    assert column("inside_quote", lines) == [0, 1]


def test_title_similarity_is_the_share_of_title_words():
    assert column("like_title", title="Boats for the school")[0] == 1


def test_repetitions_do_not_depend_on_the_block_size(monkeypatch: pytest.MonkeyPatch):
    lines = [f"Boat {k % 7} met ferry {k % 5} near pier {k % 3} at noon." for k in range(30)]
    whole = column("echoes", lines)
    monkeypatch.setattr(features, "BLOCK_SENTENCES", 15)
    assert column("echoes", lines) == pytest.approx(whole)
    assert whole[0] == 0


def test_the_weights_have_the_names_of_existing_features():
    stored = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    for head in ("pick", "order"):
        assert set(stored["with cues"][head]) == {"bias", *FEATURE_NAMES}
        assert set(stored["without cues"][head]) == {"bias", *SURFACE_FEATURES}
    assert set(stored["pairs"]) == {"bias", *PAIR_FEATURE_NAMES}
    assert len(set(PAIR_FEATURE_NAMES)) == len(PAIR_FEATURE_NAMES)


def test_weighted_between_equals_the_product_of_between_and_weights():
    pairs = PairFeatures(
        extract_features(LINES * 4, "", lexicon_for("en")), np.linspace(1, -1, len(LINES) * 4)
    )
    claims = np.array([0, 3, 7, 12])
    weights = np.random.default_rng(1).normal(size=(len(BETWEEN_FEATURES), 2))

    other = np.arange(pairs.sentence_count)[None, :] != claims[:, None]
    expected = pairs.between(claims) @ weights
    scores = pairs.weighted_between(claims, group_weights(weights))
    assert np.allclose(np.moveaxis(scores, 0, -1)[other], expected[other])


def test_reasons_are_the_features_with_the_largest_contribution():
    model = PairModel({"caveat: explicit": (2.0, 0), "next": (1.0, 0), "caveat: question": (9.0, 0)}, (0, 0))
    pairs = PairFeatures(extract_features(LINES, "", lexicon_for("en")), np.zeros(len(LINES)))
    assert model.reasons(pairs, 0, 1) == [("caveat: explicit", 2.0), ("next", 1.0)]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="threads are counted in /proc")
def test_features_are_computed_by_one_thread():
    count = (
        "from service.condense import features; import pathlib; "
        "print(pathlib.Path('/proc/self/status').read_text().split('Threads:')[1].split()[0])"
    )
    environ = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    ran = subprocess.run(
        [sys.executable, "-c", count], env=environ, capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "1"
