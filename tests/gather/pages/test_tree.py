"""The article of a page: in layouts of many kinds no word is lost, and less else is kept than elsewhere."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
import trafilatura

from service.gather.cleaning.markup import read_markup
from service.gather.pages.tree import MAX_PAGE_TAGS, PageTooLarge, article_markup, page_article

LAYOUTS = sorted((Path(__file__).parent / "layouts").glob("*.html"))
_WORD = re.compile(r"\w+(?:[.,]\d+)*")
_HEADING = re.compile(r"<h1[^>]*>(.*?)</h1>", re.DOTALL)


def words_of(text: str) -> Counter[str]:
    return Counter(word.casefold() for word in _WORD.findall(text))


def differences(page: str, true: str, found: str) -> tuple[int, int]:
    """Return the number of words that are lost, and of those that are no part of the article."""
    heading = _HEADING.search(page)
    lines = [line for line in found.split("\n") if heading is None or line.strip() != heading[1]]
    wanted, got = words_of(true), words_of("\n".join(lines))
    return (wanted - got).total(), (got - wanted).total()


@pytest.mark.parametrize("path", LAYOUTS, ids=[path.stem for path in LAYOUTS])
def test_no_word_of_an_article_is_lost_in_any_layout(path: Path):
    page, true = path.read_text(encoding="utf-8"), path.with_suffix(".txt").read_text(encoding="utf-8")

    lost, added = differences(page, true, read_markup(article_markup(page)).text)
    plain = trafilatura.extract(page, fast=True, include_comments=False) or ""
    lost_elsewhere, added_elsewhere = differences(page, true, plain)

    assert lost == 0
    assert lost <= lost_elsewhere
    assert added <= added_elsewhere + 3  # the credits of pictures, whose captions only we keep


STORY = "The council of Ostrava voted on Monday to rebuild the old bridge, after two years of talks. "


def text_of(body: str) -> str:
    return read_markup(article_markup(f"<html><body>{body}</body></html>")).text


def test_every_post_of_a_live_blog_is_read_and_cards_of_other_articles_are_not():
    posts = "".join(f"<article><h2>Post {n}</h2><p>{STORY}{n}.</p></article>" for n in range(4))
    cards = "".join(f"<article><a href='/{n}'>Card {n} of another story</a></article>" for n in range(4))

    live, usual = text_of(f"<main>{posts}</main>"), text_of(f"<article>{STORY * 9}</article>{cards}")

    assert all(f"Post {n}" in live for n in range(4))
    assert "Card" not in usual


def test_words_in_elements_that_trafilatura_drops_stay_in_their_sentence():
    line = "Until <time>Monday</time> the <label>ferry</label> of <output>Tarn</output> goes hourly."

    assert "Until Monday the ferry of Tarn goes hourly." in text_of(
        f"<article><p>{STORY * 4}</p><p>{line}</p><p>{STORY}</p></article>"
    )


def test_words_are_never_joined_where_an_element_is_removed():
    button = "<button>Share</button><svg><path/></svg><!-- ad -->"
    found = text_of(
        f"<article><p>{STORY * 4}</p><p>The ferry{button}goes hourly.</p><p>{STORY}</p></article>"
    )

    assert "The ferry goes hourly." in found


def test_the_items_of_a_list_are_read_without_full_stops_and_a_menu_is_not():
    items = [
        "Adds replication between two sites",
        "Drops support for old machines and for Python",
        "Needs 4.1.3",
    ]
    menu = "".join(f"<li>{name}</li>" for name in ("Home", "News", "About us"))
    page = f"""<ul>{menu}</ul><h1>Quillbase 4.2</h1><ul>{"".join(f"<li>{item}</li>" for item in items)}</ul>
        <p>Thanks to everybody who has helped with this release!</p>"""

    found = read_markup(article_markup(page)).text

    assert [item for item in items if item not in found] == []
    assert "Home" not in found


def test_a_paragraph_that_repeats_another_is_read_once():
    assert (
        text_of(f"<article><p>{STORY * 4}</p><p>{STORY}</p><p>{STORY}</p></article>").count(STORY.strip())
        <= 5
    )


def test_a_page_has_the_headlines_that_it_gives_itself():
    head = "<title>Bridge\n rebuilt | Courier</title><meta property='og:title' content='Bridge rebuilt'>"
    icon = "<svg><title>Menu</title></svg>"
    one, two = "<h1>A <b>bridge</b></h1>", "<h1>A bridge</h1><h1>A ferry</h1>"

    def headlines_of(body: str) -> tuple[str, ...]:
        return page_article(f"<html><head>{head}</head><body>{icon}{body}</body></html>").headlines

    assert headlines_of(f"{one}<p>{STORY}</p>") == ("Bridge rebuilt | Courier", "A bridge", "Bridge rebuilt")
    assert headlines_of(f"{two}<p>{STORY}</p>") == ("Bridge rebuilt | Courier", "Bridge rebuilt")
    assert page_article(f"<h1>{'word ' * 900}</h1><p>{STORY}</p>").headlines == (("word " * 900)[:500],)
    assert page_article("").headlines == ()


def test_marks_in_a_page_are_no_marks():
    forged = "\U000f0000\U000f0001&#983040;"
    found = text_of(f"<p>{forged}{STORY * 4}</p><footer>{forged}Imprint</footer>")

    assert found.startswith("The council")
    assert "Imprint" not in found


def test_a_page_with_too_many_tags_is_refused():
    with pytest.raises(PageTooLarge):
        article_markup("<p>" * (MAX_PAGE_TAGS + 1))


@pytest.mark.parametrize(
    "data",
    [
        '{"@graph": [{"@type": "NewsArticle", "articleBody": "BODY"}]}',
        '[{"articleBody": "short"}, {"a": {"articleBody": "<p>BODY</p>"}}]',
        '{"articleBody": "&lt;p&gt;BODY&lt;/p&gt;"}',
        '{"articleBody": "BODY\\n\\nAnd more."}',
    ],
)
def test_an_article_that_is_only_in_the_data_of_a_page_is_read(data: str):
    script = data.replace("BODY", STORY * 3)
    found = text_of(f"<script type='application/ld+json'>{script}</script><div id=app></div>")

    assert found.startswith(" ".join([STORY.strip()] * 3))


@pytest.mark.parametrize("data", ["[" * 5_000, '{"a": ' * 5_000, "{", '{"articleBody": 1}', "null"])
def test_unreadable_data_of_a_page_is_ignored(data: str):
    script = f"<script type='application/ld+json'>{data}</script>"

    assert text_of(f"{script}<article><p>{STORY * 4}</p></article>").startswith("The council")
    assert text_of(script) == ""
