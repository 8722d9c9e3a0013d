"""Full texts: the article's text without its surroundings, or a reason why there is none."""

from __future__ import annotations

import pytest

from service.gather.entries.full_text import is_paywall, is_same_subject, read_page
from tests.gather.feeds import a_text

TITLE = "Council votes on its bridge"
TEASER = "The council of Ostrava votes on the old bridge across the river."


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


def test_headings_are_paragraphs_of_their_own():
    page = a_page(a_text("Ostrava", 1), "</p><h2>A ferry instead</h2><p>", a_text("Opava", 1))

    assert "A ferry instead" in read_page(page, TITLE, TEASER).text.split("\n\n")


def test_an_article_laid_out_in_a_table_is_read_and_a_table_of_figures_is_not():
    laid_out = f"<html><body><table><tr><td><p>{a_text()}</p></td></tr></table></body></html>".encode()
    figures = "".join(f"<tr><td>Ward {n}</td><td>{n}1.2 %</td></tr>" for n in range(20))
    with_figures = a_page(a_text("Ostrava", 1), f"</p><table>{figures}</table><p>", a_text("Opava", 1))

    assert "voted on Monday" in read_page(laid_out, TITLE, TEASER).text
    assert "Ward" not in read_page(with_figures, TITLE, TEASER).text


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
        (b"x" * 3_000_000, "the page is too large"),
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
    ids=["nothing", "pdf", "large", "deep", "short", "pay wall", "cookie wall", "elsewhere"],
)
def test_a_page_without_the_article_gives_a_reason(page: bytes, why: str):
    found = read_page(page, TITLE, TEASER)

    assert (found.text, found.reason) == ("", why)


@pytest.mark.parametrize(
    "stub",
    [
        "The council votes tonight. Already a subscriber? Log in to continue reading.",
        "La mairie vote ce soir. Cet article est réservé aux abonnés.",
        "Der Stadtrat stimmt ab. Jetzt weiterlesen mit Plus. Nur für Abonnenten.",
        "Please enable JavaScript. Checking your browser before you go on.",
    ],
)
def test_paywalls_are_recognized_in_several_languages(stub: str):
    assert is_paywall(stub)


@pytest.mark.parametrize(
    "text",
    [
        "The paper has more subscribers than ever, its editor said on Monday.",
        "The law lets people refuse cookies. " + "The commission said that it would take years. " * 40,
        a_text("Ostrava", 9) + " Subscribe now and never miss a story.",
    ],
)
def test_articles_about_subscriptions_or_cookies_are_not_paywalls(text: str):
    assert not is_paywall(text)


def test_a_page_has_the_same_subject_when_it_has_enough_of_the_words():
    assert is_same_subject(
        "Ministers resign over harbour dispute", "Two ministers will resign. The harbour is in dispute."
    )
    assert not is_same_subject(
        "Ministers resign over harbour dispute", "Buy one and get one free at our shop."
    )
    assert is_same_subject("Go!", "Anything at all.")


def test_a_page_in_an_old_encoding_is_read():
    story = "Der Stadtrat beschloss am Montag, die alte Brücke über den Fluss neu zu bauen. " * 6
    page = (
        f'<html><head><meta charset="iso-8859-1"></head><body><article><p>{story}</p></article></body></html>'
    )

    found = read_page(page.encode("iso-8859-1"), "Stadtrat baut Brücke", "")

    assert "Brücke über den Fluss" in found.text
    assert found.language == "de"
