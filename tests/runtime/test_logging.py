"""The log is text on a terminal and JSON elsewhere, without email addresses."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import sys
from pathlib import Path

import pytest
import structlog

from service.app.sending.manual_send import send
from service.core.send_request import SendRequest
from service.runtime.logging import configure_logs
from tests.app.configs import write_config
from tests.builders import NOON
from tests.deliver.server import Close, MailServer, Reply
from tests.end_to_end.installation import Clock, running


@pytest.fixture
def errors(capsys: pytest.CaptureFixture[str]):
    """Return what reads standard error; give the logs of other tests back afterwards."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    yield lambda: capsys.readouterr().err
    root.handlers[:], root.level = before
    structlog.reset_defaults()


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_log_lines_are_json_objects_without_a_terminal(errors):
    configure_logs()
    structlog.get_logger("deliver").info("sent", issue="abc", count=3)

    (line,) = lines(errors())
    assert {k: line[k] for k in ("event", "level", "logger", "issue", "count")} == {
        "event": "sent",
        "level": "info",
        "logger": "deliver",
        "issue": "abc",
        "count": 3,
    }


def test_fields_of_packages_without_structlog_are_kept(errors):
    configure_logs()
    fields = {"reason": "amina@example.org is nested too deeply", "sha256": "00ff", "a_library_s": "own"}
    logging.getLogger("bounces").warning("inbound_mail_unreadable", extra=fields)

    (line,) = lines(errors())
    assert (line["event"], line["sha256"]) == ("inbound_mail_unreadable", "00ff")
    assert "amina" not in line["reason"]
    assert "a_library_s" not in line


def test_log_lines_are_text_on_a_terminal(errors, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    configure_logs()
    structlog.get_logger("deliver").warning("the relay is out of reach")

    text = errors()
    assert "the relay is out of reach" in text
    assert "{" not in text


def test_addresses_are_hidden_everywhere_in_an_event(errors):
    configure_logs()
    structlog.get_logger("deliver").info(
        "refused amina@example.org",
        who="Amina <amina@example.org>",
        all=["ben+x@example.net"],
        deep={"c@d.e": "c@d.e"},
        error=OSError("no route to amina@example.org"),
        reply='550 5.1.1 <"ben doe"@example.org> unknown, see https://x.example/?a=amina%40example.org',
    )
    logging.getLogger("anything").warning("RCPT TO:<amina@example.org> said no")
    try:
        int("carla@example.org")
    except ValueError:
        structlog.get_logger("deliver").exception("a pass failed")

    text = errors()
    assert "…@example.org" in text
    assert not [name for name in ("amina", "ben", "c@", "carla") if name in text]


def test_debug_level_shows_addresses(errors):
    configure_logs("debug")
    structlog.get_logger("deliver").debug("sent", to="amina@example.org")

    assert "amina@example.org" in errors()


def test_libraries_log_in_the_same_format_from_warning_upwards(errors):
    configure_logs()
    logging.getLogger("apscheduler.executors").info("job ran")
    logging.getLogger("apscheduler.executors").error("job failed")

    assert [line["event"] for line in lines(errors())] == ["job failed"]


async def test_a_pass_of_deliver_logs_no_address(errors, tmp_path: Path):
    """Servers quote the address in what they say; a pass that meets trouble is told in the log."""
    said = '<reader{n}@example.org>: no reader like "reader {n}"@example.org, see ?to=reader{n}%40example.org'
    replies = {
        n: Reply(f"{code} {said.format(n=n)}")
        for n, code in enumerate(("550 5.1.1", "452 4.2.2", "421 4.3.2", *["550 5.7.1"] * 5))
    }
    async with MailServer({"RCPT": replies, "DOT": {2: Close(taking=True)}}) as mail:
        folder = tmp_path / "config"
        domains = ("example.org", "example.net")
        write_config(
            folder, storage="sqlite:///../caveat.db", smtp_port=mail.port, readers=40, domains=domains
        )
        configure_logs()
        async with running(folder, Clock(NOON)) as service:
            await service.app.gather()
            await service.app.condense()
            await send(service.app, SendRequest("morning", None))
            async with asyncio.timeout(30):
                while mail.turns["RCPT"] < max(replies):  # noqa: ASYNC110 - the server has no event for it
                    await asyncio.sleep(0.02)
    text = errors()
    events = lines(text)
    [paused] = [line for line in events if line["event"] == "sending_paused"]
    assert "refuses all our mail" in paused["reason"]
    assert "stage_finished" in {line["event"] for line in events}
    assert not re.search(r"[\w\"]@|\w%40|reader\d|reader \d", text)
