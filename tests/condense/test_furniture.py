"""Furniture is no candidate for key points; the text keeps it."""

from __future__ import annotations

import pytest

from service.condense.block_reading import read_parts
from service.condense.candidates import read_candidates
from service.condense.furniture import MAX_TEASER_CHARACTERS, drop_furniture
from service.core.errors import SummaryRefused
from service.core.model import Block, BlockKind, TextSpan

NEWS = "The board approved a ferry line to Ostrel on Tuesday."
MORE = "It starts in May, the board said."


def kept(text: str, blocks: tuple[Block, ...] = ()) -> list[str]:
    """Return the candidates of a text that are not furniture."""
    parts = read_parts(text, blocks, "en")
    drop_furniture(text, parts)
    return [text[one.start : one.end] for part in parts for one in part.candidates]


def blocks_of(text: str, *kinds: BlockKind) -> tuple[Block, ...]:
    """Return the paragraphs of a text as blocks of these kinds."""
    found, place = [], 0
    for kind, part in zip(kinds, text.split("\n\n"), strict=True):
        found.append(Block(kind, place, place + len(part)))
        place += len(part) + 2
    return tuple(found)


def test_furniture_goes_wherever_it_stands():
    assert kept(f"By Petra Lund, Reporter.\n\n{NEWS} {MORE}\n\nAll rights reserved.") == [NEWS, MORE]
    assert kept(f"{NEWS} Download our app today. {MORE}") == [NEWS, MORE]


def test_a_sentence_that_goes_on_to_speak_to_the_reader_goes_with_its_neighbour():
    assert kept(
        f"Good morning and welcome to our live coverage. I will be with you until noon.\n\n{NEWS}"
    ) == [NEWS]
    assert kept(f"The coach said we can help you. {NEWS}") == ["The coach said we can help you.", NEWS]


def test_what_is_quoted_stays():
    assert kept(f"“Come in. Follow us on Mastodon. Thank you.” {NEWS}") == [
        "“Come in. Follow us on Mastodon. Thank you.”",
        NEWS,
    ]
    quote = "Follow us to the harbour."
    assert kept(
        f"{NEWS}\n\n{quote}", blocks_of(f"{NEWS}\n\n{quote}", BlockKind.PARAGRAPH, BlockKind.QUOTE)
    ) == [
        NEWS,
        quote,
    ]


def test_the_time_stamps_of_a_live_blog_are_taken_off_its_entries():
    assert kept(
        f"15:00 {NEWS}\n\n14.05 Uhr – {MORE}\n\n12:30 GMT NATO Secretary Lund left.\n\n09:00 Good morning."
    ) == [NEWS, MORE, "NATO Secretary Lund left."]


def test_a_time_at_the_start_of_a_sentence_stays():
    first = "15:00 is the hour of the last ferry."
    assert kept(f"{first}\n\n14:05 was the hour of the first one.\n\n{NEWS}")[0] == first
    assert kept("15.50 Crowns buy a ticket.\n\n12.50 Crowns buy a seat.")[0] == "15.50 Crowns buy a ticket."
    assert kept(f"15:00 {NEWS}\n\n{MORE}") == [f"15:00 {NEWS}", MORE]


def test_what_a_company_says_of_itself_after_its_news_goes():
    about = (
        "Tarn Boats is the leading maker of boats. It has 40 workers.\n\nIts boats are known in the county."
    )
    assert kept(f"{NEWS} {MORE}\n\nAbout Tarn Boats\n\n{about}") == [NEWS, MORE]
    assert kept(f"{NEWS}\n\nAbout Tarn Boats\n\n{about}\n\nThe decision\n\n{MORE}") == [NEWS, MORE]


def test_a_heading_of_the_same_form_at_the_start_announces_the_news():
    assert kept(f"About Ostrel\n\nOstrel gets a ferry.\n\n{NEWS}") == ["Ostrel gets a ferry.", NEWS]


def test_a_line_that_the_feed_repeats_is_furniture_whatever_it_says():
    text = f"{NEWS}\n\nThe Courier is printed on paper from the Tarn valley."
    paragraph, line = blocks_of(text, BlockKind.PARAGRAPH, BlockKind.PARAGRAPH)
    assert kept(text, (paragraph, line._replace(repeated=True))) == [NEWS]


def test_a_list_of_links_is_furniture_with_its_heading_or_introduction():
    text = f"{NEWS}\n\nRelated articles\n\nStorm closes the Skerry light.\n\nPier collapsed in the night"
    item = BlockKind.ITEM
    assert kept(text, blocks_of(text, BlockKind.PARAGRAPH, BlockKind.HEADING, item, item)) == [NEWS]
    text = "Read also:\n\nStorm closes the Skerry light."
    line, link = blocks_of(text, BlockKind.PARAGRAPH, item)
    assert kept(text, (line, link._replace(introduction=TextSpan(line.start, line.end)))) == []


def test_a_list_under_another_heading_stays():
    text = "The new rules\n\nNo dogs on the pier.\n\nNo fires on the beach."
    item = BlockKind.ITEM
    assert kept(text, blocks_of(text, BlockKind.HEADING, item, item)) == [
        "No dogs on the pier.",
        "No fires on the beach.",
    ]


def test_the_chapters_of_a_recording_are_furniture_and_the_times_of_a_live_blog_are_not():
    chapters = [
        "00:00 Welcome to the harbour show",
        "01:30 What the board decided",
        "12:45 The mayor answers",
    ]
    assert kept("\n\n".join([NEWS, *(f"• {line}" for line in chapters)])) == [NEWS]
    entries = ["09:14 The ferry is halted.", "09:20 Two people are missing.", "09:45 One has been found."]
    assert kept("\n\n".join(entries)) == [entry.removeprefix(entry[:6]) for entry in entries]


@pytest.mark.parametrize("mark", ["…", "...", " […]", " [...]", " (...)"])
def test_a_sentence_that_the_publisher_cut_is_no_point(mark: str):
    assert kept(f"{NEWS} It starts in May and the board{mark}") == [NEWS]
    assert kept(f"{NEWS} It starts in May and the board{mark}\n\nRead more") == [NEWS]


def test_an_ellipsis_of_the_author_stays():
    assert kept(f"{NEWS} And then… {MORE}") == [NEWS, "And then…", MORE]
    long = " ".join([NEWS] * (MAX_TEASER_CHARACTERS // len(NEWS) + 1))
    assert kept(f"{long} But the damage was done...")[-1] == "But the damage was done..."


def test_teasers_of_several_articles_are_all_cut():
    teasers = [f"Teaser {n} says that the board of the harbour has…" for n in range(30)]
    assert kept("\n\n".join(teasers)) == []


def test_an_article_of_furniture_alone_is_refused():
    with pytest.raises(SummaryRefused):
        read_candidates("By Petra Lund, Reporter.\n\nAll rights reserved.", (), "en", 10)
