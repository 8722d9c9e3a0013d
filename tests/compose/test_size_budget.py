"""The size budget: any issue stays below the 102 kB at which Gmail clips a message."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.compose.digest import reduce_digest
from service.compose.render.theme import JinjaRenderer
from service.compose.size_budget import (
    ENVELOPE_BYTES,
    MAX_BODY_BYTES,
    MAX_MESSAGE_BYTES,
    fit_to_size,
    quoted_printable_size,
    rendered_size,
)
from service.core.model import Digest, RenderedMail
from service.core.placeholders import Placeholder
from service.settings.packaged_files import templates_folder
from tests.compose.digests import (
    SITE,
    a_correction,
    a_digest,
    a_story,
    caveat,
    point,
    published,
    the_front_page,
    the_notices,
)

MAX_POINTS = 12
LONGEST_URL = "https://news.example/" + "a" * 1_900
alphabets = st.sampled_from(["a", "ä", "字", "👩", "&", "<", '"', "=", "word ", "字。", "&=", "\u202e"])


@cache
def renderer() -> JinjaRenderer:
    return JinjaRenderer(templates_folder(), SITE)


def rendered(digest: Digest, theme: str = "daily") -> tuple[Digest, RenderedMail]:
    return fit_to_size(
        digest, lambda d: renderer().render(d, title="The Morning Caveat", theme=theme, issue_id="issue")
    )


def a_monster(letters: str, points: int, caveats: int, sources: int, url: str):
    """Return a story of sentences of 5,000 characters from many publishers with very long names."""
    text, name = letters * 5_000, (letters * 100)[:100]
    articles = [published(text, f"{name}{n}", url=f"{url}{n}", language="en") for n in range(max(sources, 1))]
    monster = []
    for n in range(points):
        monster.append(point(articles[n % len(articles)], text))
        if n < caveats:
            monster.append(caveat(articles[0], text))
    return a_story(monster[:MAX_POINTS], *articles)


def a_monstrous_correction(letters: str):
    """Return a correction of three sentences of 5,000 characters."""
    text = letters * 5_000
    article = published(text, text[:100], url=LONGEST_URL)
    return a_correction(article, (text, text), (text, ""), (text, text))


def test_quoted_printable_is_counted_as_sent():
    assert quoted_printable_size("abc") == 3
    assert quoted_printable_size("ä=") == 9
    assert quoted_printable_size("one\ntwo") == 8
    assert quoted_printable_size("x" * 80) > 80 + 2


def test_a_placeholder_counts_as_a_link():
    place = Placeholder.UNSUBSCRIBE_URL.marker

    assert rendered_size(RenderedMail("", place * 2, place)) > 3 * 240


def test_corrections_are_removed_last_and_wait_for_the_next_issue():
    digest = the_notices()
    without_points = replace(digest.stories[0], points=digest.stories[0].points[:1])
    lightest = reduce_digest(replace(digest, stories=(without_points,)))

    assert lightest == replace(digest, stories=(without_points,), corrections=())
    assert reduce_digest(lightest) is None


def test_a_normal_issue_is_far_from_the_limit():
    digest, mail = rendered(the_front_page())

    assert digest == the_front_page()
    assert rendered_size(mail) < 0.6 * MAX_MESSAGE_BYTES


def test_a_large_issue_loses_its_last_stories_and_counts_them():
    stories = [a_monster("字", 4, 2, 3, LONGEST_URL) for _ in range(8)]
    digest, mail = rendered(a_digest(*stories))

    assert 0 < len(digest.stories) < 8
    assert digest.left_out == 8 - len(digest.stories)
    assert f"{digest.left_out} more stories were left out" in mail.html
    assert rendered_size(mail) <= MAX_BODY_BYTES


@settings(max_examples=25)
@given(
    st.lists(
        st.builds(
            a_monster,
            alphabets,
            points=st.integers(1, MAX_POINTS),
            caveats=st.integers(0, MAX_POINTS),
            sources=st.integers(1, 40),
            url=st.sampled_from(["https://a.example/", LONGEST_URL, "https://a.example/?" + "&=" * 150]),
        ),
        max_size=4,
    ),
    st.sampled_from(["en", "ar", "hi"]),
    st.sampled_from(["daily", "brief"]),
    st.lists(st.builds(a_monstrous_correction, alphabets), max_size=3),
)
def test_any_digest_stays_below_the_limit(stories, language, theme, corrections):
    whole = a_digest(*stories, language=language, left_out=99)
    digest, mail = rendered(replace(whole, corrections=tuple(corrections)), theme)

    assert rendered_size(mail) + ENVELOPE_BYTES <= MAX_MESSAGE_BYTES
    assert bool(digest.stories) == bool(stories)


@pytest.mark.parametrize("letters", ["字", "👩", "&=", '"'])
def test_a_story_of_many_caveats_keeps_them_all(letters: str):
    story = a_monster(letters, 1, 1, 40, LONGEST_URL)
    article = story.articles[0]
    points = [story.points[0], *(caveat(article, letters * 5_000) for _ in range(MAX_POINTS - 1))]
    digest, mail = rendered(a_digest(a_story(points, *story.articles)))

    assert len(digest.stories[0].points) == MAX_POINTS
    assert rendered_size(mail) <= MAX_BODY_BYTES
