"""What is wrong with a rendered issue: each rule, on a mail that keeps all the others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.compose.render.check import sample
from service.compose.render.check.rules import check_mail
from service.compose.render.theme import JinjaRenderer
from service.compose.render.view import sender_line
from service.core.model import Digest, RenderedMail
from service.core.placeholders import Placeholder
from service.settings.packaged_files import templates_folder
from tests.builders import an_edition
from tests.compose.digests import SITE, a_digest, a_story, caveat, point, published

UNSUBSCRIBE = Placeholder.UNSUBSCRIBE_URL.marker
SENT_BY = sender_line(SITE)
RENDERER = JinjaRenderer(templates_folder(), SITE)
BRIDGE = published("Bridge closes", url="https://news.example/bridge")
CLAIM, LIMIT = "The bridge is closed to lorries.", "Ambulances may still cross it."

GOOD = RenderedMail(
    "Bridge closes",
    f"""<!DOCTYPE html><html lang="en" dir="ltr"><head><title>News</title></head><body><h1>News</h1>
    <table role="presentation"><tr><td><h2 id="s1">
    <a href="https://news.example/bridge">Bridge closes</a></h2>
    <p><a href="https://news.example/bridge#:~:text=The%20bridge">{CLAIM}</a></p><p>Limited: {LIMIT}</p>
    <img src="https://news.example/p.png" alt="A bridge"><a href="#s1">up</a></td></tr></table>
    <p><a href="{UNSUBSCRIBE}">Unsubscribe</a> {SENT_BY}</p></body></html>""",
    f"News\n\n* Bridge closes\nhttps://news.example/bridge\n{CLAIM}\n| {LIMIT}\n{UNSUBSCRIBE}\n{SENT_BY}\n",
)
DIGEST = a_digest(a_story([point(BRIDGE, CLAIM), caveat(BRIDGE, LIMIT)]))


def findings(mail: RenderedMail = GOOD, digest: Digest = DIGEST) -> list[str]:
    return [
        f"{found.file}: {found.message}"
        for found in check_mail(mail, digest, unsubscribe_url=UNSUBSCRIBE, sent_by=SENT_BY)
    ]


def test_a_good_mail_has_no_findings():
    assert not findings()


def test_a_mail_in_plain_text_needs_no_page():
    assert not findings(replace(GOOD, html=""))


WRONG_PAGES = {
    "no language": ('lang="en" ', "", "names no language"),
    "no direction": ('dir="ltr"', 'dir="up"', "names no direction"),
    "no title": ("<title>News</title>", "", "no <title>"),
    "no heading": ("<h1>News</h1>", "<p>News</p>", "0 first headings"),
    "two headings": ("<h1>News</h1>", "<h1>News</h1><h1>More</h1>", "2 first headings"),
    "a layout table": (' role="presentation"', "", "table for the layout"),
    "a picture without text": (' alt="A bridge"', "", "no alternative text"),
    "an empty link": ('href="#s1"', 'href=""', "“up” leads nowhere"),
    "a link without a target": ('href="#s1"', "", "“up” leads nowhere"),
    "a link without words": (">up<", "> <", "has no text"),
    "a link to nothing": ('id="s1"', 'id="s2"', "“#s1”, which is not on the page"),
    "the same id twice": ("<p>", '<p id="s1">', "the id “s1” is there 2 times"),
    "a script": ("<h1>", "<script>1</script><h1>", "<script>"),
    "a handler": ("<h1>", "<h1 onclick='x'>", "onclick of <h1> is a script"),
    "a script in a link": ('href="#s1"', 'href="javascript:x"', "no web address"),
    "no link to unsubscribe": (
        f'<a href="{UNSUBSCRIBE}">Unsubscribe</a>',
        UNSUBSCRIBE,
        "no link to unsubscribe",
    ),
    "an unsubscribe link without words": (">Unsubscribe<", "><", "no link to unsubscribe"),
    "no postal address": (SENT_BY, "", "postal address"),
    "a hidden postal address": (SENT_BY, f"<span style='display:none'>{SENT_BY}</span>", "postal address"),
    "no caveat": (LIMIT, "", f"a caveat is missing below what they qualify: “{LIMIT}” of “{CLAIM}”"),
}


@pytest.mark.parametrize(("old", "new", "said"), WRONG_PAGES.values(), ids=WRONG_PAGES)
def test_a_fault_of_the_page_is_found(old: str, new: str, said: str):
    assert old in GOOD.html
    found = findings(replace(GOOD, html=GOOD.html.replace(old, new, 1)))

    assert len([one for one in found if one.startswith("body.html: ") and said in one]) == 1, found


WRONG_TEXTS = {
    "no address to unsubscribe": (UNSUBSCRIBE, "", "no address to unsubscribe"),
    "no postal address": (SENT_BY, "", "postal address"),
    "no link": (
        "https://news.example/bridge",
        "",
        "a link is missing that body.html has: “https://news.example/",
    ),
    "no caveat": (LIMIT, "", "a caveat is missing"),
}


@pytest.mark.parametrize(("old", "new", "said"), WRONG_TEXTS.values(), ids=WRONG_TEXTS)
def test_a_fault_of_the_text_is_found(old: str, new: str, said: str):
    found = findings(replace(GOOD, text=GOOD.text.replace(old, new)))

    assert [one for one in found if one.startswith("body.txt: ") and said in one], found


def test_a_text_without_our_own_link_is_named_by_its_variable():
    found = findings(replace(GOOD, text=GOOD.text.replace(UNSUBSCRIBE, "")))

    assert any("“page.unsubscribe_url”" in one for one in found)


def test_an_empty_subject_is_found():
    assert findings(replace(GOOD, subject=" ")) == ["subject.txt: the subject is empty"]


def test_a_caveat_of_a_point_that_is_not_shown_may_be_missing():
    html, text = (part.replace(CLAIM, "x").replace(LIMIT, "y") for part in (GOOD.html, GOOD.text))

    assert not findings(replace(GOOD, html=html, text=text))


@pytest.mark.parametrize("language", ["en", "ar", "he", "ja", "hi"])
@pytest.mark.parametrize("make", [sample.sample_digest, sample.small_digest, sample.empty_digest])
@pytest.mark.parametrize("theme", RENDERER.themes())
def test_the_packaged_themes_have_no_faults(theme: str, make, language: str):
    digest = make(an_edition(language=language))
    mail = RENDERER.render(digest, title=sample.SAMPLE_TITLE, theme=theme, issue_id=sample.SAMPLE_ISSUE)

    assert not findings(mail, digest)
