"""`caveat config`: all errors with file, line and column, and exit code 2."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.runner import CliRunner

WRONG = {
    "a tab": ("feeds.yaml", "  - {url", "\t- {url", "feeds.yaml:3"),
    "a bracket left open": ("newsletters.yaml", "Europe/Berlin}", "Europe/Berlin", "newsletters.yaml:"),
    "an unknown key": ("caveat.yaml", "mail: {channel", "mail: {chanel", "caveat.yaml:8:8"),
    "an unknown channel": ("caveat.yaml", "channel: file", "channel: pigeon", "caveat.yaml:8:"),
    "a word for a number": (
        "newsletters.yaml",
        "Europe/Berlin}",
        "Europe/Berlin, stories: many}",
        "newsletters.yaml:3:",
    ),
    "an unknown time zone": ("newsletters.yaml", "Europe/Berlin", "Europe/Berlim", "Europe/Berlin"),
    "an invalid schedule": ("newsletters.yaml", "daily 07:00", "dayly 07:00", "daily"),
    "an invalid address": (
        "subscribers.yaml",
        "ben@example.org",
        "ben.example.org",
        "subscribers.yaml:4:",
    ),
    "an unknown newsletter": (
        "subscribers.yaml",
        "name: Ben, newsletters: [morning]",
        "newsletters: [mornin]",
        "morning",
    ),
    "the same subscriber twice": (
        "subscribers.yaml",
        "ben@example.org",
        "AMINA@example.org",
        "subscribers.yaml:4:",
    ),
    "an unknown storage": (
        "caveat.yaml",
        "sqlite:///../caveat.db",
        "mysql://db/caveat",
        "caveat.yaml:7:",
    ),
    "a missing key": ("caveat.yaml", '  postal_address: "1 Example Street"\n', "", "postal_address"),
    "a word for a list": ("feeds.yaml", "feeds:", "feeds: none\nothers:", "feeds.yaml:2:"),
}


@pytest.mark.parametrize(("name", "old", "new", "said"), WRONG.values(), ids=WRONG)
def test_an_error_names_its_place(caveat: CliRunner, name: str, old: str, new: str, said: str):
    caveat.replace(name, old, new)
    done = caveat("config", "check")

    assert done.code == 2
    assert said in done.err
    assert name in done.err
    assert "Traceback" not in done.err
    assert not done.out


def test_all_errors_are_reported_at_once(caveat: CliRunner):
    for name, old, new, _ in (WRONG["an unknown channel"], WRONG["an invalid schedule"]):
        caveat.replace(name, old, new)
    done = caveat("config", "check", "--json")

    assert done.code == 2
    assert [(r["file"], r["line"] > 0) for r in done.records] == [
        ("caveat.yaml", True),
        ("newsletters.yaml", True),
    ]


def test_a_missing_folder_is_reported_with_what_to_do(caveat: CliRunner, tmp_path: Path):
    caveat.folder = tmp_path / "nowhere"
    done = caveat("config", "check")

    assert done.code == 2
    assert "there is no such folder" in done.err
    assert "caveat config init" in done.err


def test_a_valid_configuration_is_counted(caveat: CliRunner):
    done = caveat("config", "check")

    assert (done.code, done.out) == (0, "")
    assert "1 feed, 1 newsletter, 2 subscribers" in done.err


def test_an_invalid_subscriber_is_skipped_with_a_warning(caveat: CliRunner):
    caveat.replace("subscribers.yaml", "ben@example.org", "ben.example.org")
    assert caveat("gather").code == 0
    listed = caveat("subscriber", "list", "--json")

    assert [record["email"] for record in listed.records] == ["amina@example.org"]
    assert "subscribers.yaml:4" in listed.err


def test_show_names_the_origin_of_each_setting(caveat: CliRunner, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CAVEAT_MAIL__SMTP__PORT", "2525")
    monkeypatch.setenv("CAVEAT_MAIL__SMTP__USERNAME", "caveat")
    monkeypatch.setenv("CAVEAT_MAIL__SMTP__PASSWORD", "hunter2")
    shown = {record["key"]: record for record in caveat("config", "show", "--json").records}

    assert (shown["mail.channel"]["value"], shown["mail.channel"]["origin"]) == ("file", "caveat.yaml:8")
    assert shown["mail.smtp.port"]["origin"] == "CAVEAT_MAIL__SMTP__PORT"
    assert shown["mail.smtp.host"]["origin"] == "default"
    assert "hunter2" not in caveat("config", "show").out


def test_show_refuses_an_unknown_key(caveat: CliRunner):
    assert caveat("config", "show", "mial").code == 2


def test_schema_is_for_people_and_for_editors(caveat: CliRunner):
    assert "postal_address" in caveat("config", "schema").out
    schema = json.loads(caveat("config", "schema", "--json", "newsletters.yaml").out)
    assert "newsletters" in schema["properties"]
    assert caveat("config", "schema", "--json", "nothing.yaml").code == 2


def test_init_creates_a_valid_configuration_and_overwrites_nothing(caveat: CliRunner, tmp_path: Path):
    caveat.folder = tmp_path / "mine"
    assert caveat("config", "init").code == 0
    assert caveat("config", "check").code == 0

    again = caveat("config", "init")
    assert again.code == 2
    assert "caveat.yaml" in again.err


def test_diff_lists_what_apply_will_do(caveat: CliRunner):
    before = caveat("config", "diff", "--json")
    assert {(r["what"], r["then"]) for r in before.records} == {("feed", "add"), ("subscription", "add")}

    assert caveat("config", "apply").code == 0
    assert caveat("config", "diff", "--json").records == []
