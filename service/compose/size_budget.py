"""Size budget: the size of the finished mail, and how to keep it under the limit (pure).

Gmail clips a mail whose HTML part is larger than 102 kB, and hides the footer with its unsubscribe link. The
limit is that of the part as it is sent, encoded; the text part and pictures do not count.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from service.compose.digest import HeadlinePoints, reductions, shown_headline_points
from service.core.model import Correction, Digest, Placement, RenderedMail, Story
from service.core.transfer_encoding.text_parts import encoded_size, most_encoded_bytes

MAX_HTML_BYTES = 102_000
MAX_RENDERINGS = 6  # of one issue that is too large
AIM, FULL_ENOUGH = 0.97, 0.92  # of the limit: what a rendering aims at, and below which another one is tried

PAGE_BYTES, STORY_BYTES, LINE_BYTES, OTHERS_BYTES, COMPACT_OTHERS_BYTES = 12_000, 1_500, 600, 12_000, 4_500
"""The size of an empty page, of the markup of a story and of a line, and of a long list of articles: roughly,
for estimates that are corrected by the size of the rendered mail."""

Render = Callable[[Digest], RenderedMail]


def fit_to_size(
    digest: Digest, render: Render, headline_points: HeadlinePoints = shown_headline_points
) -> tuple[Digest, RenderedMail]:
    """Return the digest and its rendering, reduced as far as it is too large.

    The steps are those of `reductions`. Their sizes are estimated, so that the mail is rendered a few times
    only; the smallest step is taken if none is found that fits.
    """
    rendered = render(digest)
    if most_encoded_bytes(_measured_part(rendered)) <= MAX_HTML_BYTES:
        return digest, rendered
    size = html_bytes(rendered)
    if size <= MAX_HTML_BYTES:
        return digest, rendered
    steps = [digest, *reductions(digest, headline_points)]
    search = _Search(_estimates(steps), size)
    best: tuple[Digest, RenderedMail] | None = None
    for _ in range(MAX_RENDERINGS - 2):
        step = search.next_step()
        if step is None:
            break
        found = steps[step], render(steps[step])
        if search.measured(step, html_bytes(found[1])):
            best = found
    return best or (steps[-1], render(steps[-1]))


def html_bytes(rendered: RenderedMail) -> int:
    """Return the bytes that count for the limit: of the HTML part, or of the text of a mail without HTML."""
    return encoded_size(_measured_part(rendered))


def _measured_part(rendered: RenderedMail) -> str:
    return rendered.html or rendered.text


class _Search:
    """The search for the first step that fits, by estimates that each measurement corrects."""

    def __init__(self, estimates: Sequence[int], size: int) -> None:
        """`size` is that of step 0, which is too large."""
        self._estimates = estimates
        self._low, self._low_size = 0, size
        self._high, self._high_size = len(estimates) - 1, 0

    def next_step(self) -> int | None:
        """Return the step to measure next; None if the search is over."""
        if self._high_size >= FULL_ENOUGH * MAX_HTML_BYTES:
            return None
        aim, low, high = AIM * MAX_HTML_BYTES, self._estimates[self._low], self._estimates[self._high]
        if self._high_size:
            share = (aim - self._high_size) / (self._low_size - self._high_size)
            wanted = high + share * (low - high)
        else:
            wanted = low * aim / self._low_size
        between = range(self._low + 1, self._high)
        return next((step for step in between if self._estimates[step] <= wanted), None)

    def measured(self, step: int, size: int) -> bool:
        """Take the size of a step; return whether it fits."""
        fits = size <= MAX_HTML_BYTES
        if fits:
            self._high, self._high_size = step, size
        else:
            self._low, self._low_size = step, size
        return fits


def _estimates(steps: Sequence[Digest]) -> list[int]:
    """Return the approximate size of each digest, in bytes; a story of several digests is measured once."""
    measured: dict[tuple[int, bool], int] = {}

    def size(story: Story, *, compact: bool) -> int:
        key = id(story), compact
        if key not in measured:
            measured[key] = _story_bytes(story, compact=compact)
        return measured[key]

    mailed = (Placement.LEAD, Placement.STORY, Placement.SHORT)
    return [
        PAGE_BYTES
        + sum(size(story, compact=one.compact) for story in one.placed(*mailed))
        + sum(_correction_bytes(correction) for correction in one.corrections)
        for one in steps
    ]


def _story_bytes(story: Story, *, compact: bool) -> int:
    lines = sum(
        LINE_BYTES + _length(point.introduction, point.text, point.article.url) for point in story.points
    )
    title = _length(story.headline, story.articles[0].url)
    if story.placement is Placement.SHORT:
        return LINE_BYTES + title + lines
    others = sum(LINE_BYTES // 2 + _length(one.title, one.url) for one in story.articles[1:])
    return STORY_BYTES + title + lines + min(others, COMPACT_OTHERS_BYTES if compact else OTHERS_BYTES)


def _correction_bytes(correction: Correction) -> int:
    pairs = ((change.sent, change.current) for change in correction.changes)
    return sum(LINE_BYTES + _length(text.text) for pair in pairs for text in pair if text is not None)


def _length(*texts: str) -> int:
    return sum(len(text.encode("utf-8", "replace")) for text in texts)
