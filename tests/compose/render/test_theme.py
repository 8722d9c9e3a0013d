"""Themes: a folder of templates that render a digest view to a safe mail.

The golden files are the expected mails; REWRITE_GOLDEN=1 writes them again, for review.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer

from service.compose.render.theme import MAX_SUBJECT_CHARACTERS, JinjaRenderer
from service.core.content_ids import picture_url
from service.core.errors import CaveatError, UnknownName
from service.core.model import (
    CaveatKind,
    Digest,
    EarlierFigure,
    Picture,
    Placement,
    RenderedMail,
    SentIssue,
    Story,
)
from service.core.placeholders import MARKER, PHRASE, Placeholder, earlier_issue_url, fill
from service.settings.packaged_files import templates_folder
from tests.compose.digests import (
    MORNING,
    SITE,
    a_digest,
    a_story,
    caveat,
    caveat_of_headline,
    in_short,
    point,
    published,
    the_ballot,
    the_ballot_in_arabic,
    the_decisions_in_arabic,
    the_fire,
    the_front_page,
    the_harbour_rules,
    the_inquiry,
    the_marathon,
    the_notices,
    the_spray,
    the_strike,
    the_treaty,
    the_well,
)
from tests.pictures import a_picture

GOLDEN = Path(__file__).parent / "golden"
THEMES = ("daily", "brief", "plain")
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


def three_ranks(**wishes: Any) -> Digest:
    """Return a digest with a lead, two sections, lines in short and a story that is only on the web page."""
    first = SentIssue("0" * 32, MORNING - timedelta(days=2))
    update = replace(the_inquiry(), first_issue=first, section="world")
    return a_digest(
        the_fire(),
        replace(the_treaty(), section="world"),
        update,
        replace(the_spray(), section="science"),
        *in_short(the_marathon(), the_harbour_rules(), the_well()),
        *in_short(the_strike(), on_web=True),
        **wishes,
    )


def placeholders_of(part: str) -> set[Placeholder]:
    """Return the placeholders in a part, without the phrase with the name."""
    return {Placeholder(name.split(":")[0]) for name in MARKER.findall(part) if not name.startswith(PHRASE)}


def with_pages(digest: Digest, theme: str) -> RenderedMail:
    """Return the mail of a newsletter whose issues are on the web and that others can subscribe to."""
    return RENDERER.render(
        digest,
        title="The Morning Caveat",
        theme=theme,
        issue_id="issue",
        archive="signed",
        subscribe_url="https://news.example.org/subscribe/morning",
    )


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
    "three-ranks": (three_ranks(), "daily"),
    "three-ranks-brief": (three_ranks(), "brief"),
    "three-ranks-plain": (three_ranks(), "plain"),
    "three-ranks-arabic": (three_ranks(language="ar", timezone="Asia/Qatar"), "daily"),
    "margin": (the_notices(), "daily"),
    "margin-plain": (the_notices(), "plain"),
    "grades-plain": (a_digest(the_ballot(), the_ballot_in_arabic()), "plain"),
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

    assert re.search(r'<(strong|b)\b[^>]*dir="rtl"[^>]*>نفي:</\1>', html)
    assert "[<bdi>Lena Holm</bdi>]" in html


@pytest.mark.parametrize(("theme", "count"), [("daily", 9), ("brief", 6), ("plain", 9)])
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
def test_every_theme_shows_three_ranks(theme: str):
    mail = with_pages(three_ranks(), theme)
    links = ParsedPage(mail.html).hrefs()

    for part in (ParsedPage(mail.html).text, mail.text):
        flat = " ".join(part.split())
        lead, story, section, short, more = (
            flat.index(words)
            for words in (
                "Fire destroys grain silo",
                "Kessary and Oltmark agree",
                "SCIENCE" if "SCIENCE" in flat else "Science",
                "Baker wins marathon",
                "1 more story on the web",
            )
        )
        assert lead < story < section < short < more
        assert "Ruddock Lake Gazette" in flat
        assert "She ran it" not in flat
        assert "Caveat: The ban does not apply during storms" in flat
        assert "Lokführer" not in flat
        assert "first reported in the issue of Sun, 1 Mar" in flat
    for story_link in ("/2026/baker-wins-marathon", "/2026/harbour-board-bans-night-work"):
        assert any(story_link in link for link in links)
        assert story_link in mail.text


@pytest.mark.parametrize("theme", THEMES)
def test_every_theme_links_to_the_pages_of_the_issue_if_there_are_any(theme: str):
    mail, without = with_pages(three_ranks(), theme), rendered(three_ranks(), theme)
    own_pages = {Placeholder.ISSUE_URL, Placeholder.REPORT_URL}

    for part, other in ((mail.html, without.html), (mail.text, without.text)):
        assert own_pages <= placeholders_of(part)
        assert "https://news.example.org/subscribe/morning" in part
        assert not own_pages & placeholders_of(other)
        assert "1 more story was left out" in " ".join(other.split())


@pytest.mark.parametrize("theme", THEMES)
def test_every_theme_links_an_update_to_the_issue_that_had_it_first(theme: str):
    mail, without = with_pages(three_ranks(), theme), rendered(three_ranks(), theme)
    first = earlier_issue_url("0" * 32)

    assert re.search(f'<a[^>]* href="{first}"[^>]*>first reported in the issue of Sun, 1 Mar</a>', mail.html)
    assert re.search(rf"^ *first reported in the issue of Sun, 1 Mar\n *{first}$", mail.text, re.MULTILINE)
    for part in (without.html, without.text):
        assert first not in part
        assert "first reported in the issue of Sun, 1 Mar" in part


def test_a_denied_headline_is_marked_in_the_list_of_contents():
    article = published("Plant poisons river")
    denial = replace(caveat_of_headline(article, "The plant denied it."), kind=CaveatKind.DENIED)
    told = [a_story([point(published(f"News {n}"), f"It is {n}.")]) for n in range(8)]
    mail = rendered(a_digest(*told, a_story([denial, point(article, "Fish died.")])), "daily")

    assert "Plant poisons river (Denied)" in mail.text.partition("====")[0]
    listed = re.search(r"<ol.*?</ol>", mail.html, re.DOTALL)
    assert listed
    assert re.search(r">Plant poisons river</a> <strong[^>]*>\(Denied\)</strong></li>", listed[0])
    assert listed[0].count("(Denied)") == 1


@pytest.mark.parametrize("theme", THEMES)
def test_a_line_names_the_first_publisher_and_counts_the_others(theme: str):
    articles = [published("Harbour opens", name) for name in ("Evening Post", "The Wire", "The Herald")]
    line = replace(a_story([], *articles), placement=Placement.SHORT)
    mail = rendered(a_digest(the_treaty(), line), theme)

    assert "Harbour opens (Evening Post and 2 more)" in " ".join(mail.text.split())
    assert "Evening Post and 2 more" in mail.html


@pytest.mark.parametrize("theme", THEMES)
def test_a_caveat_is_a_cell_that_is_announced_as_a_caveat(theme: str):
    html = rendered(a_digest(the_treaty()), theme).html

    assert html.count('<div role="note" aria-label="Caveat">') == (1 if theme == "brief" else 2)
    cell = re.search(r'<td class="[^"]*warn[^>]*>(.*?)</td>', html, re.DOTALL)
    assert cell
    assert "The treaty takes effect only if" in cell[1]
    assert "border-left:" in cell[0]


@pytest.mark.parametrize("theme", THEMES)
def test_headings_go_down_one_level_at_a_time(theme: str):
    for digest in (three_ranks(), the_front_page(), the_notices(), a_digest()):
        tags = ParsedPage(with_pages(digest, theme).html).tags
        levels = [int(tag[1]) for tag, _ in tags if tag in {"h1", "h2", "h3", "h4"}]

        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(below <= above + 1 for above, below in pairwise(levels))


@pytest.mark.parametrize("theme", THEMES)
def test_tables_are_for_the_layout_only(theme: str):
    tables = [at for tag, at in ParsedPage(rendered(three_ranks(), theme).html).tags if tag == "table"]

    assert all(attributes.get("role") == "presentation" for attributes in tables)


@pytest.mark.parametrize("theme", THEMES)
def test_the_head_names_the_recipient_who_has_a_name(theme: str):
    mail = rendered(three_ranks(), theme)

    for part in (mail.html, mail.text):
        named = fill(part, {Placeholder.NAME: "Amina"})
        assert named.count(" · for Amina") == 1
        assert fill(part, {Placeholder.NAME: ""}) == named.replace(" · for Amina", "")


def test_a_list_of_contents_has_whole_headlines_and_only_where_there_are_many():
    few, many = rendered(a_digest(*[the_inquiry()] * 7)), rendered(a_digest(*[the_inquiry()] * 8))
    headline = the_inquiry().headline

    assert "In this issue" not in few.html + few.text
    assert many.html.count(headline.replace("&", "&amp;")) == 2 * 8
    assert " ".join(many.text.split()).count(headline) == 2 * 8
    assert "<ol" in many.html


@pytest.mark.parametrize("theme", THEMES)
def test_a_line_of_a_story_in_short_is_small(theme: str):
    lines = 60
    one, many = (
        with_pages(a_digest(the_fire(), *in_short(*[the_marathon()] * count)), theme).html
        for count in (1, 1 + lines)
    )
    content = len("https://ruddocklakegazette.example/2026/baker-wins-marathon")

    assert (len(many.encode()) - len(one.encode())) / lines - content < 350


@pytest.mark.parametrize("theme", THEMES)
def test_every_mail_has_its_reason_and_an_unsubscribe_link(theme: str):
    mail = rendered(the_front_page(), theme)

    for part in (mail.html, mail.text):
        assert placeholders_of(part) == {
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


@pytest.mark.parametrize("theme", ["daily", "brief"])
def test_styles_are_inline_too(theme: str):
    html = re.sub(r"<style>.*?</style>", "", rendered(the_front_page(), theme).html, flags=re.DOTALL)
    seen = ParsedPage(html)

    assert "<style" not in html
    for tag, attributes in seen.tags:
        if tag in {"h1", "h2", "p", "li"}:
            inherits = attributes.get("class") in {"point", "entry", "next", None}
            assert inherits or "color:" in (attributes.get("style") or "")


@pytest.mark.parametrize("theme", ["daily", "brief"])
def test_a_theme_with_colours_has_dark_ones(theme: str):
    assert "@media (prefers-color-scheme: dark)" in rendered(the_front_page(), theme).html


def test_the_plain_theme_has_no_colours_but_those_of_underlines():
    html = rendered(the_front_page(), "plain").html

    assert set(re.findall(r"[\w-]*color:[^;\"}]+", html)) <= {
        "color:inherit",
        "text-decoration-color:#999",
        "text-decoration-color:#999999",
    }
    assert 'name="color-scheme" content="light dark"' in html


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

    assert renderer.themes() == ("brief", "daily", "mine", "plain")
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
    assert "1 story" in swahili


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


@pytest.mark.parametrize("theme", ["daily", "brief", "plain"])
def test_every_theme_shows_the_picture_of_the_lead_and_its_publisher(theme: str):
    def render(picture: Picture | None) -> RenderedMail:
        return RENDERER.render(
            the_front_page(), title="The Morning", theme=theme, issue_id="issue", picture=picture
        )

    picture = a_picture("The <Courier>")
    without, pictured = render(None), render(picture)

    assert "<img" not in without.html
    (shown,) = re.findall("<img[^>]*>", pictured.html)
    assert f'src="{picture_url(picture)}"' in shown
    assert all(f" {attribute} " in shown for attribute in ('alt=""', 'width="544"', 'height="272"'))
    assert re.search(r"Picture:</span> <span[^>]*>The &lt;Courier&gt;<", pictured.html)
    assert pictured.text == without.text
