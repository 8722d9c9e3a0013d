"""`caveat admin`: accounts and one-time links on the command line."""

from __future__ import annotations

import re
import sqlite3

import pytest

from tests.cli.runner import CliResult, CliRunner

LINK = re.compile(r"http://localhost:8080/admin/welcome/([\w-]{32})\n")


def states(caveat: CliRunner) -> dict[str, tuple[str, str]]:
    """Return role and state of each account."""
    listed = caveat("admin", "list", "--json").records
    return {record["name"]: (record["role"], record["state"]) for record in listed}


def audit(caveat: CliRunner) -> list[tuple[str, str]]:
    """Return who did what, as the database has it."""
    with sqlite3.connect(caveat.folder.parent / "caveat.db") as database:
        return database.execute("SELECT name, action FROM audit ORDER BY number").fetchall()


def link_in(result: CliResult) -> str:
    found = LINK.fullmatch(result.out)
    assert found, result
    return found[1]


def test_an_account_is_created_with_a_link_on_standard_output(caveat: CliRunner):
    made = caveat("admin", "create", "Amina")
    token = link_in(made)
    assert (made.code, "Amina chooses a password there, once, within 24 hours" in made.err) == (0, True)
    caveat("admin", "create", "ben", "--role", "editor", "--email", "ben@example.org")
    assert states(caveat) == {"Amina": ("admin", "invited"), "ben": ("editor", "invited")}
    again = caveat("admin", "link", "AMINA")
    assert link_in(again) != token
    assert audit(caveat) == [
        ("command line", "account_created"),
        ("command line", "account_created"),
        ("command line", "account_link_made"),
    ]
    stored = (caveat.folder.parent / "caveat.db").read_bytes()
    assert token.encode() not in stored, "the database has the hash of a link alone"


def test_an_account_is_changed_and_deleted(caveat: CliRunner):
    caveat("admin", "create", "amina")
    caveat("admin", "create", "ben")
    assert caveat("admin", "role", "ben", "viewer").err == "ben is viewer now.\n"
    assert caveat("admin", "disable", "ben").code == 0
    assert states(caveat)["ben"] == ("viewer", "disabled")
    refused = caveat("admin", "link", "ben")
    assert (refused.code, "enable the account first" in refused.err, refused.out) == (2, True, "")
    assert caveat("admin", "enable", "ben").code == 0
    assert caveat("admin", "delete", "ben").code == 0
    assert list(states(caveat)) == ["amina"]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("create", "AMINA"), "there is an account 'AMINA' already"),
        (("create", "ben", "--role", "owner"), "there is no role 'owner'"),
        (("create", "ben", "--email", "ben"), "ben"),
        (("create", "  "), "1 to 64 visible characters"),
        (("create", "a\x1b[31mb"), "1 to 64 visible characters"),
        (("link", "aminah"), "Did you mean amina?"),
        (("role", "amina", "viewer"), "the only admin is amina"),
        (("disable", "amina"), "the only admin is amina"),
        (("delete", "amina"), "the only admin is amina"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(
    caveat: CliRunner, words: tuple[str, ...], problem: str
):
    caveat("admin", "create", "amina")
    refused = caveat("admin", *words)
    assert (refused.code, problem.lower() in refused.err.lower(), refused.out) == (2, True, "")
    assert states(caveat) == {"amina": ("admin", "invited")}


def test_without_the_pages_there_is_no_account_and_no_link(caveat: CliRunner):
    with (caveat.folder / "caveat.yaml").open("a") as file:
        file.write("web: {admin: {enabled: false}}\n")
    refused = caveat("admin", "create", "amina")
    assert (refused.code, "web.admin.enabled" in refused.err, refused.out) == (2, True, "")
    assert states(caveat) == {}


@pytest.mark.parametrize(
    ("web", "begin"),
    [
        ('{listen: "127.0.0.1:9000"}', "http://localhost:9000/admin/"),
        ('{listen: "[::1]:9000"}', "http://localhost:9000/admin/"),
        ('{admin: {networks: ["10.0.0.0/8"]}}', "https://news.example.org/admin/"),
        ('{admin: {listen: "10.0.0.5:81", networks: ["10.0.0.0/8"]}}', "http://10.0.0.5:81/admin/"),
    ],
)
def test_the_link_leads_to_where_the_pages_are(caveat: CliRunner, web: str, begin: str):
    with (caveat.folder / "caveat.yaml").open("a") as file:
        file.write(f"web: {web}\n")
    assert caveat("admin", "create", "amina").out.startswith(begin + "welcome/")


def test_without_an_account_the_list_says_what_to_do(caveat: CliRunner):
    assert "caveat admin create NAME makes one" in caveat("admin", "list").err
