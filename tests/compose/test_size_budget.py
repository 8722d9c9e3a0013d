"""The size budget: the HTML of any issue stays below the 102 kB at which Gmail clips it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.compose.render.theme import JinjaRenderer
from service.compose.size_budget import (
    MAX_HTML_BYTES,
    MAX_RENDERINGS,
    fit_to_size,
    html_bytes,
)
from service.core.model import Digest, Placement, RenderedMail
from service.core.placeholders import Placeholder
from service.settings.packaged_files import templates_folder
from tests.compose.digests import (
    SITE,
    a_correction,
    a_digest,
    a_story,
    caveat,
    in_short,
    point,
    published,
    the_front_page,
    the_marathon,
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


def test_a_placeholder_counts_as_a_link():
    place = Placeholder.UNSUBSCRIBE_URL.marker

    assert html_bytes(RenderedMail("", place * 2, "")) > 2 * 240


def test_the_text_counts_only_without_html():
    assert html_bytes(RenderedMail("", "<p>", "text" * 99)) == 3
    assert html_bytes(RenderedMail("", "", "text")) == 4


def test_a_normal_issue_is_far_from_the_limit():
    digest, mail = rendered(the_front_page())

    assert digest == the_front_page()
    assert html_bytes(mail) < 0.6 * MAX_HTML_BYTES


def test_a_large_issue_is_reduced_to_just_below_the_limit_with_a_few_renderings():
    whole = a_digest(*(a_monster("字", 4, 2, 3, LONGEST_URL) for _ in range(8)))
    renderings = []

    def render(digest: Digest) -> RenderedMail:
        renderings.append(digest)
        return renderer().render(digest, title="T", theme="daily", issue_id="issue")

    digest, mail = fit_to_size(whole, render)

    assert len(digest.stories) == 8
    assert digest.placed(Placement.LEAD, Placement.STORY)
    assert 0.75 * MAX_HTML_BYTES < html_bytes(mail) <= MAX_HTML_BYTES
    assert len(renderings) <= MAX_RENDERINGS


@pytest.mark.parametrize("theme", ["daily", "brief", "plain"])
@pytest.mark.parametrize("letters", ["字", "&=", "word "])
def test_lines_that_are_too_long_together_are_on_the_web_page(letters: str, theme: str):
    lines = in_short(*(a_monster(letters, 1, 0, 1, f"{LONGEST_URL}{n}") for n in range(60)))
    digest, mail = rendered(a_digest(the_marathon(), *lines), theme)

    assert html_bytes(mail) <= MAX_HTML_BYTES
    assert len(digest.stories) == 61
    shorts, on_web = (digest.placed(one) for one in (Placement.SHORT, Placement.WEB))
    assert len(shorts) > 5
    assert on_web
    assert digest.stories == (*digest.placed(Placement.LEAD), *shorts, *on_web)


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
    st.sampled_from(["daily", "brief", "plain"]),
    st.lists(st.builds(a_monstrous_correction, alphabets), max_size=3),
)
def test_any_digest_stays_below_the_limit(stories, language, theme, corrections):
    whole = a_digest(*stories, language=language, left_out=99)
    digest, mail = rendered(replace(whole, corrections=tuple(corrections)), theme)

    assert html_bytes(mail) <= MAX_HTML_BYTES
    assert len(digest.stories) == len(stories)


@pytest.mark.parametrize("letters", ["字", "👩", "&=", '"'])
def test_a_story_of_many_caveats_keeps_them_all(letters: str):
    story = a_monster(letters, 1, 1, 40, LONGEST_URL)
    article = story.articles[0]
    points = [story.points[0], *(caveat(article, letters * 5_000) for _ in range(MAX_POINTS - 1))]
    digest, mail = rendered(a_digest(a_story(points, *story.articles)))

    assert len(digest.stories[0].points) == MAX_POINTS
    assert html_bytes(mail) <= MAX_HTML_BYTES
