"""Answer: what a judge chose, read strictly from its reply.

A reply that is no answer to the question (too large, not JSON, unknown keys, a number that no sentence has)
is refused as a whole. A slip in one item (context instead of a candidate, a repetition, a claim that is its
own caveat, an unknown kind, an item too many) drops the item.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, NoReturn

from service.condense.judge.question import MAX_PAIRS, MAX_POINTS, JudgeQuestion
from service.core.errors import JudgeAnswerRefused
from service.core.model import CaveatKind, TextSpan

MAX_ANSWER_BYTES = 4_096  # several times the longest valid answer
_PAIR_KEYS = ("claim", "caveat", "kind", "must")
_KINDS = {
    **{kind.value: kind for kind in CaveatKind},
    "denial": CaveatKind.DENIED,
    "condition": CaveatKind.CONDITIONAL,
    "uncertainty": CaveatKind.UNCONFIRMED,
    "limit": CaveatKind.LIMITED,
    "not-what-it-seems": CaveatKind.LIMITED,
    "contradiction": CaveatKind.DISPUTED,
}
"""The kinds in a reply; the last six are those of the labels that editors made."""


class JudgedPair(NamedTuple):
    """A claim and the caveat that qualifies it; `must` says that the claim misleads without it."""

    claim: TextSpan
    caveat: TextSpan
    kind: CaveatKind
    must: bool


@dataclass(frozen=True, slots=True)
class JudgeAnswer:
    """What a judge chose among the `candidates` that it was shown: points, best first, and pairs.

    Spans are offsets into the text of the question, so that an answer can be stored and used later.
    """

    candidates: tuple[TextSpan, ...]
    points: tuple[TextSpan, ...]
    pairs: tuple[JudgedPair, ...]

    def spans(self) -> Iterator[TextSpan]:
        """Yield every span of the answer."""
        yield from self.candidates
        yield from self.points
        for pair in self.pairs:
            yield from (pair.claim, pair.caveat)

    def confirmed(self, verdicts: Sequence[bool | None]) -> JudgeAnswer:
        """Return the answer with the pairs whose verdict is true; a missing verdict is none."""
        kept = tuple(pair for pair, verdict in zip(self.pairs, verdicts, strict=False) if verdict)
        return replace(self, pairs=kept)


def parse_answer(content: str, question: JudgeQuestion) -> JudgeAnswer:
    """Return the answer in a reply's content: JSON, which may stand in a Markdown code fence.

    Raises JudgeAnswerRefused, and nothing else.
    """
    return read_answer(_decoded(content), question)


def parse_confirmation(content: str) -> bool | None:
    """Return the verdict in a reply to a confirmation: JSON or the bare word; None if it is neither."""
    word: object = content.strip(" \t\r\n.\"'").lower() if len(content) <= MAX_ANSWER_BYTES else ""
    if word not in ("yes", "no"):
        try:
            fields = _decoded(content)
        except JudgeAnswerRefused:
            return None
        word = fields["answer"] if fields.keys() == {"answer"} else None
    return {"yes": True, "no": False}.get(word.lower()) if isinstance(word, str) else None


def read_answer(
    fields: Mapping[str, object], question: JudgeQuestion, confirmed: Sequence[bool] | None = None
) -> JudgeAnswer:
    """Return the answer with these fields: `points` and, unless there are none, `pairs`.

    `confirmed` has a verdict for each item of `pairs`; without it, all pairs count. Raises
    JudgeAnswerRefused.
    """
    if unknown := fields.keys() - {"points", "pairs"}:
        _refuse(f"it has the unknown key {min(unknown)[:40]!r}")
    points = _items(fields.get("points"), "points")
    pairs = _items(fields.get("pairs", []), "pairs")
    if confirmed is not None and len(confirmed) != len(pairs):
        _refuse("it does not have one confirmation for each pair")
    chosen = dict.fromkeys(span for point in points if (span := _candidate(point, question)))
    if not chosen:
        _refuse("it chooses no candidate as a key point")
    read = [_pair(item, question) for item in pairs]
    if confirmed is not None:
        read = [pair for pair, verdict in zip(read, confirmed, strict=True) if verdict]
    found: dict[frozenset[TextSpan], JudgedPair] = {}
    for pair in read:
        if pair is not None:
            found.setdefault(frozenset({pair.claim, pair.caveat}), pair)
    candidates = tuple(question.spans[number] for number in question.candidates)
    return JudgeAnswer(candidates, tuple(chosen)[:MAX_POINTS], tuple(found.values())[:MAX_PAIRS])


def _decoded(content: str) -> dict[str, Any]:
    if len(content) > MAX_ANSWER_BYTES or len(content.encode("utf-8", "replace")) > MAX_ANSWER_BYTES:
        _refuse(f"it is larger than {MAX_ANSWER_BYTES:,} bytes")
    try:
        value = json.loads(_unfenced(content), object_pairs_hook=_without_repeated_keys)
    except (ValueError, RecursionError):
        _refuse("it is not JSON")
    if not isinstance(value, dict):
        _refuse("it is not a JSON object")
    return value


def _unfenced(content: str) -> str:
    """Return the text in the one code fence that the content may consist of."""
    bare = content.strip()
    if bare.startswith("```") and bare.endswith("```") and "\n" in bare:
        return bare.partition("\n")[2].removesuffix("```")
    return bare


def _without_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a key is repeated")
    return fields


def _items(value: object, name: str) -> list[Any]:
    if not isinstance(value, list):
        _refuse(f"its {name} are not a list")
    return value


def _candidate(number: object, question: JudgeQuestion) -> TextSpan | None:
    """Return the candidate of that number, None for a sentence that is context."""
    if type(number) is not int:
        _refuse("it has something else in place of a number")
    if not 0 <= number < len(question.spans):
        _refuse("it has the number of no sentence")
    return question.spans[number] if number in question.candidates else None


def _pair(item: object, question: JudgeQuestion) -> JudgedPair | None:
    """Return the pair: an object with _PAIR_KEYS, or a list of their values; None for a slip."""
    if isinstance(item, dict) and item.keys() == set(_PAIR_KEYS):
        item = [item[key] for key in _PAIR_KEYS]
    if not isinstance(item, list) or len(item) != len(_PAIR_KEYS):
        _refuse("it has a pair that is not claim, caveat, kind and must")
    claim, caveat = _candidate(item[0], question), _candidate(item[1], question)
    kind, must = item[2:]
    if not isinstance(kind, str) or not isinstance(must, bool):
        _refuse("it has a pair that is not claim, caveat, kind and must")
    known = _KINDS.get(kind)
    if claim is None or caveat is None or claim == caveat or known is None:
        return None
    return JudgedPair(claim, caveat, known, must)


def _refuse(reason: str) -> NoReturn:
    raise JudgeAnswerRefused(f"the answer cannot be used: {reason}")
