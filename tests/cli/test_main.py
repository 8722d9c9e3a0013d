"""The door: every trouble becomes a sentence and an exit code, and never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from service.cli import main as door
from service.cli.ui import commands as contents
from service.cli.ui import context as session
from service.cli.ui.help import CommandTyper
from service.core.errors import ConfigError, Fault, StoreError, UnknownName

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def raising(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Put a command in the place of `demo` that raises what a test gives it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    def arrange(error: BaseException) -> None:
        chapter = CommandTyper()

        @chapter.add("demo")
        def demo() -> None:
            """Raise."""
            raise error

        command = typer.main.get_group(chapter).commands["demo"]
        monkeypatch.setattr(contents.RootGroup, "get_command", lambda *_: command)

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
    ids=["unknown name", "config", "store", "disk", "surprise", "ctrl-c"],
)
def test_whatever_goes_wrong_is_said_in_a_sentence(error, code, sentence, raising, capsys: Capture):
    raising(error)

    assert door.main(["demo"]) == code
    said = capsys.readouterr()
    assert sentence in said.err
    assert "Traceback" not in said.err
    assert not said.out


def test_a_surprise_is_written_down_for_whoever_mends_it(raising, tmp_path: Path, capsys: Capture):
    raising(ValueError("odd"))
    door.main(["demo"])

    path = tmp_path / "caveat" / "trouble.log"
    assert str(path) in capsys.readouterr().err
    assert "ValueError: odd" in path.read_text()


def test_debug_shows_the_traceback_wherever_it_is_written(raising, capsys: Capture):
    raising(ValueError("odd"))

    for words in (["--debug", "demo"], ["demo", "--debug"]):
        door.main(words)
        assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["sumarize"], "There is no command 'sumarize'. Did you mean summarize?"),
        (["--config"], "--config"),
    ],
    ids=" ".join,
)
def test_used_wrongly_says_what_and_suggests(words: list[str], sentence: str, capsys: Capture):
    assert door.main(words) == 2
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
def test_options_that_hold_everywhere_may_stand_anywhere(
    words, config, debug, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("CAVEAT_CONFIG", "from-environment")

    assert door._take_global_options(words) == ["run"]
    assert session.options() == session.GlobalOptions(Path(config), debug)


def test_behind_two_dashes_nothing_is_an_option():
    assert door._take_global_options(["summarize", "--", "--debug"]) == ["summarize", "--", "--debug"]


def test_the_version_is_told(capsys: Capture):
    assert door.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("caveat ")


def test_asking_for_nothing_gives_the_manual(capsys: Capture):
    assert door.main([]) == 2
    assert "Begin here" in capsys.readouterr().out


def test_a_reader_who_leaves_is_no_trouble():
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
