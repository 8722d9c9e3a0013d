"""main: every error becomes a sentence and an exit code, never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from service.cli import main as cli
from service.cli.ui import commands, context
from service.cli.ui.commands import CommandTyper
from service.core.errors import ConfigError, Fault, StoreError, UnknownName

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def raising(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Replace the command `demo` by one that raises the error a test gives."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    def arrange(error: BaseException) -> None:
        group = CommandTyper()

        @group.add("demo")
        def demo() -> None:
            """Raise."""
            raise error

        command = typer.main.get_group(group).commands["demo"]
        monkeypatch.setattr(commands.RootGroup, "get_command", lambda *_: command)

    return arrange


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (UnknownName("newsletter", "mornin", ["morning", "noon"]), 2, "Did you mean morning?"),
        (
            ConfigError([Fault("feeds.yaml", 3, 5, "no url", "an address")]),
            2,
            "feeds.yaml:3:5: no url, expected an",
        ),
        (StoreError("the database x.db is newer than this Caveat"), 1, "The database x.db is newer"),
        (OSError(28, "No space left on device", "/data/x"), 1, "/data/x: No space left on device."),
        (ValueError("odd"), 1, "Something went wrong inside Caveat (ValueError: odd)."),
        (KeyboardInterrupt(), 130, "Stopped."),
    ],
    ids=["unknown name", "config", "store", "disk", "unexpected", "ctrl-c"],
)
def test_every_error_is_one_sentence_and_an_exit_code(error, code, sentence, raising, capsys: Capture):
    raising(error)

    assert cli.main(["demo"]) == code
    said = capsys.readouterr()
    assert sentence in said.err
    assert "Traceback" not in said.err
    assert not said.out


def test_an_unexpected_error_is_written_to_the_crash_log(raising, tmp_path: Path, capsys: Capture):
    raising(ValueError("odd"))
    cli.main(["demo"])

    path = tmp_path / "caveat" / "trouble.log"
    assert str(path) in capsys.readouterr().err
    assert "ValueError: odd" in path.read_text()


def test_debug_shows_the_traceback_at_any_position(raising, capsys: Capture):
    raising(ValueError("odd"))

    for words in (["--debug", "demo"], ["demo", "--debug"]):
        cli.main(words)
        assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["sumarize"], "There is no command 'sumarize'. Did you mean summarize?"),
        (["--config"], "--config"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_reported_with_a_suggestion(words: list[str], sentence: str, capsys: Capture):
    assert cli.main(words) == 2
    said = capsys.readouterr()
    assert sentence in said.err
    assert not said.out


@pytest.mark.parametrize(
    ("words", "config", "debug"),
    [
        (["run", "--config", "x", "--debug"], "x", True),
        (["--config=x", "run"], "x", False),
        (["run"], "from-environment", False),
    ],
    ids=["behind", "before", "environment"],
)
def test_global_options_are_taken_at_any_position(words, config, debug, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CAVEAT_CONFIG", "from-environment")

    assert cli._take_global_options(words) == ["run"]
    assert context.options() == context.GlobalOptions(Path(config), debug)


def test_after_two_dashes_nothing_is_an_option():
    assert cli._take_global_options(["summarize", "--", "--debug"]) == ["summarize", "--", "--debug"]


def test_the_version_is_printed(capsys: Capture):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("caveat ")


def test_no_command_prints_the_help_page(capsys: Capture):
    assert cli.main([]) == 2
    assert "Begin here" in capsys.readouterr().out


def test_a_closed_pipe_is_no_error():
    program = [
        sys.executable,
        "-c",
        "import sys; from service.cli.main import main; sys.exit(main(['--help']))",
    ]
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(program, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)

    assert (done.returncode, done.stderr) == (141, "")
