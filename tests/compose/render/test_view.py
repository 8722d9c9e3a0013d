"""The digest view of a theme: clean text, finished links, every caveat with its point."""

from __future__ import annotations

import tomllib
import unicodedata
from dataclasses import fields, is_dataclass, replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.compose.render.view import DigestView, StoryView, make_digest_view
from service.core.model import Block, BlockKind, Digest, SentIssue, Story
from service.core.placeholders import MARKER, Placeholder, earlier_issue_url
from service.settings.packaged_files import templates_folder
from service.text.i18n import localizer_for
from tests.compose.digests import (
    MORNING,
    SITE,
    a_digest,
    a_story,
    caveat,
    in_short,
    introduced,
    point,
    published,
    the_ballot,
    the_fire,
    the_front_page,
    the_harbour_rules,
    the_inquiry,
    the_marathon,
    the_spray,
    the_strike,
    the_treaty,
    the_well,
)

LABELS = tomllib.loads((templates_folder() / "digest/daily/labels.toml").read_text(encoding="utf-8"))
POISON = [
    "one\r\nBcc: all@example.org",
    "bell \x07 and \x0b tab",
    "next \x85 line \u2028 and \u2029",
    "lone \ud800 surrogate",
    "\u202egnp.exe",
    "{{ page.name }} {% include 'x' %} {# #}",
    f"{Placeholder.UNSUBSCRIBE_URL.marker}",
    "<script>alert(1)</script>",
    "x" * 5_000,
    "",
]


def page_of(digest: Digest, **changes) -> DigestView:
    localizer = localizer_for(LABELS, digest.edition.language, digest.edition.timezone)
    settings = {"title": "The Morning Caveat", "site": SITE, "issue_id": "issue"} | changes
    return make_digest_view(digest, localizer, **settings)


def view_of(story: Story, **preferences) -> StoryView:
    return page_of(a_digest(story, **preferences)).stories[0]


def texts_of(value) -> list[str]:
    """Return every string that a theme can reach."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, tuple):
        return [text for item in value for text in texts_of(item)]
    if is_dataclass(value):
        return [text for one in fields(value) for text in texts_of(getattr(value, one.name))]
    return []


# --- stories -----------------------------------------------------------------------------------


def test_each_caveat_is_under_its_point():
    first, second = view_of(the_treaty()).points

    assert [line.text[:31] for line in first.caveats] == ["The treaty takes effect only if"]
    assert [line.text[:31] for line in second.caveats] == ["The agreement in no way settles"]


def test_each_caveat_has_a_label_that_says_what_it_does():
    first, second, *others = view_of(the_ballot()).points

    assert [line.label for line in (first.line, *first.caveats)] == ["", "Denied:", "Unconfirmed:"]
    assert [line.label for line in (second.line, *second.caveats)] == ["", "Only if:", "Limited:"]
    assert [(p.grade, p.line.label) for p in others] == [
        ("context", "Context:"),
        ("", ""),
        ("story", "Disputed:"),
        ("story", "Caveat:"),
    ]


@pytest.mark.parametrize(
    ("language", "label"), [("de", "Dementi:"), ("fr", "Démenti\u00a0:"), ("ar", "نفي:")]
)
def test_labels_are_in_the_language_of_the_reader(language: str, label: str):
    assert view_of(the_ballot(), language=language).points[0].caveats[0].label == label


def test_straight_marks_are_shown_as_the_language_prints_them_and_links_keep_the_text():
    article = published("Mayor 'knows'")
    story = view_of(a_story([point(article, "She said: \"It's the mayor's.\"")]))

    assert story.headline == "Mayor ‘knows’"
    assert story.points[0].line.text == "She said: “It’s the mayor’s.”"
    assert "text=She%20said%3A%20%22It%27s%20the%20mayor%27s" in story.points[0].line.url


def test_code_keeps_its_straight_marks():
    text = "Say 'please' twice"
    article = published("How to", text=text)
    code = replace(article, blocks=(Block(BlockKind.PREFORMATTED, 0, len(text)),))

    assert view_of(a_story([point(article, text)])).points[0].line.text == "Say ‘please’ twice"
    assert view_of(a_story([point(code, text)])).points[0].line.text == text


def test_a_hint_is_no_part_of_the_sentence_and_of_its_link():
    denial = view_of(the_ballot()).points[0].caveats[0]

    assert (denial.hint, denial.text) == ("Lena Holm", "She denies the payments.")
    assert denial.url.endswith("#:~:text=She%20denies%20the%20payments")
    assert denial.plain == "Denied: [Lena Holm] She denies the payments."


def test_the_top_of_a_story_is_what_was_chosen_first_with_its_caveats():
    ballot = the_ballot()
    points = tuple(
        replace(p, rank=0) if n == 3 else replace(p, rank=n + 1) for n, p in enumerate(ballot.points)
    )
    top = view_of(replace(ballot, points=points)).top

    assert [p.line.text[:20] for p in top] == [
        "The vote in the harb",
        "The opposition calls",
        "The hearing goes on ",
    ]
    assert [line.label for line in top[0].caveats] == ["Only if:", "Limited:"]


def test_an_issue_links_to_its_pages_only_if_it_has_some():
    hidden = page_of(a_digest(the_treaty()))
    shown = page_of(
        a_digest(the_treaty()), archive="signed", subscribe_url="https://news.example.org/subscribe/m"
    )

    assert (hidden.web_url, hidden.report_url, hidden.subscribe_url) == ("", "", "")
    assert (shown.web_url, shown.report_url) == (Placeholder.ISSUE_URL.marker, Placeholder.REPORT_URL.marker)
    assert shown.subscribe_url == "https://news.example.org/subscribe/m"
    assert page_of(a_digest(the_treaty()), archive="none") == hidden


def test_caveats_are_counted_without_context():
    page = page_of(a_digest(the_ballot(), the_harbour_rules()))

    assert (page.caveats, page.top_caveats, page.marked) == (8, 5, True)
    assert not page_of(a_digest(the_marathon())).marked


def test_a_caveat_whose_point_is_not_shown_is_a_point():
    article = published("A title")
    story = Story("id", (article,), (replace(caveat(article, "But not yet."), qualifies=7),))

    (only,) = view_of(story).points
    assert only.line.text == "But not yet."
    assert only.caveats == ()


def test_a_common_source_is_shown_once_under_the_headline():
    alone = view_of(the_treaty())

    assert not alone.several
    assert (alone.told_by, alone.time) == ("The Meridian Courier", "05:00")


def test_with_several_sources_each_point_has_its_own():
    view = view_of(the_fire())

    assert view.several
    assert view.told_by == "The Meridian Courier, Northwater Wire, The Oltmark Herald"
    assert [(p.line.source, p.line.time) for p in view.points] == [
        ("The Meridian Courier", "06:00"),
        ("Northwater Wire", "04:00"),
        ("The Oltmark Herald", "2 Mar, 20:00"),
    ]


def test_a_story_has_the_time_of_its_newest_article():
    old, new = (
        published(title, "The Wire", at=MORNING - timedelta(hours=h)) for title, h in [("a", 9), ("b", 2)]
    )

    assert view_of(a_story([point(old, "One."), point(new, "Two.")])).time == "05:00"


def test_an_undated_article_shows_no_time_of_day():
    undated = replace(published("Quay closes", "The Wire", at=MORNING), published_at=None)

    story = view_of(a_story([point(undated, "It closed.")]))

    assert (story.time, story.points[0].line.time) == ("", "")


def test_a_point_omits_the_date_of_its_story():
    article = published("A title", at=MORNING - timedelta(days=3))
    other = published("Another", "The Wire", at=MORNING - timedelta(days=3, hours=2))
    view = view_of(a_story([point(article, "One."), point(other, "Two.")]))

    assert view.time == "28 Feb, 07:00"
    assert [p.line.time for p in view.points] == ["07:00", "05:00"]


def test_every_article_but_the_first_is_named_and_linked():
    view = view_of(the_fire())

    assert [(other.title, other.publisher) for other in view.others] == [
        ("Blaze at Skarrow terminal leaves grain ships stranded", "Northwater Wire"),
        ("Skarrow silo fire: what we know", "The Oltmark Herald"),
    ]
    assert all(other.url for other in view.others)
    assert (view.unnamed, view_of(the_treaty()).others) == (0, ())


def test_each_sentence_links_to_its_place_in_the_article():
    (only,) = view_of(the_marathon()).points

    assert only.line.url.endswith("/2026/baker-wins-marathon#:~:text=She%20ran%20it%20in%202%3A31%3A07")


def test_a_story_in_another_language_has_its_language_and_direction():
    english = [view_of(story()) for story in (the_treaty, the_strike, the_well)]
    arabic = [view_of(story(), language="ar") for story in (the_treaty, the_well)]

    assert [(v.lang, v.direction) for v in english] == [("", "ltr"), ("de", "ltr"), ("ar", "rtl")]
    assert [(v.lang, v.direction) for v in arabic] == [("en", "ltr"), ("", "rtl")]


def test_an_update_is_marked():
    assert view_of(the_inquiry()).update
    assert not view_of(the_treaty()).update


# --- the page ----------------------------------------------------------------------------------


def test_the_stories_of_a_mail_have_three_ranks():
    stories = (the_fire(), the_treaty(), the_spray(), *in_short(the_marathon(), the_harbour_rules()))
    page = page_of(a_digest(*stories, *in_short(the_well(), on_web=True)), archive="signed")

    assert page.lead is not None
    assert page.lead.headline.startswith("Fire destroys")
    assert [[story.number for story in section.stories] for section in page.sections] == [[2, 3]]
    assert [(one.number, one.headline, one.publisher) for one in page.shorts] == [
        (4, "Baker wins marathon", "Ruddock Lake Gazette"),
        (5, "Harbour board bans night work at Skarrow quay", "The Meridian Courier"),
    ]
    assert [line.text for line in page.shorts[1].caveats] == [
        "The ban does not apply during storms, the board said."
    ]
    assert [story.number for story in page.stories] == [1, 2, 3, 4, 5]
    assert (page.more, page.left_out) == (1, 0)


def test_stories_of_a_web_page_that_nobody_can_read_are_left_out():
    page = page_of(a_digest(the_fire(), *in_short(the_well(), on_web=True), left_out=2))

    assert (page.more, page.left_out, page.web_url) == (0, 3, "")


def test_adjacent_stories_of_a_topic_are_a_section():
    sections = ("climate-policy", "climate-policy", "sport", "")
    stories = [
        replace(story(), section=section)
        for story, section in zip((the_treaty, the_spray, the_marathon, the_strike), sections, strict=True)
    ]
    page = page_of(a_digest(the_fire(), *stories))

    assert [(one.title, len(one.stories)) for one in page.sections] == [
        ("Climate policy", 2),
        ("Sport", 1),
        ("", 1),
    ]


def test_the_head_counts_stories_caveats_and_minutes():
    assert (
        page_of(a_digest(the_ballot(), *in_short(the_marathon()))).counts == "2 stories · 6 caveats · 1 min"
    )
    assert page_of(a_digest(the_marathon())).counts == "1 story · 1 min"
    assert page_of(a_digest()).counts == ""


def test_an_update_names_the_issue_that_had_it_first():
    first = SentIssue("0" * 32, MORNING - timedelta(days=2))
    update = replace(the_inquiry(), first_issue=first)

    assert view_of(update).first_issue == "first reported in the issue of Sun, 1 Mar"
    assert view_of(the_inquiry()).first_issue == ""
    assert view_of(replace(update, is_update=False)).first_issue == ""


def test_the_issue_that_had_an_update_first_is_linked_if_it_has_a_page():
    first = SentIssue("0" * 32, MORNING - timedelta(days=2))
    digest = a_digest(replace(the_inquiry(), first_issue=first))

    for archive in ("public", "signed"):
        assert page_of(digest, archive=archive).stories[0].first_issue_url == earlier_issue_url("0" * 32)
    assert page_of(digest, archive="none").stories[0].first_issue_url == ""
    assert page_of(a_digest(the_inquiry()), archive="public").stories[0].first_issue_url == ""


def test_each_source_of_a_story_has_a_letter_that_stands_behind_its_sentences():
    story = view_of(the_fire())

    assert [(source.key, source.publisher) for source in story.keyed] == [
        ("a", "The Meridian Courier"),
        ("b", "Northwater Wire"),
        ("c", "The Oltmark Herald"),
    ]
    assert [(one.line.key, [line.key for line in one.caveats]) for one in story.points] == [
        ("a", []),
        ("b", ["b"]),
        ("c", []),
    ]
    assert story.unkeyed == ()


def test_sentences_of_one_source_have_no_letters():
    first, second = published("One"), published("Two", "The Wire")
    story = view_of(a_story([point(first, "It is so.")], first, second))

    assert story.keyed == ()
    assert story.points[0].line.key == ""
    assert [other.title for other in story.unkeyed] == ["Two"]


def test_the_sender_is_named_once():
    assert page_of(a_digest()).sent_by == "The Morning Caveat, 1 Example Street, Exampleton"
    elsewhere = replace(SITE, postal_address="1 Example Street, Exampleton")
    assert page_of(a_digest(), site=elsewhere).sent_by == "The Morning Caveat · 1 Example Street, Exampleton"
    assert page_of(a_digest(), site=replace(SITE, postal_address="")).sent_by == "The Morning Caveat"


def test_the_date_is_in_the_time_zone_of_the_subscriber():
    late = MORNING.replace(hour=23)

    assert page_of(a_digest(at=late)).day == "Wednesday, 4 March 2026"
    assert page_of(a_digest(at=late, timezone="America/New_York")).day == "Tuesday, March 3, 2026"


def test_headlines_in_a_long_table_of_contents_are_shorter():
    few, many = page_of(a_digest(the_treaty(), the_fire())), page_of(a_digest(*[the_treaty()] * 20))

    assert few.stories[1].short == "Fire destroys grain silo at Skarrow port and halts exports for…"
    assert many.stories[1].short == "Kessary and Oltmark agree to share the…"


def test_publishers_and_minutes_are_counted():
    page = page_of(the_front_page())

    assert (page.publishers, page.minutes, page.left_out) == (8, 2, 5)


# --- hostile text ------------------------------------------------------------------------------


@pytest.mark.parametrize("poison", POISON)
def test_hostile_text_in_any_field_reaches_no_theme(poison: str):
    article = published("A title", url=f"https://news.example/{poison}"[:900])
    article = replace(article, title=poison, publisher=poison, language=poison[:20])
    story = a_story([point(article, poison), caveat(article, poison)])
    page = page_of(a_digest(story), title=poison, site=replace(SITE, name=poison, postal_address=poison))

    assert page.stories[0].headline
    for text in texts_of(page):
        text.encode()
        assert "\r" not in text
        assert "\n" not in text
        assert len(text) <= 2_000
        assert not MARKER.search(text) or text in {page.for_name, *(place.marker for place in Placeholder)}


@given(st.lists(st.text(st.characters()), min_size=6, max_size=6))
def test_a_view_is_made_of_any_text(words: list[str]):
    article = replace(
        published("A title", url=words[0]), title=words[1], publisher=words[2], language=words[3]
    )
    page = page_of(a_digest(a_story([point(article, words[4])])))

    for text in texts_of(page):
        text.encode()
        assert not any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} for c in text)


def test_a_point_that_introduces_the_next_ones_is_not_repeated_above_them():
    article = published("Budget of Farwick")
    schools = "Schools get 4.1 million crowns"
    items = [introduced(schools, point(article, text)) for text in ("A gym is rebuilt", "Nine are hired")]

    shown = view_of(a_story([point(article, schools), *items])).points
    assert [one.line.introduction for one in shown] == ["", "", ""]

    shown = view_of(a_story(items)).points
    assert [one.line.introduction for one in shown] == [schools, ""]
