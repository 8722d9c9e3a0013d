"""The first page: what goes out, what is late, what needs a person, and next steps of an empty one."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import update

from service.core.model import HeldChange
from service.deliver.ports import SendingPause
from service.settings.load import load_config
from service.store.coordination import SqlCoordination
from service.store.schema import feeds
from service.store.sending_hold import hold_sending
from tests.builders import NOON
from tests.store.stores import Stores
from tests.web.admin.conftest import EditorsSite

HOSTILE = '<script>alert("x")</script>'


async def test_it_says_what_goes_out_when_and_to_how_many(editors: EditorsSite):
    _, page = await (await editors.log_in("vera")).get("/")
    rows = re.findall(
        r"<tr>\n<td><time datetime=\"([^\"]+)\".*?class=\"number\" data-label=\"Mails\">(\d+)</td>",
        page,
        re.DOTALL,
    )
    assert ("2026-03-02T18:00:00+00:00", "1") in rows
    assert ("2026-03-03T07:00:00+00:00", "1") in rows
    assert "4 mails, if there is news for all." in page


async def test_a_newsletter_of_every_quarter_hour_leaves_the_trouble_in_sight(editors: EditorsSite):
    """Its 96 times are a row for each hour, of which some are folded, below what needs a person."""
    file = editors.folder / "newsletters.yaml"
    file.write_text(file.read_text().replace("daily 07:00", "cron */15 * * * *"))
    editors.app.roster = load_config(editors.folder, {}).roster
    await editors.app.apply_roster()
    async with editors.app.database.write() as connection:
        await connection.execute(update(feeds).values(failures=7, last_error="HTTP 500"))

    _, page = await (await editors.log_in("vera")).get("/")

    unfolded, folded = page.partition("What goes out in")[2].split("<summary>")[-2:]
    assert "Sources in trouble" in page.partition("What goes out in")[0]
    assert "4 times" in unfolded
    assert unfolded.count("<tr>\n<td><time") == 12
    assert 12 <= folded.count("<tr>\n<td><time") <= 16


async def test_an_issue_that_was_due_and_is_not_made_is_late(editors: EditorsSite):
    editors.clock.at += timedelta(hours=6, minutes=10)
    _, page = await (await editors.log_in("vera")).get("/")
    assert "Mail is late." in page
    assert "2 subscribers wait for an issue that was not made; the earliest was due 3 h ago" in page


async def test_many_late_groups_of_a_newsletter_are_one_line(editors: EditorsSite):
    """At 18:10 both newsletters are late, The Morning in two time zones."""
    editors.clock.at += timedelta(days=1, hours=6, minutes=10)
    _, page = await (await editors.log_in("vera")).get("/")
    assert re.findall(r">([^<]+)</span></a>: (\d) subscribers wait for an issue", page) == [
        ("The Evening", "2"),
        ("The Morning Caveat", "2"),
    ]


async def test_mails_that_wait_in_the_outbox_are_late(editors: EditorsSite):
    await Stores(editors.app.database).publish("Harbour reopens", at=editors.clock())
    editors.clock.at += timedelta(days=1)
    await editors.app.compose()
    vera = await editors.log_in("vera")
    assert "in the outbox" not in (await vera.get("/"))[1]
    editors.clock.at += timedelta(minutes=10)
    assert "2 mails wait in the outbox" in (await vera.get("/"))[1]


async def test_all_sending_paused_or_held_is_said_first(editors: EditorsSite):
    vera = await editors.log_in("vera")
    assert 'role="alert"' not in (await vera.get("/"))[1]
    async with editors.app.database.write() as connection:
        await connection.run_sync(hold_sending, "the backup lacks mails")
    _, page = await vera.get("/")
    assert "Nothing is sent: the backup lacks mails" in page


async def test_a_sending_pause_names_its_reason(editors: EditorsSite, monkeypatch):
    class Relay:
        server = "relay.example"

    monkeypatch.setattr("service.app.operator.observations.channel_of", lambda _settings: Relay())
    pause = SendingPause("the server refuses all our mail", NOON, NOON + timedelta(hours=1), 1)
    await SqlCoordination(editors.app.database).begin_pause("relay.example", pause)
    _, page = await (await editors.log_in("vera")).get("/")
    assert "the server refuses all our mail" in page


async def test_a_change_of_the_configuration_that_is_held_is_said(editors: EditorsSite):
    await editors.app.subscribers.roster_state.hold(HeldChange(3, 4, (("morning", 3),)), NOON)
    _, page = await (await editors.log_in("vera")).get("/")
    assert "config apply" in page


async def test_a_feed_in_trouble_is_named_with_its_error(editors: EditorsSite):
    async with editors.app.database.write() as connection:
        failing = {"failures": 7, "last_error": f"HTTP 500 {HOSTILE}", "name": f"Courier {HOSTILE}"}
        await connection.execute(update(feeds).values(failing))
    _, page = await (await editors.log_in("vera")).get("/")
    assert "Sources in trouble" in page
    assert "7 failed polls in a row" in page
    assert HOSTILE not in page


async def test_a_rejected_configuration_is_shown_with_its_place(editors: EditorsSite):
    editors.app.config_faults = lambda: ("newsletters.yaml:3:5: there is no topic 'wrld'",)
    _, page = await (await editors.log_in("vera")).get("/")
    assert "newsletters.yaml:3:5: there is no topic" in page
    assert "not in force" in page


async def test_an_empty_installation_has_next_steps(editors: EditorsSite):
    vera = await editors.log_in("vera")
    assert "Next steps" not in (await vera.get("/"))[1]
    editors.app.roster = replace(editors.app.roster, newsletters=(), feeds=(), subscribers=())
    await editors.app.apply_roster()
    _, page = await vera.get("/")
    assert "Nothing can go out yet." in page
    for path in ("/admin/feeds", "/admin/newsletters", "/admin/subscribers"):
        assert f'<a href="{path}">' in page
