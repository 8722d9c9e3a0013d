"""Help pages: every command has one, and no large library is imported for it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from service.cli.main import main
from service.cli.ui.commands import ROOT
from service.cli.ui.root_help import COMMAND_SECTIONS

LARGE = (
    "rich",
    "sqlalchemy",
    "aiohttp",
    "pydantic",
    "numpy",
    "structlog",
    "service.store",
    "service.settings",
)


def every_command() -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name in ROOT.list_commands(None):
        command = ROOT.get_command(None, name)
        found.append((name,))
        found += [(name, below) for below in getattr(command, "commands", {})]
    return found


@pytest.mark.parametrize("words", every_command(), ids=" ".join)
def test_every_command_has_a_page(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]):
    assert main([*words, "--help"]) == 0
    page = capsys.readouterr().out

    assert page.startswith(f"Usage: caveat {' '.join(words)}")
    assert "Everywhere" in page
    assert ("Commands" in page) or ("Examples" in page)
    assert not [line for line in page.splitlines() if line != line.rstrip()]


@pytest.mark.parametrize("columns", ["40", "80", "200"])
def test_pages_fit_the_terminal_but_for_examples(columns: str, capsys, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", columns)
    main(["summarize", "--help"])
    page = capsys.readouterr().out.partition("Examples")[0]

    assert max(map(len, page.splitlines())) <= min(max(int(columns), 40), 100)


def test_the_options_of_a_panel_are_together(capsys: pytest.CaptureFixture[str]):
    main(["send", "--help"])
    _, panel, rest = capsys.readouterr().out.partition("Who gets it")

    assert panel
    assert rest.index("--to ADDRESS") < rest.index("--all") < rest.index("Options") < rest.index("--again")


def test_the_root_page_lists_every_command_by_section(capsys: pytest.CaptureFixture[str]):
    main(["--help"])
    page = capsys.readouterr().out

    for title, entries in COMMAND_SECTIONS.items():
        assert title in page
        assert all(f"  {entry.name} " in page for entry in entries)


def test_the_root_page_shows_the_first_sentence_of_each_help_page():
    for section in COMMAND_SECTIONS.values():
        for command in section:
            help_text = ROOT.get_command(None, command.name).help
            assert command.help == help_text.partition("\n")[0]


def test_every_command_of_the_contract_is_there():
    known = {" ".join(words) for words in every_command()}
    contract = """demo; run; worker; web; scheduler; gather; condense; compose; deliver; send; preview
        plan; explain; summarize; config check; config diff; config apply; config schema; config show
        feed add; feed list; feed remove; feed inspect; feed import; feed export; feed health
        subscriber add; subscriber list; subscriber show; subscriber edit; subscriber pause
        subscriber resume; subscriber remove; subscriber import; subscriber export; subscriber erase
        subscriber suppress; subscriber unsuppress
        story show; story split; issue list; issue show; issue resend; issue verify; doctor; migrate; backup
        restore
        bounce inspect"""
    names = {name.strip() for line in contract.splitlines() for name in line.split(";")}

    assert names <= known


def test_help_imports_no_large_library():
    seen = (
        "import sys; from service.cli.main import main;"
        "[main([*words, '--help']) for words in ([], ['send'], ['config'], ['feed', 'add'])];"
        f"print([m for m in {LARGE!r} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", seen], capture_output=True, text=True, check=True)

    assert done.stderr == "[]\n"


def test_the_root_page_is_printed_without_typer():
    seen = "import sys; from service.cli.main import main; main(['--help']); print('typer' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", seen], capture_output=True, text=True, check=True)

    assert done.stdout.endswith("False\n")


def test_colours_are_used_only_on_a_terminal_that_takes_them(capsys, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    main(["--help"])
    assert "\x1b[1m" in capsys.readouterr().out

    for name, value in (("NO_COLOR", "1"), ("TERM", "dumb")):
        monkeypatch.setenv(name, value)
        main(["--help"])
        assert "\x1b" not in capsys.readouterr().out
