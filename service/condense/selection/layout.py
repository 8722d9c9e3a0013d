"""Layout: the selected lines in the order in which they are read, with their marks (pure).

The order is the text's. A tied caveat stands directly below its point, one of the headline first, and one of
the story as a whole last. A line that leans on another one stays directly below it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from service.condense.marking import CaveatLink, Mark, mark_caveats, tie_caveats
from service.condense.selection.lines import SummaryLine
from service.condense.selection.selecting import KeyPointSelection
from service.core.model import Grade, KeyPoint, Role


def mark_lines(selection: KeyPointSelection) -> dict[int, Mark]:
    """Return the marks of the selected lines by place, each mark's claim as the place of its line.

    A mark that would move a line away from the one that it leans on, or from one that leans on it, is
    weakened to one that does not. What is read first is a point, unless it qualifies the headline.
    """
    line_of = {place: line.place for line in selection.lines for place in line.places}
    below = {
        line_of[line.above]: line.place
        for line in selection.lines
        if line.stands_below and line.above in line_of
    }
    marks: dict[int, Mark] = {}
    found = mark_caveats(list(line_of), selection.headline, selection.evidence, _ties(selection))
    for place, mark in found.items():
        claim = line_of.get(-1 if mark.claim is None else mark.claim)
        if line_of[place] != place or claim == place:
            continue  # one line says both
        grade = _possible_grade(place, mark.grade, claim, below)
        marks[place] = Mark(grade, claim if grade is Grade.TIED else None, mark.kind, mark.probability)
    first = _in_order(selection, marks)[:1]
    while first and first[0].place in marks and marks[first[0].place].grade is not Grade.TIED:
        del marks[first[0].place]
        first = _in_order(selection, marks)[:1]
    return marks


def _ties(selection: KeyPointSelection) -> dict[int, CaveatLink]:
    """Return the ties among the lines of the best set, which all lengths share, and those of the others."""
    best = {line.place for line in selection.best}
    stages = [[place for line in selection.best for place in line.places]]
    stages += [list(line.places) for line in selection.lines if line.place not in best]
    return tie_caveats(stages, selection.headline, selection.evidence)


def _possible_grade(place: int, grade: Grade, claim: int | None, below: Mapping[int, int]) -> Grade:
    """Return the grade of a mark, or the next one that parts no line from what it leans on.

    `below` maps a line to the one that must stand directly below it.
    """
    leans, follower = place in below.values(), None if claim is None else below.get(claim)
    if grade is Grade.TIED and (follower == place or (follower is None and not leans)):
        return Grade.TIED
    return Grade.CONTEXT if leans or place in below or grade is Grade.CONTEXT else Grade.STORY


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
    others.sort(key=lambda line: line.place)  # those whose line above is not shown came before the others
    return [one for line in (*of_headline, *others, *of_story) for one in _with_those_below(line, below)]


def _with_those_below(line: SummaryLine, below: Mapping[int, Sequence[SummaryLine]]) -> Iterator[SummaryLine]:
    yield line
    for one in below.get(line.place, ()):
        yield from _with_those_below(one, below)
