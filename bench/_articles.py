"""Labelled articles for learning and benchmarks, from a data folder that is not part of the project.

The folder holds caveat_pairs_dev.jsonl (editors' points and pairs of claim and caveat, as indices into
`sentences`), and cnndm_dev, inshorts_dev and orangesum_fr_dev.jsonl (text and a summary written by people).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
from rouge_score.tokenizers import DefaultTokenizer

from service.text.sentences import Sentence, split_sentences

SETS = {
    "editors": "caveat_pairs_dev",
    "cnn": "cnndm_dev",
    "inshorts": "inshorts_dev",
    "french": "orangesum_fr_dev",
}
SAME_EVENT = 0.3
"""TF-IDF cosine above which articles are about one event; an event is never split between folds."""

_STEMMER = DefaultTokenizer(use_stemmer=True)


@dataclass(frozen=True, slots=True)
class Pair:
    """A claim and the sentences that qualify it (any one of them does), as indices."""

    claim: int
    caveats: tuple[int, ...]
    must: bool
    kind: str = "limit"


@dataclass(slots=True)
class Labelled:
    """An article with its labels; `group` is the same for articles of one event.

    `points` are the editors' points, or the three sentences that together come nearest to the reference. An
    article without points is labelled in part: only its `pairs`, `no_caveat` and `wrong` sentences are known.
    """

    id: str
    language: str
    title: str
    text: str
    sentences: list[str]
    spans: list[Sentence]
    points: tuple[int, ...]
    pairs: tuple[Pair, ...] = ()
    reference: tuple[str, ...] = ()
    no_caveat: tuple[int, ...] = ()
    wrong: tuple[int, ...] = ()
    tokens: list[list[str]] = field(default_factory=list)
    group: int = 0

    def fold(self, seed: int, folds: int = 5) -> int:
        """Return the fold of this article's event."""
        return int(hashlib.sha256(f"{seed}/{self.group}".encode()).hexdigest(), 16) % folds


def load(folder: Path, labels: Sequence[Path] = ()) -> dict[str, list[Labelled]]:
    """Return the sets by name, grouped by event across all of them.

    `labels` are files of `caveat label export`, whose articles join those of the editors.
    """
    sets = {
        name: [
            _edited(row) if name == "editors" else _abstracted(row)
            for row in map(json.loads, (folder / f"{file}.jsonl").read_text(encoding="utf-8").splitlines())
        ]
        for name, file in SETS.items()
    }
    for file in labels:
        rows = map(json.loads, file.read_text(encoding="utf-8").splitlines())
        sets["editors"] += map(_edited, rows)
    everything = [article for articles in sets.values() for article in articles]
    for article, group in zip(everything, events([article.text for article in everything]), strict=True):
        article.group = group
    return sets


def _edited(row: dict) -> Labelled:  # type: ignore[type-arg]
    spans = align(row["text"], row["sentences"])
    pairs = tuple(
        Pair(p["claim"], tuple(p["caveats"]), p["strength"] == "must", p["kind"] or "") for p in row["pairs"]
    )
    return Labelled(
        row["id"],
        row["lang"],
        row["title"] or "",
        row["text"],
        row["sentences"],
        spans,
        tuple(row["points"]),
        pairs,
        no_caveat=tuple(row.get("no_caveat", ())),
        wrong=tuple(row.get("wrong", ())),
    )


def _abstracted(row: dict) -> Labelled:  # type: ignore[type-arg]
    spans = split_sentences(row["text"], row["lang"]) or [Sentence(0, len(row["text"]))]
    sentences = [row["text"][start:end] for start, end in spans]
    tokens = [_STEMMER.tokenize(sentence) for sentence in sentences]
    reference = tuple(_STEMMER.tokenize(row["reference"]))
    points = nearest(tokens, reference)
    return Labelled(
        row["id"], row["lang"], "", row["text"], sentences, spans, points, (), reference, tokens=tokens
    )


def align(text: str, sentences: Sequence[str]) -> list[Sentence]:
    """Return the spans of the sentences in the text, ignoring white space."""
    places = [place for place, sign in enumerate(text) if not sign.isspace()]
    bare = "".join(text[place] for place in places)
    spans, at = [], 0
    for sentence in sentences:
        signs = "".join(sentence.split())
        found = bare.find(signs, at)
        start = found if found >= 0 else at
        at = min(start + len(signs), len(bare))
        spans.append(Sentence(places[min(start, len(places) - 1)], places[at - 1] + 1))
    return spans


def overlap(tokens: Iterable[str], reference: Sequence[str]) -> float:
    """Return ROUGE-1 F of the tokens against the reference's."""
    mine, theirs = Counter(tokens), Counter(reference)
    common = sum((mine & theirs).values())
    return 2 * common / max(1, sum(mine.values()) + sum(theirs.values()))


def nearest(tokens: Sequence[list[str]], reference: Sequence[str], most: int = 3) -> tuple[int, ...]:
    """Return the sentences chosen one by one to raise ROUGE-1 plus ROUGE-2 against the reference."""
    chosen: list[int] = []
    best = 0.0
    pairs = list(pairwise(reference))
    while len(chosen) < most:
        gains = []
        for place in range(len(tokens)):
            if place not in chosen:
                lines = [tokens[k] for k in (*chosen, place)]
                both = [two for line in lines for two in pairwise(line)]
                score = overlap((t for line in lines for t in line), reference) + overlap(both, pairs)  # type: ignore[arg-type]
                gains.append((score, -place))
        if not gains or max(gains)[0] <= best + 1e-9:
            break
        best, place = max(gains)
        chosen.append(-place)
    return tuple(sorted(chosen))


def events(texts: Sequence[str]) -> list[int]:
    """Return a group for each text: texts are joined where their TF-IDF cosine is above `SAME_EVENT`."""
    counts = [Counter(re.findall(r"[^\W\d_]{3,}", text.lower())) for text in texts]
    spread = Counter(word for count in counts for word in count)
    column = {
        word: k for k, word in enumerate(w for w, n in sorted(spread.items()) if 2 <= n <= len(texts) / 10)
    }
    table = np.zeros((len(texts), len(column)), dtype=np.float32)
    for row, count in enumerate(counts):
        for word, n in count.items():
            if word in column:
                table[row, column[word]] = (1 + np.log(n)) * np.log(len(texts) / spread[word])
    table /= np.linalg.norm(table, axis=1, keepdims=True) + 1e-9
    parent = list(range(len(texts)))

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = place = parent[parent[place]]
        return place

    for one, other in zip(*np.where(np.triu(table @ table.T, 1) > SAME_EVENT), strict=True):
        parent[root(int(one))] = root(int(other))
    return [root(place) for place in range(len(texts))]
