"""Edits: a digest as its editor wants it (pure).

Actions name stories and articles by their ids, so they can be applied to a digest that was composed again; an
action whose story or sentence is gone has no effect, and `lost_actions` names it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from service.compose.layout import LEAD_POINTS, STORY_POINTS
from service.compose.stories.shortening import first_points, headline_caveats
from service.core.model import (
    Article,
    Choose,
    ChosenSentence,
    Digest,
    DraftEdits,
    Drop,
    EditAction,
    Grade,
    Move,
    Place,
    Placement,
    Role,
    Story,
    StoryPoint,
)

ORDER = (Placement.LEAD, Placement.STORY, Placement.SHORT, Placement.WEB)
"""The placements in the order in which an issue shows them."""

DETAILED = (Placement.LEAD, Placement.STORY)  # with points


@dataclass(slots=True)
class _Known:
    """All points that were found of each story (id), and the stories whose points an editor chose so far."""

    points: Mapping[str, tuple[StoryPoint, ...]]
    chosen: set[str] = field(default_factory=set)

    def of(self, story: Story) -> tuple[StoryPoint, ...]:
        return self.points.get(story.id, story.points)


def apply_edits(digest: Digest, edits: DraftEdits, material: Digest) -> Digest:
    """Return the digest with the edits.

    `material` has the same stories with all points that were found: a story that gets more room shows the
    first of them. If no story leads any more, the first one does.
    """
    known = _Known({story.id: story.points for story in material.stories})
    stories = list(digest.stories)
    for action in edits.actions:
        if isinstance(action, Choose):
            known.chosen.add(action.story)
        stories = _applied(stories, action, known)
    stories = _with_lead(stories, known)
    if stories != list(digest.stories):
        stories = _without_torn_sections(stories)
    kept = {story.id for story in stories}
    dropped = (story.articles for story in digest.stories if story.id not in kept)
    return replace(
        digest, stories=tuple(stories), dropped=tuple(one.id for articles in dropped for one in articles)
    )


def lost_actions(digest: Digest, edits: DraftEdits) -> tuple[EditAction, ...]:
    """Return the edits that have no effect on the digest, because a story or a chosen sentence is gone."""
    stories = {story.id: story for story in digest.stories}
    return tuple(
        action
        for action in edits.actions
        if action.story not in stories
        or (
            isinstance(action, Choose)
            and any(_text(one, stories[action.story].articles) is None for one in action.sentences)
        )
    )


def _applied(stories: list[Story], action: EditAction, known: _Known) -> list[Story]:
    """Return the stories after one action; the same ones if its story is not among them."""
    at = next((index for index, story in enumerate(stories) if story.id == action.story), None)
    if at is None:
        return stories
    story, others = stories[at], [*stories[:at], *stories[at + 1 :]]
    match action:
        case Drop():
            return others
        case Move(place=place):
            return _moved(story, others, min(max(place, 1), len(stories)) - 1, known)
        case Place(placement=placement):
            return _placed(story, others, placement, known)
        case Choose():
            chosen = _chosen(action, story, known.of(story))
            if not any(one.stands_alone for one in chosen):
                return stories  # none of the sentences is in the articles any more
            detailed = (
                stories if story.placement in DETAILED else _placed(story, others, Placement.STORY, known)
            )
            return [replace(one, points=chosen) if one.id == story.id else one for one in detailed]


def _moved(story: Story, others: list[Story], to: int, known: _Known) -> list[Story]:
    """Return the stories with this one at the index `to`, shown as much as what stood there."""
    if to == 0:
        placement = Placement.LEAD
        others = [
            _shown_as(one, Placement.STORY, known) if one.placement is Placement.LEAD else one
            for one in others
        ]
    else:
        neighbour = others[to] if to < len(others) else others[-1]
        placement = Placement.STORY if neighbour.placement is Placement.LEAD else neighbour.placement
    return [*others[:to], _shown_as(story, placement, known), *others[to:]]


def _placed(story: Story, others: list[Story], placement: Placement, known: _Known) -> list[Story]:
    """Return the stories with this one in the placement: it stands last of those with points, else first."""
    if placement is Placement.LEAD:
        return _moved(story, others, 0, known)
    after = ORDER.index(placement) + (placement is Placement.STORY)
    to = sum(ORDER.index(one.placement) < after for one in others)
    return [*others[:to], _shown_as(story, placement, known), *others[to:]]


def _shown_as(story: Story, placement: Placement, known: _Known) -> Story:
    """Return the story with the placement and the points that go with it; a choice of points stays."""
    if story.placement is placement:
        return story
    points = known.of(story)
    if placement not in DETAILED:
        points = headline_caveats(points)
    elif story.placement in DETAILED and story.id in known.chosen:
        points = story.points
    else:
        points = first_points(points, LEAD_POINTS if placement is Placement.LEAD else STORY_POINTS)
    return replace(story, placement=placement, section="", points=points)


def _with_lead(stories: list[Story], known: _Known) -> list[Story]:
    if not stories or stories[0].placement is Placement.LEAD:
        return stories
    return [_shown_as(stories[0], Placement.LEAD, known), *stories[1:]]


def _without_torn_sections(stories: list[Story]) -> list[Story]:
    """Return the stories without sections, unless each section still stands together and none is missing."""
    detailed = [story for story in stories if story.placement is Placement.STORY]
    runs = [section for section, _ in groupby(story.section for story in detailed)]
    if len(runs) == len(set(runs)) > 1 and "" not in runs[1:]:
        return stories
    return [replace(story, section="") if story.section else story for story in stories]


# --- chosen sentences --------------------------------------------------------------------------


def _chosen(action: Choose, story: Story, found: Sequence[StoryPoint]) -> tuple[StoryPoint, ...]:
    """Return the chosen sentences as points, each followed by its caveats; the headline's come first."""
    without = set(action.without)
    points = [one for one in headline_caveats(found) if _place_of(one) not in without]
    shown = {_place_of(one) for one in points}
    for chosen in action.sentences:
        text = _text(chosen, story.articles)
        if text is None or chosen in shown:
            continue
        point = point_at(found, chosen)
        if point is None:
            article = next(one for one in story.articles if one.id == chosen.article)
            added = [StoryPoint(text, Role.POINT, article, chosen.start, chosen.end)]
        else:
            added = _with_caveats(found, found.index(point))
        owner = len(points)
        for number, one in enumerate(added):
            if _place_of(one) in shown or (number and _place_of(one) in without):
                continue
            shown |= {_place_of(one), chosen} if not number else {_place_of(one)}
            points.append(replace(one, qualifies=owner if number else None, follows=None, rank=owner))
    return tuple(points)


def _with_caveats(points: Sequence[StoryPoint], index: int) -> list[StoryPoint]:
    """Return a point with the caveats that qualify it. A caveat of another point stands for itself."""
    point = points[index]
    if point.role is Role.CAVEAT and not point.is_of_headline:
        point = replace(point, grade=Grade.CONTEXT)
    return [point, *(one for one in points if one.qualifies == index)]


def _place_of(point: StoryPoint) -> ChosenSentence:
    return ChosenSentence(point.article.id, point.start, point.end)


def point_at(points: Sequence[StoryPoint], place: ChosenSentence) -> StoryPoint | None:
    """Return the first of the points that has the sentence in it."""
    return next((one for one in points if _covers(one, place)), None)


def _covers(point: StoryPoint, chosen: ChosenSentence) -> bool:
    return point.article.id == chosen.article and point.start <= chosen.start and chosen.end <= point.end


def _text(chosen: ChosenSentence, articles: Sequence[Article]) -> str | None:
    """Return the chosen text, None if the article is not in the story or is shorter."""
    article = next((one for one in articles if one.id == chosen.article), None)
    if article is None or not 0 <= chosen.start < chosen.end <= len(article.text):
        return None
    return article.text[chosen.start : chosen.end]
