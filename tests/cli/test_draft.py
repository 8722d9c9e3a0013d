"""`caveat draft`: an editor's work on the issues that wait."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.runner import CliRunner

NEWS = """<rss version="2.0"><channel><title>House notices</title>
<item><title>The lift is out of order</title><guid>n1</guid>
<description>The lift in the east wing has been out of order since Monday morning. The engineers expect to
repair it by Friday, the house office said. They had not received the spare part when this was written, so
that date is not certain. Deliveries go to the west entrance until then.</description></item>
<item><title>Garden party moves to the ballroom</title><guid>n2</guid>
<description>The garden party of the tenants' union takes place in the ballroom. Rain is forecast for the
whole weekend, the union said. Tickets that were bought for the garden stay valid, except for those that
were given away in the lottery. The union had sold 140 tickets by Sunday, according to its treasurer.
The number of 140 tickets is not confirmed by the house office.</description></item>
</channel></rss>"""


@pytest.fixture
def office(caveat: CliRunner) -> CliRunner:
    """Return a runner on a draft of two stories for Amina and Ben, due within the hour."""
    caveat.write("notices.xml", NEWS)
    caveat.replace("newsletters.yaml", '"daily 07:00"', '"every 1h", review: 2h')
    caveat.replace("subscribers.yaml", "timezone: Asia/Qatar, ", "")
    for command in (["config", "apply"], ["gather"], ["condense"], ["compose"]):
        assert caveat(*command).code == 0
    return caveat


def the_draft(runner: CliRunner) -> dict:
    [draft] = runner("draft", "list", "--json").records
    return draft


def stories(runner: CliRunner) -> list[dict]:
    return runner("draft", "show", "morning", "--json").records[1:]


def test_compose_says_that_a_draft_waits(caveat: CliRunner):
    caveat.replace("newsletters.yaml", '"daily 07:00"', '"every 1h", review: 2h')
    caveat.replace("subscribers.yaml", "timezone: Asia/Qatar, ", "")
    for command in (["config", "apply"], ["gather"], ["condense"]):
        caveat(*command)
    assert "1 draft waits for an editor: caveat draft list" in caveat("compose").err


def test_the_list_has_the_numbers_of_readers_and_stories(office: CliRunner):
    draft = the_draft(office)
    assert (draft["newsletter"], draft["state"], draft["readers"], draft["stories"]) == (
        "morning",
        "waiting",
        2,
        2,
    )
    assert draft["draft"][:8] in office("draft", "list").out


def test_a_pinned_story_is_first_and_a_dropped_one_is_gone(office: CliRunner):
    second, first = [one["headline"] for one in stories(office)][::-1]
    assert office("draft", "pin", the_draft(office)["draft"][:6], "2").code == 0
    assert [one["headline"] for one in stories(office)] == [second, first]
    assert stories(office)[0]["placement"] == "lead"

    office("draft", "drop", "morning", "2")
    assert [one["headline"] for one in stories(office)] == [second]
    assert f"dropped  {first}" in office("draft", "show", "morning").out
    assert office("draft", "preview", "morning").out.count(first) == 0
    office("draft", "undo", "morning")
    office("draft", "undo", "morning")
    assert [one["headline"] for one in stories(office)] == [first, second]
    assert the_draft(office)["changes"] == 0


def test_other_sentences_are_chosen_by_number_with_their_caveats(office: CliRunner):
    [lift] = [one for one in stories(office) if "lift" in one["headline"]]
    rows = office("draft", "sentences", "morning", lift["story"], "--json").records
    assert [row["number"] for row in rows] == list(range(1, len(rows) + 1))
    [expected] = [row for row in rows if row["sentence"].startswith("The engineers expect")]
    office("draft", "choose", "morning", lift["story"], str(expected["number"]))

    [changed] = [one for one in stories(office) if "lift" in one["headline"]]
    points = [point for point in changed["points"] if point["role"] == "point"]
    [text] = [point["text"] for point in points]
    assert text.startswith(expected["sentence"])  # with the next one, which leans on it
    assert "out of order since Monday" not in office("draft", "preview", "morning").out
    assert office("draft", "choose", "morning", lift["story"], "99").code == 2


def test_sentences_say_what_they_qualify_and_a_choice_names_the_caveats_that_it_hides(office: CliRunner):
    [party] = [one for one in stories(office) if "party" in one["headline"]]
    rows = office("draft", "sentences", "morning", party["story"], "--json").records
    assert [row["caveat_of"] for row in rows] == ["", "", "", "", "4"]

    hidden = office("draft", "choose", "morning", party["story"], "2").err
    assert f"5  caveat of sentence 4: {rows[4]['sentence']}" in hidden
    assert "Not shown" not in office("draft", "choose", "morning", party["story"], "4").err


def test_messages_name_the_story_and_what_was_done(office: CliRunner):
    first, second = (one["headline"] for one in stories(office))
    key = the_draft(office)["draft"][:8]
    for words, said in (
        (["pin", key, "2"], f'Pinned "{second}" as the first story: draft {key}, 2 readers.'),
        (["move", key, "2", "1"], f'Moved "{first}" to place 1: draft {key}, 2 readers.'),
        (["place", key, "2", "short"], f'"{second}" shown as short: draft {key}, 2 readers.'),
        (["drop", key, "2"], f'Dropped "{second}": draft {key}, 2 readers.'),
        (["undo", key], f'Undone: dropped "{second}": draft {key}, 2 readers.'),
    ):
        assert said in office("draft", *words).err
    everything = office("draft", "undo", key, "--story", "2").err
    assert f'pinned "{second}" as the first story; "{second}" shown as short' in everything
    office("draft", "undo", key)
    nothing = office("draft", "undo", key)
    assert (nothing.code, f"Draft {key} has no changes to undo" in nothing.err) == (2, True)


def test_a_story_can_be_shown_as_one_line_and_moved(office: CliRunner):
    office("draft", "place", "morning", "2", "short")
    assert [one["placement"] for one in stories(office)] == ["lead", "short"]
    office("draft", "move", "morning", "2", "1")
    assert [one["placement"] for one in stories(office)] == ["lead", "story"]


def test_the_decision_is_stored_with_its_author(office: CliRunner):
    for command in ("approve", "stop"):  # two readers, no terminal
        refused = office("draft", command, "morning")
        assert (refused.code, "use --yes to confirm" in refused.err) == (2, True)
    for words, state in ((["hold", "morning"], "held"), (["stop", "morning", "--yes"], "stopped")):
        assert office("draft", *words).code == 0
        assert the_draft(office)["state"] == state
    done = office("draft", "approve", "morning", "--yes")
    assert (done.code, "2 readers" in done.err) == (0, True)
    assert the_draft(office)["state"] == "approved"
    assert the_draft(office)["changed_by"]


def test_the_page_of_a_draft_opens_in_the_browser(office: CliRunner, monkeypatch: pytest.MonkeyPatch):
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda url: opened.append(url) or True)
    assert office("draft", "open", "morning").code == 0
    assert "Garden party" in Path(opened[0].removeprefix("file://")).read_text()


def test_clear_sentences_for_what_is_not_there(office: CliRunner):
    for words, sentence in (
        (["show", "zzz"], "There is no draft or newsletter 'zzz'"),
        (["pin", "morning", "9"], "has no story '9'; it has 1 to 2"),
        (["drop", "morning", "zzz"], "has no story 'zzz'"),
    ):
        done = office("draft", *words)
        assert (done.code, sentence in done.err) == (2, True), done.err


def test_the_plan_names_the_draft_of_an_issue_and_a_held_one_at_all_later_issues(office: CliRunner):
    def notes() -> list[str]:
        return [one["note"] for one in office("plan", "--hours", "4", "--json").records]

    key = the_draft(office)["draft"][:8]
    assert notes()[:2] == [f"draft {key}: waiting", ""]
    office("draft", "hold", key)
    first, *later = notes()
    assert first == f"draft {key}: held"
    assert later
    assert all(note.startswith(f"draft {key} of ") and note.endswith(": held") for note in later)


def test_plan_and_doctor_say_what_waits(office: CliRunner):
    assert "1 draft for an editor: caveat draft list" in office("plan").err
    assert "1 wait for an editor (caveat draft list)" in office("doctor").out
    with closing(sqlite3.connect(office.folder.parent / "caveat.db")) as database, database:
        database.execute("UPDATE drafts SET due_at = 1000")
        database.execute("UPDATE groups SET next_due_at = 1000")
    assert "overdue, and waiting for an editor: 1 draft" in office("doctor").out
