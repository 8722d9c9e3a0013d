"""Inbox lines: the subject of an issue, and the text that inboxes show behind it (pure).

Both consist of verbatim parts of headlines and sentences. A subject may be cut between words, the text behind
it never is: a caveat that is cut may say the opposite. A headline that its own article denies is marked so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import regex

from service.compose.render.points import SentenceView
from service.compose.render.story_view import StoryView
from service.compose.render.text_cleaning import clean
from service.compose.render.typography import typographic
from service.compose.stories.tolls import find_tolls
from service.core.model import Story, StoryPoint
from service.text.i18n import Localizer
from service.text.numbers import parse_number

MAX_SUBJECT_LETTERS = 60  # what inboxes on a desktop show
MAX_PREHEADER_LETTERS = 150  # what the widest inboxes show behind a short subject
MIN_OPENING_LETTERS = 20  # of a headline before the ellipsis, where its end is shown too
WORDS_BEFORE_FIGURE = 4  # shown behind the ellipsis; fewer if a clause begins there
ELLIPSIS, SEPARATOR = "…", " · "
PADDING = "\u034f\u200c\u00a0"
"""A character joiner, a non-joiner and a no-break space, which inboxes neither show nor skip: repeated behind
a short preheader, they keep the beginning of the page out of the inbox."""

_LETTER = regex.compile(r"\X")
_ENDS_CLAUSE = re.compile(r"[,;:–—]$")
_STOPS = ".。।"


def letters(text: str) -> int:
    """Return the number of letters as readers count them: extended grapheme clusters (UAX #29)."""
    return len(text) if text.isascii() else len(_LETTER.findall(text))


def cut(text: str, room: int) -> str:
    """Return the text cut between words to at most `room` letters, with an ellipsis at the cut."""
    if letters(text) <= room:
        return text
    kept = "".join(_LETTER.findall(text)[: max(room - 1, 0)])
    words, space, _ = kept.rpartition(" ")
    # An unspaced script or one very long word is cut between letters.
    shown = words if space and letters(words) > room // 2 else kept
    return shown.rstrip(" ,;:–—-·") + ELLIPSIS


def subject_line(
    stories: Sequence[StoryView], digest_stories: Sequence[Story], localizer: Localizer, title: str
) -> str:
    """Return the headline of the first story and, where there is room, the next one in whole.

    If the story is an update, it begins with that label, and has the newest figure of the story: the headline
    is cut around it, or the sentence with the figure stands in its place. `title` is that of the newsletter.
    """
    if not stories:
        return f"{title}: {localizer.text('nothing_short')}"
    lead = stories[0]
    label = f"{localizer.text('update')}: " if lead.update else ""
    room = MAX_SUBJECT_LETTERS - letters(label) - letters(lead.mark)
    shown = _with_figure(lead, digest_stories[0], room) if lead.update else cut(lead.headline, room)
    subject = f"{label}{shown}{lead.mark}"
    for story in stories[1:2]:
        longer = subject + SEPARATOR + story.marked_headline
        if not shown.endswith(ELLIPSIS) and letters(longer) <= MAX_SUBJECT_LETTERS:
            return longer
    return subject


def preheader(stories: Sequence[StoryView], counts: str) -> str:
    """Return the first caveat of the first story and the next headlines, each of them in whole.

    What does not fit is left out, never cut. Without caveat and further headlines it is the first point, and
    `counts` if nothing fits. "" without stories.
    """
    if not stories:
        return ""
    caveats = list(_caveats(stories[0]))
    parts = [line.plain for line in caveats if letters(line.plain) <= MAX_PREHEADER_LETTERS][:1]
    headlines = [story.marked_headline for story in stories[1:]]
    points = [one.line.plain for one in stories[0].points[:1] if not caveats]
    for text in headlines or points:
        if letters(SEPARATOR.join([*parts, text])) <= MAX_PREHEADER_LETTERS:
            parts.append(text)
        elif parts:
            break
    return SEPARATOR.join(parts) or counts


def preheader_padding(shown: str) -> str:
    """Return invisible characters that fill the room behind a preheader, "" behind an empty one."""
    return PADDING * max(0, MAX_PREHEADER_LETTERS - letters(shown)) if shown else ""


def _caveats(story: StoryView) -> Iterator[SentenceView]:
    """Yield the caveats of the headline, of the points and of the story."""
    yield from story.caveats
    for point in story.points:
        if point.grade == "story":
            yield point.line
        yield from point.caveats


def _with_figure(view: StoryView, story: Story, room: int) -> str:
    """Return the headline or a sentence within the room, with the newest figure of the story if any."""
    newest = next((point for point in story.points if point.earlier), None)
    figure = _newest_figure(newest) if newest else ""
    if newest is None or not figure:
        return cut(view.headline, room)
    words = view.headline.split()
    place = next((place for place, word in enumerate(words) if parse_number(word) == figure), None)
    if place is not None:
        return _cut_around(words, place, room)
    sentence = typographic(clean(newest.text), newest.article.language).rstrip(_STOPS)
    choices = (f"{view.headline}{SEPARATOR}{sentence}", sentence)
    return next((text for text in choices if letters(text) <= room), cut(view.headline, room))


def _newest_figure(point: StoryPoint) -> str:
    """Return the figure of the point that outdates earlier ones, in digits; "" if it is not clear which."""
    tolls = find_tolls(point.text, point.article.language)
    if tolls:
        return str(tolls[0].value)
    earlier = {parse_number(word) for one in point.earlier for word in one.text.split()}
    numbers = [number for word in point.text.split() if (number := parse_number(word))]
    return next((number for number in numbers if number not in earlier), "")


def _cut_around(words: Sequence[str], place: int, room: int) -> str:
    """Return the words within the room: their beginning and, behind an ellipsis, those around `place`."""
    whole = cut(" ".join(words), room)
    if whole.count(" ") > place or not whole.endswith(ELLIPSIS):
        return whole
    start = place
    while start > max(0, place - WORDS_BEFORE_FIGURE) and not _ENDS_CLAUSE.search(words[start - 1]):
        start -= 1
    ends = range(len(words), place, -1)
    tails = (" ".join(words[start:end]).rstrip(",;:–—") for end in ends)
    most = room - MIN_OPENING_LETTERS
    tail = next((text for text in tails if letters(text) < most), words[place])
    opening = cut(" ".join(words[:start]), room - letters(tail) - 1)
    return f"{opening.rstrip(ELLIPSIS)}{ELLIPSIS} {tail}"
