"""Layout: the selected lines in the order in which they are read, with their marks (pure).

The order is the text's. A tied caveat stands directly below its point, one of the headline first, and one of
the story as a whole last. A line that leans on another one stays directly below it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from service.condense.marking import Mark, mark_caveats
from service.condense.selection.lines import SummaryLine
from service.condense.selection.selecting import KeyPointSelection
from service.core.model import Grade, KeyPoint, Role


def mark_lines(selection: KeyPointSelection) -> dict[int, Mark]:
    """Return the marks of the selected lines by place, each mark's claim as the place of its line.

    A mark that would move a line away from the one that it leans on, or from one that leans on it, is
    weakened to one that does not.
    """
    line_of = {place: line.place for line in selection.lines for place in line.places}
    below = {
        line_of[line.above]: line.place
        for line in selection.lines
        if line.stands_below and line.above in line_of
    }
    fixed = below.keys() | set(below.values())
    marks: dict[int, Mark] = {}
    for place, mark in mark_caveats(list(line_of), selection.headline, selection.evidence).items():
        claim = line_of.get(-1 if mark.claim is None else mark.claim)
        if line_of[place] != place or claim == place:
            continue  # one line says both
        if mark.grade is Grade.TIED and claim is not None and below.get(claim, place) == place:
            can_stand = place not in fixed or (below.get(claim) == place and place not in below)
            grade = Grade.TIED if can_stand else Grade.CONTEXT
        elif mark.grade is Grade.TIED and claim is not None:
            grade = Grade.STORY if place not in fixed else Grade.CONTEXT
        else:
            grade = mark.grade if place not in fixed else Grade.CONTEXT
        marks[place] = Mark(grade, claim if grade is Grade.TIED else None, mark.kind, mark.probability)
    return marks


def lay_out(text: str, selection: KeyPointSelection) -> tuple[KeyPoint, ...]:
    """Return the selected lines as key points, ranked by when they entered."""
    marks = mark_lines(selection)
    rank = {line.place: rank for rank, line in enumerate(selection.lines)}
    key_points: list[KeyPoint] = []
    index: dict[int, int] = {}
    for line in _in_order(selection, marks):
        mark = marks.get(line.place)
        start, end, introduction, quoted = line.candidate[:4]
        stands_below = bool(key_points) and index.get(line.above) == len(key_points) - 1
        key_points.append(
            KeyPoint(
                text[start:end],
                start,
                end,
                Role.CAVEAT if mark else Role.POINT,
                None if mark is None or mark.claim is None else index[mark.claim],
                rank[line.place],
                introduction,
                quoted,
                mark.grade if mark else Grade.TIED,
                mark.kind if mark else None,
                len(key_points) - 1 if stands_below else None,
                line.hint,
            )
        )
        index |= dict.fromkeys(line.places, len(key_points) - 1)
    return tuple(key_points)


def _in_order(selection: KeyPointSelection, marks: Mapping[int, Mark]) -> list[SummaryLine]:
    """Return the lines in the order in which they are read."""
    lines = sorted(selection.lines, key=lambda line: line.place)
    line_of = {place: line.place for line in lines for place in line.places}
    of_headline, of_story, others = [], [], []
    below: dict[int, list[SummaryLine]] = {}  # what leans on a line, then its caveats
    for line in sorted(lines, key=lambda line: not line.stands_below):
        mark = marks.get(line.place)
        if line.stands_below and line.above in line_of:
            below.setdefault(line_of[line.above], []).append(line)
        elif mark is None or mark.grade is Grade.CONTEXT:
            others.append(line)
        elif mark.grade is Grade.STORY:
            of_story.append(line)
        elif mark.claim is None:
            of_headline.append(line)
        else:
            below.setdefault(mark.claim, []).append(line)
    return [one for line in (*of_headline, *others, *of_story) for one in _with_those_below(line, below)]


def _with_those_below(line: SummaryLine, below: Mapping[int, Sequence[SummaryLine]]) -> Iterator[SummaryLine]:
    yield line
    for one in below.get(line.place, ()):
        yield from _with_those_below(one, below)
