"""`caveat send --test`: any address gets a marked mail, and the database stays as it is."""

from __future__ import annotations

import sqlite3
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.cli.runner import CliRunner
from tests.cli.test_send import in_a_thread
from tests.deliver.server import MailServer, Reply

EDITOR = "editor@elsewhere.example"


@pytest.fixture
def gathered(caveat: CliRunner) -> CliRunner:
    """Return a runner with one condensed article and the roster in the database."""
    for command in (("gather",), ("condense",), ("config", "apply")):
        assert caveat(*command).code == 0
    return caveat


def dump(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return the rows of every table; the contentless search index has none that can be read."""
    with sqlite3.connect(folder / "caveat.db") as connection:
        tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"
        names = [name for (name,) in connection.execute(tables).fetchall()]
        return {name: connection.execute(f'SELECT * FROM "{name}"').fetchall() for name in names}  # noqa: S608


def only_mail(folder: Path) -> EmailMessage:
    [path] = (folder / "outbox").glob("*.eml")
    found = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def test_a_test_goes_to_anybody_and_records_nothing(gathered: CliRunner, tmp_path: Path):
    before = dump(tmp_path)
    done = gathered("send", "morning", "--test", EDITOR, "--for", "amina@example.org", "--json")

    assert done.code == 0
    [record] = done.records
    assert (record["address"], record["state"], record["stories"]) == (EDITOR, "sent", 1)
    mail = only_mail(tmp_path)
    assert (mail["To"], mail["Subject"]) == (EDITOR, record["subject"])
    assert record["subject"].startswith("[Test] ")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "Amina" not in mail.as_string()
    assert dump(tmp_path) == before
    assert gathered("send", "morning", "--to", "amina@example.org").code == 0  # her news was not used up
    assert len(list((tmp_path / "outbox").glob("*.eml"))) == 2


def test_each_test_is_a_mail_of_its_own(gathered: CliRunner, tmp_path: Path):
    for _ in range(2):
        assert gathered("send", "morning", "--test", EDITOR).code == 0
    assert len(list((tmp_path / "outbox").glob("*.eml"))) == 2


def test_a_dry_run_shows_the_subject_and_sends_nothing(gathered: CliRunner, tmp_path: Path):
    done = gathered("send", "morning", "--test", EDITOR, "--dry-run", "--json")

    assert (done.code, done.records[0]["address"]) == (0, EDITOR)
    assert not (tmp_path / "outbox").exists()


def test_a_suppressed_address_gets_no_test(gathered: CliRunner, tmp_path: Path):
    gathered("subscriber", "suppress", EDITOR, "--reason", "asked us not to")
    done = gathered("send", "morning", "--test", EDITOR)

    assert done.code == 2
    assert f"{EDITOR} must not be mailed, not even for a test: asked us not to" in done.err
    assert not (tmp_path / "outbox").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--test", EDITOR, "--all"], "--test sends to one address alone"),
        (["--test", EDITOR, "--to", "amina@example.org"], "--test sends to one address alone"),
        (["--to", "amina@example.org", "--for", "ben@example.org"], "--for and --at belong to --test"),
        (["--test", "nobody"], "is no email address"),
        (
            ["--test", EDITOR, "--for", "stranger@example.org"],
            "Nobody at 'stranger@example.org' gets morning",
        ),
        (["--test", EDITOR, "--at", "soon"], "is not a valid time"),
        ([], "--to ADDRESS (may be repeated), --all or --test ADDRESS"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(gathered: CliRunner, options: list[str], message: str):
    done = gathered("send", "morning", *options)
    assert (done.code, done.out) == (2, "")
    assert message in " ".join(done.err.split())


def test_a_test_without_a_story_fails(gathered: CliRunner):
    done = gathered("send", "morning", "--test", EDITOR, "--at", "2001-01-01")
    assert (done.code, done.out) == (1, "")
    assert "The issue would have no story" in done.err


def test_the_reply_of_the_mail_server_is_shown(gathered: CliRunner):
    refused = {EDITOR: {"RCPT": Reply("550 5.1.1 no such user")}}
    with in_a_thread(MailServer(per_address=refused)) as server:
        smtp = f"{{host: 127.0.0.1, port: {server.port}, security: none, connections: 2}}"
        gathered.replace(
            "caveat.yaml", "{channel: file, folder: ../outbox}", f"{{channel: smtp, smtp: {smtp}}}"
        )
        failed = gathered("send", "morning", "--test", EDITOR, "--json")
        sent = gathered("send", "morning", "--test", "reader@elsewhere.example", "--json")

    assert (failed.code, failed.records[0]["state"]) == (1, "refused")
    assert "550 5.1.1 no such user" in failed.records[0]["reply"]
    assert (sent.code, sent.records[0]["state"]) == (0, "sent")
    assert sent.records[0]["reply"].startswith("250")
    assert len(server.taken) == 1


def test_a_mail_server_out_of_reach_is_named(gathered: CliRunner):
    gathered.replace(
        "caveat.yaml",
        "{channel: file, folder: ../outbox}",
        "{channel: smtp, smtp: {host: 127.0.0.1, port: 8670, security: none}}",
    )
    done = gathered("send", "morning", "--test", EDITOR)
    assert done.code in (1, 2)
    assert "127.0.0.1" in done.err
    assert "Traceback" not in done.err
