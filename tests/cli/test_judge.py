"""`caveat judge`: by hand with an endpoint, and by files with whoever answers."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from service.cli.judge import MAX_LINE_BYTES, numbered_lines
from tests.app.judge.newsroom import last_candidates
from tests.cli.runner import CliRunner
from tests.condense.judge.endpoint import completion, threaded_endpoint


@pytest.fixture
def newsroom(caveat: CliRunner) -> CliRunner:
    """Give a runner with one condensed article for the next issue, which is due within a day."""
    caveat("gather")
    caveat("condense")
    return caveat


def next_issue(runner: CliRunner) -> str:
    """Return the text of the issue that would be sent now, on one line."""
    return " ".join(runner("preview", "morning", "--as", "text").out.split())


def set_judge(runner: CliRunner, url: str) -> None:
    judge = f'judge: {{url: "{url}", model: qwen}}'
    runner.replace("caveat.yaml", "condense: {processes: 1}", f"condense: {{processes: 1, {judge}}}")


def answers_to(questions: list[dict]) -> str:
    lines = ({"key": question["key"], "points": question["candidates"][-2:]} for question in questions)
    return "\n".join(map(json.dumps, lines)) + "\n\n"


def test_a_judge_is_asked_by_hand(newsroom: CliRunner):
    with threaded_endpoint(last_candidates) as server:
        set_judge(newsroom, server.url)
        done = newsroom("judge", "ask", "--hours", "24")
        listed = newsroom("judge", "status", "--json")
        shown = newsroom("judge", "status")

    assert (done.code, len(server.questions)) == (0, 1)
    assert (
        "Asked about 1 article, 0 without an answer; 0 had one before. Condensed 1 article again." in done.err
    )
    assert listed.records == [{"result": "answered", "questions": 1}]
    assert "499 more may be asked today." in shown.err


def test_the_issue_names_the_judge(newsroom: CliRunner):
    with threaded_endpoint(last_candidates) as server:
        set_judge(newsroom, server.url)
        before = next_issue(newsroom)
        newsroom("judge", "ask", "--hours", "24")

    assert "The lift" in before
    assert "with the help of" not in before
    assert "with the help of qwen (127.0.0.1)" in next_issue(newsroom)


def test_a_question_without_an_answer_is_named_and_the_exit_code_is_1(newsroom: CliRunner):
    with threaded_endpoint(lambda _: completion("All of them.")) as server:
        set_judge(newsroom, server.url)
        done = newsroom("judge", "ask", "--hours", "24")

    assert done.code == 1
    assert "gave no answer about 'The lift is out of order': the answer cannot be used" in done.err


def test_without_a_judge_nobody_can_be_asked(newsroom: CliRunner):
    done = newsroom("judge", "ask")

    assert done.code == 2
    assert "No judge is configured" in done.err


def test_questions_go_out_and_answers_come_back_by_file(newsroom: CliRunner, tmp_path: Path):
    questions = newsroom("judge", "export")
    assert questions.err.startswith("1 question about articles of the issues that are due within 24 hours")
    file = tmp_path / "answers.jsonl"
    file.write_text(answers_to(questions.records))
    done = newsroom("judge", "import", file, "--name", "Amina  B.")

    assert [question["headline"] for question in questions.records] == ["The lift is out of order"]
    assert (done.code, done.err) == (
        0,
        "Read 1 answer, 0 of them with a problem; condensed 1 article again.\n",
    )
    assert "with the help of Amina B.;" in next_issue(newsroom)


def test_a_bad_line_is_named_by_its_number_and_the_exit_code_is_1(newsroom: CliRunner, tmp_path: Path):
    file = tmp_path / "answers.jsonl"
    file.write_text("\nThe first two.\n" + answers_to(newsroom("judge", "export").records))
    done = newsroom("judge", "import", file, "--name", "Amina")

    assert done.code == 1
    assert 'Line 2: the line is not a JSON object with a "key".' in done.err
    assert "Read 2 answers, 1 of them with a problem; condensed 1 article again." in done.err


@pytest.mark.parametrize("words", [("none.jsonl", "--name", "Amina"), ("-",), ("-", "--name", " ")])
def test_an_import_without_a_file_or_a_name_is_misuse(caveat: CliRunner, words: tuple[str, ...]):
    assert caveat("judge", "import", *words).code == 2


def test_lines_are_read_with_their_numbers_within_a_limit():
    long = b"x" * (3 * MAX_LINE_BYTES)
    stream = io.BytesIO(b"one\n\n" + long + b"\ntwo\n" + long)

    assert list(numbered_lines(stream)) == [(1, b"one\n"), (3, None), (4, b"two\n"), (5, None)]


def test_what_leaves_the_machine_is_said_where_the_settings_are_shown(caveat: CliRunner):
    assert "leave" not in caveat("config", "show").err
    set_judge(caveat, "https://models.example/v1")

    for words in (("config", "show"), ("config", "show", "condense")):
        assert "go to qwen at https://models.example/v1 and leave this machine" in caveat(*words).err
    assert caveat("config", "show", "mail").err == ""


def test_a_local_judge_is_said_to_be_on_this_machine(caveat: CliRunner):
    set_judge(caveat, "http://localhost:11434/v1")

    assert "which is this machine" in caveat("config", "show", "condense.judge").err
