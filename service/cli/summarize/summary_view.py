"""Key points and explained sentences as text for people."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence

from service.app.summarize import ExplainedSentence
from service.cli.ui import terminal
from service.cli.ui.output import caveat_label, printable
from service.core.model import Grade, KeyPoint, Role, Summary, TextSpan

INTRODUCTION = "  "
POINT = "• "
TIED_INDENT, STORY_INDENT = "    ", "  "  # before a caveat of a point, and of the story
MAX_SHOWN_FEATURES = 6  # of a sentence, those with the largest weight


def summary_text(summary: Summary, text: str, *, title: str = "") -> str:
    """Return the key points as a list, each with its caveats indented below it.

    `text` is that of the article. What introduces points is printed above the first of them. Each caveat has
    its label. A key point has its hint if it does not stand directly below the one on which it leans, and an
    ellipsis if it begins within a sentence.
    """
    lines = [terminal.bold(line) for line in _wrapped(title, "")] if title else []
    introduced: set[TextSpan | None] = {None}
    for index, point in enumerate(summary.key_points):
        if point.introduction not in introduced and point.introduction is not None:
            lines += map(terminal.dim, _wrapped(text[slice(*point.introduction)], INTRODUCTION))
        introduced |= {point.introduction, TextSpan(point.start, point.end)}
        before = _hint(point, index, text) + ("… " if point.is_cut(text) and not point.quoted else "")
        lines += _key_point_lines(point, before)
    return "\n".join([*lines, ""])


def _hint(point: KeyPoint, index: int, text: str) -> str:
    if point.hint is None or (point.follows is not None and point.follows == index - 1):
        return ""
    return f"[{text[slice(*point.hint)]}] "


def _key_point_lines(point: KeyPoint, before: str) -> list[str]:
    quoted = f"“{point.text}”" if point.quoted else point.text
    if point.role is not Role.CAVEAT:
        return _wrapped(before + quoted, POINT)
    label = f"{caveat_label(point.grade, point.kind)}: "
    if point.grade is Grade.CONTEXT:
        return _marked(POINT, terminal.dim, label, before + quoted)
    indent = STORY_INDENT if point.grade is Grade.STORY else TIED_INDENT
    return _marked(indent, terminal.yellow, label, before + quoted)


def reason_lines(reasons: Sequence[ExplainedSentence]) -> Iterator[str]:
    """Yield, for each sentence of the text, its role, its scores and the features with the most weight."""
    for number, reason in enumerate(reasons, start=1):
        role = reason.role or "not shown"
        scores = f"  pick {reason.pick:.2f}  order {reason.order:.2f}  caveat {reason.caveat:.0%}"
        yield terminal.bold(f"{number}. {role}") + scores
        yield from _wrapped(reason.text, "   ")
        yield f"     {_features(reason.parts)}"
        if reason.qualifies:
            yield from _wrapped(f"qualifies ({reason.probability:.0%}): {reason.qualifies}", "     ")
            yield f"     {_features(reason.reasons)}"
        yield ""


def _features(parts: Sequence[tuple[str, float]]) -> str:
    heaviest = sorted(parts, key=lambda part: -abs(part[1]))[:MAX_SHOWN_FEATURES]
    return "  ".join(f"{name} {value:+.2f}" for name, value in heaviest)


def _marked(lead: str, style: Callable[[str], str], label: str, text: str) -> list[str]:
    first, *rest = _wrapped(text, lead + label, " " * (len(lead) + 2))
    return [first.replace(label, style(label), 1), *rest]


def _wrapped(text: str, lead: str, rest: str | None = None) -> list[str]:
    return textwrap.wrap(
        printable(text),
        terminal.width(),
        initial_indent=lead,
        subsequent_indent=" " * len(lead) if rest is None else rest,
        break_on_hyphens=False,
    )
