"""`caveat subscriber edit` changes every preference of anybody; `list --search` finds people."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.core.model import PREFERENCE_FIELDS
from tests.cli.runner import CliRunner

EVERY = {
    "schedule": ("weekdays 06:30", "weekdays 06:30"),
    "timezone": ("Asia/Tokyo", "Asia/Tokyo"),
    "topics": ("world, economy", ["economy", "world"]),
    "stories": ("3", 3),
    "points": ("2", 2),
    "minutes": ("7", 7),
    "language": ("de", "de"),
    "format": ("text", "text"),
    "languages": ("fr, en", ["en", "fr"]),
    "follow": ("rice; harbour", ["harbour", "rice"]),
    "mute": ("chess", ["chess"]),
}
"""What each option is given, and what `subscriber show` prints then."""


@pytest.fixture
def people(caveat: CliRunner, tmp_path: Path) -> CliRunner:
    """Return a runner with Dora in the database, beside the people of the file."""
    (tmp_path / "people.csv").write_text("email,name,newsletters\ndora@example.org,Dora,morning\n")
    assert caveat("subscriber", "import", str(tmp_path / "people.csv"), "--yes").code == 0
    return caveat


@pytest.mark.parametrize(
    ("address", "place"), [("dora@example.org", "the database"), ("ben@example.org", "subscribers.yaml")]
)
def test_every_preference_is_changed_where_the_person_is_kept(people: CliRunner, address: str, place: str):
    assert set(EVERY) == set(PREFERENCE_FIELDS)
    options = [part for name, (text, _) in EVERY.items() for part in (f"--{name}", text)]
    edited = people("subscriber", "edit", address, "--newsletter", "morning", *options)
    assert (edited.code, edited.err.strip()) == (0, f"Changed {address} in {place}.")
    [shown] = people("subscriber", "show", address, "--json").records
    assert {name: shown[name] for name in EVERY} == {name: value for name, (_, value) in EVERY.items()}
    usual = [part for name in EVERY if name != "timezone" for part in (f"--{name}", "default")]
    assert people("subscriber", "edit", address, "--newsletter", "morning", *usual).code == 0
    [shown] = people("subscriber", "show", address, "--json").records
    assert (shown["follow"], shown["minutes"], shown["format"]) == ([], None, "html")


@pytest.mark.parametrize("address", ["dora@example.org", "ben@example.org"])
def test_an_invalid_value_is_named_and_changes_nothing(people: CliRunner, address: str):
    before = people("subscriber", "show", address, "--json").records
    for name, text in (
        ("schedule", "daily 25:00"),
        ("stories", "many"),
        ("format", "pdf"),
        ("minutes", "999"),
    ):
        refused = people("subscriber", "edit", address, f"--{name}", text)
        assert refused.code == 2
        assert name in refused.err or text.removeprefix("daily ") in refused.err
    assert people("subscriber", "edit", address).code == 2
    assert people("subscriber", "edit", "nobody@example.org", "--name", "N").code == 2
    assert people("subscriber", "show", address, "--json").records == before


def test_a_name_is_changed_in_the_database(people: CliRunner):
    assert people("subscriber", "edit", "dora@example.org", "--name", "Dora D.").code == 0
    assert people("subscriber", "show", "dora@example.org", "--json").records[0]["name"] == "Dora D."
    refused = people("subscriber", "edit", "dora@example.org", "--channel", "tgram://token/chat")
    assert (refused.code, "subscribers.yaml" in refused.err) == (2, True)


def test_a_channel_is_set_and_removed_in_the_file(people: CliRunner, tmp_path: Path):
    people("subscriber", "edit", "ben@example.org", "--channel", "tgram://token/chat")
    assert "tgram://token/chat" in (tmp_path / "config" / "subscribers.yaml").read_text()
    people("subscriber", "edit", "ben@example.org", "--channel", "mail")
    assert "channel" not in (tmp_path / "config" / "subscribers.yaml").read_text()


def test_a_search_lists_people_page_by_page(people: CliRunner):
    first = people("subscriber", "list", "--search", "EXAMPLE.org", "--limit", "1", "--json")
    assert [record["email"] for record in first.records] == ["dora@example.org"]
    after = first.err.rpartition("--after ")[2].strip()
    second = people(
        "subscriber", "list", "--search", "example.org", "--limit", "1", "--after", after, "--json"
    )
    assert second.records[0]["email"] != "dora@example.org"
    assert people("subscriber", "list", "--search", "' OR 1=1 --", "--json").records == []
    for options in (("--limit", "0"), ("--after", "x"), ("--after", "9" * 40)):
        assert people("subscriber", "list", *options).code == 2
