"""Features: one pass over the words gives the numbers that a slow and plain count would give."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from service.condense import caveat_model as caveats
from service.condense import features
from service.condense.caveat_model import PAIR_FEATURE_NAMES, PairFeatures, PairModel
from service.condense.features import FEATURE_NAMES, SURFACE_FEATURES, extract_features
from service.condense.selection import best_sentences
from service.text import lexicon as words
from service.text.lexicon import CUES, FLAG_BIT, Lexicon, has_cue_words, lexicon_for, tokenize

ROOM = Path(words.__file__).parent
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


def test_muted_words_are_no_cues():
    assert column("cue_negation")[4] == 0


def test_quotations_are_measured_and_found_at_the_start():
    assert column("opens_quote") == [0, 0, 1, 0, 0]
    assert column("quoted") == pytest.approx([0, 0, 0.5, 0, 0])


def test_a_quotation_that_began_before_is_seen():
    lines = ["“We wait.", "Nobody pays us a thing,” he said."]
    assert column("inside_quote", lines) == [0, 1]


def test_title_words_are_shared_in_their_share():
    assert column("like_title", title="Boats for the school")[0] == 1


def test_echoes_are_the_same_in_blocks(monkeypatch):
    lines = [f"Boat {k % 7} met ferry {k % 5} near pier {k % 3} at noon." for k in range(30)]
    whole = column("echoes", lines)
    monkeypatch.setattr(features, "BLOCK_SENTENCES", 15)
    assert column("echoes", lines) == pytest.approx(whole)
    assert whole[0] == 0


def test_scripts_without_spaces_are_cut_into_pairs():
    assert tokenize("市長は辞任") == ["市長", "長は", "は辞", "辞任"]
    assert tokenize("plain words") == ["plain", "words"]


def test_elided_articles_and_possessives_do_not_hide_a_word():
    french = lexicon_for("fr")
    assert french["l’accord"] >> words.FLAG_BITS == french["accord"] >> words.FLAG_BITS
    assert lexicon_for("en")["Doha’s"] >> words.FLAG_BITS == lexicon_for("en")["doha"] >> words.FLAG_BITS


def test_words_are_forgotten_when_they_are_too_many(monkeypatch):
    monkeypatch.setattr(words, "MAX_CACHED_TOKENS", 3)
    known = lexicon_for("de-AT")
    for chunk in ("eins", "zwei", "drei", "vier"):
        known[chunk]
    assert lexicon_for("de") is not known


def test_every_language_fills_every_class():
    tables = tomllib.loads((ROOM / "cues.toml").read_text(encoding="utf-8"))
    assert {"en", "fr", "de", "es"} <= set(tables)
    for language, table in tables.items():
        assert set(table) == {"stop", "mute", *CUES}, language
        assert Lexicon(table).phrases
    assert has_cue_words("fr-CA")
    assert not has_cue_words("hr")


def test_the_weights_name_features_that_exist():
    stored = json.loads((ROOM / "weights.json").read_text(encoding="utf-8"))
    for head in ("pick", "order"):
        assert set(stored["with cues"][head]) == {"bias", *FEATURE_NAMES}
        assert set(stored["without cues"][head]) == {"bias", *SURFACE_FEATURES}
    assert set(stored["pairs"]) == {"bias", *PAIR_FEATURE_NAMES}
    assert len(set(PAIR_FEATURE_NAMES)) == len(PAIR_FEATURE_NAMES)
    assert len(FLAG_BIT) <= words.FLAG_BITS


def test_the_short_way_weighs_pairs_as_the_long_one_does():
    reading = extract_features(LINES * 4, "", lexicon_for("en"))
    sides = PairFeatures(reading, np.linspace(1, -1, len(LINES) * 4))
    claims = np.array([0, 3, 7, 12])
    weights = np.random.default_rng(1).normal(size=(len(caveats.BETWEEN_FEATURES), 2))

    other = np.arange(sides.sentence_count)[None, :] != claims[:, None]
    assert np.allclose(
        sides.weighted_between(claims, weights)[other], (sides.between(claims) @ weights)[other]
    )


def test_reasons_are_the_features_that_speak_most_for_a_pair():
    model = PairModel({"caveat: explicit": (2.0, 0), "next": (1.0, 0), "caveat: question": (9.0, 0)}, (0, 0))
    sides = PairFeatures(extract_features(LINES, "", lexicon_for("en")), np.zeros(len(LINES)))
    assert model.reasons(sides, 0, 1) == [("caveat: explicit", 2.0), ("next", 1.0)]


def test_the_best_set_is_worth_most_together_within_its_words():
    worth, lengths = np.array([0.9, 0.8, 0.5, 0.4]), np.array([60, 80, 30, 50])
    apart = np.zeros((4, 4))
    assert best_sentences(worth, apart, lengths, 2, 150) == [0, 1]
    assert best_sentences(worth, apart, lengths, 5, 150) == [0, 2, 3]
    together = apart.copy()
    together[0, 3] = 0.7
    assert best_sentences(worth, together, lengths, 2, 150) == [0, 3]
    assert best_sentences(worth, apart, lengths, 2, 10) == [0]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="threads are counted in /proc")
def test_an_article_is_read_by_one_thread():
    count = (
        "from service.condense import features; import pathlib; "
        "print(pathlib.Path('/proc/self/status').read_text().split('Threads:')[1].split()[0])"
    )
    environ = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    ran = subprocess.run(
        [sys.executable, "-c", count], env=environ, capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "1"
