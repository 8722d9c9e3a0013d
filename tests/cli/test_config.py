"""`caveat config`: every fault by file, line and column, at once, and exit code 2."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.house import CliRunner

WRONG = {
    "a tab": ("feeds.yaml", "  - {url", "\t- {url", "feeds.yaml:3"),
    "a bracket left open": ("newsletters.yaml", "Europe/Berlin}", "Europe/Berlin", "newsletters.yaml:"),
    "a key that nobody knows": ("caveat.yaml", "mail: {channel", "mail: {chanel", "caveat.yaml:8:8"),
    "a channel that is none": ("caveat.yaml", "channel: file", "channel: pigeon", "caveat.yaml:8:"),
    "a number that is a word": (
        "newsletters.yaml",
        "Europe/Berlin}",
        "Europe/Berlin, stories: many}",
        "newsletters.yaml:3:",
    ),
    "a zone that is none": ("newsletters.yaml", "Europe/Berlin", "Europe/Berlim", "Europe/Berlin"),
    "a schedule that is none": ("newsletters.yaml", "daily 07:00", "dayly 07:00", "daily"),
    "an address that is none": (
        "subscribers.yaml",
        "ben@example.org",
        "ben.example.org",
        "subscribers.yaml:4:",
    ),
    "a newsletter that is none": (
        "subscribers.yaml",
        "name: Ben, newsletters: [morning]",
        "newsletters: [mornin]",
        "morning",
    ),
    "the same reader twice": (
        "subscribers.yaml",
        "ben@example.org",
        "AMINA@example.org",
        "subscribers.yaml:4:",
    ),
    "a storage that is none": (
        "caveat.yaml",
        "sqlite:///../caveat.db",
        "mysql://db/caveat",
        "caveat.yaml:7:",
    ),
    "a key that is missing": ("caveat.yaml", '  postal_address: "1 Example Street"\n', "", "postal_address"),
    "a list that is no list": ("feeds.yaml", "feeds:", "feeds: none\nothers:", "feeds.yaml:2:"),
}


@pytest.mark.parametrize(("name", "old", "new", "said"), WRONG.values(), ids=WRONG)
def test_a_fault_is_named_by_its_place(caveat: CliRunner, name: str, old: str, new: str, said: str):
    caveat.replace(name, old, new)
    done = caveat("config", "check")

    assert done.code == 2
    assert said in done.err
    assert name in done.err
    assert "Traceback" not in done.err
    assert not done.out


def test_all_faults_are_named_at_once(caveat: CliRunner):
    for name, old, new, _ in (WRONG["a channel that is none"], WRONG["a schedule that is none"]):
        caveat.replace(name, old, new)
    done = caveat("config", "check", "--json")

    assert done.code == 2
    assert [(r["file"], r["line"] > 0) for r in done.records] == [
        ("caveat.yaml", True),
        ("newsletters.yaml", True),
    ]


def test_a_folder_that_is_not_there_says_how_to_begin(caveat: CliRunner, tmp_path: Path):
    caveat.folder = tmp_path / "nowhere"
    done = caveat("config", "check")

    assert done.code == 2
    assert "there is no such folder" in done.err
    assert "caveat config init" in done.err


def test_a_whole_configuration_is_in_order(caveat: CliRunner):
    done = caveat("config", "check")

    assert (done.code, done.out) == (0, "")
    assert "1 feed, 1 newsletter, 2 subscribers" in done.err


def test_one_bad_reader_does_not_keep_the_others_from_their_mail(caveat: CliRunner):
    caveat.replace("subscribers.yaml", "ben@example.org", "ben.example.org")
    assert caveat("gather").code == 0
    listed = caveat("subscriber", "list", "--json")

    assert [record["email"] for record in listed.records] == ["amina@example.org"]
    assert "subscribers.yaml:4" in listed.err


def test_show_tells_where_each_setting_comes_from(caveat: CliRunner, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CAVEAT_MAIL__SMTP__PORT", "2525")
    monkeypatch.setenv("CAVEAT_MAIL__SMTP__USERNAME", "caveat")
    monkeypatch.setenv("CAVEAT_MAIL__SMTP__PASSWORD", "hunter2")
    shown = {record["key"]: record for record in caveat("config", "show", "--json").records}

    assert (shown["mail.channel"]["value"], shown["mail.channel"]["origin"]) == ("file", "caveat.yaml:8")
    assert shown["mail.smtp.port"]["origin"] == "CAVEAT_MAIL__SMTP__PORT"
    assert shown["mail.smtp.host"]["origin"] == "default"
    assert "hunter2" not in caveat("config", "show").out


def test_show_refuses_a_key_that_is_none(caveat: CliRunner):
    assert caveat("config", "show", "mial").code == 2


def test_schema_is_for_people_and_for_editors(caveat: CliRunner):
    assert "postal_address" in caveat("config", "schema").out
    schema = json.loads(caveat("config", "schema", "--json", "newsletters.yaml").out)
    assert "newsletters" in schema["properties"]
    assert caveat("config", "schema", "--json", "nothing.yaml").code == 2


def test_init_writes_a_configuration_that_is_in_order_and_overwrites_nothing(
    caveat: CliRunner, tmp_path: Path
):
    caveat.folder = tmp_path / "mine"
    assert caveat("config", "init").code == 0
    assert caveat("config", "check").code == 0

    again = caveat("config", "init")
    assert again.code == 2
    assert "caveat.yaml" in again.err


def test_diff_says_what_apply_will_do(caveat: CliRunner):
    before = caveat("config", "diff", "--json")
    assert {(r["what"], r["then"]) for r in before.records} == {("feed", "add"), ("subscription", "add")}

    assert caveat("config", "apply").code == 0
    assert caveat("config", "diff", "--json").records == []
