"""Edits of a draft: the digest as its editor wants it, with every caveat that belongs to what is shown."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.compose.drafts.edits import apply_edits, lost_actions
from service.core.model import (
    Choose,
    ChosenSentence,
    Digest,
    DraftEdits,
    Drop,
    Grade,
    Move,
    Place,
    Placement,
    Role,
    Story,
    StoryPoint,
)
from tests.builders import an_article
from tests.compose.digests import a_digest

LEAD, STORY, SHORT, WEB = Placement.LEAD, Placement.STORY, Placement.SHORT, Placement.WEB


def told(name: str, placement: Placement, section: str = "") -> Story:
    """Return a story of one article with two points, a caveat of the first and one of the headline.

    It has those that the placement shows.
    """
    article = an_article(
        name, f"Perhaps {name}. First of {name}. It may fail. Second of {name}. Third of {name}."
    )

    def point(text: str, role: Role = Role.POINT, **more) -> StoryPoint:
        start = article.text.index(text)
        return StoryPoint(text, role, article, start, start + len(text), **more)

    headline = point(f"Perhaps {name}.", Role.CAVEAT)
    points = (
        headline,
        point(f"First of {name}.", rank=0),
        point("It may fail.", Role.CAVEAT, qualifies=1, rank=0),
        point(f"Second of {name}.", rank=1),
    )
    shown = points if placement in (LEAD, STORY) else (headline,)
    return Story(f"story-{name}", (article,), shown, placement=placement, section=section)


def material_of(digest: Digest) -> Digest:
    return replace(
        digest,
        stories=tuple(replace(told(one.headline, LEAD), placement=one.placement) for one in digest.stories),
    )


DIGEST = a_digest(
    told("a", LEAD), told("b", STORY), told("c", STORY), told("d", SHORT), told("e", SHORT), told("f", WEB)
)


def after(*actions, digest: Digest = DIGEST) -> Digest:
    return apply_edits(digest, DraftEdits(actions), material_of(digest))


def order(digest: Digest) -> str:
    return " ".join(f"{story.headline}:{story.placement}" for story in digest.stories)


def story(digest: Digest, name: str) -> Story:
    return next(one for one in digest.stories if one.headline == name)


def texts(one: Story) -> list[str]:
    return [point.text for point in one.points]


def sentence(name: str, text: str) -> ChosenSentence:
    article = told(name, LEAD).articles[0]
    return ChosenSentence(article.id, article.text.index(text), article.text.index(text) + len(text))


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        ((), "a:lead b:story c:story d:short e:short f:web"),
        ((Place("story-e", LEAD),), "e:lead a:story b:story c:story d:short f:web"),
        ((Drop("story-b"),), "a:lead c:story d:short e:short f:web"),
        ((Drop("story-a"),), "b:lead c:story d:short e:short f:web"),
        ((Move("story-c", 2),), "a:lead c:story b:story d:short e:short f:web"),
        ((Move("story-e", 2),), "a:lead e:story b:story c:story d:short f:web"),
        ((Move("story-b", 5),), "a:lead c:story d:short e:short b:web f:web"),
        ((Move("story-a", 2),), "b:lead a:story c:story d:short e:short f:web"),
        ((Move("story-b", 99),), "a:lead c:story d:short e:short f:web b:web"),
        ((Place("story-d", STORY),), "a:lead b:story c:story d:story e:short f:web"),
        ((Place("story-b", SHORT),), "a:lead c:story b:short d:short e:short f:web"),
        ((Place("story-a", SHORT),), "b:lead c:story a:short d:short e:short f:web"),
        ((Place("story-b", WEB),), "a:lead c:story d:short e:short b:web f:web"),
        ((Place("story-f", SHORT),), "a:lead b:story c:story f:short d:short e:short"),
        ((Drop("story-x"), Place("story-c", LEAD)), "c:lead a:story b:story d:short e:short f:web"),
    ],
)
def test_the_order_after_an_edit(actions, expected):
    assert order(after(*actions)) == expected


def test_a_story_with_more_room_shows_points_with_their_caveats():
    assert texts(story(after(Place("story-e", STORY)), "e")) == texts(told("e", STORY))


def test_a_story_as_one_line_keeps_the_caveat_of_its_headline():
    assert texts(story(after(Place("story-b", SHORT)), "b")) == ["Perhaps b."]


def test_chosen_sentences_come_with_their_caveats():
    chosen = Choose("story-b", (sentence("b", "Third of b."), sentence("b", "First of b.")))
    points = story(after(chosen), "b").points

    assert [point.text for point in points] == ["Perhaps b.", "Third of b.", "First of b.", "It may fail."]
    assert points[3].qualifies == 2
    assert [point.qualifies for point in points[:3]] == [None, None, None]


def test_a_caveat_is_left_out_only_on_purpose():
    chosen = Choose(
        "story-b",
        (sentence("b", "First of b."),),
        without=(sentence("b", "It may fail."), sentence("b", "Perhaps b.")),
    )
    assert texts(story(after(chosen), "b")) == ["First of b."]


def test_a_chosen_caveat_without_its_point_is_context():
    points = story(after(Choose("story-b", (sentence("b", "It may fail."),))), "b").points
    assert (points[1].role, points[1].grade, points[1].qualifies) == (Role.CAVEAT, Grade.CONTEXT, None)


def test_a_sentence_is_shown_once():
    same = sentence("b", "First of b.")
    assert texts(story(after(Choose("story-b", (same, same, sentence("b", "It may fail.")))), "b")) == [
        "Perhaps b.",
        "First of b.",
        "It may fail.",
    ]


def test_a_choice_survives_a_move_to_the_lead():
    chosen = Choose("story-c", (sentence("c", "Third of c."),))
    digest = after(chosen, Place("story-c", LEAD))
    assert (order(digest)[:6], texts(digest.stories[0])) == ("c:lead", ["Perhaps c.", "Third of c."])


def test_a_line_whose_sentences_are_chosen_becomes_a_story():
    digest = after(Choose("story-e", (sentence("e", "Third of e."),)))
    assert order(digest) == "a:lead b:story c:story e:story d:short f:web"
    assert texts(story(digest, "e")) == ["Perhaps e.", "Third of e."]


def test_a_second_choice_replaces_the_first():
    first, second = (Choose("story-b", (sentence("b", f"{n} of b."),)) for n in ("First", "Second"))
    edits = DraftEdits().added(first).added(Drop("story-c")).added(second)
    assert edits.actions == (Drop("story-c"), second)


def test_undo_takes_back_the_last_change_or_those_of_a_story():
    edits = DraftEdits((Drop("x"), Move("y", 2), Move("x", 3)))
    assert edits.undone().actions == (Drop("x"), Move("y", 2))
    assert edits.undone("x").actions == (Move("y", 2),)
    assert DraftEdits().undone() == DraftEdits()


def test_edits_without_a_story_or_sentence_are_lost():
    gone = (Drop("story-x"), Choose("story-b", (ChosenSentence("other", 0, 5),)))
    kept = (Drop("story-c"), Choose("story-b", (sentence("b", "First of b."),)))
    assert lost_actions(DIGEST, DraftEdits((*gone, *kept))) == gone
    assert apply_edits(DIGEST, DraftEdits(gone), material_of(DIGEST)) == DIGEST


def test_sections_stay_while_they_stand_together():
    sections = [
        told(name, STORY, section) for name, section in zip("bcde", ("x", "x", "y", "y"), strict=True)
    ]
    digest = a_digest(told("a", LEAD), *sections)
    assert [one.section for one in after(Drop("story-c"), digest=digest).stories] == ["", "x", "y", "y"]
    assert {one.section for one in after(Move("story-e", 2), digest=digest).stories} == {""}


NAMES = [one.id for one in DIGEST.stories]
ACTIONS = st.lists(
    st.one_of(
        st.builds(Drop, st.sampled_from(NAMES)),
        st.builds(Move, st.sampled_from(NAMES), st.integers(-1, 9)),
        st.builds(Place, st.sampled_from(NAMES), st.sampled_from(list(Placement))),
        st.sampled_from("abcdef").map(lambda n: Choose(f"story-{n}", (sentence(n, f"First of {n}."),))),
    ),
    max_size=12,
)


@given(ACTIONS)
def test_any_edits_give_a_well_formed_issue(actions):
    digest = after(*actions)
    placements = [list(Placement).index(one.placement) for one in digest.stories]
    dropped = {one.story for one in actions if isinstance(one, Drop)}

    assert placements == sorted(placements)
    assert Counter(one.placement for one in digest.stories)[LEAD] == min(1, len(digest.stories))
    assert {one.id for one in digest.stories} == set(NAMES) - dropped
    for one in digest.stories:
        assert all(point.article.text[point.start : point.end] == point.text for point in one.points)
        shown = set(texts(one))
        assert f"Perhaps {one.headline}." in shown
        if f"First of {one.headline}." in shown:
            assert "It may fail." in shown
        assert all(one.points[p.qualifies].role is Role.POINT for p in one.points if p.qualifies is not None)
