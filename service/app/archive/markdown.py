"""Markdown: an issue as a CommonMark file, in which nothing from a feed is markup (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from service.app.archive.issue_page import IssuePage, StoryGroup, TextPiece
from service.compose.render.points import PointView, SentenceView
from service.compose.render.story_view import StoryView
from service.text.i18n import Localizer

_SPECIAL = re.compile(r"[\\`*_\[\]<>&#|~$^!]")
"""Characters that begin markup anywhere in a line, also in common extensions."""

_LINE_START = re.compile(r"^(\s*)([-+=:]|[0-9]{1,9}(?=[.)]))")
"""What begins a list, an underlined heading or a definition at the start of a line."""


def markdown_of(pages: Sequence[IssuePage], more: str) -> str:
    """Return the issue of these pages as Markdown; `more` is the heading of what only the web page names."""
    first = pages[0]
    say = first.localizer
    blocks = [f"# {escaped(first.title)}", escaped(first.day)]
    for page in pages:
        blocks += [block for group in page.groups for block in _group(group, say, more)]
        blocks += ["  \n".join(_mail_line(line) for line in paragraph) for paragraph in page.mail]
    blocks += _corrections(first, say)
    left_out = pages[-1].left_out
    if left_out:
        blocks.append(escaped(say.text("left_out", n=left_out)))
    if any(page.stories for page in pages):
        blocks += ["---", escaped(say.text("how_made"))]
    blocks.append(linked(say.text("read_on_web"), first.links.page))
    return "\n\n".join(block for block in blocks if block) + "\n"


def escaped(text: str) -> str:
    """Return text on one line as Markdown that shows it as it is: without markup and HTML."""
    line = _SPECIAL.sub(r"\\\g<0>", " ".join(text.split()))
    return _LINE_START.sub(_guarded, line)


def linked(text: str, url: str) -> str:
    """Return a link with this text; the text alone if `url` is ""."""
    return f"[{escaped(text)}](<{url}>)" if url else escaped(text)


def _guarded(start: re.Match[str]) -> str:
    """Return the start of a line with its mark escaped; a number, so that its full stop is."""
    space, mark = start.groups()
    return f"{space}{mark}\\" if mark.isdigit() else f"{space}\\{mark}"


def _group(group: StoryGroup, say: Localizer, more: str) -> Iterator[str]:
    if group.kind in {"lead", "section"}:
        if group.title:
            yield f"## {escaped(group.title)}"
        for story in group.stories:
            yield from _story(story, say, "###" if group.title else "##")
        return
    yield f"## {escaped(say.text('in_short') if group.kind == 'short' else more)}"
    yield "\n".join(line for story in group.stories for line in _short(story, say))


def _story(story: StoryView, say: Localizer, mark: str) -> Iterator[str]:
    yield f"{mark} {_update(story, say)}{linked(story.headline, story.url)}"
    yield escaped(" · ".join(filter(None, (story.told_by, story.time))))
    if story.first_issue:
        yield linked(story.first_issue, story.first_issue_url)
    if story.caveats:
        yield "\n".join(_caveat(line, story, "") for line in story.caveats)
    points = [point for point in story.points if point.grade != "story"]
    if points:
        yield "\n".join(line for point in points for line in _point(point, story, say))
    if closing := [point for point in story.points if point.grade == "story"]:
        yield "\n".join(
            _caveat(line, story, "") for point in closing for line in (point.line, *point.caveats)
        )
    if story.several:
        names = [f"- {linked(one.title, one.url)} ({escaped(one.publisher)})" for one in story.others]
        unnamed = [f"- {escaped(say.text('unnamed', n=story.unnamed))}"] if story.unnamed else []
        yield "\n".join([escaped(say.text("others")), "", *names, *unnamed])


def _short(story: StoryView, say: Localizer) -> Iterator[str]:
    yield f"- {_update(story, say)}{linked(story.headline, story.url)} ({escaped(story.told_by)})"
    yield from (_caveat(line, story, "  ") for line in story.caveats)


def _point(point: PointView, story: StoryView, say: Localizer) -> Iterator[str]:
    yield f"- {_sentence(point.line, story)}"
    for one in point.earlier:
        yield f"  - {escaped(say.text('earlier'))} {linked(one.text, one.url)} {_source(one)}"
    yield from (_caveat(line, story, "  ") for line in point.caveats)


def _caveat(line: SentenceView, story: StoryView, indent: str) -> str:
    return f"{indent}- {_sentence(line, story)}"


def _sentence(line: SentenceView, story: StoryView) -> str:
    parts = (
        escaped(line.introduction),
        f"**{escaped(line.label)}**" if line.label else "",
        escaped(f"[{line.hint}]") if line.hint else "",
        "…" if line.is_cut else "",
        linked(line.text, line.url),
        _source(line) if story.several else "",
    )
    return " ".join(filter(None, parts))


def _source(line: SentenceView) -> str:
    return escaped(f"({', '.join(filter(None, (line.source, line.time)))})")


def _update(story: StoryView, say: Localizer) -> str:
    return f"**{escaped(say.text('update'))}:** " if story.update else ""


def _corrections(page: IssuePage, say: Localizer) -> Iterator[str]:
    if not page.corrections:
        return
    yield f"## {escaped(say.text('corrections'))}"
    yield escaped(say.text("corrected"))
    for found in page.corrections:
        yield f"### {linked(found.headline, found.url)}"
        yield escaped(f"{found.publisher} · {found.time}")
        for change in found.changes:
            now = f"{escaped(say.text('now'))} {linked(change.now, change.url)}"
            gone = escaped(say.text("gone"))
            yield f"- {escaped(say.text('was'))} {escaped(change.told)}\n- {now if change.now else gone}"


def _mail_line(line: Sequence[TextPiece]) -> str:
    return " ".join(linked(piece.text, piece.url) for piece in line)
