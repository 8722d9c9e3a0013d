"""The blocks of plain text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.text.blocks import plain_blocks


def blocks_of(text: str, language: str = "en") -> list[tuple[str, str]]:
    """Return the kind and the text of each block."""
    return [(block.kind.value, text[block.start : block.end]) for block in plain_blocks(text, language)]


def test_an_empty_line_ends_a_paragraph():
    assert blocks_of("The port is shut.\n\n It rains. ") == [
        ("paragraph", "The port is shut."),
        ("paragraph", "It rains."),
    ]


def test_bullets_and_numbers_begin_list_items():
    assert blocks_of("Rules:\n- No boats\n2) No fires") == [
        ("paragraph", "Rules:"),
        ("item", "No boats"),
        ("item", "No fires"),
    ]


def test_a_list_is_introduced_by_the_line_with_a_colon_before_it():
    text = "The rules:\n\n- No boats\n- No fires\n\nIt rains.\n\n- No rule"
    assert [text[slice(*b.introduction)] if b.introduction else "" for b in plain_blocks(text)] == [
        "",
        "The rules:",
        "The rules:",
        "",
        "",
    ]


def test_wrapped_lines_are_one_paragraph():
    wrapped = (
        "The council met on Monday to talk about the harbour\nand the ferries that were late all\nsummer."
    )
    assert blocks_of(wrapped) == [("paragraph", wrapped)]


def test_lines_of_a_list_without_bullets_are_not_joined():
    lines = ["Follow us: https://chirp.example/velmarsh", "Support us: https://patron.example/velmarsh"]
    times = ["00:00 Intro", "00:45 The plan and its price", "03:10 What the fishing crews say", "08:30 Outro"]
    text = "The harbour board of Velmarsh approved a ferry line to Ostrel.\n\n" + "\n".join(lines)
    assert [block for _, block in blocks_of(text)][1:] == lines
    assert [block for _, block in blocks_of("\n".join(times))] == times


def test_lines_of_a_list_without_bullets_are_blocks_although_one_is_long():
    lines = [
        "Quillbase 4.2",
        "Adds replication between two sites",
        "Drops support for 32-bit machines",
        "Fixes a loss of data on full disks that affected 4.0",
        "Databases of 4.0 cannot be opened",
    ]
    assert blocks_of("\n".join(lines)) == [("paragraph", line) for line in lines]


def test_a_heading_above_wrapped_lines_is_a_block_of_its_own():
    wrapped = "The council met on Monday to talk about the new rules for Harbour\nStreet and the ferries."
    assert blocks_of(f"The talks\n{wrapped}") == [("paragraph", "The talks"), ("paragraph", wrapped)]


@given(st.text(alphabet="ab.-*1 )\n\r\u2028:", max_size=80))
def test_blocks_are_in_order_and_leave_out_only_white_space_and_bullets(text: str):
    at = 0
    for block in plain_blocks(text):
        assert at <= block.start < block.end
        assert not set(text[at : block.start]) - set("-*1a.b) \n\r\u2028")
        at = block.end
    assert not text[at:].strip()
