"""Full texts: the article of a page with its blocks, or the reason why the feed's own text stays."""

from __future__ import annotations

import pytest

from service.core.model import BlockKind
from service.gather.pages.full_text import extract_text, read_page
from service.gather.pages.text_choice import OTHER_SUBJECT
from tests.gather.feeds import a_text

TITLE = "Council votes on its bridge"
TEASER = "The council of Ostrava votes on the old bridge across the river…"


STORY_OF_BRIDGE = " ".join(a_text("Ostrava", 4).split())


def a_page(*paragraphs: str, title: str = TITLE) -> bytes:
    body = "".join(f"<p>{text}</p>" for text in paragraphs)
    return (
        f"<html><head><title>{title}</title></head><body><nav><a href='/'>Home</a><a>Sport</a></nav>"
        f"<div>We use cookies.</div><article><h1>{title}</h1>{body}</article>"
        "<footer>All rights reserved</footer></body></html>"
    ).encode()


def test_text_is_extracted_without_its_surroundings():
    page = a_page(a_text("Ostrava", 1), "<b>What follows</b> is the ferry.", a_text("Opava", 1), "Read more")

    found = read_page(page, TITLE, TEASER)

    assert found.reason == ""
    assert found.language == "en"
    assert found.text.count("\n\n") >= 2
    assert "The council of Ostrava 0 voted" in found.text
    for furniture in ("Home", "Sport", "cookies", "rights", "Read more"):
        assert furniture not in found.text


def test_blocks_have_exact_offsets_and_their_introductions():
    rules = "</p><ul><li>Ferries carry 240 people</li><li>Anglers need no licence</li></ul><p>"
    page = a_page(
        a_text("Ostrava", 1), "</p><h2>A ferry instead</h2><p>These are the rules:", rules, a_text()
    )

    found = read_page(page, TITLE, TEASER)
    lines = {found.text[block.start : block.end]: block for block in found.blocks}

    assert lines["A ferry instead"].kind is BlockKind.HEADING
    item = lines["Anglers need no licence"]
    assert item.kind is BlockKind.ITEM
    assert item.introduction is not None
    assert found.text[item.introduction.start : item.introduction.end] == "These are the rules:"
    assert found.text.split("\n\n") == list(lines)


def test_an_article_laid_out_in_a_table_is_read_as_paragraphs_and_figures_as_rows():
    laid_out = f"<html><body><table><tr><td><p>{a_text()}</p></td></tr></table></body></html>".encode()
    figures = "".join(f"<tr><td>Ward {n}</td><td>{n}1.2 %</td></tr>" for n in range(20))
    with_figures = a_page(a_text("Ostrava", 1), f"</p><table>{figures}</table><p>", a_text("Opava", 1))

    assert {block.kind for block in read_page(laid_out, TITLE, TEASER).blocks} == {BlockKind.PARAGRAPH}
    rows = [b for b in read_page(with_figures, TITLE, TEASER).blocks if b.kind is BlockKind.ROW]
    assert len(rows) == 20


@pytest.mark.parametrize(
    "page",
    [
        f"<html><body><form action='/'><nav>Home</nav><div><p>{a_text()}</p></div></form></body></html>",
        f"<html><body><svg><title>Logo</title></svg><script>var a;</script><p>{a_text()}</p></body></html>",
        (
            "<html><body><div id='app'></div><script type='application/ld+json'>"
            f'{{"@type": "NewsArticle", "articleBody": "{a_text()}"}}</script></body></html>'
        ),
        f"<svg><p>{a_text()}</p></svg>",
    ],
    ids=["in a form", "among drawings", "told as data", "a drawing around it all"],
)
def test_non_text_elements_are_removed_without_the_article(page: str):
    found = read_page(page.encode(), TITLE, TEASER).text

    assert ("voted on Monday" in found) == (not page.startswith("<svg>"))
    assert "var a" not in found
    assert "Home" not in found


@pytest.mark.parametrize(
    ("page", "why"),
    [
        (b"", "the page has hardly any text"),
        (b"%PDF-1.7 ", "the page is not HTML"),
        (b"word " * 500_000, "the page is too large"),
        (b" " * 17_000_000, "the page is too large"),
        (b"<div>" * 70_000, "the page is too large"),
        (a_page("Short."), "the page has hardly any text"),
        (
            a_page(a_text(), "Subscribe now to read this story."),
            "the page asks for a subscription or for consent",
        ),
        (
            a_page("We use cookies. " * 9, "Accept all cookies or read our cookie policy. " * 5),
            "the page asks for a subscription or for consent",
        ),
        (
            a_page("A dispute over the harbour ended their term. " * 9, title="Ministers resign"),
            "the page is about something else",
        ),
    ],
    ids=["nothing", "pdf", "text", "bytes", "deep", "short", "pay wall", "cookie wall", "elsewhere"],
)
def test_a_page_without_the_article_gives_a_reason(page: bytes, why: str):
    found = read_page(page, TITLE, TEASER)

    assert (found.text, found.reason) == ("", why)
    assert bool(found.cut) == (why == "the page is too large")


@pytest.mark.parametrize(
    "ballast",
    [
        f"<script>{'var a;' * 500_000}</script>",
        f'<script type=\'application/json\'>{{"x": "{"a<b>" * 500_000}"}}</script>',
        f"<img src='data:image/png;base64,{'iVBO' * 600_000}'>",
        f"<style>{'p{}' * 900_000}</style>",
        f"<svg>{'<path d=M0,0>' * 200_000}</svg>",
        f"<!--{'draft <p>' * 300_000}-->",
        f"<div data-state='{'x' * 3_000_000}'></div>",
    ],
    ids=["script", "data", "picture", "style", "drawing", "comment", "attribute"],
)
def test_a_large_page_is_read_when_most_of_it_is_no_text(ballast: str):
    page = a_page(STORY_OF_BRIDGE).replace(b"</article>", ballast.encode() + b"</article>")

    found = read_page(page, TITLE, TEASER)

    assert found.text == STORY_OF_BRIDGE


def test_a_page_that_nothing_can_read_keeps_the_text_of_the_feed(monkeypatch: pytest.MonkeyPatch):
    def fails(_page: str, *_learned: object, **_options: object) -> str:
        raise RecursionError

    monkeypatch.setattr("service.gather.pages.full_text.page_article", fails)

    found = read_page(a_page(a_text()), TITLE, TEASER)

    assert (found.text, found.reason) == ("", "the page could not be read (RecursionError)")


def test_a_page_whose_headline_is_the_title_of_the_feed_is_about_the_same():
    title, teaser = "What the harbour's new timetable means", "Commuters will notice changes…"
    text = "Boats leave from Tarn every hour, said the harbour office, and every half hour on Fridays. " * 4

    assert read_page(a_page(text, title=title), title, teaser).reason == ""
    assert read_page(a_page(text, title="Courier of Tarn"), title, teaser).reason == OTHER_SUBJECT


def test_the_title_and_the_by_line_are_not_repeated_and_the_standfirst_stays():
    standfirst = "Three councillors had asked for a ferry in place of it."
    page = a_page(standfirst, "By Petra Lund and Ole Varga", STORY_OF_BRIDGE)

    found = read_page(page, TITLE, TEASER).text

    assert found.split("\n\n") == [standfirst, "By Petra Lund and Ole Varga", STORY_OF_BRIDGE]


@pytest.mark.parametrize("by_line", ["By Petra Lund and Ole Varga", "Von Petra Lund", "Par Jeanne Ostrel"])
def test_a_by_line_after_the_title_is_dropped(by_line: str):
    found = read_page(a_page(by_line, STORY_OF_BRIDGE), TITLE, TEASER)

    assert found.text == STORY_OF_BRIDGE


def test_an_article_that_its_data_calls_closed_is_a_wall_when_little_is_shown():
    closed = b'<script type="application/ld+json">{"isAccessibleForFree": false}</script></head>'
    short, long = a_page(a_text("Ostrava", 2)), a_page(a_text("Ostrava", 9))

    assert read_page(short, TITLE, TEASER).text
    assert "subscription" in read_page(short.replace(b"</head>", closed), TITLE, TEASER).reason
    assert read_page(long.replace(b"</head>", closed), TITLE, TEASER).text


STORY = "Der Stadtrat beschloss am Montag, die alte Brücke über den Fluss neu zu bauen. " * 6


@pytest.mark.parametrize(
    ("head", "header", "charset"),
    [
        ('<meta charset="iso-8859-1">', "text/html", "iso-8859-1"),
        ("<meta http-equiv='Content-Type' content='text/html; charset=windows-1252'>", "", "cp1252"),
        ("", "text/html; charset=windows-1252", "cp1252"),
        ("<meta charset=utf-8>", "text/html; charset=iso-8859-1", "utf-8"),
        ("", "", "utf-8"),
    ],
)
def test_a_page_is_decoded_as_it_or_its_header_says(head: str, header: str, charset: str):
    page = f"<html><head>{head}</head><body><article><p>{STORY}</p></article></body></html>"

    found = read_page(page.encode(charset), "Stadtrat baut Brücke", "", header)

    assert "Brücke über den Fluss" in found.text
    assert found.language == "de"


def test_a_page_from_a_file_is_read_without_its_walls():
    found = extract_text(a_page(a_text("Ostrava", 9), "Subscribe now", "Already a subscriber? Log in."))

    assert "Subscribe" not in found.text
    assert "Ostrava 8" in found.text
