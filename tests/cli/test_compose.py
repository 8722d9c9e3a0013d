"""`caveat compose`: a newsletter that fails is reported, the others are composed, the next pass retries."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from service.compose.render.theme import JinjaRenderer
from service.core.model import Digest, RenderedMail
from tests.cli.runner import CliRunner

NEWSLETTERS = """
newsletters:
  - {id: first, title: First, schedule: "daily 07:00", timezone: Europe/Berlin}
  - {id: second, title: Second, schedule: "daily 07:00", timezone: Europe/Berlin}
  - {id: third, title: Third, schedule: "daily 07:00", timezone: Europe/Berlin}
"""
READERS = """
subscribers:
  - {email: amina@example.org, name: Amina, newsletters: [first, second, third]}
"""


@pytest.fixture
def due(caveat: CliRunner, tmp_path: Path) -> CliRunner:
    """Return a runner on a database with one article and three newsletters due."""
    caveat.write("newsletters.yaml", NEWSLETTERS)
    caveat.write("subscribers.yaml", READERS)
    for command in ("gather", "condense"):
        assert caveat(command).code == 0
    with sqlite3.connect(tmp_path / "caveat.db") as record:
        record.execute("UPDATE groups SET next_due_at = (SELECT max(gathered_at) FROM articles)")
    return caveat


def test_a_failed_newsletter_is_reported_and_the_others_are_composed(
    due: CliRunner, monkeypatch: pytest.MonkeyPatch
):
    render = JinjaRenderer.render

    def fails_for_second(self: JinjaRenderer, digest: Digest, **what: str) -> RenderedMail:
        if what["title"] == "Second":
            raise ValueError("its page is torn")
        return render(self, digest, **what)

    with monkeypatch.context() as torn:
        torn.setattr(JinjaRenderer, "render", fails_for_second)
        failed = due("compose")

    assert failed.code == 1
    edition = "Second, edition daily 07:00 Europe/Berlin"
    assert f"{edition}: no issue for 1 subscriber, its page is torn" in failed.err
    assert "Composed 2 issues with 2 deliveries" in failed.err
    assert "First," not in failed.err

    retried = due("compose")
    assert (retried.code, "Composed 1 issue with 1 delivery" in retried.err) == (0, True)
    assert len(due("issue", "list", "--json").records) == 3


def test_a_damaged_article_is_reported_and_the_others_are_used(due: CliRunner, tmp_path: Path):
    due.replace(
        "notices.xml",
        "</channel>",
        "<item><title>Heating</title><guid>n2</guid><description>"
        "The heating of the house is out of order too, said the office.</description></item></channel>",
    )
    assert due("gather", "--force").code == 0
    assert due("condense").code == 0
    with sqlite3.connect(tmp_path / "caveat.db") as record:
        record.execute("UPDATE articles SET topics = '[' WHERE position = 1")
    made = due("compose")

    assert made.code == 1
    assert "the article at position 1 cannot be read" in made.err
    assert "Composed 3 issues with 3 deliveries" in made.err
    assert {record["subject"] for record in due("issue", "list", "--json").records} == {"Heating"}
