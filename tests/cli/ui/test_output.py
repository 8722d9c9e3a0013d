"""Data on standard output, messages on standard error, and nothing cut that a program reads."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime

import pytest

from service.cli.ui import output
from service.core.model import Role

Capture = pytest.CaptureFixture[str]
RECORDS = [
    {"name": "The Example", "new": 3, "ok": True, "at": datetime(2026, 3, 2, 12, tzinfo=UTC), "error": None},
    {"name": "A name that is longer", "new": 12, "ok": False, "at": None, "error": "404\x1b[2J not there"},
]


def test_json_is_one_object_a_line_in_the_order_given(capsys: Capture):
    output.print_records(RECORDS, as_json=True)

    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["name"] for line in lines] == ["The Example", "A name that is longer"]
    assert json.loads(lines[0]) == {
        "name": "The Example",
        "new": 3,
        "ok": True,
        "at": "2026-03-02T12:00:00+00:00",
        "error": None,
    }


def test_json_has_the_values_of_enums(capsys: Capture):
    output.print_json({"role": Role.CAVEAT, "text": "Grüße"})

    assert capsys.readouterr().out == '{"role": "caveat", "text": "Grüße"}\n'


def test_a_lone_surrogate_does_not_break_the_line(capsys: Capture):
    output.print_json({"text": "a\ud800b"})

    assert json.loads(capsys.readouterr().out) == {"text": "a\ud800b"}


def test_a_file_gets_aligned_columns_and_no_control_characters(capsys: Capture):
    output.print_records(RECORDS, as_json=False)

    heading, first, second = capsys.readouterr().out.splitlines()
    assert heading.split() == ["name", "new", "ok", "at", "error"]
    assert first.index("3") == second.index("12") == heading.index("new")
    assert "\x1b" not in second
    assert "404 [2J not there" in second


def test_a_narrow_terminal_folds_cells_and_cuts_nothing(capsys: Capture, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("NO_COLOR", "1")
    output.print_records(RECORDS, as_json=False)

    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 40
    assert "…" not in printed
    assert "\x1b" not in printed


def test_the_message_for_no_records_is_not_data(capsys: Capture):
    output.print_records([], as_json=False, empty_message="No feed so far.")
    output.print_records([], as_json=True, empty_message="No feed so far.")

    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "No feed so far.\n")


def test_progress_prints_nothing_without_a_terminal(capsys: Capture):
    with output.progress("Polling feeds") as report:
        report("The Example", 1, 2)

    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("the feed is gone", "The feed is gone."),
        ("https://news.example/ leads to no feed", "https://news.example/ leads to no feed."),
        ("amina@example.org is nobody", "amina@example.org is nobody."),
        ("file:a.xml is there already", "file:a.xml is there already."),
    ],
)
def test_a_sentence_keeps_the_case_of_an_address(text: str, said: str):
    assert output.as_sentence(text) == said
