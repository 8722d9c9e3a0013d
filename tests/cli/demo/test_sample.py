"""The bundled sample of the demo is complete, well-formed and refers to no other server."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from ruamel.yaml import YAML

import service.cli

SAMPLE = Path(service.cli.__file__).with_name("demo") / "sample"
FEEDS = ("feed.xml", "second.xml")
PAGES = sorted((SAMPLE / "pages").glob("*.html"))
CAVEATS = {
    "kessary-oltmark-river-treaty.html": "takes effect only if both parliaments approve it",
    "glass-battery-winter-range.html": "have not been independently verified",
    "nasal-spray-flu-trial.html": "in no way shows that the spray prevents infection",
}


def items(feed: str) -> list[ET.Element]:
    root = ET.fromstring((SAMPLE / feed).read_text(encoding="utf-8"))  # noqa: S314 - our own file
    assert root.tag == "rss"
    assert root.get("version") == "2.0"
    return root.findall("./channel/item")


def paragraphs(page: Path) -> list[str]:
    return re.findall(r"<p>(.*?)</p>", page.read_text(encoding="utf-8"), re.DOTALL)


def test_two_feeds_have_seven_and_three_articles():
    assert [len(items(feed)) for feed in FEEDS] == [7, 3]


def test_every_item_has_title_description_date_and_its_own_page():
    links = [item.findtext("link", "") for feed in FEEDS for item in items(feed)]

    assert sorted(links) == [f"{{base}}/pages/{page.name}" for page in PAGES]
    for item in (item for feed in FEEDS for item in items(feed)):
        assert item.findtext("title")
        assert item.findtext("description")
        assert re.fullmatch(r"\{date-\d+\}", item.findtext("pubDate", ""))


def test_only_known_placeholders_are_used():
    for feed in FEEDS:
        marks = set(re.findall(r"\{[^}]*\}", (SAMPLE / feed).read_text(encoding="utf-8")))
        assert all(re.fullmatch(r"\{base\}|\{date-\d+\}", mark) for mark in marks)


def test_most_entries_are_teasers_so_that_the_page_is_fetched():
    with_text = [
        item
        for feed in FEEDS
        for item in items(feed)
        if item.find("{http://purl.org/rss/1.0/modules/content/}encoded") is not None
    ]
    assert len(with_text) == 1


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_article_has_six_to_fourteen_sentences_amid_boilerplate(page: Path):
    text = " ".join(paragraphs(page))
    boilerplate = page.read_text(encoding="utf-8")

    assert 6 <= len(re.findall(r"[.?!]”?(?= [A-Z“]|$)", text)) <= 14
    assert "cookie" in boilerplate
    assert "Read more" in boilerplate


@pytest.mark.parametrize(("page", "words"), CAVEATS.items())
def test_three_articles_carry_a_caveat_that_qualifies_their_claim(page: str, words: str):
    first, *later = paragraphs(SAMPLE / "pages" / page)

    assert words not in first
    assert any(words in paragraph for paragraph in later)


def test_two_publishers_report_the_same_event_in_different_words():
    ours, theirs = (
        set(" ".join(paragraphs(SAMPLE / "pages" / name)).split(". "))
        for name in ("skarrow-grain-terminal-fire.html", "skarrow-blaze-silo.html")
    )
    assert not ours & theirs


def test_no_page_refers_to_another_server():
    for page in PAGES:
        assert not re.search(r'(?:src|href|action)="(?:https?:)?//', page.read_text(encoding="utf-8"))


def test_the_config_has_three_subscribers_in_three_time_zones_and_both_feeds():
    read = YAML(typ="safe").load
    config = SAMPLE / "config"

    people = read(config / "subscribers.yaml")["subscribers"]
    assert {person["timezone"] for person in people} == {"Asia/Qatar", "Europe/Berlin", "America/New_York"}
    assert [feed["url"] for feed in read(config / "feeds.yaml")["feeds"]] == [
        f"{{base}}/{feed}" for feed in FEEDS
    ]
    assert [letter["id"] for letter in read(config / "newsletters.yaml")["newsletters"]] == ["morning"]
    assert read(config / "caveat.yaml")["mail"]["channel"] == "file"
