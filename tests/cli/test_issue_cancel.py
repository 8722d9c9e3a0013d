"""`caveat issue cancel`."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from tests.cli.runner import CliRunner


@pytest.fixture
def waiting(caveat: CliRunner) -> CliRunner:
    """Return a runner on an issue that was sent to Amina and waits for Ben and Chloe."""
    caveat.replace(
        "subscribers.yaml",
        "email: amina",
        "email: chloe@example.org, newsletters: [morning]}\n  - {email: amina",
    )
    caveat.replace("subscribers.yaml", "name: Amina, timezone: Asia/Qatar, ", "name: Amina, ")
    for command in (["config", "apply"], ["gather"], ["condense"], ["send", "morning", "--all", "--yes"]):
        assert caveat(*command).code == 0
    with closing(sqlite3.connect(caveat.folder.parent / "caveat.db")) as database, database:
        database.execute(
            "UPDATE deliveries SET state = 'planned', due_at = 0, attempts = 0 WHERE subscriber IN "
            "(SELECT number FROM subscribers WHERE email <> 'amina@example.org')"
        )
    return caveat


def the_issue(runner: CliRunner) -> dict:
    [issue] = runner("issue", "list", "--json").records
    return issue


def test_cancelling_names_who_gets_the_stories_later(waiting: CliRunner):
    done = waiting("issue", "cancel", the_issue(waiting)["id"][:6], "--yes")

    assert done.code == 0
    assert "2 mails cancelled; 1 mail had been sent before." in done.err
    assert "2 subscribers will get the stories with the next issue" in done.err
    assert the_issue(waiting)["books"]["cancelled"] == 2
    assert the_issue(waiting)["closed"]
    [article] = the_issue(waiting)["articles"]
    assert "as things stand it will be" in waiting("explain", article, "--for", "ben@example.org").out


def test_a_dry_run_changes_nothing(waiting: CliRunner):
    [record] = waiting("issue", "cancel", the_issue(waiting)["id"], "--dry-run", "--json").records

    assert (record["cancelled"], record["returned"], record["dry_run"]) == (2, 2, True)
    assert the_issue(waiting)["cancelled_at"] is None
    assert the_issue(waiting)["books"]["waiting"] == 2


def test_cancelling_several_mails_needs_a_confirmation(waiting: CliRunner):
    refused = waiting("issue", "cancel", the_issue(waiting)["id"])

    assert refused.code == 2
    assert "for 2 subscribers?" in refused.err
    assert the_issue(waiting)["cancelled_at"] is None


def test_a_cancelled_issue_is_not_resumed_or_resent(waiting: CliRunner):
    issue = the_issue(waiting)["id"]
    waiting("issue", "cancel", issue, "--yes")

    for command in (["resume", issue], ["resend", issue, "--to", "ben@example.org"]):
        refused = waiting("issue", *command)
        assert refused.code == 2
        assert "was cancelled on" in refused.err
    assert waiting("issue", "resume", "--all").code == 0
    again = waiting("issue", "cancel", issue)
    assert (again.code, "0 mails cancelled" in again.err) == (0, True)


def test_the_stories_of_a_cancelled_issue_can_be_sent_at_once(waiting: CliRunner):
    waiting("issue", "cancel", the_issue(waiting)["id"], "--yes")
    sent = waiting("send", "morning", "--all", "--yes", "--key", "again", "--json")

    assert sent.code == 0
    assert sorted(record["address"] for record in sent.records) == ["ben@example.org", "chloe@example.org"]
