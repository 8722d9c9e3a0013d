"""Attack strings that are derived from a regular expression, by its parse tree in Python.

A backtracking matcher is slow where it can read the same characters in more than one way, or from more
than one start. So each repeat is reached and pumped: its prefix once and its body many times, both
together many times, many prefixes and then many bodies, prefixes alone; each with ends that let the match
fail. Characters are chosen by kind: two characters that are in the same sets of the pattern are one kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from re import _constants as ops  # type: ignore[attr-defined]  # the parser has no public name
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

ALPHABET = [chr(code) for code in range(128)] + list("\x85\xa0éßЖاक中あ한’–…、\u2028\ufeff")
CATEGORIES = {
    name: frozenset(re.findall(pattern, "".join(ALPHABET)))
    for name, pattern in {"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w"}.items()
}
REPEATS = (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT)
ENDS = ("", "\x00", "\n\x00")
MIN_REPEATS = 100
"""Repeats of fewer times cost a bounded number of steps at each position, so they are not attacked."""
MAX_KINDS = 6

Node = tuple[Any, Any]
Path = tuple[Sequence[Node], ...]
"""The nodes before a repeat, outermost first."""


def attacks(pattern: re.Pattern[Any]) -> list[tuple[str, str, str]]:
    """Return (start, pumped, end) of each attack: `start` occurs once, `pumped` is repeated.

    A start that begins with NUL is repeated as well, and makes up half of the attack.
    """
    text = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    tree = list(parser.parse(text, pattern.flags & (re.VERBOSE | re.DOTALL | re.MULTILINE)))
    kinds = _kinds(tree)
    found: dict[tuple[str, str, str], None] = {}
    repeats = list(_repeats(tree, ()))
    for prefer in kinds if repeats else ():
        for path, body in repeats:
            lead = "".join(_example(before, prefer) for before in path)
            pump = _example(body, prefer)
            for end in ENDS:
                found.update(dict.fromkeys(((lead, pump, end), ("", lead + pump, end), ("", lead, end))))
                found[("\x00" + lead, pump, end)] = None
        for other in kinds[:4]:
            found[("", prefer + other, "\x00")] = None
        found[("", _example(tree, prefer), "\x00")] = None
    return [one for one in found if one[1]]


def written(attack: tuple[str, str, str], length: int) -> str:
    """Return the attack at about this length."""
    start, pumped, end = attack
    if not start.startswith("\x00"):
        return start + pumped * (length // len(pumped)) + end
    start = start[1:]
    half = length // 2
    return start * (half // max(len(start), 1)) + pumped * (half // len(pumped)) + end


def _repeats(nodes: Sequence[Node], path: Path) -> Iterator[tuple[Path, Sequence[Node]]]:
    """Yield the body of each repeat and the nodes before it."""
    for index, (op, value) in enumerate(nodes):
        here = (*path, nodes[:index])
        if op in REPEATS:
            _least, most, body = value
            if most >= MIN_REPEATS:
                yield here, list(body)
            yield from _repeats(list(body), here)
        else:
            for child in _children(op, value):
                yield from _repeats(child, here)


def _children(op: Any, value: Any) -> list[list[Node]]:
    if op in REPEATS:
        return [list(value[2])]
    if op is ops.SUBPATTERN:
        return [list(value[3])]
    if op is ops.BRANCH:
        return [list(branch) for branch in value[1]]
    if op in (ops.ASSERT, ops.ASSERT_NOT):
        return [list(value[1])]
    return [list(value)] if op is ops.ATOMIC_GROUP else []


def _example(nodes: Sequence[Node], prefer: str) -> str:
    """Return a short string that the nodes match, of the preferred character wherever it fits."""
    made = []
    for op, value in nodes:
        if op in REPEATS:
            made.append(_example(list(value[2]), prefer) * max(value[0], 1))
        elif op is ops.BRANCH:
            options = [_example(child, prefer) for child in _children(op, value)]
            made.append(next((option for option in options if prefer in option), options[0]))
        elif op in (ops.SUBPATTERN, ops.ATOMIC_GROUP):
            made += [_example(child, prefer) for child in _children(op, value)]
        elif members := _members(op, value):
            made.append(prefer if prefer in members else members[0])
    return "".join(made)


def _members(op: Any, value: Any) -> list[str]:
    """Return the characters of the alphabet that a node matches; none for a node that is not a set."""
    if op is ops.LITERAL:
        return [chr(value)]
    if op in (ops.NOT_LITERAL, ops.ANY, ops.IN):
        return [one for one in ALPHABET if _belongs(op, value, one)]
    return []


def _belongs(op: Any, value: Any, one: str) -> bool:
    if op is ops.ANY:
        return one != "\n"
    if op in (ops.LITERAL, ops.NOT_LITERAL):
        return (ord(one) == value) is (op is ops.LITERAL)
    if op is ops.RANGE:
        return value[0] <= ord(one) <= value[1]
    if op is ops.CATEGORY:
        return (one in CATEGORIES[str(value).rpartition("_")[2]]) is not ("NOT" in str(value))
    negated = value[0][0] is ops.NEGATE
    return any(_belongs(kind, what, one) for kind, what in value[negated:]) is not negated


def _sets(nodes: Sequence[Node]) -> Iterator[frozenset[str]]:
    for op, value in nodes:
        if members := _members(op, value):
            yield frozenset(members)
        for child in _children(op, value):
            yield from _sets(child)


def _kinds(nodes: Sequence[Node]) -> list[str]:
    """Return one character of each kind, those in the most sets first."""
    sets = list(_sets(nodes))
    kinds: dict[tuple[bool, ...], str] = {}
    for one in [*'a 0\n<"-.', *ALPHABET]:
        kinds.setdefault(tuple(one in members for members in sets), one)
    ordered = sorted((kind for kind in kinds if any(kind)), key=sum, reverse=True)
    return [kinds[kind] for kind in ordered[:MAX_KINDS]] or ["a"]
