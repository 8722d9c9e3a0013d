"""Digests by Apprise, from the configuration to a real HTTP target and through restarts."""

from __future__ import annotations

import logging
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from service.core.model import Deferred, RefusalCause, Refused, Sent, Uncertain
from service.core.secret import Secret
from service.deliver.channels.apprise import channel as apprise_channel
from service.deliver.channels.apprise.channel import NOT_INSTALLED, AppriseChannel, notify, outcome_of
from service.deliver.channels.registry import PERSONAL_CHANNELS
from service.deliver.stage import Deliverer, deliver
from service.settings.roster_files import PersonalChannel
from tests.cli.runner import CliRunner
from tests.deliver.fakes import Clock, MemoryLedger, some_deliveries

TOKEN = "hook-4c1d7a90aa"


def use_apprise(caveat: CliRunner, url: str) -> None:
    caveat.replace("subscribers.yaml", "timezone: Asia/Qatar,", f'channel: {{apprise: "{url}"}},')
    caveat.replace("notices.xml", "<guid>n1</guid>", "<guid>n1</guid><link>https://example.org/lift</link>")


def url_of(server: HTTPServer) -> str:
    return f"json://127.0.0.1:{server.port}/{TOKEN}"


def plan(caveat: CliRunner) -> None:
    for stage in ("gather", "condense"):
        assert caveat(stage).code == 0


def states(caveat: CliRunner) -> dict[str, str]:
    with sqlite3.connect(caveat.folder.parent / "caveat.db") as database:
        query = "SELECT email, state FROM deliveries JOIN subscribers ON number = subscriber ORDER BY email"
        return dict(database.execute(query))


def make_due(caveat: CliRunner) -> None:
    with sqlite3.connect(caveat.folder.parent / "caveat.db") as database:
        database.execute("UPDATE deliveries SET due_at = 1 WHERE state = 'deferred'")


def mails(caveat: CliRunner) -> int:
    return len(list((caveat.folder.parent / "outbox").glob("*.eml")))


def test_settings_and_registry_name_the_same_personal_channels():
    assert PersonalChannel.model_fields.keys() == PERSONAL_CHANNELS.keys()
    assert all(build({}, str).is_personal for build in PERSONAL_CHANNELS.values())


def test_a_digest_is_sent_by_apprise_once_and_the_others_by_mail(caveat: CliRunner, httpserver: HTTPServer):
    httpserver.expect_request(f"/{TOKEN}").respond_with_data("ok")
    use_apprise(caveat, url_of(httpserver))
    plan(caveat)
    done = caveat("send", "morning", "--all", "--yes")
    assert done.code == 0, done.err
    assert states(caveat) == {"amina@example.org": "sent", "ben@example.org": "sent"}
    assert mails(caveat) == 1
    ((request, _),) = httpserver.log
    assert request.json["title"] == "The lift is out of order"
    lines = request.json["message"].split("\n")
    assert lines[:2] == ["The lift is out of order", "https://example.org/lift"]
    assert lines[-1].startswith("https://news.example.org/preferences/")
    assert caveat("deliver").code == 0
    assert len(httpserver.log) == mails(caveat) == 1


def test_a_service_that_is_down_is_tried_again_after_a_restart(caveat: CliRunner, httpserver: HTTPServer):
    httpserver.expect_ordered_request(f"/{TOKEN}").respond_with_data("no", status=503)
    httpserver.expect_ordered_request(f"/{TOKEN}").respond_with_data("ok")
    use_apprise(caveat, url_of(httpserver))
    plan(caveat)
    done = caveat("send", "morning", "--all", "--yes")
    assert done.code == 1
    assert "the service answered 503" in done.out
    assert states(caveat) == {"amina@example.org": "deferred", "ben@example.org": "sent"}
    make_due(caveat)
    for _ in range(2):
        assert caveat("deliver").code == 0
    assert states(caveat)["amina@example.org"] == "sent"
    assert (len(httpserver.log), mails(caveat)) == (2, 1)


def test_a_kill_during_the_reply_sends_nothing_twice(caveat: CliRunner, httpserver: HTTPServer):
    arrived, answer = threading.Event(), threading.Event()
    requests: list[Request] = []

    def hold(request: Request) -> Response:
        requests.append(request)
        arrived.set()
        answer.wait(20)
        return Response("ok")

    httpserver.expect_request(f"/{TOKEN}").respond_with_handler(hold)
    use_apprise(caveat, url_of(httpserver))
    caveat.replace("caveat.yaml", "channel: file,", "channel: file, on_uncertain: hold,")
    plan(caveat)
    command = [sys.executable, "-m", "service", "--config", str(caveat.folder), "send", "morning"]
    root = Path(__file__).parents[4]
    with subprocess.Popen([*command, "--all", "--yes"], env=os.environ | {"PYTHONPATH": str(root)}) as run:
        assert arrived.wait(60)
        run.send_signal(signal.SIGKILL)
    answer.set()
    assert states(caveat)["amina@example.org"] == "attempting"
    with sqlite3.connect(caveat.folder.parent / "caveat.db") as database:
        database.execute("UPDATE deliveries SET due_at = 1 WHERE state = 'attempting'")
    for _ in range(2):
        caveat("deliver")
    assert states(caveat)["amina@example.org"] == "uncertain"
    assert len(requests) == 1


def test_a_wrong_url_is_refused_and_suppresses_nobody(caveat: CliRunner):
    use_apprise(caveat, "tgram://bad")
    plan(caveat)
    done = caveat("send", "morning", "--all", "--yes")
    assert done.code == 1
    assert "Apprise cannot use this address" in done.out
    assert states(caveat) == {"amina@example.org": "refused", "ben@example.org": "sent"}
    assert not caveat("suppress", "list", "--json").out
    checked = caveat("config", "check")
    assert "the channel of amina@example.org does not work: Apprise cannot use this address" in checked.err


def test_a_delivery_to_a_removed_address_is_refused(caveat: CliRunner, httpserver: HTTPServer):
    httpserver.expect_request(f"/{TOKEN}").respond_with_data("no", status=503)
    use_apprise(caveat, url_of(httpserver))
    plan(caveat)
    caveat("send", "morning", "--all", "--yes")
    caveat.replace("subscribers.yaml", f'channel: {{apprise: "{url_of(httpserver)}"}},', "")
    with sqlite3.connect(caveat.folder.parent / "caveat.db") as database:
        database.execute("UPDATE deliveries SET due_at = 1 WHERE state = 'deferred'")
    caveat("config", "apply")
    caveat("deliver")
    assert states(caveat)["amina@example.org"] == "refused"
    assert mails(caveat) == 1


def test_without_the_extra_other_channels_work_and_the_fix_is_named(caveat: CliRunner, monkeypatch):
    monkeypatch.setattr(apprise_channel, "find_spec", lambda _name: None)
    use_apprise(caveat, "json://127.0.0.1:9/x")
    plan(caveat)
    sent = caveat("send", "morning", "--all", "--yes")
    assert sent.code == 1
    assert "pip install 'caveat[channels]'" in sent.err
    assert states(caveat) == {"amina@example.org": "planned", "ben@example.org": "sent"}
    assert NOT_INSTALLED in caveat("config", "check").err
    assert NOT_INSTALLED in caveat("doctor").out


@pytest.mark.parametrize(
    "channel",
    [
        '{apprise: "URL", smtp: x}',
        '"URL"',
        '{"URL": x}',
        '{tgram: "URL"}',
        '{apprise: ["URL"]}',
        '["URL"]',
        "{}",
        '{apprise: ""}',
        f'{{apprise: "URL{"x" * 2000}"}}',
    ],
)
def test_an_invalid_channel_is_a_config_fault_that_repeats_no_address(caveat: CliRunner, channel: str):
    written = channel.replace("URL", f"tgram://{TOKEN}/1")
    caveat.replace("subscribers.yaml", "timezone: Asia/Qatar,", f"channel: {written},")
    done = caveat("config", "check")
    assert done.code == 2
    assert "subscribers.yaml:3:" in done.err
    assert TOKEN not in done.err + done.out


def test_no_output_log_or_database_holds_the_address(caveat: CliRunner, httpserver: HTTPServer, caplog):
    caplog.set_level(logging.DEBUG)
    httpserver.expect_request(f"/{TOKEN}").respond_with_data("no", status=401)
    use_apprise(caveat, url_of(httpserver))
    plan(caveat)
    commands = [
        ("send", "morning", "--all", "--yes"),
        ("config", "check"),
        ("config", "show"),
        ("config", "diff"),
        ("doctor",),
        ("subscriber", "show", "amina@example.org"),
        ("subscriber", "show", "amina@example.org", "--json"),
        ("subscriber", "export"),
        ("issue", "list"),
    ]
    results = [caveat(*command) for command in commands]
    assert "apprise: ********" in results[5].out
    assert results[6].records[0]["channel"] == "apprise: ********"
    everything = "".join(result.out + result.err for result in results) + caplog.text
    assert TOKEN not in everything
    stored = [path.read_bytes() for path in caveat.folder.parent.glob("caveat.db*")]
    assert stored
    assert not any(TOKEN.encode() in content for content in stored)


def test_a_message_waits_while_the_file_with_its_address_is_broken(caveat: CliRunner, httpserver: HTTPServer):
    httpserver.expect_ordered_request(f"/{TOKEN}").respond_with_data("no", status=503)
    httpserver.expect_ordered_request(f"/{TOKEN}").respond_with_data("ok")
    use_apprise(caveat, url_of(httpserver))
    plan(caveat)
    assert caveat("send", "morning", "--all", "--yes").code == 1
    people = (caveat.folder / "subscribers.yaml").read_text()
    for broken in ("subscribers: [", people.replace("channel:", "hours: x, channel:")):
        caveat.write("subscribers.yaml", broken)
        make_due(caveat)
        caveat("deliver")
        assert states(caveat) == {"amina@example.org": "deferred", "ben@example.org": "sent"}
    assert len(httpserver.log) == 1

    caveat.write("subscribers.yaml", people)
    make_due(caveat)
    assert caveat("deliver").code == 0
    assert states(caveat) == {"amina@example.org": "sent", "ben@example.org": "sent"}


async def test_a_silent_target_is_uncertain_and_does_not_hold_up_the_others():
    deliveries = some_deliveries(2, channel="apprise")
    store = MemoryLedger.holding(*deliveries)
    with HTTPServer() as server:
        release = threading.Event()
        server.expect_request("/slow").respond_with_handler(lambda _r: (release.wait(20), Response("ok"))[1])
        server.expect_request("/fast").respond_with_data("ok")
        addresses = {
            delivery.subscriber_id: Secret(f"json://127.0.0.1:{server.port}/{path}")
            for delivery, path in zip(deliveries, ("slow", "fast"), strict=True)
        }
        channel = AppriseChannel(addresses, lambda *_: "https://n.example/p", send_seconds=1)
        began = time.monotonic()
        report = await deliver(Deliverer(store, channel), now=Clock())
        release.set()
    assert time.monotonic() - began < 10
    assert report.uncertain >= 1
    assert report.sent + report.uncertain == 2


def test_the_result_of_a_send_is_an_outcome(httpserver: HTTPServer):
    httpserver.expect_request("/ok").respond_with_data("ok")
    httpserver.expect_request("/gone").respond_with_data("gone", status=410)
    place = f"json://127.0.0.1:{httpserver.port}"
    assert notify(Secret(f"{place}/ok"), "title", "text") == Sent("accepted")
    assert notify(Secret(f"{place}/gone"), "title", "text") == Deferred("the service answered 410")
    assert isinstance(notify(Secret("json://127.0.0.1:9/x"), "title", "text"), Deferred)
    for url in ("", "nonsense", "gibberish://x", "tgram://bad"):
        refused = notify(Secret(url), "title", "text")
        assert isinstance(refused, Refused)
        assert refused.cause is RefusalCause.TARGET


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ConnectionRefusedError("tgram://x"), Deferred),
        (ValueError("tgram://x"), Refused),
        (TypeError("tgram://x"), Refused),
        (TimeoutError("tgram://x"), Uncertain),
        (ConnectionResetError("tgram://x"), Uncertain),
        (RuntimeError("tgram://x"), Uncertain),
    ],
)
def test_an_error_of_the_library_is_an_outcome_without_its_text(error: Exception, kind: type):
    outcome = outcome_of(error)
    assert isinstance(outcome, kind)
    assert "tgram" not in repr(outcome)
