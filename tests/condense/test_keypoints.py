"""Key points: verbatim, within the word limit, with the caveat of each claim, for any text."""

from __future__ import annotations

import html
import re
from contextlib import suppress
from itertools import pairwise, permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import service.cli
from service.condense.keypoints import KeyPoints
from service.condense.selection.chain import MAX_SET_WORDS
from service.condense.weights import shipped_weights
from service.core.errors import SummaryRefused
from service.core.model import Grade, Role, Summary, TextSpan
from tests.builders import a_report_on

PAGES = Path(service.cli.__file__).with_name("demo") / "sample" / "pages"
TALKS = """Officials of Norland and Suderland held talks in the port of Vessel on Sunday.

the ferry line

In a statement after the talks, Suderland said that Norland had agreed to reopen the ferry line.

The statement said that the talks are in no way a step towards recognising the island council, which seized \
power in 2031.

The delegations dined on board of a museum ship.
"""
SENTENCES = st.sampled_from(
    [
        "The mayor was accused of taking money from builders.",
        "She denied the accusation through her lawyer.",
        "But nobody has seen the contract.",
        "“We will not pay,” he said.",
        "It is unclear whether the bridge will open in May.",
        "The council agreed to lend 40 boats to the school.",
        "Это не подтверждено.",
        "市長は辞任しない。",
        "\ud800 stands here, and \0 there.",
        "\u202eMirrored words are written here.",
        "Why?",
        "Heading without a mark",
    ]
)


@pytest.fixture
def method() -> KeyPoints:
    return KeyPoints()


def caveats(summary: Summary) -> dict[str, str]:
    """Return caveat -> its point, as texts."""
    points = summary.key_points
    return {p.text: points[p.qualifies].text for p in points if p.qualifies is not None}


def test_a_claim_is_shown_with_its_caveat(method):
    (found,) = (tied for tied in caveats(method.summarize(TALKS)).items() if "in no way a step" in tied[0])
    assert "had agreed to reopen" in found[1]


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("kessary-oltmark-river-treaty", "takes effect only if both parliaments approve it"),
        ("glass-battery-winter-range", "have not been independently verified"),
        ("nasal-spray-flu-trial", "in no way shows that the spray prevents infection"),
    ],
)
def test_the_caveats_of_the_samples_are_marked(method, page: str, words: str):
    found = re.findall(r"<p>(.*?)</p>", (PAGES / f"{page}.html").read_text(encoding="utf-8"), re.DOTALL)
    text = "\n\n".join(" ".join(html.unescape(paragraph).split()) for paragraph in found)

    (marked,) = (p for p in method.summarize(text, points=6).key_points if words in p.text)
    assert (marked.role, marked.grade is Grade.CONTEXT) == (Role.CAVEAT, False)


GERMAN = (
    "Die Stadt hat dem Verein am Montag einen Zuschuss für die neue Halle zugesagt. Der Bürgermeister "
    "erklärte, die Zusage bedeute nicht, dass der Bau beginnen kann. Der Verein feiert im Mai."
)
FRENCH = (
    "Le conseil a accepté lundi de financer la rénovation du théâtre municipal. Le maire a précisé que "
    "cet accord ne signifie pas que les travaux commenceront cette année. La troupe répète en mai."
)
SPANISH = (
    "El gobierno regional acordó el lunes financiar la reforma del teatro municipal. El alcalde señaló que "
    "el acuerdo no significa que las obras empiecen este año. La compañía ensaya en mayo."
)


@pytest.mark.parametrize(
    ("language", "text", "words"),
    [("de", GERMAN, "bedeute nicht"), ("fr", FRENCH, "ne signifie pas"), ("es", SPANISH, "no significa")],
)
def test_caveats_are_found_in_every_language_with_cue_words(method, language: str, text: str, words: str):
    assert any(words in caveat for caveat in caveats(method.summarize(text, language=language)))


def test_a_language_without_cue_words_has_points_and_no_caveats(method):
    text = "Radnica je u ponedjeljak odobrila novac za most. To ne znači da će most biti otvoren u svibnju."
    summary = method.summarize(text, language="hr")
    assert len(summary.key_points) == 2
    assert not caveats(summary)
    assert shipped_weights(has_cues=False).pair_model is None


@pytest.mark.parametrize("points", [1, 2, 3, 4, 5, 8])
def test_points_and_caveats_together_keep_within_the_limit(method, points: int):
    summary = method.summarize(TALKS * 3, points=points)
    assert 0 < len(summary.key_points) <= points
    assert sorted(point.rank for point in summary.key_points) == list(range(len(summary.key_points)))


def test_zero_points_give_an_empty_summary(method):
    assert method.summarize(TALKS, points=0).key_points == ()


def test_five_points_have_at_most_150_words_unless_one_sentence_is_longer(method):
    long = [f"Ship {k} of the {'very ' * (15 + k)}old fleet left port on Monday." for k in range(30)]
    assert sum(len(p.text.split()) for p in method.summarize(" ".join(long)).key_points) <= MAX_SET_WORDS
    endless = f"It went on {'and on ' * 100}until noon."
    assert [p.text for p in method.summarize(endless).key_points] == [endless]


def test_more_points_include_those_of_fewer(method):
    deeds = (
        "closed its mill|built a school|lost a bridge|sold boats|bought cranes|saw snow|dug wells|won a cup"
    )
    text = " ".join(f"Mayor {k}ley said that {deed} near {k}burg." for k, deed in enumerate(deeds.split("|")))
    five, eight = ({p.text for p in method.summarize(text, points=n).key_points} for n in (5, 8))
    assert five < eight


@pytest.mark.parametrize("points", range(2, 9))
def test_a_claim_that_surely_needs_its_caveat_is_shown_with_it_from_two_lines_on(method, points: int):
    shown = " ".join(point.text for point in method.summarize(TALKS, points=points).key_points)
    assert "had agreed to reopen" in shown
    assert "in no way a step" in shown


def test_one_line_is_a_sentence_that_needs_no_other(method):
    (point,) = method.summarize(TALKS, points=1).key_points
    assert "had agreed to reopen" not in point.text


def test_a_caveat_has_a_lower_rank_than_the_claim_that_needs_it(method):
    points = method.summarize(TALKS).key_points
    (caveat,) = (point for point in points if point.role is Role.CAVEAT)
    assert caveat.qualifies is not None
    assert (caveat.rank, points[caveat.qualifies].rank) == (0, 1)


PARAPHRASED = (
    "The union Tarvik and the port met on Friday. Officials toured the new pier. In a note after the talks, "
    "the union confirmed that the port had agreed to pay for the cranes. The port rejected fees. The note "
    "stressed that the offer does not mean that the strike ends. A choir sang."
)
REORDERED = (
    "The strike was the topic of talks on Friday. The offer by no means ends the strike, the union Tarvik "
    "stressed on Friday. The port of Vessel had agreed to pay for the cranes, Tarvik added. Officials toured "
    "the new pier. A choir sang. The port has nine cranes."
)
TRANSLATED = (
    "Die Gewerkschaft Tarvik und der Hafen trafen sich am Freitag. Beamte besichtigten den neuen Pier. Der "
    "Hafen sagte zu, die Kräne zu bezahlen, teilte die Gewerkschaft mit. Die Zusage bedeute in keiner Weise "
    "ein Ende des Streiks, hieß es in der Mitteilung. Ein Chor sang im Hafen."
)


@pytest.mark.parametrize(
    ("language", "text", "claim", "caveat"),
    [
        ("en", PARAPHRASED, "agreed to pay", "does not mean"),
        ("en", REORDERED, "agreed to pay", "by no means"),
        ("de", TRANSLATED, "sagte zu", "in keiner Weise"),
    ],
    ids=["paraphrased", "reordered", "translated"],
)
def test_claim_and_caveat_stay_together_in_other_words_and_orders(
    method, language: str, text: str, claim: str, caveat: str
):
    for points in range(2, 7):
        shown = " ".join(p.text for p in method.summarize(text, language=language, points=points).key_points)
        assert caveat in shown
        assert claim in shown or points < 5


def test_headings_and_repetitions_are_no_key_points(method):
    shown = [point.text for point in method.summarize(TALKS + TALKS, points=20).key_points]
    assert "the ferry line" not in shown
    assert len(shown) == len(set(shown)) == 4


def test_explain_returns_the_contributions_to_each_score(method):
    lines = method.explain(TALKS)
    weights = shipped_weights(has_cues=True)

    assert [line.role for line in lines].count("caveat") >= 1
    for line in lines:
        assert sum(part for _, part in line.parts) + weights.pick.bias == pytest.approx(line.pick, abs=0.05)
    caveat = next(line for line in lines if "in no way" in line.text)
    assert "had agreed to reopen" in caveat.qualifies
    assert 0 < caveat.probability < 1
    assert any("explicit" in reason for reason, _ in caveat.reasons)
    assert caveat.caveat == max(line.caveat for line in lines) > 0.5


def test_a_language_without_cue_words_has_no_probability_of_a_caveat(method):
    assert {line.caveat for line in method.explain(TALKS, language="hr")} == {0.0}


def test_a_long_article_has_as_many_points_as_a_short_one(method):
    reports = [
        f"{a_report_on(str(k))} Owner Amsel{k} plans to sell pier {k}. Holm{k} denied that it is unclear."
        for k in range(100)
    ]
    assert len(method.summarize(" ".join(reports)).key_points) >= 4


@given(st.lists(SENTENCES, max_size=30), st.sampled_from(["", "The mayor was accused of taking money"]))
def test_the_lines_of_any_length_are_among_those_of_the_next(lines: list[str], title: str):
    text, before = " ".join(lines), set[TextSpan]()
    for points in range(1, 13):
        try:
            summary = KeyPoints().summarize(text, title=title, points=points)
        except SummaryRefused:
            return
        spans = {TextSpan(point.start, point.end) for point in summary.key_points}
        assert before <= spans
        assert len(spans) == len(summary.key_points) <= points
        assert all(one.end <= other.start for one, other in pairwise(sorted(spans)))
        before = spans


@given(st.lists(SENTENCES, max_size=40), st.integers(-1, 9), st.sampled_from(["en", "de", "zh", "xx"]))
def test_any_text_is_summarized_verbatim_or_refused(lines: list[str], points: int, language: str):
    text = "\n".join(lines)
    try:
        summary = KeyPoints().summarize(text, language=language, points=points)
    except SummaryRefused:
        return
    assert summary.is_verbatim(text)
    assert len(summary.key_points) <= max(points, 0)
    for caveat in summary.key_points:
        if caveat.qualifies is not None:
            assert summary.key_points[caveat.qualifies].role is Role.POINT
    for first in summary.key_points[:1]:
        assert first.role is Role.POINT


@given(st.lists(SENTENCES, max_size=30))
def test_a_tied_caveat_qualifies_the_same_line_in_a_longer_summary(lines: list[str]):
    text, before = " ".join(dict.fromkeys(lines)), dict[str, str]()
    for points in range(2, 10):
        try:
            tied = caveats(KeyPoints().summarize(text, points=points))
        except SummaryRefused:
            return
        assert all(tied.get(caveat, claim) == claim for caveat, claim in before.items())
        before |= tied


@pytest.mark.parametrize("points", [1, 2, 3])
def test_what_is_read_first_is_a_point_in_any_order_of_sentences(method: KeyPoints, points: int):
    sentences = re.findall(r"[A-Z][^.]*\.", " ".join(TALKS.split()))
    for order in permutations(sentences, 4):
        summary = method.summarize(" ".join(order), points=points)
        assert summary.key_points[0].role is Role.POINT


@pytest.mark.parametrize(
    "text",
    [
        "word " * 1_000_000,
        "The port is shut. " * 50_000,
        " ".join(f"Report {k} names ship {k * 7}." for k in range(50_000)),
        "a" * 1_000_000 + ".",
        "“" * 100_000 + " Yes, he said.",
        "\u200f\u202b" * 50_000 + "نعم. قال.",
    ],
    ids=["unmarked", "repeated", "endless", "one word", "quotes", "right to left"],
)
def test_hostile_texts_are_summarized_or_refused(method, text: str):
    with suppress(SummaryRefused):
        assert method.summarize(text).is_verbatim(text)


def test_a_point_that_repeats_the_headline_gives_way_to_the_next(method: KeyPoints):
    text = "The ferry line to Ostrel was approved. It starts in May with three boats. The fee is 6 crowns."
    summary = method.summarize(text, title="Ferry line to Ostrel approved", points=2)
    assert [point.text for point in summary.key_points] == [
        "It starts in May with three boats.",
        "The fee is 6 crowns.",
    ]
    assert method.summarize("The ferry line to Ostrel was approved.", title=text).key_points == ()


def test_a_caveat_of_the_headline_qualifies_no_point(method: KeyPoints):
    title = "Norland agreed to reopen the ferry line, Suderland said in a statement after the talks"
    assert caveats(method.summarize(TALKS, title="")) != {}
    first, *others = method.summarize(TALKS, title=title).key_points
    assert first.text.startswith("The statement said that the talks are in no way")
    assert (first.role, first.qualifies, first.rank) == (Role.CAVEAT, None, 0)
    assert all("reopen the ferry line" not in point.text for point in others)


def test_the_words_of_introductions_count(method: KeyPoints):
    rule = "The council, which met on Monday for the first time in a year, passed these rules for boats"
    items = [f"Boats of class {k} may enter the harbour on day {k} of each week" for k in range(9)]
    text = f"{rule * 3}:\n" + "\n".join(f"- {item}" for item in items)
    points = method.summarize(text, points=5).key_points
    words = sum(len(point.text.split()) for point in points)
    assert all(point.introduction for point in points)
    assert words + len(points) * 40 <= MAX_SET_WORDS


def test_questions_are_no_points_and_answers_have_theirs(method: KeyPoints):
    text = "Will the cargo route close?\n\nNo. It stays until 2031.\n\nWho knows the price?"
    (point,) = method.summarize(text).key_points
    assert point.text == "No. It stays until 2031."
    assert point.introduction == (0, 27)


def test_a_quotation_is_shown_whole(method: KeyPoints):
    text = "“We shut the pier. It is too old,” Holm said. The council met on Monday."
    assert [point.text for point in method.summarize(text).key_points] == [
        "“We shut the pier. It is too old,” Holm said.",
        "The council met on Monday.",
    ]


def test_a_sentence_that_lacks_a_quotation_mark_gives_way_to_others(method: KeyPoints):
    first = "Two ferries ran aground in fog off Velmarsh on Monday, a coast guard said."
    others = "Ships from Norland wait outside Velmarsh."
    for opening, shown in (("“", "Holm said"), ("", "Ships from Norland")):
        text = f'{first} {opening}Velmarsh stays closed to ships," Holm said in Tarn. {others}'
        assert shown in method.summarize(text, points=2).key_points[1].text


@pytest.mark.parametrize("points", [1, 6, 8])
def test_an_article_that_only_repeats_its_headline_has_no_key_points(method: KeyPoints, points: int):
    headline = "The harbour board approved the ferry line to Ostrel"
    summary = method.summarize(f"{headline}.", title=headline, points=points)
    assert summary.key_points == ()
