"""Themes: a folder of templates that render a digest view to a safe mail.

The golden files are the expected mails; REWRITE_GOLDEN=1 writes them again, for review.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer

from service.compose.render.theme import MAX_SUBJECT_CHARACTERS, JinjaRenderer
from service.core.errors import CaveatError, UnknownName
from service.core.model import Digest, EarlierFigure, RenderedMail, Story
from service.core.placeholders import MARKER, Placeholder
from service.settings.packaged_files import templates_folder
from tests.compose.digests import (
    MORNING,
    SITE,
    a_digest,
    a_story,
    caveat,
    point,
    published,
    the_ballot,
    the_ballot_in_arabic,
    the_decisions_in_arabic,
    the_fire,
    the_front_page,
    the_harbour_rules,
    the_marathon,
    the_notices,
    the_spray,
    the_treaty,
    the_well,
)

GOLDEN = Path(__file__).parent / "golden"
THEMES = ("daily", "brief")
RENDERER = JinjaRenderer(templates_folder(), SITE)

anything = st.text(st.characters())


def rendered(digest: Digest, theme: str = "daily", renderer: JinjaRenderer = RENDERER) -> RenderedMail:
    return renderer.render(digest, title="The Morning Caveat", theme=theme, issue_id="issue")


class ParsedPage(HTMLParser):
    """A parsed page: its tags with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def hrefs(self) -> list[str]:
        return [attributes.get("href") or "" for tag, attributes in self.tags if tag == "a"]


def a_poisoned_story(*words: str) -> Story:
    """Return a story with these texts in every field that comes from a feed."""
    text = " ".join(words)
    article = replace(published("x", url=words[0]), title=text, publisher=text, language=words[-1])
    return a_story([point(article, text), caveat(article, text)], article, published("y", "The Wire"))


# --- rendered mails ----------------------------------------------------------------------------

CASES = {
    "front-page": (the_front_page(), "daily"),
    "front-page-brief": (the_front_page(), "brief"),
    "arabic-reader": (
        a_digest(the_well(), the_treaty(), language="ar", timezone="Asia/Qatar", left_out=1),
        "daily",
    ),
    "german-reader": (a_digest(the_fire(), the_spray(), language="de", timezone="Europe/Vienna"), "daily"),
    "one-story": (a_digest(the_marathon(), timezone="America/New_York"), "daily"),
    "quiet-day": (a_digest(), "daily"),
    "margin": (the_notices(), "daily"),
    "margin-brief": (the_notices(), "brief"),
    "margin-arabic": (the_notices(language="ar", timezone="Asia/Qatar"), "daily"),
    "introductions": (a_digest(the_harbour_rules(), the_decisions_in_arabic()), "daily"),
    "introductions-brief": (a_digest(the_harbour_rules(), the_decisions_in_arabic()), "brief"),
    "introductions-arabic": (
        a_digest(the_harbour_rules(), the_decisions_in_arabic(), language="ar", timezone="Asia/Qatar"),
        "daily",
    ),
    "grades": (a_digest(the_ballot(), the_ballot_in_arabic()), "daily"),
    "grades-brief": (a_digest(the_ballot(), the_ballot_in_arabic()), "brief"),
    "grades-arabic": (
        a_digest(the_ballot_in_arabic(), the_ballot(), language="ar", timezone="Asia/Qatar"),
        "daily",
    ),
    "plain-text": (a_digest(the_treaty(), format="text"), "daily"),
}


@pytest.mark.parametrize("name", CASES)
def test_rendered_mails_equal_the_golden_files(name: str):
    mail = rendered(*CASES[name])

    for part in ("subject", "html", "text") if mail.html else ("subject", "text"):
        kept = GOLDEN / f"{name}.{'txt' if part == 'text' else part}"
        if os.environ.get("REWRITE_GOLDEN"):
            kept.parent.mkdir(exist_ok=True)
            kept.write_text(getattr(mail, part), encoding="utf-8")
        assert getattr(mail, part) == kept.read_text(encoding="utf-8")


@pytest.mark.parametrize("theme", THEMES)
def test_every_theme_shows_the_caveats_of_the_headline_and_what_introduces_a_point(theme: str):
    mail = rendered(a_digest(the_harbour_rules()), theme)

    for part in (ParsedPage(mail.html).text, mail.text):
        flat = " ".join(part.split())
        assert "The ban does not apply during storms" in flat
        assert flat.count("The harbour board took three decisions on Tuesday:") == 1


@pytest.mark.parametrize(("language", "marks"), [("en", "“”"), ("de", "„“"), ("fr", "«»"), ("ja", "「」")])
def test_a_quotation_without_marks_is_in_the_readers_marks(language: str, marks: str):
    mail = rendered(a_digest(the_harbour_rules(), language=language))

    quotation = "Nobody asked us. We will not load a ship after ten."
    for part in (ParsedPage(mail.html).text, " ".join(mail.text.replace("\u00a0", "").split())):
        assert f"{marks[0]}{quotation}{marks[1]}" in part.replace("\u00a0", "")


def test_a_quotation_with_marks_of_its_own_gets_no_others():
    article = published("x")
    mail = rendered(a_digest(a_story([replace(point(article, "«No more.»"), quoted=True)])))

    assert "“" not in mail.text


@pytest.mark.parametrize("theme", THEMES)
def test_every_theme_shows_every_caveat_of_its_points(theme: str):
    mail = rendered(a_digest(the_spray()), theme)

    for part in (ParsedPage(mail.html).text, mail.text):
        shown_text = " ".join(part.replace("|", " ").split())
        assert re.search(
            r"instead of six\. caveat.* in no way .* Nobody over 65 took", shown_text, re.IGNORECASE
        )


@pytest.mark.parametrize("theme", THEMES)
def test_every_theme_labels_each_caveat_and_names_whom_it_means(theme: str):
    mail = rendered(a_digest(the_ballot()), theme)

    for part in (ParsedPage(mail.html).text, mail.text):
        flat = " ".join(part.replace("|", " ").split())
        assert "Denied: [Lena Holm] She denies the payments." in flat
        assert "Disputed: The opposition calls the court partial. Caveat: The hearing goes on" in flat


@pytest.mark.parametrize("theme", THEMES)
def test_a_sentence_that_looks_cut_has_an_ellipsis_before_its_link(theme: str):
    cut = replace(point(published("x"), "the council stays."), is_cut=True)
    mail = rendered(a_digest(a_story([cut])), theme)

    assert re.search(r"…</span> <a [^>]*>the council stays\.</a>", mail.html)
    assert "… the council stays." in mail.text


@pytest.mark.parametrize("theme", THEMES)
def test_a_label_in_another_direction_than_its_sentence_is_isolated(theme: str):
    html = rendered(a_digest(the_ballot(), language="ar"), theme).html

    assert re.search(r'<strong class="label"[^>]*dir="rtl"[^>]*>نفي:</strong>', html)
    assert "[<bdi>Lena Holm</bdi>]" in html


@pytest.mark.parametrize(("theme", "count"), [("daily", 9), ("brief", 6)])
@pytest.mark.parametrize(
    ("language", "counted"),
    [("en", "{n} caveats"), ("ru", "{n} оговорок"), ("ar", "{n} تحفّظات"), ("ja", "留意点{n}件")],
)
def test_the_head_counts_the_caveats_that_are_shown(theme: str, count: int, language: str, counted: str):
    mail = rendered(a_digest(the_ballot(), the_ballot_in_arabic(), language=language), theme)

    for part in (ParsedPage(mail.html).text, mail.text):
        assert f" · {counted.format(n=count)}" in " ".join(part.split())


@pytest.mark.parametrize("theme", THEMES)
def test_a_mail_without_caveats_neither_counts_nor_explains_them(theme: str):
    mail = rendered(a_digest(the_marathon()), theme)

    assert "caveat" not in ParsedPage(mail.html).text.casefold().replace("the morning caveat", "")
    assert "caveat" not in mail.text.casefold().replace("the morning caveat", "")


@pytest.mark.parametrize("theme", THEMES)
def test_every_mail_has_its_reason_and_an_unsubscribe_link(theme: str):
    mail = rendered(the_front_page(), theme)

    for part in (mail.html, mail.text):
        assert {Placeholder(name) for name in MARKER.findall(part)} == {
            Placeholder.ADDRESS,
            Placeholder.UNSUBSCRIBE_URL,
            Placeholder.PREFERENCES_URL,
        }
        assert "The Morning Caveat, 1 Example Street, Exampleton" in part


@pytest.mark.parametrize("theme", THEMES)
def test_a_page_has_headings_and_no_picture_script_or_form(theme: str):
    seen = ParsedPage(rendered(the_front_page(), theme).html)
    names = [tag for tag, _ in seen.tags]

    assert names.count("h1") == 1
    assert names.count("h2") >= 8
    assert not {"img", "script", "form", "iframe", "link", "object", "svg"} & set(names)
    assert not any(name.startswith("on") for _, attributes in seen.tags for name in attributes)


@pytest.mark.parametrize("theme", THEMES)
def test_styles_are_inline_too(theme: str):
    html = re.sub(r"<style>.*?</style>", "", rendered(the_front_page(), theme).html, flags=re.DOTALL)
    seen = ParsedPage(html)

    assert "<style" not in html
    for tag, attributes in seen.tags:
        if tag in {"h1", "h2", "p", "li"}:
            assert "color:" in (attributes.get("style") or "") or attributes.get("class") in {"point", None}


@pytest.mark.parametrize("theme", THEMES)
def test_every_theme_has_dark_colours(theme: str):
    assert "@media (prefers-color-scheme: dark)" in rendered(the_front_page(), theme).html


def test_a_plain_text_edition_has_no_html():
    assert rendered(a_digest(the_treaty(), format="text")).html == ""


@pytest.mark.parametrize("theme", THEMES)
def test_a_judge_is_named_once_with_where_it_was_asked(theme: str):
    stories = [replace(story, judges=("qwen (127.0.0.1)",)) for story in (the_fire(), the_well())]
    mail = rendered(a_digest(*stories), theme)

    for text in (ParsedPage(mail.html).text, " ".join(mail.text.split())):
        assert text.count("chosen with the help of qwen (127.0.0.1); every sentence") == 1


@pytest.mark.parametrize("theme", THEMES)
def test_no_judge_is_named_where_none_was_asked(theme: str):
    mail = rendered(a_digest(the_fire()), theme)

    assert "with the help of" not in mail.html + mail.text


def test_lines_of_plain_text_are_short_except_addresses():
    lines = rendered(the_front_page()).text.split("\n")

    assert max(len(line) for line in lines if "://" not in line) <= 76


# --- hostile text ------------------------------------------------------------------------------


@settings(max_examples=30)
@given(st.lists(anything, min_size=4, max_size=4), st.sampled_from(THEMES))
def test_text_of_a_feed_adds_only_valid_links_and_no_markup(words: list[str], theme: str):
    mail = rendered(a_digest(a_poisoned_story(*words)), theme)

    for href in ParsedPage(mail.html).hrefs():
        assert re.match(r"https?://|#s\d+$|\ue000(preferences|unsubscribe)_url\ue001$", href)
    assert len(mail.subject) <= MAX_SUBJECT_CHARACTERS
    for part in (mail.subject, mail.html, mail.text):
        part.encode()
        assert "\r" not in part
    assert "\n" not in mail.subject


@pytest.mark.parametrize(
    "poison",
    [
        "{{ 7 * 7 }}",
        "{% for x in page.stories %}{{ x }}{% endfor %}",
        "{# a comment #}",
        "${7*7} <%= 7 %> #{7}",
        "{title} {n} {address}",
        "<script>alert(1)</script><img src=x onerror=alert(1)>",
        "</title></style></td></table><h1>Ours</h1>",
        '" onmouseover="alert(1)',
        "<!--[if mso]>",
        "&lt;b&gt; &amp; &#106;",
    ],
)
@pytest.mark.parametrize("theme", THEMES)
def test_text_from_a_feed_is_shown_as_it_is(poison: str, theme: str):
    plain, poisoned = (
        rendered(a_digest(a_poisoned_story("https://news.example/", word, "en")), theme)
        for word in ("x", poison)
    )

    assert poison in " ".join(poisoned.text.replace("|", " ").split())
    assert poison in " ".join(ParsedPage(poisoned.html).text.split())
    assert [tag for tag, _ in ParsedPage(poisoned.html).tags] == [
        tag for tag, _ in ParsedPage(plain.html).tags
    ]


def test_a_feed_cannot_insert_a_placeholder():
    story = a_poisoned_story(
        "https://news.example/", Placeholder.ADDRESS.marker, f"\ue000{Placeholder.NAME}\ue001", "en"
    )
    poisoned, plain = rendered(a_digest(story)), rendered(a_digest(the_marathon()))

    for part in ("subject", "html", "text"):
        assert MARKER.findall(getattr(poisoned, part)) == MARKER.findall(getattr(plain, part))


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "data:text/html,x", "java\tscript:alert(1)", "vbscript:x", "file:///etc/passwd"],
)
def test_a_story_with_an_invalid_address_has_no_link(url: str):
    mail = rendered(a_digest(a_story([point(published("A title", url=url), "A sentence.")])))

    assert "A title" in mail.html
    assert "A sentence." in mail.html
    assert all(href.startswith("\ue000") for href in ParsedPage(mail.html).hrefs())
    assert url not in mail.text


# --- themes ------------------------------------------------------------------------------------


def a_theme(folder: Path, name: str = "mine", **files: str) -> JinjaRenderer:
    """Return a renderer with a theme of the operator's own in `folder`."""
    theme = folder / "digest" / name
    theme.mkdir(parents=True, exist_ok=True)
    day = "{{ page.day }}"
    whole = {"subject_txt": "{{ page.title }}", "body_html": day, "body_txt": day}
    for file, text in (({} if name == "daily" else whole) | files).items():
        (theme / file.replace("_", ".", 1)).write_text(text, encoding="utf-8")
    return JinjaRenderer(templates_folder(), SITE, custom=folder)


def test_a_theme_is_a_folder(tmp_path: Path):
    renderer = a_theme(tmp_path, body_html="<style>p { color: red }</style><p>{{ page.stories|length }}</p>")

    assert renderer.themes() == ("brief", "daily", "mine")
    assert '<p style="color:red">1</p>' in rendered(a_digest(the_marathon()), "mine", renderer).html


def test_a_file_of_the_operator_overrides_ours(tmp_path: Path):
    renderer = a_theme(tmp_path, "daily", style_css=".title { color: #00f }")
    html = rendered(a_digest(the_marathon()), "daily", renderer).html

    assert re.search(r'<h1 class="ink title" style="color:#00f', html)
    assert "She ran it in 2:31:07." in html


def test_each_label_of_the_operator_overrides_ours(tmp_path: Path):
    renderer = a_theme(tmp_path, "daily", labels_toml='[en]\nabout = "Small print"\n[sw]\nabout = "Kuhusu"')

    assert "Small print" in rendered(a_digest(the_marathon()), "daily", renderer).html
    swahili = rendered(a_digest(the_marathon(), language="sw"), "daily", renderer).html
    assert "Kuhusu" in swahili
    assert "Read in full" in swahili


def test_a_theme_that_shows_the_context_of_points_shows_none(tmp_path: Path):
    line = "{{ point.line.text }}{% for line in point.context %}{{ say('also') }}{{ line.text }}{% endfor %}"
    body = f"{{% for point in page.stories[0].points %}}<p>{line}</p>{{% endfor %}}"

    assert (
        "<p>She ran it in 2:31:07.</p>"
        in rendered(a_digest(the_marathon()), "mine", a_theme(tmp_path, body_html=body)).html
    )


def test_an_unknown_theme_raises_with_the_known_ones():
    with pytest.raises(UnknownName, match=r"there is no theme 'dayly'\. Did you mean daily"):
        rendered(a_digest(), "dayly")


@pytest.mark.parametrize("name", ["../daily", "/etc", "", "."])
def test_a_theme_is_a_name_and_no_path(name: str):
    with pytest.raises(UnknownName):
        rendered(a_digest(), name)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("\n{% if %}", r"digest/mine/body.html, line 2 fails"),
        ("\n\n{{ page.nonsense }}", r"body.html, line 3 fails: .*nonsense"),
        ("{{ say('nonsense') }}", r"body.html, line 1 fails: 'nonsense'"),
        ("{{ page.__class__.__mro__ }}", r"body.html.* fails: .*unsafe"),
        ("{% for n in range(10**9) %}{% endfor %}", r"body.html.* fails: .*range"),
        ("{{ page.title / 0 }}", r"body.html, line 1 fails"),
        ("{% include 'elsewhere/body.html' %}", r"body.html.* fails: .*elsewhere"),
    ],
)
def test_a_failing_theme_is_reported_with_file_and_line(tmp_path: Path, body: str, says: str):
    with pytest.raises(CaveatError, match=says):
        rendered(a_digest(), "mine", a_theme(tmp_path, body_html=body))


@pytest.mark.parametrize("labels", ["[en", "about = 'x'", "[en]\nabout = \ud83d"])
def test_a_labels_file_that_cannot_be_read_is_named(tmp_path: Path, labels: str):
    renderer = a_theme(tmp_path)
    (tmp_path / "digest/mine/labels.toml").write_bytes(labels.encode("utf-8", "surrogatepass"))

    with pytest.raises(CaveatError, match=r"labels.toml.* fails: it is no labels file"):
        rendered(a_digest(), "mine", renderer)


def test_a_stylesheet_elsewhere_is_never_fetched(tmp_path: Path, httpserver: HTTPServer):
    link = f'<link rel="stylesheet" href="{httpserver.url_for("/style.css")}"><p>Hello</p>'

    assert "Hello" in rendered(a_digest(), "mine", a_theme(tmp_path, body_html=link)).html
    assert httpserver.log == []


@pytest.mark.parametrize("theme", THEMES)
def test_an_earlier_figure_is_named_with_its_source(theme: str):
    late = published("Kessary quake: 44 dead")
    early = published("Quake kills 41", "Northwater Wire", at=MORNING - timedelta(hours=6))
    sentence = "At least 41 people were killed in Kessary."
    toll = replace(
        point(late, "The death toll rose to 44."), earlier=(EarlierFigure("At least 41", early, sentence),)
    )
    mail = rendered(a_digest(a_story([toll], late, early)), theme)

    assert "earlier: At least 41 (Northwater Wire, 01:00)" in " ".join(ParsedPage(mail.html).text.split())
    assert "earlier: At least 41 (Northwater Wire, 01:00)" in mail.text
