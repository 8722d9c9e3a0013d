"""`caveat summarize`: key points of any text, and one answer per line of JSONL."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from service.cli.summarize import articles
from service.cli.summarize.summary_view import summary_text
from service.core.model import CaveatKind, Grade, KeyPoint, Role, Summary, TextSpan
from tests.cli.runner import CliRunner

TEXT = (
    "The council of Corvane approved a tram line to the harbour on Tuesday. It will cost 40 million crowns. "
    "Construction starts in spring, the mayor said. The decision takes effect only if the province agrees to "
    "pay half. Residents of the old town had collected 3,000 signatures against the route. The first trams "
    "could run in four years."
)
ARTICLES = [{"id": number, "title": "A tram for Corvane", "text": TEXT} for number in range(3)]


def jsonl(path: Path, *lines: object) -> Path:
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


def is_verbatim(answer: dict, text: str) -> bool:
    return all(text[p["start"] : p["end"]] == p["text"] for p in answer["key_points"])


def test_each_line_is_answered_with_the_documented_keys(caveat: CliRunner, tmp_path: Path):
    done = caveat("summarize", "--json", jsonl(tmp_path / "a.jsonl", *ARTICLES))

    assert done.code == 0
    assert [answer["id"] for answer in done.records] == [0, 1, 2]
    for answer in done.records:
        assert list(answer) == ["id", "method", "key_points", "context"]
        assert answer["method"] == "keypoints"
        assert is_verbatim(answer, TEXT)
        for point in answer["key_points"]:
            assert list(point) == [
                *("text", "start", "end", "role", "qualifies", "introduction", "quoted"),
                *("grade", "kind", "hint"),
            ]
            assert point["role"] == "caveat" or point["qualifies"] is None
        assert answer["context"] == []


def test_points_and_method_are_applied(caveat: CliRunner, tmp_path: Path):
    done = caveat("summarize", "--json", "-n", "2", "-m", "lead", jsonl(tmp_path / "a.jsonl", ARTICLES[0]))
    (answer,) = done.records

    assert answer["method"] == "lead"
    assert [point["text"] for point in answer["key_points"]] == [s + "." for s in TEXT.split(". ")[:2]]


def test_an_invalid_line_is_reported_by_number_and_the_others_are_answered(caveat: CliRunner, tmp_path: Path):
    path = jsonl(
        tmp_path / "a.jsonl",
        ARTICLES[0],
        "{broken",
        "",
        '["no object"]',
        {"id": "no text"},
        {"id": "empty", "text": ""},
        {"id": "x", "text": TEXT, "title": 7},
        ARTICLES[1],
    )
    with path.open("ab") as file:
        file.write(b'{"id": "latin", "text": "caf\xe9"}\n')
    done = caveat("summarize", "--json", path)

    assert done.code == 1
    assert [answer["id"] for answer in done.records] == [0, 1]
    assert [line.split(":")[0] for line in done.err.splitlines()] == [f"line {n}" for n in (2, 4, 5, 6, 7, 9)]
    assert all(line.endswith("; skipped") for line in done.err.splitlines())


def test_a_lone_surrogate_causes_no_traceback(caveat: CliRunner, tmp_path: Path):
    line = '{"id": "\\ud800", "text": "' + TEXT.replace("Tuesday", "Tues\\ud800day") + '"}'
    done = caveat("summarize", "--json", jsonl(tmp_path / "a.jsonl", line))

    assert done.code in (0, 1)
    assert "Traceback" not in done.err


def test_an_unknown_method_is_reported_once_with_a_suggestion(caveat: CliRunner, tmp_path: Path):
    done = caveat("summarize", "-m", "lexrnk", jsonl(tmp_path / "a.jsonl", *ARTICLES))

    assert done.code == 2
    assert done.err.count("Did you mean lexrank?") == 1


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nothing.txt", "there is no file"),
        (".", "is a folder"),
        ("empty.txt", "empty"),
        ("picture.png", "is not a text"),
    ],
)
def test_unreadable_input_is_reported(caveat: CliRunner, tmp_path: Path, name: str, said: str):
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    done = caveat("summarize", tmp_path / name)

    assert done.code in (1, 2)
    assert said in done.err.lower()


def test_a_text_becomes_a_list(caveat: CliRunner, tmp_path: Path):
    (tmp_path / "a.txt").write_text(TEXT)
    done = caveat("summarize", tmp_path / "a.txt")

    assert done.code == 0
    assert done.out.startswith("• The council of Corvane")


def test_a_text_in_utf_16_is_read(caveat: CliRunner, tmp_path: Path):
    (tmp_path / "a.txt").write_text(TEXT.replace("crowns", "€"), encoding="utf-16")

    assert "40 million €" in caveat("summarize", tmp_path / "a.txt").out


def test_caveats_are_indented_below_their_point(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "80")
    claim, caveat, other = (TEXT.index(words) for words in ("The council", "The decision", "Residents"))
    summary = Summary(
        "keypoints",
        (
            KeyPoint.from_source(TEXT, claim, TEXT.index(" It will")),
            KeyPoint.from_source(TEXT, caveat, other - 1, Role.CAVEAT, 0),
        ),
    )
    lines = summary_text(summary, TEXT).splitlines()

    assert lines[0] == "• The council of Corvane approved a tram line to the harbour on Tuesday."
    assert lines[1] == "    caveat: The decision takes effect only if the province agrees to pay half."


def test_each_caveat_has_its_label_and_a_pronoun_its_hint(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "80")
    text = "Holm resigned. She denies it. He was told. But she stays. Nothing is settled."
    claim, denied, told, stays, settled = (
        KeyPoint.from_source(text, text.index(words), text.index(words) + len(words))
        for words in (
            "Holm resigned.",
            "She denies it.",
            "He was told.",
            "But she stays.",
            "Nothing is settled.",
        )
    )
    hint = TextSpan(0, 4)
    caveat = {"role": Role.CAVEAT, "hint": hint}
    summary = Summary(
        "keypoints",
        (
            claim,
            replace(denied, **caveat, qualifies=0, kind=CaveatKind.DENIED, follows=0),
            replace(told, **caveat, grade=Grade.CONTEXT),
            replace(stays, **caveat, grade=Grade.STORY, kind=CaveatKind.LIMITED, follows=1),
            replace(settled, role=Role.CAVEAT, grade=Grade.STORY),
        ),
    )

    assert summary_text(summary, text).splitlines() == [
        "• Holm resigned.",
        "    denied: She denies it.",
        "• context: [Holm] He was told.",
        "  story caveat, limited: [Holm] But she stays.",
        "  story caveat: Nothing is settled.",
    ]


def test_a_point_that_looks_cut_has_an_ellipsis():
    text = "He left. But the council stays."
    summary = Summary("keypoints", (KeyPoint.from_source(text, 13, len(text)),))

    assert summary_text(summary, text) == "• … the council stays.\n"


def test_what_introduces_a_list_is_printed_once_above_its_items(caveat: CliRunner, tmp_path: Path):
    rules = "The board passed these rules:\n- No boat may pass at night\n- The fee rises to 6 crowns\n"
    (tmp_path / "a.txt").write_text(f"{rules}\nWill it close?\n\nNo. It stays open until 2031.")

    printed = caveat("summarize", tmp_path / "a.txt").out
    assert printed.count("  The board passed these rules:\n• No boat may pass at night") == 1
    assert "these rules" not in printed.split("• The fee rises")[1]
    assert "  Will it close?\n• No. It stays open until 2031." in printed

    (answer,) = caveat("summarize", "--json", tmp_path / "a.txt").records
    first = answer["key_points"][0]
    assert first["introduction"] == {"text": "The board passed these rules:", "start": 0, "end": 29}
    assert not first["quoted"]


def test_a_point_that_introduces_another_is_printed_once():
    text = "Schools get money\n\nA gym is rebuilt"
    point = KeyPoint.from_source(text, 0, 17)
    item = KeyPoint.from_source(text, 19, 35, introduction=TextSpan(0, 17))

    printed = summary_text(Summary("keypoints", (point, item)), text)
    assert printed.splitlines() == ["• Schools get money", "• A gym is rebuilt"]


def test_a_page_is_summarized_without_its_boilerplate(caveat: CliRunner, tmp_path: Path):
    paragraphs = "".join(f"<p>{TEXT}</p><p>{TEXT.replace('Corvane', 'Dunlow')}</p>")
    (tmp_path / "a.html").write_text(
        f"<html><head><title>Trams &amp; tracks</title></head><body><nav>Sign up now</nav>"
        f"<article><h1>Trams</h1>{paragraphs}</article><footer>Cookies</footer></body></html>"
    )
    done = caveat("summarize", "--json", tmp_path / "a.html")

    assert done.code == 0
    assert "Cookies" not in done.out
    assert "Trams & tracks" in caveat("summarize", tmp_path / "a.html").out


def test_explain_prints_features_and_refuses_methods_without_them(caveat: CliRunner, tmp_path: Path):
    (tmp_path / "a.txt").write_text(TEXT)
    (answer,) = caveat("summarize", "--json", "--explain", tmp_path / "a.txt").records

    assert len(answer["sentences"]) == TEXT.count(". ") + 1
    assert all(sentence["parts"] and 0 < sentence["caveat"] < 1 for sentence in answer["sentences"])
    assert "pick" in caveat("summarize", "--explain", tmp_path / "a.txt").out
    assert caveat("summarize", "--explain", "-m", "lead", tmp_path / "a.txt").code == 2


def test_a_language_without_cue_words_is_reported_once(caveat: CliRunner, tmp_path: Path):
    lines = [{"id": k, "text": TEXT, "lang": "sv-SE" if k else "en"} for k in range(4)]
    done = caveat("summarize", "--json", jsonl(tmp_path / "a.jsonl", *lines))

    assert done.code == 0
    assert done.err == "no caveat cues for sv: key points only\n"
    assert [list(answer) for answer in done.records] == [["id", "method", "key_points", "context"]] * 4

    (tmp_path / "a.txt").write_text(TEXT)
    assert "no caveat cues for fi" in caveat("summarize", "--language", "fi", tmp_path / "a.txt").err
    assert not caveat("summarize", "--language", "fi", "-m", "lead", tmp_path / "a.txt").err


def test_lines_of_any_ending_are_counted_alike(caveat: CliRunner, tmp_path: Path):
    line = json.dumps({"id": 1, "text": TEXT, "lang": None}).encode()
    (tmp_path / "a.jsonl").write_bytes(line + b"\r\n\r\n" + b'{"text": null}\r\n' + line)
    done = caveat("summarize", "--json", tmp_path / "a.jsonl")

    assert done.code == 1
    assert len(done.records) == 2
    assert done.err.startswith("line 3: it has no")


def test_parallel_processing_keeps_order_numbers_and_errors(
    caveat: CliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(articles, "MIN_PARALLEL_BYTES", 0)
    monkeypatch.setattr(articles, "processors", lambda: 2)
    lines: list[object] = [{"id": number, "text": TEXT} for number in range(40)]
    lines[17] = "{broken"
    done = caveat("summarize", "--json", jsonl(tmp_path / "a.jsonl", *lines))

    assert done.code == 1
    assert [answer["id"] for answer in done.records] == [n for n in range(40) if n != 17]
    assert done.err.startswith("line 18:")


def test_a_pipe_is_answered_line_by_line():
    words = ["-m", "service", "summarize", "--json", "--input", "jsonl", "--language", "en", "-m", "lead"]
    program = subprocess.Popen(
        [sys.executable, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    for number in range(3):
        program.stdin.write(json.dumps({"id": number, "text": TEXT}) + "\n")
        program.stdin.flush()
        assert json.loads(program.stdout.readline())["id"] == number
    program.stdin.close()

    assert program.wait(10) == 0
    program.stdout.close()


def test_a_line_that_is_too_long_is_skipped(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(articles, "MAX_LINE_BYTES", 10)
    lines = list(articles._numbered_lines(io.BytesIO(b"short\n" + b"x" * 35 + b"\nlast")))

    assert lines == [(1, b"short\n"), (2, b""), (3, b"last")]
