"""`caveat story`, and what `caveat explain` says of the articles of a story."""

from __future__ import annotations

import sqlite3
from html import escape

import pytest

from tests.cli.runner import CliRunner
from tests.compose.reports import REPORTS, Report

FIRST, SECOND = "https://wire.example/first", "https://wire.example/second"


def a_feed_of(*reports: tuple[str, Report]) -> str:
    items = "".join(
        f"<item><title>{escape(report.title)}</title><link>{url}</link><guid>{url}</guid>"
        f"<description>{escape(report.text)}</description></item>"
        for url, report in reports
    )
    return f'<rss version="2.0"><channel><title>The Wire</title>{items}</channel></rss>'


@pytest.fixture
def joined(caveat: CliRunner) -> CliRunner:
    """Return a runner on two condensed articles about one match."""
    caveat.write("notices.xml", a_feed_of((FIRST, REPORTS[0]), (SECOND, REPORTS[1])))
    for command in (["config", "apply"], ["gather"], ["condense"]):
        assert caveat(*command).code == 0
    return caveat


def titles(runner: CliRunner, article: str) -> list[str]:
    return [record["title"] for record in runner("story", "show", article, "--json").records]


def explained(runner: CliRunner, article: str, reader: str = "ben@example.org") -> str:
    return runner("explain", article, "--for", reader).out.splitlines()[-1]


def test_show_lists_the_articles_of_a_story(joined: CliRunner):
    shown = joined("story", "show", FIRST).out

    assert "2 articles of 1 publisher" in shown
    assert all(text in shown for text in (REPORTS[0].title, REPORTS[1].title, FIRST, SECOND, "House notices"))


def test_show_records_nothing(joined: CliRunner):
    first = joined("story", "show", FIRST, "--json").records
    database = sqlite3.connect(joined.folder.parent / "caveat.db")

    assert {record["split_at"] for record in first} == {None}
    assert len({record["story"] for record in first}) == 1
    assert database.execute("SELECT count(*) FROM story_articles").fetchone() == (0,)
    database.close()


def test_a_split_article_has_a_story_of_its_own(joined: CliRunner):
    done = joined("story", "split", SECOND)

    assert done.code == 0
    assert (
        f"“{REPORTS[1].title}” has a story of its own. The story that it leaves keeps 1 article:" in done.err
    )
    assert titles(joined, FIRST) == [REPORTS[0].title]
    assert titles(joined, SECOND) == [REPORTS[1].title]
    assert "2 stories" in joined("preview", "morning").out


def test_the_first_article_of_a_story_can_be_split(joined: CliRunner):
    (story,) = {record["story"] for record in joined("story", "show", FIRST, "--json").records}
    (report,) = joined("story", "split", FIRST, "--json").records

    assert (report["outcome"], report["split_from"], report["dry_run"]) == ("split", story, False)
    assert joined("story", "show", SECOND, "--json").records[0]["story"] == story
    (alone,) = joined("story", "show", FIRST, "--json").records
    assert alone["story"] == report["story"] != story
    assert alone["split_at"] is not None


def test_a_dry_run_changes_nothing(joined: CliRunner):
    done = joined("story", "split", SECOND, "--dry-run")

    assert "would get a story of its own" in done.err
    assert len(titles(joined, FIRST)) == 2


def test_a_second_split_says_so_and_succeeds(joined: CliRunner):
    joined("story", "split", SECOND)
    again, rest = joined("story", "split", SECOND), joined("story", "split", FIRST)

    assert (again.code, rest.code) == (0, 0)
    assert "was split before and has a story of its own. Nothing was changed." in again.err
    assert "is the only article of its story. Nothing was changed." in rest.err
    assert joined("story", "split", SECOND, "--json").records[0]["outcome"] == "already_split"


def test_a_similar_article_joins_the_split_one_but_not_the_story_that_it_left(joined: CliRunner):
    joined("story", "split", SECOND)
    third, again = f"{SECOND}/again", REPORTS[1]._replace(title="Ten-man Seaford lose as Lund strikes late")
    joined.write("notices.xml", a_feed_of((FIRST, REPORTS[0]), (SECOND, REPORTS[1]), (third, again)))
    assert "1 new article" in joined("gather", "--force").err
    joined("condense")

    assert titles(joined, third) == titles(joined, SECOND) == [REPORTS[1].title, again.title]
    assert titles(joined, FIRST) == [REPORTS[0].title]


def test_an_unknown_article_is_an_error(joined: CliRunner):
    for command in ("show", "split"):
        unknown = joined("story", command, "zzzz")
        assert unknown.code == 2
        assert "No article 'zzzz' was gathered" in unknown.err


def test_an_article_that_is_not_condensed_has_no_story_yet(caveat: CliRunner):
    caveat.write("notices.xml", a_feed_of((FIRST, REPORTS[0])))
    caveat("config", "apply")
    caveat("gather")

    for command in ("show", "split"):
        early = caveat("story", command, FIRST)
        assert early.code == 2
        assert "has no story yet" in early.err


def test_what_was_sent_before_a_split_is_not_changed(joined: CliRunner):
    joined("send", "morning", "--to", "amina@example.org")
    before = [explained(joined, url, "amina@example.org") for url in (FIRST, SECOND)]
    done = joined("story", "split", SECOND)

    assert "Sent before and not changed: 1 issue with this article." in done.err
    assert [explained(joined, url, "amina@example.org") for url in (FIRST, SECOND)] == before
    assert all(reason.startswith("morning: yes, it is ") for reason in before)
    assert sum("joined to “" in reason for reason in before) == 1


def test_a_composed_issue_that_waits_is_not_changed(joined: CliRunner):
    joined("send", "morning", "--to", "amina@example.org")
    database = sqlite3.connect(joined.folder.parent / "caveat.db")
    database.execute("UPDATE deliveries SET state = 'deferred'")
    database.commit()
    database.close()

    assert "waiting to be sent and not changed: 1 issue" in joined("story", "split", SECOND, "--dry-run").err
    assert joined("story", "split", SECOND, "--json").records[0]["waiting_issues"] == 1


def test_explain_names_the_story_that_an_article_joined(joined: CliRunner):
    reasons = [explained(joined, url) for url in (FIRST, SECOND)]
    records = [
        joined("explain", url, "--for", "ben@example.org", "--json").records[0] for url in (FIRST, SECOND)
    ]

    assert sum("joined to “" in reason for reason in reasons) == 1
    assert all("not yet, as things stand it will be" in reason for reason in reasons)
    assert len({record["joined_to"] for record in records}) == 1
    assert {record["shown"] for record in records} <= {"sentences", "link"}
