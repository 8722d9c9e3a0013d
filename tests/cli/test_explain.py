"""`caveat explain` of stories that an issue shows in the mail, on its web page only, or not at all."""

from __future__ import annotations

import pytest

from tests.builders import NOUNS, a_report_on
from tests.cli.runner import CliRunner

TITLES = {
    "flood": "Flood toll rises to 58 as second dam gives way",
    "tax": "Parliament passes wealth tax by two votes",
    "rates": "Central bank cuts interest rates to 3 per cent",
    "ferry": "Ferry sinks off the coast, dozens missing",
    "strike": "Doctors begin nationwide strike over pay",
    "opera": "Opera house reopens after three years",
    "market": "Village market moves to the old station",
    "garden": "Seven tips for a garden in the shade",
    "horoscope": "Horoscope for Tuesday",
    "lottery": "The lottery numbers of the week",
}

OTHERS = {noun: f"The {noun} is painted in another colour" for noun in NOUNS.split()[:30]}


def address(name: str) -> str:
    return f"https://house.example/{name}"


@pytest.fixture
def sent(caveat: CliRunner) -> CliRunner:
    """Return a runner after an issue of one minute's reading, to a reader who mutes one word."""
    items = "".join(
        f"<item><title>{title}</title><link>{address(name)}</link><description>{a_report_on(title)}"
        "</description></item>"
        for name, title in (TITLES | OTHERS).items()
    )
    caveat.write("notices.xml", f'<rss version="2.0"><channel><title>House</title>{items}</channel></rss>')
    caveat.replace("feeds.yaml", "topics: [house]", "topics: [house], first_items: 50")
    caveat.replace("newsletters.yaml", "timezone: Europe/Berlin", "timezone: Europe/Berlin, minutes: 1")
    caveat.replace("newsletters.yaml", "minutes: 1", "minutes: 1, mute: [lottery]")
    for command in (["config", "apply"], ["gather"], ["condense"], ["send", "morning", "--all", "--yes"]):
        assert caveat(*command).code == 0
    return caveat


def explained(runner: CliRunner, name: str) -> dict[str, object]:
    (record,) = runner("explain", address(name), "--for", "ben@example.org", "--json").records
    return record


def test_each_story_has_its_place_in_the_order_of_the_scores(sent: CliRunner):
    records = [explained(sent, name) for name in TITLES if name != "lottery"]
    ordered = sorted(records, key=lambda record: record["rank"])
    scores = [record["score"] for record in ordered]

    assert len({record["rank"] for record in ordered}) == len(TITLES) - 1
    assert scores == sorted(scores, reverse=True)
    assert "58" in sent("issue", "list", "--json").records[0]["subject"]
    assert explained(sent, "flood")["placement"] == "lead"


def test_a_story_outside_the_mail_was_not_sent(sent: CliRunner):
    outside = explained(sent, "horoscope")

    assert (outside["told"], outside["placement"], outside["shown"]) == (False, "web", None)
    assert outside["in_mail"] < outside["rank"] <= outside["ranked"]
    assert f" of {outside['ranked']}; the mail was full at {outside['in_mail']}" in str(outside["why"])
    assert explained(sent, "flood")["told"] is True


def test_a_story_with_a_muted_word_names_it(sent: CliRunner):
    muted = explained(sent, "lottery")

    assert (muted["told"], muted["rank"], muted["score_parts"]) == (False, None, None)
    assert muted["why"] == "it is about “lottery”, which they mute"


def test_the_parts_of_a_score_are_printed_largest_first(sent: CliRunner):
    lines = sent("explain", address("horoscope"), "--for", "ben@example.org", "-v").out.splitlines()
    parts = [line.split() for line in lines if line.startswith("   ")]

    assert parts[0][1] == "series"
    assert {name for _, name in parts} >= {"freshness", "position"}
