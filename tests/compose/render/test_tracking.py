"""Links tell publishers nothing about readers, and still lead to the same page."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.compose.render.links import sentence_link, web_link
from service.compose.render.tracking import NAMES, without_tracking

PAGE = "https://news.example/story"


@pytest.mark.parametrize(
    "parameters",
    [
        "utm_source=rss&utm_medium=feed",
        "UTM_Source=rss",
        "utm%5Fsource=rss",
        "fbclid=abc",
        "at_medium=RSS&at_campaign=KARANGA",
        "at_custom1=x",
        "xtor=RSS-3208",
        "ref=rss",
        "partner=rss&emc=rss",
        "mod=rss_markets_main",
        "cmp=rss-world",
        "mc_cid=1&mc_eid=2",
        "wt.mc_id=x",
    ],
)
def test_parameters_that_track_are_removed(parameters: str) -> None:
    assert web_link(f"{PAGE}?{parameters}") == PAGE
    assert web_link(f"{PAGE}?id=7&{parameters}&p=2") == f"{PAGE}?id=7&p=2"
    assert web_link(f"{PAGE}#{parameters}") == PAGE


@pytest.mark.parametrize(
    "query",
    [
        "id=7",
        "p=12&page=2",
        "v=dQw4&q=utm_source",
        "ref=main",
        "source=nyt",
        "src=atomic",
        "from=2026-01-01",
        "gallery=3",
        "cid=100&sid=2",
        "b=2&a=1&a=1&empty=&flag",
        "story",
        "utm_source",
        "a=1;b=2",
        "utm_source=rss&Signature=abc",
    ],
)
def test_parameters_that_choose_the_page_stay_as_they_are(query: str) -> None:
    assert web_link(f"{PAGE}?{query}") == f"{PAGE}?{query}"


def test_a_fragment_that_names_a_place_stays() -> None:
    assert web_link(f"{PAGE}#chapter-2") == f"{PAGE}#chapter-2"


def test_the_link_to_a_sentence_has_none_either() -> None:
    link = sentence_link(f"{PAGE}?utm_source=rss#xtor=RSS-1", "It rained.")
    assert link == f"{PAGE}#:~:text=It%20rained"


@given(
    st.lists(st.tuples(st.sampled_from([*sorted(NAMES), "id", "p", "ref"]), st.text("abc123", min_size=1)))
)
def test_what_is_left_is_what_does_not_track(pairs: list[tuple[str, str]]) -> None:
    query = "&".join(f"{name}={value}" for name, value in pairs)
    kept = "&".join(f"{name}={value}" for name, value in pairs if name not in NAMES)
    assert without_tracking(query) == kept
