"""Layout: how much of each ranked story an issue shows (pure).

The first story leads, with up to LEAD_POINTS key points. The next ones have up to STORY_POINTS, as many of
them as the edition's number of stories or its reading time allows. All others are one line each; those that
are too many for the mail are on the issue's web page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace

from service.compose.ports import KeyPointMerger
from service.compose.ranking import RankedStory
from service.compose.render.text_cleaning import WORDS_PER_MINUTE, reading_words, words_to_minutes
from service.compose.stories.merging.merge import headline_points
from service.compose.stories.shortening import first_points
from service.core import ids
from service.core.model import Digest, Edition, Placement, Story, StoryPoint

LEAD_POINTS, STORY_POINTS = 4, 3  # of the first story and of another one, without their caveats
MIN_STORY_POINTS = 2  # where the reading time allows no more; with fewer, a story is one line
MAX_SHORT = 60  # lines of a mail: about three minutes
MAX_LISTED = 1_000  # stories of an issue with its web page; further ones are only counted
MIN_LINES = 3  # of a mail, however short its reading time
LEAD_SHARE, LINES_SHARE = 0.6, 0.25  # of the reading time: for the first story, and kept for the lines
SPARE_MINUTES = 0.5  # added for a story that would be the only line: times are shown in whole minutes
MIN_STORIES_FOR_SECTIONS = 8  # with points; fewer are easy to survey without headings
MAX_SHARED_STORIES = 20_000  # of a pass, each with its placement and its points
MAX_SHARED_LAYOUTS = 16  # of a pass; editions with the same topics follow one another
MIN_SECTIONS, MIN_STORIES_OF_SECTION = 2, 2  # sections of that size in an issue, else it has none


@dataclass(frozen=True, slots=True)
class Layout:
    """The stories of an issue, those of the mail first; `left_out` counts those that are not even named."""

    stories: tuple[Story, ...]
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class _Detailed:
    """A ranked story with its points as an issue may show them."""

    ranked: RankedStory
    story: Story

    def with_points(self, limit: int) -> _Detailed:
        return _Detailed(self.ranked, replace(self.story, points=first_points(self.story.points, limit)))

    @property
    def words(self) -> float:
        return _reading_words(self.story)


class SharedStories:
    """Stories as the issues of one pass show them: those that several issues show alike are one object.

    So their views and their stored form are made once. So are the layouts of editions that differ only in
    what a layout does not depend on, as in the language of the labels.
    """

    def __init__(self) -> None:
        # Each entry holds the objects whose identities are its key.
        self._stories: dict[Hashable, tuple[object, Story]] = {}
        self._layouts: dict[Hashable, tuple[object, Layout]] = {}

    def layout(self, edition: Edition, ranked: Sequence[RankedStory], make: Callable[[], Layout]) -> Layout:
        """Return the layout of these very stories for an edition, made by `make` if it is not there."""
        key = id(ranked), edition.topics, edition.stories, edition.points, edition.minutes
        if key not in self._layouts:
            if len(self._layouts) >= MAX_SHARED_LAYOUTS:
                self._layouts.clear()
            self._layouts[key] = ranked, make()
        return self._layouts[key][1]

    def story(
        self, ranked: RankedStory, placement: Placement, points: tuple[StoryPoint, ...], limit: int
    ) -> Story:
        """Return the story with the first of these points."""
        update = ranked.update
        if update.new_points is not None:
            return _story(ranked, placement, first_points(points, limit))
        key = id(update.story), id(ranked.score), placement, id(points), limit
        return self._get(
            key, (ranked, points), lambda: _story(ranked, placement, first_points(points, limit))
        )

    def line(self, ranked: RankedStory, placement: Placement) -> Story:
        """Return the story as one line, with the caveats of its headline."""
        if ranked.update.new_points is not None:
            return _line(ranked, placement)
        key = id(ranked.update.story), id(ranked.score), placement
        return self._get(key, ranked, lambda: _line(ranked, placement))

    def in_section(self, story: Story, section: str) -> Story:
        """Return the story in a section."""
        key = id(story), section
        return self._get(key, story, lambda: replace(story, section=section))

    def _get(self, key: Hashable, made_of: object, make: Callable[[], Story]) -> Story:
        found = self._stories.get(key)
        if found is None:
            if len(self._stories) >= MAX_SHARED_STORIES:
                self._stories.clear()
            found = self._stories[key] = made_of, make()
        return found[1]


def lay_out(
    edition: Edition,
    ranked: Sequence[RankedStory],
    merge: KeyPointMerger,
    shared: SharedStories | None = None,
) -> Layout:
    """Return the stories in their order, each with its placement and its points.

    Each ranked story is among them once, up to MAX_LISTED. Only those that may show points are merged. Those
    that are `shared` with other issues of the pass are not made again.
    """
    shared = SharedStories() if shared is None else shared
    return shared.layout(edition, ranked, lambda: _lay_out(edition, ranked, merge, shared))


def _lay_out(
    edition: Edition, ranked: Sequence[RankedStory], merge: KeyPointMerger, shared: SharedStories
) -> Layout:
    detailed, shorts = _detailed(edition, ranked, merge, shared), MAX_SHORT
    if edition.minutes is not None and detailed:
        detailed, shorts = _within_time(edition.minutes, detailed, ranked, shared)
    shown = {id(one.ranked) for one in detailed}
    others = [one for one in ranked if id(one) not in shown]
    listed = others[: MAX_LISTED - len(detailed)]
    lines = [
        shared.line(one, Placement.SHORT if number < shorts else Placement.WEB)
        for number, one in enumerate(listed)
    ]
    stories = in_sections([one.story for one in detailed], edition.topics, shared)
    return Layout((*stories, *lines), len(others) - len(listed))


def in_sections(
    stories: Sequence[Story], topics: Sequence[str], shared: SharedStories | None = None
) -> list[Story]:
    """Return stories with points in sections by topic, if they are enough, else without sections.

    Sections are in the order of their first story. The first story of all leads and has none; stories without
    a topic stand next. Of the topics of its leading article that are in `topics`, those of the edition (none:
    all), a story is shown under the one that the fewest stories have: the most specific.
    """
    found: dict[str, list[Story]] = {"": []}
    choices = [_topics(story, topics) for story in stories[1:]]
    counts = Counter(topic for choice in choices for topic in choice)
    for story, choice in zip(stories[1:], choices, strict=True):
        common = [topic for topic in choice if counts[topic] >= MIN_STORIES_OF_SECTION]
        topic = min(common, key=counts.__getitem__) if common else next(iter(choice), "")
        found.setdefault(topic, []).append(story)
    large = sum(len(members) >= MIN_STORIES_OF_SECTION for topic, members in found.items() if topic)
    if len(stories) < MIN_STORIES_FOR_SECTIONS or large < MIN_SECTIONS:
        return [replace(story, section="") if story.section else story for story in stories]
    in_section = (shared or SharedStories()).in_section
    sections = (in_section(story, topic) for topic, members in found.items() for story in members)
    return [*stories[:1], *sections]


def _topics(story: Story, topics: Sequence[str]) -> list[str]:
    return [topic for topic in story.articles[0].topics if not topics or topic in topics]


def _detailed(
    edition: Edition, ranked: Sequence[RankedStory], merge: KeyPointMerger, shared: SharedStories
) -> list[_Detailed]:
    """Return the first stories with points, as many as the edition allows; the first of all in any case.

    A story without key points is one line, so that the next one has its place.
    """
    found: list[_Detailed] = []
    for one in ranked:
        if len(found) >= edition.stories:
            break
        grouped = one.update.story.articles
        if found and not any(condensed.summary.key_points for condensed in grouped):
            continue
        points = one.update.new_points
        if points is None:
            points = merge(grouped, points=edition.points)
        if not found:
            found.append(_Detailed(one, shared.story(one, Placement.LEAD, points, LEAD_POINTS)))
        elif points:
            found.append(_Detailed(one, shared.story(one, Placement.STORY, points, STORY_POINTS)))
    return found


def _within_time(
    minutes: int, detailed: Sequence[_Detailed], ranked: Sequence[RankedStory], shared: SharedStories
) -> tuple[list[_Detailed], int]:
    """Return the stories that have points within the reading time, and the number of lines after them.

    A part of the time is kept for the lines. The first story and MIN_LINES lines are shown in any time. A
    story that would be the only line gets its points if that takes little more time.
    """
    room = float(minutes * WORDS_PER_MINUTE)
    first = ranked[: MAX_SHORT + len(detailed)]
    costs = [_reading_words(shared.line(one, Placement.SHORT)) for one in first]
    of_lines = sum(costs[1:])
    kept_for_lines = min(of_lines, room * LINES_SHARE)
    lead = _fitting(detailed[0], range(LEAD_POINTS, 0, -1), max(room * LEAD_SHARE, room - of_lines))
    shown = [lead or detailed[0].with_points(1)]
    room -= shown[0].words
    sizes = range(STORY_POINTS, MIN_STORY_POINTS - 1, -1)
    for one in detailed[1:]:
        fitting = _fitting(one, sizes, room - kept_for_lines)
        if fitting is None:
            break
        shown.append(fitting)
        room -= fitting.words
    if len(ranked) - len(shown) == 1 and len(shown) < len(detailed):
        last = _fitting(detailed[-1], (*sizes, 1), room + SPARE_MINUTES * WORDS_PER_MINUTE)
        shown += [last] if last else []
    detailed_ids = {id(one.ranked) for one in shown}
    lines = [cost for one, cost in zip(ranked, costs, strict=False) if id(one) not in detailed_ids]
    return shown, max(_count_fitting(lines, room), MIN_LINES)


def _fitting(one: _Detailed, sizes: Iterable[int], room: float) -> _Detailed | None:
    """Return the story with the first number of points that takes no more words than `room`."""
    return next((cut for cut in map(one.with_points, sizes) if cut.words <= room), None)


def _count_fitting(costs: Sequence[float], room: float) -> int:
    number = 0
    for cost in costs[:MAX_SHORT]:
        room -= cost
        if room < 0:
            break
        number += 1
    return number


def _reading_words(story: Story) -> float:
    texts = (text for point in story.points for text in (point.introduction, point.text))
    return reading_words(story.headline) + sum(map(reading_words, texts))


def mail_minutes(digest: Digest) -> int:
    """Return the minutes that reading the mail of a digest takes, as its head says."""
    mailed = digest.placed(Placement.LEAD, Placement.STORY, Placement.SHORT)
    return words_to_minutes(sum(map(_reading_words, mailed)))


def _line(ranked: RankedStory, placement: Placement) -> Story:
    """Return the story as one line, with the caveats of its headline."""
    return _story(ranked, placement, headline_points(ranked.update.story.articles))


def _story(ranked: RankedStory, placement: Placement, points: tuple[StoryPoint, ...]) -> Story:
    grouped = ranked.update.story.articles
    articles = tuple(one.article for one in grouped)
    judges = (one.summary.judge for one in grouped if points and one.summary.judge)
    return Story(
        id=grouped[0].story or ids.story_id([article.id for article in articles]),
        articles=articles,
        points=points,
        is_update=ranked.update.new_points is not None,
        judges=tuple(dict.fromkeys(judges)),
        placement=placement,
        score=ranked.score,
        first_issue=ranked.update.first_issue,
    )
