"""Page paths: the element in which a site has its articles is learned, and gives the same text."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.gather.entries.page_paths import LearnedPath, learned_path, with_page_paths
from service.gather.entries.seen_items import FeedStatistics
from service.gather.pages.full_text import read_page
from service.gather.pages.tree import page_article
from tests.gather.feeds import a_text
from tests.gather.pages.test_tree import LAYOUTS

STORY = "".join(f"<p>{a_text(place)}</p>" for place in ("Brno", "Opava", "Tarn", "Ostrel"))
MENU = "<ul>" + "".join(f"<li><a href='/{n}'>Section {n}</a></li>" for n in range(30)) + "</ul>"
CARDS = "".join(f"<div class='card'><h3>Story {n}</h3><p>Teaser.</p></div>" for n in range(20))


def a_page(story: str = STORY, around: str = "story") -> str:
    body = f"<div class='page-7 wide'><h1>Bridge</h1><div class='{around}'>{story}</div></div>"
    return f"<html><body>{MENU}{body}{CARDS}</body></html>"


PATH = page_article(a_page()).path


def test_a_path_has_tags_and_classes_without_those_that_are_numbered():
    assert PATH == "div.wide/div.story"


@pytest.mark.parametrize("path", LAYOUTS, ids=lambda path: path.stem)
def test_a_page_reads_the_same_at_its_path(path):
    page = path.read_text(encoding="utf-8")
    whole = page_article(page)
    assert page_article(page, whole.path, is_trusted=True)[:2] == whole[:2]


def test_only_the_part_at_a_trusted_path_is_read():
    assert page_article(a_page(), PATH, is_trusted=True) == page_article(a_page())._replace(by_path=True)
    assert not page_article(a_page(), PATH).by_path


ELSEWHERE = f"<div class='report'>{STORY}{STORY}</div>"
DIFFERENT = {
    "no element at the path": a_page(around="report"),
    "two elements at the path": a_page(f"{STORY}</div><div class='story'>{STORY}"),
    "a short text at the path": a_page("<p>Watch the film.</p>"),
    "more text elsewhere": a_page(f"{STORY}</div>{ELSEWHERE}<div>"),
    "no text": "<html><body></body></html>",
    "no page": "",
}


@pytest.mark.parametrize("page", DIFFERENT.values(), ids=DIFFERENT.keys())
def test_a_page_that_looks_different_is_read_whole(page: str):
    found = page_article(page, PATH, is_trusted=True)
    assert found[:2] == page_article(page)[:2]
    assert found.path != PATH


def test_a_path_is_not_confirmed_by_a_page_that_reads_differently_there(monkeypatch):
    assert page_article(a_page(), PATH).path == PATH
    monkeypatch.setattr("service.gather.pages.tree._article_at", lambda *_: None)
    assert page_article(a_page(), PATH).path == ""


def test_the_text_of_a_page_tells_where_it_was_read():
    found = read_page(a_page().encode(), "Bridge", "", learned=LearnedPath(PATH, is_trusted=True))
    assert (found.path, found.by_path) == (PATH, True)
    assert found == replace(read_page(a_page().encode(), "Bridge", ""), by_path=True)


def is_trusted(statistics: FeedStatistics) -> bool:
    return learned_path(statistics, 0).is_trusted


def test_a_path_is_trusted_after_three_pages_that_were_compared():
    first = with_page_paths(FeedStatistics(), [(PATH, False)] * 10)
    assert (first.page_path, is_trusted(first)) == (PATH, False)
    assert not is_trusted(with_page_paths(first, [(PATH, False)] * 2))
    assert is_trusted(with_page_paths(first, [(PATH, False)] * 3))


TRUSTED = FeedStatistics(page_path=PATH, path_agreed=3)


def test_every_tenth_page_is_read_whole():
    numbers = [n for n in range(30) if not learned_path(TRUSTED, n).is_trusted]
    assert numbers == [9, 19, 29]
    used = with_page_paths(TRUSTED, [(PATH, True)] * 9)
    assert not is_trusted(used)
    assert with_page_paths(used, [(PATH, False)]) == TRUSTED


@pytest.mark.parametrize("found", ["", "div.other"])
def test_a_page_with_its_article_elsewhere_ends_the_trust(found: str):
    after = with_page_paths(TRUSTED, [(PATH, True), (found, False), (PATH, True)])
    assert (after.page_path, is_trusted(after)) == (found, False)


def test_no_pages_change_nothing():
    assert with_page_paths(TRUSTED, []) is TRUSTED
