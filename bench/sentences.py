"""Sentences: the quality and speed of splitting, compared with a simple split at full stops.

quality  F1 of boundaries on a JSONL file of {text, sentences}, counted in characters that are no space
speed    milliseconds for fifty sentences of articles; seconds for hostile texts of up to 5 MB

python3 dev.py bench sentences [--data FILE]
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from service.text.sentences import split_sentences
from tests.compose.reports import REPORTS

PLAIN = re.compile(r"(?<=[.!?])\s+(?=[\"'“(]?[A-Z])")
Spans = Sequence[tuple[int, int]]

HOSTILE = {
    "1,000,000 letters": "a" * 1_000_000,
    "500,000 times 'a.'": "a." * 500_000,
    "100,000 brackets": "(" * 100_000,
    "1,000,000 full stops": "." * 1_000_000 + "a",
    "300,000 times '. '": ". " * 300_000,
    "300,000 times 'Mr. '": "Mr. " * 300_000,
    "500,000 lines": "a\n" * 500_000,
    "5 MB of reports": ("\n\n".join(report.text for report in REPORTS) * 1_500)[:5_000_000],
}


def plain(text: str) -> Spans:
    """Split where a final mark, a space and a capital meet."""
    places = [0, *(m.end() for m in PLAIN.finditer(text)), len(text)]
    return [(a, b) for a, b in pairwise(places) if text[a:b].strip()]


def boundaries(text: str, spans: Spans) -> set[int]:
    """Return where something ends, a sentence or what lies between two, in characters that are no space."""
    ends, before = set(), 0
    for start, end in (*spans, (len(text), len(text))):
        ends |= {len("".join(text[:start].split()))} if text[before:start].strip() else set()
        ends |= {len("".join(text[:end].split()))} if text[start:end].strip() else set()
        before = end
    return ends


def labelled(data: Path) -> Iterator[tuple[str, set[int]]]:
    """Yield texts with the true boundaries."""
    with data.open(encoding="utf-8") as lines:
        for line in lines:
            row, place, ends = json.loads(line), 0, set()
            for sentence in row["sentences"]:
                place += len("".join(sentence.split()))
                ends.add(place)
            yield row["text"], ends


def quality(data: Path) -> None:
    """Print precision, recall and F1 of the boundaries."""
    texts = list(labelled(data))
    print(f"{len(texts)} articles from {data}\n{'boundaries':<22} F1     precision  recall")
    for name, split in (("ours", split_sentences), ("plain", plain)):
        found = wrong = missed = 0
        for text, true in texts:
            ours = boundaries(text, split(text))
            found, wrong, missed = (
                found + len(ours & true),
                wrong + len(ours - true),
                missed + len(true - ours),
            )
        score = 2 * found / (2 * found + wrong + missed)
        print(f"{name:<22} {score:.3f}  {found / (found + wrong):.3f}      {found / (found + missed):.3f}")


def seconds(split: Callable[[str], object], texts: Sequence[str], rounds: int = 1) -> float:
    """Return the CPU seconds for all texts, the best of some rounds."""
    taken = []
    for _ in range(rounds):
        start = time.process_time()
        for text in texts:
            split(text)
        taken.append(time.process_time() - start)
    return min(taken)


def speed(data: Path | None) -> None:
    """Print the times."""
    texts = [report.text for report in REPORTS] if data is None else [text for text, _ in labelled(data)]
    fifties = sum(len(split_sentences(text)) for text in texts) / 50
    ours, other = (seconds(split, texts, 9) / fifties * 1e3 for split in (split_sentences, plain))
    print(f"\nfifty sentences: ours {ours:.3f} ms, plain {other:.3f} ms")
    for name, text in HOSTILE.items():
        print(f"{name:<22} {seconds(split_sentences, [text]):6.2f} s")


def main() -> None:
    """Run both parts; quality needs a file."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--data", type=Path, help="articles with their sentences")
    chosen = options.parse_args()
    if chosen.data is not None and not chosen.data.is_file():
        options.error(f"there is no file {chosen.data}")
    if chosen.data is not None:
        quality(chosen.data)
    speed(chosen.data)


if __name__ == "__main__":
    main()
