"""Each command that changes something is recorded once, with what it did; one that changes nothing is not."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from service.core.model import AuditEntry
from service.web.admin.access.audit_sentences import sentence_of
from tests.builders import NOON
from tests.cli.runner import CliRunner

PEOPLE = "email,newsletters\ncarla@example.org,morning\n"


def recorded(caveat: CliRunner) -> list[tuple[str, str]]:
    """Return the actions with their sentences, the first one first."""
    with closing(sqlite3.connect(caveat.folder.parent / "caveat.db")) as database:
        rows = database.execute("SELECT name, action, subject, details FROM audit ORDER BY number").fetchall()
    assert {row[0] for row in rows} <= {"command line"}
    assert not [row for row in rows if "@" in str(row)]
    return [(action, sentence_of(_entry(action, subject, details))) for _, action, subject, details in rows]


def _entry(action: str, subject: str, details: str) -> AuditEntry:

    return AuditEntry(NOON, "", "command line", action, subject, json.loads(details))


@pytest.fixture
def office(caveat: CliRunner) -> CliRunner:
    """Return a runner with an issue that was sent to two people."""
    caveat.write("people.csv", PEOPLE)
    for command in ("gather", "condense"):
        assert caveat(command).code == 0
    assert caveat("send", "morning", "--all", "--yes").code == 0
    return caveat


def test_commands_about_people_are_recorded(caveat: CliRunner):
    caveat.write("people.csv", PEOPLE)
    file = str(caveat.folder / "people.csv")
    for command, sentence in [
        (("import", file, "--yes"), "imported subscribers from people.csv"),
        (("edit", "carla@example.org", "--stories", "3"), "changed stories of a subscriber"),
        (("pause", "amina@example.org"), "paused every newsletter for a subscriber"),
        (("resume", "amina@example.org", "--newsletter", "morning"), "resumed morning for a subscriber"),
        (("unsubscribe", "amina@example.org"), "unsubscribed a subscriber from every newsletter"),
        (
            ("suppress", "ben@example.org", "--reason", "by phone"),
            "suppressed a subscriber's address: by phone",
        ),
        (("unsuppress", "ben@example.org", "--yes"), "ended the suppression of a subscriber's address"),
        (("export",), "downloaded the subscribers of every newsletter as csv"),
        (("erase", "carla@example.org", "--yes"), "erased a subscriber"),
    ]:
        before = recorded(caveat) if command[0] != "import" else []
        assert caveat("subscriber", *command).code == 0, command
        after = recorded(caveat)
        assert [said for _, said in after[len(before) :]] == [sentence], command
    caveat("subscriber", "unsubscribe", "amina@example.org")  # nothing to change
    caveat("subscriber", "suppress", "nobody@example.org")
    caveat("subscriber", "suppress", "nobody@example.org")
    assert len(recorded(caveat)) == len(after) + 1


def test_commands_about_issues_and_sends_are_recorded(office: CliRunner):
    [issue] = office("issue", "list", "--json").records[:1]
    for command in [
        ("issue", "pause", issue["id"]),
        ("issue", "resume", issue["id"]),
        ("issue", "resend", issue["id"], "--to", "ben@example.org", "--yes"),
        ("issue", "cancel", issue["id"], "--dry-run"),
        ("send", "morning", "--all", "--yes"),  # within a minute: the first one
        ("send", "morning", "--test", "amina@example.org"),
        ("send", "morning", "--test", "amina@example.org", "--dry-run"),
    ]:
        office(*command)
    said = recorded(office)
    actions = ["send_planned", "issue_paused", "issue_resumed", "issue_resent"]
    assert [action for action, _ in said] == actions
    assert said[0][1] == "started to send morning: 2 mails"
    assert said[1][1].startswith("paused the issue ")
    assert said[1][1].endswith("of The Morning Test")


def test_commands_about_drafts_and_the_configuration_are_recorded(caveat: CliRunner):
    caveat.replace("newsletters.yaml", '"daily 07:00"', '"every 1h", review: 2h')
    for command in (("config", "apply"), ("config", "apply"), ("gather",), ("condense",), ("compose",)):
        assert caveat(*command).code == 0
    [draft, *_] = caveat("draft", "list", "--json").records
    for action in (("pin", "1"), ("undo",), ("hold",)):
        assert caveat("draft", action[0], draft["draft"], *action[1:]).code == 0
    actions = [action for action, _ in recorded(caveat)]
    assert actions == ["config_applied", "draft_edited", "draft_undone", "draft_decided"]
