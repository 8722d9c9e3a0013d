"""`caveat subscriber invite`: links are made, listed, revoked, and recorded; a closed newsletter has none."""

from __future__ import annotations

import pytest

from tests.cli.runner import CliRunner


@pytest.fixture
def invited(caveat: CliRunner) -> CliRunner:
    """Return a runner whose newsletter is open to invited people."""
    caveat.replace("newsletters.yaml", "id: morning", "id: morning, sign_up: invitation")
    return caveat


def test_a_link_is_printed_listed_and_revoked(invited: CliRunner):
    made = invited("subscriber", "invite", "--newsletter", "morning", "--uses", "5", "--note", "the\nreaders")
    assert made.code == 0
    assert "/invitation/" in made.out
    assert "Up to 5 people" in made.err
    (record,) = invited("subscriber", "invite", "--list", "--json").records
    assert record["link"] == made.out.strip()
    assert (record["state"], record["uses"], record["note"]) == ("open", "0 of 5", "the readers")

    assert invited("subscriber", "invite", "--revoke", record["id"]).code == 0
    (record,) = invited("subscriber", "invite", "--list", "--json").records
    assert record["state"] == "revoked"
    assert "closed before" in invited("subscriber", "invite", "--revoke", record["id"]).err


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--newsletter", "mornig"], "Did you mean morning?"),
        (["--newsletter", "morning", "--uses", "0"], "choose from 1 to 10000"),
        (["--newsletter", "morning", "--days", "400"], "choose from 1 to 366"),
        ([], "name one"),
        (["--revoke", "nothing"], "no invitation 'nothing'"),
    ],
)
def test_a_mistake_is_named(invited: CliRunner, options: list[str], sentence: str):
    result = invited("subscriber", "invite", *options)
    assert result.code == 2
    assert sentence in result.err


def test_a_closed_newsletter_says_what_to_set(caveat: CliRunner):
    result = caveat("subscriber", "invite", "--newsletter", "morning")
    assert result.code == 2
    assert "`sign_up: invitation`" in result.err


@pytest.mark.parametrize(
    "site", ["https://a.example/path", "a.example", "https://a.example; script-src *", "*"]
)
def test_a_site_for_frames_that_is_none_is_a_fault_with_its_place(caveat: CliRunner, site: str):
    caveat.replace("caveat.yaml", "condense:", f"web: {{embed: ['{site}']}}\ncondense:")
    result = caveat("config", "check")
    assert result.code == 2
    assert "is not the address of a site; write one such as https://www.example.org" in result.err
    assert "caveat.yaml:" in result.err
