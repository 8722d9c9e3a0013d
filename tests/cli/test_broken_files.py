"""Every command while a roster file is broken: most work with what was applied last, and name the place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.cli.ui.commands import ROOT
from tests.cli.runner import CliRunner

AMINA = "amina@example.org"
PLACE = "newsletters.yaml:3:54:"
WARNING = "the last valid feeds and newsletters are used"

NO_CONFIG = {
    "demo",
    "config init",
    "config schema",
    "summarize",
    "bounce inspect",
    "feed inspect",
    "feed add",
}
"""Commands that read no configuration, or also work without one; `feed add` polls the address first."""

SERVICES = {"run", "worker", "web", "scheduler"}
"""Commands that run until they are stopped; tests/runtime/test_broken_start.py starts them."""

NEEDS_FILES = {
    "gather": "",
    "compose": "",
    "send": "morning --all --yes",
    "preview": "morning",
    "plan": "",
    "config check": "",
    "config show": "",
    "config diff": "",
    "config plan": "",
    "config apply": "",
    "feed remove": "https://example.org/feed.xml",
    "feed import": "feeds.opml",
    "feed export": "",
    "subscriber add": "zoe@example.org --newsletter morning",
    "subscriber edit": f"{AMINA} --name A",
    "subscriber remove": AMINA,
    "subscriber import": "people.csv",
    "judge ask": "",
    "judge export": "",
}
"""Commands that read the files or change them, with arguments: exit code 2, and the place of the fault."""

LAST_VALID: dict[str, tuple[str, int]] = {
    "subscriber list": ("", 0),
    "subscriber show": (AMINA, 0),
    "subscriber pause": (AMINA, 0),
    "subscriber resume": (AMINA, 0),
    "subscriber unsubscribe": (f"{AMINA} --newsletter morning", 0),
    "subscriber suppress": (AMINA, 0),
    "subscriber unsuppress": (f"{AMINA} --yes", 0),
    "subscriber erase": ("ben@example.org --yes", 0),
    "subscriber export": ("", 0),
    "issue list": ("", 0),
    "issue resume": ("--all", 0),
    "issue resend": ("1 --missed", 2),
    "issue verify": ("--all", 0),
    "template check": ("", 0),
    "doctor": ("", 1),  # it names the fault
    "migrate": ("", 0),
    "backup": ("caveat.backup", 0),
    "restore": ("--resume", 0),
    "condense": ("", 0),
    "deliver": ("", 0),
    "admin create": ("ada", 0),
    "admin list": ("", 0),
    "token create": ("x --scope newsletters:read", 0),
    "draft list": ("", 0),
    "draft place": ("1 1 lead", 2),
    "label add": ("x --wrong 1", 2),
    "label list": ("", 0),
    "feed list": ("", 0),
    "feed health": ("", 0),
}
"""Commands that work on the database, with arguments and exit code. Each other command belongs to them: it is
run with `1` for what it needs, and may say that there is no such thing.
"""


@pytest.fixture
def broken(caveat: CliRunner, tmp_path: Path) -> CliRunner:
    """Give an installation whose newsletters.yaml was broken after it was applied."""
    assert caveat("config", "apply").code == 0
    caveat.replace("newsletters.yaml", "daily 07:00", "dayly 07:00")
    (tmp_path / "feeds.opml").write_text("<opml/>")
    (tmp_path / "people.csv").write_text("email\nzoe@example.org\n")
    return caveat


def commands(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Yield each command with `1` for each of its required arguments and options."""
    if not hasattr(command, "list_commands"):
        needed = [one for one in command.params if one.required]
        yield (
            " ".join(words),
            " ".join("1" if one.opts[0][0] != "-" else f"{one.opts[0]} 1" for one in needed),
        )
        return
    for name in command.list_commands(None):
        yield from commands(command.get_command(None, name), (*words, name))


def test_commands_that_need_the_files_name_the_place_of_the_fault(broken: CliRunner):
    known = {name for name, _ in commands(ROOT)}
    assert known >= {*NO_CONFIG, *SERVICES, *NEEDS_FILES, *LAST_VALID}
    for name, arguments in NEEDS_FILES.items():
        result = broken(*name.split(), *arguments.split())
        assert (name, result.code) == (name, 2)
        assert PLACE in result.err, name


def test_all_other_commands_work_with_the_last_valid_roster(broken: CliRunner):
    wrong = []
    for name, arguments in commands(ROOT):
        if name in NO_CONFIG | SERVICES or name in NEEDS_FILES:
            continue
        words, code = LAST_VALID.get(name, (arguments, None))
        result = broken(*name.split(), *words.split())
        first = result.err.partition("\n")[0]
        if (
            not (first.startswith(PLACE) and WARNING in first)
            or "inside Caveat" in result.err
            or (code is not None and result.code != code)
        ):
            wrong.append((name, result))

    assert not wrong


@pytest.mark.parametrize("content", ["", "newsletters: [", "newsletters: {}", "\x00", None])
def test_a_file_that_is_empty_cut_off_or_gone_stops_no_command_for_people(
    caveat: CliRunner, content: str | None
):
    assert caveat("config", "apply").code == 0
    if content is None:
        (caveat.folder / "newsletters.yaml").unlink()
    else:
        caveat.write("newsletters.yaml", content)
    result = caveat("subscriber", "pause", AMINA)

    assert result.code == 0
    assert "newsletters.yaml" in result.err.splitlines()[0]


def test_a_broken_caveat_yaml_is_named_as_what_every_command_needs(caveat: CliRunner):
    caveat.replace("caveat.yaml", "storage: ", "storrage: ")
    result = caveat("subscriber", "list")

    assert result.code == 2
    assert "caveat.yaml:7:1: there is no key `storrage`" in result.err
    assert "caveat.yaml names the database, so every command needs it" in result.err


@pytest.mark.parametrize("command", ["run", "web"])
def test_nothing_starts_without_a_valid_roster_before(caveat: CliRunner, command: str):
    caveat.replace("newsletters.yaml", "daily 07:00", "dayly 07:00")
    result = caveat(command)

    assert result.code == 2
    assert PLACE in result.err
    assert "no valid configuration was applied to this database before" in result.err


@pytest.mark.parametrize("command", ["run", "worker", "web", "scheduler"])
def test_nothing_starts_with_a_broken_caveat_yaml(caveat: CliRunner, command: str):
    assert caveat("config", "apply").code == 0
    caveat.replace("caveat.yaml", "storage: ", "storrage: ")
    result = caveat(command)

    assert result.code == 2
    assert "caveat.yaml:7:1: there is no key `storrage`" in result.err
