"""Deep nesting loses tags, never text."""

from __future__ import annotations

import re

from service.gather.cleaning.nesting import MAX_DEPTH, MAX_SHALLOW_TAGS, without_deep_nesting


def test_little_markup_stays_as_it_is():
    markup = "<div>" * MAX_SHALLOW_TAGS

    assert without_deep_nesting(markup) is markup


def test_elements_nested_too_deeply_lose_their_tags():
    bounded = without_deep_nesting("<div>a" * 50_000)

    assert bounded.count("<div>") == MAX_DEPTH
    assert re.sub("<[^>]*>", "", bounded) == "a" * 50_000


def test_a_long_flat_article_stays_as_it_is():
    markup = "<p>The <b>board</b> met.<br><ul><li>one<li>two</ul>" * 2_000

    assert without_deep_nesting(markup) == markup
