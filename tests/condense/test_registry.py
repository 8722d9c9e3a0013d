"""Summarizers: every method selects key points verbatim, or refuses the text with a reason."""

from __future__ import annotations

import subprocess
import sys

import pytest

from service.condense.candidates import MAX_POINT_CHARACTERS, MAX_TEXT_CHARACTERS
from service.condense.registry import SUMMARIZERS, get_summarizer
from service.core.errors import SummaryRefused, UnknownName

ARTICLE = """Ferry talks end without a deal

The harbour board and the ferry crews ended two days of talks on Sunday without a deal on night crossings.

The board said that the crews had agreed to more night crossings in summer. The crews' union said that it \
had agreed to talks about night crossings, not to the crossings themselves.

night crossings

A crossing at night costs the harbour twice as much as one by day, the board's figures say. "We want the \
crossings," said board member Ruth Amsel. "But nobody can row at night for nothing." The ferries carry nine \
hundred people a day. No date has been set for more talks.
"""
PLAIN = sorted(set(SUMMARIZERS) - {"keypoints"})
"""The methods without caveats."""


@pytest.fixture(params=PLAIN)
def method(request: pytest.FixtureRequest):
    return get_summarizer(request.param)


def test_key_points_are_verbatim_in_reading_order_and_ranked(method):
    summary = method.summarize(ARTICLE, title="Ferry talks", points=4)
    assert summary.method == method.name
    assert summary.is_verbatim(ARTICLE)
    assert [point.start for point in summary.key_points] == sorted(p.start for p in summary.key_points)
    assert sorted(point.rank for point in summary.key_points) == [0, 1, 2, 3]


def test_fewer_points_are_the_highest_ranked_of_more(method):
    many = method.summarize(ARTICLE, points=6).key_points
    few = method.summarize(ARTICLE, points=2).key_points
    assert {point.text for point in few} == {point.text for point in many if point.rank < 2}


def test_headings_are_never_key_points(method):
    shown = [point.text for point in method.summarize(ARTICLE, points=50).key_points]
    assert len(shown) == 8
    assert "night crossings" not in shown
    assert not [text for text in shown if text.startswith("Ferry talks")]


def test_a_repeated_sentence_is_shown_once(method):
    assert len(method.summarize("The port is shut. It rains. The port is shut.").key_points) == 2


@pytest.mark.parametrize(
    "text", ["Only this.", "One here. Two there.", "a. b. c. d.", "\ud800 is here. And \0 too."]
)
def test_short_texts_are_summarized(method, text: str):
    assert method.summarize(text).is_verbatim(text)


@pytest.mark.parametrize(
    ("language", "text"),
    [("ja", "首相は辞任した。野党は反対した。"), ("ru", "Он уехал. Она осталась."), ("xx", "Ab cd. Ef gh.")],
)
def test_every_language_is_summarized(method, language: str, text: str):
    assert len(method.summarize(text, language=language).key_points) == 2


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        (" \n\n\t", "empty"),
        ("Headline only", "no sentence"),
        ("... !!! ???", "no sentence"),
        ("word " * MAX_POINT_CHARACTERS + ".", "at most 900 characters"),
        ("a" * (MAX_TEXT_CHARACTERS + 1), "6,000,001 characters"),
    ],
    ids=["empty", "white", "heading", "marks", "long", "large"],
)
def test_a_text_that_cannot_be_condensed_is_refused_with_a_reason(method, text: str, why: str):
    with pytest.raises(SummaryRefused, match=why):
        method.summarize(text)


def test_of_an_endless_text_the_beginning_is_condensed(method):
    text = " ".join(f"Report {n} names ship {n * 7} and port {n * 13}." for n in range(50_000))
    assert len(method.summarize(text).key_points) == 5


def test_lead_takes_the_first_sentences():
    points = get_summarizer("lead").summarize(ARTICLE, points=1).key_points
    assert [point.text[:30] for point in points] == ["The harbour board and the ferr"]


def test_lexrank_prefers_sentences_similar_to_others():
    points = get_summarizer("lexrank").summarize(ARTICLE, points=1).key_points
    assert "night crossings" in points[0].text


@pytest.mark.parametrize("name", SUMMARIZERS)
def test_every_registered_method_has_its_name(name: str):
    assert get_summarizer(name).name == name
    assert get_summarizer(name) is get_summarizer(name)


def test_an_unknown_method_raises_with_the_known_ones():
    with pytest.raises(UnknownName, match="Did you mean lexrank"):
        get_summarizer("lexrnk")


def test_the_registry_imports_no_heavy_library():
    heavy = "import sys, service.condense.registry; print({'numpy', 'sumy', 'nltk'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
