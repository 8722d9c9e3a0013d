"""Logs are for people on a terminal and for programs elsewhere; addresses are in neither."""

from __future__ import annotations

import json
import logging
import sys

import pytest
import structlog

from service.wiring.logs import configure_logs


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


def test_a_program_gets_one_object_a_line(errors):
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


def test_a_person_gets_a_sentence(errors, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    configure_logs()
    structlog.get_logger("deliver").warning("the relay is out of reach")

    text = errors()
    assert "the relay is out of reach" in text
    assert "{" not in text


def test_no_address_is_in_clear_wherever_it_stands(errors):
    configure_logs()
    structlog.get_logger("deliver").info(
        "refused amina@example.org",
        who="Amina <amina@example.org>",
        all=["ben+x@example.net"],
        deep={"a": "c@d.e"},
    )
    logging.getLogger("anything").warning("RCPT TO:<amina@example.org> said no")
    try:
        int("carla@example.org")
    except ValueError:
        structlog.get_logger("deliver").exception("a pass failed")

    text = errors()
    assert "…@example.org" in text
    assert not [name for name in ("amina", "ben", "c@", "carla") if name in text]


def test_whoever_debugs_sees_everything(errors):
    configure_logs("debug")
    structlog.get_logger("deliver").debug("sent", to="amina@example.org")

    assert "amina@example.org" in errors()


def test_the_libraries_speak_the_same_way_and_only_up_when_it_matters(errors):
    configure_logs()
    logging.getLogger("apscheduler.executors").info("job ran")
    logging.getLogger("apscheduler.executors").error("job failed")

    assert [line["event"] for line in lines(errors())] == ["job failed"]
