"""JSON of an issue: everything that its web page shows, for programs (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from service.app.archive.issue_page import IssuePage
from service.compose.render.points import PointView, SentenceView
from service.compose.render.story_view import StoryView


def issue_as_dict(pages: Sequence[IssuePage]) -> dict[str, Any]:
    """Return the issue of these pages. Times and dates are written for its readers, links are complete.

    An issue without a stored digest has no stories but the lines of its mail as `text`.
    """
    first = pages[0]
    return {
        "id": first.id,
        "newsletter": first.newsletter,
        "title": first.title,
        "day": first.day,
        "language": first.lang,
        "created_at": first.created_at.isoformat(),
        "url": first.links.page,
        "stories": [
            _story(story, group.title) for page in pages for group in page.groups for story in group.stories
        ],
        "corrections": [
            {
                "headline": found.headline,
                "url": found.url,
                "publisher": found.publisher,
                "changes": [{"was": one.told, "now": one.now or None} for one in found.changes],
            }
            for found in first.corrections
        ],
        "left_out": first.left_out,
        "text": ["".join(piece.text for piece in line) for paragraph in first.mail for line in paragraph],
    }


def _story(story: StoryView, section: str) -> dict[str, Any]:
    return {
        "number": story.number,
        "placement": story.placement,
        "section": section,
        "headline": story.headline,
        "url": story.url,
        "language": story.lang,
        "publishers": story.told_by,
        "time": story.time,
        "update": story.update,
        "caveats": [_line(line) for line in story.caveats],
        "points": [_point(point) for point in story.points],
        "articles": [
            {"title": one.title, "publisher": one.publisher, "url": one.url}
            for one in (*story.sources[:1], *story.others)
        ],
    }


def _point(point: PointView) -> dict[str, Any]:
    return {
        **_line(point.line),
        "grade": point.grade,
        "caveats": [_line(line) for line in point.caveats],
        "earlier": [_line(line) for line in point.earlier],
    }


def _line(line: SentenceView) -> dict[str, Any]:
    return {
        "text": line.text,
        "label": line.label,
        "hint": line.hint,
        "introduction": line.introduction,
        "source": line.source,
        "url": line.url,
    }
