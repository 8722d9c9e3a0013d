"""Bad input from outside: the program prints one clear sentence and loses nothing."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from tests.cli.runner import FILES, CliRunner, write_config_and_runner
from tests.end_to_end.installation import free_port

GOOD = FILES["notices.xml"].encode()
LARGE = b"<rss>" + b"<!-- padding -->" * 64 * 1024


class Answer(BaseHTTPRequestHandler):
    """A server with one misbehaviour on each path."""

    over = Event()

    def do_GET(self) -> None:
        getattr(self, f"{self.path.strip('/').replace('-', '_')}_answer", self.missing_answer)()

    def good_answer(self) -> None:
        self._send(200, GOOD)

    def missing_answer(self) -> None:
        self._send(404, b"not here")

    def broken_answer(self) -> None:
        self._send(500, b"oh no")

    def page_answer(self) -> None:
        self._send(200, b"<!doctype html><html><head><title>Welcome</title></head><body>Hi</body></html>")

    def empty_answer(self) -> None:
        self._send(200, b"")

    def no_entries_answer(self) -> None:
        self._send(200, b'<rss version="2.0"><channel><title>Quiet</title></channel></rss>')

    def torn_answer(self) -> None:
        self._send(200, b"<rss><chan")

    def inside_answer(self) -> None:
        self.send_response(302)
        self.send_header("Location", "http://127.0.0.2:8080/admin")
        self.end_headers()

    def slow_answer(self) -> None:
        self.over.wait(20)

    def large_answer(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            for _ in range(50):  # 50 MB without a Content-Length
                self.wfile.write(LARGE)
        except OSError:
            pass  # the client closed the connection, as intended

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.daemon_threads = True
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    Answer.over.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def caveat(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    return write_config_and_runner(tmp_path / "config", capsys)


FEEDS = {
    "unreachable": "no connection to 127.0.0.1 could be made",
    "missing": "404",
    "broken": "500",
    "page": "a web page",
    "empty": "empty",
    "torn": "the xml is invalid",
    "inside": "127.0.0.2",
    "slow": "did not answer in full within 2 seconds",
    "large": "larger than",
}
"""Each failing feed, and a part of the sentence about it."""


def test_each_failing_feed_is_named_and_the_others_are_gathered(caveat: CliRunner, web: str):
    lines = [f'  - {{url: "{web}/{name}", name: {name} feed}}' for name in (*FEEDS, "no-entries", "good")]
    lines[0] = f'  - {{url: "http://127.0.0.1:{free_port()}/", name: unreachable feed}}'
    caveat.write("feeds.yaml", "feeds:\n" + "\n".join(lines) + "\n")
    done = caveat("gather")

    assert done.code == 1
    said = {line.partition(" feed: ")[0]: line for line in done.err.splitlines() if " feed: " in line}
    for name, words in FEEDS.items():
        assert words in said[name].lower(), said[name]
    assert "holds no entries" in said["no-entries"]
    assert "11 feeds: 1 new article" in done.err.splitlines()[-1]
    assert "9 failed" in done.err.splitlines()[-1]
    assert "Traceback" not in done.err

    errors = {feed["name"]: feed["trouble"] for feed in caveat("feed", "list", "--json").records}
    assert [name for name, error in errors.items() if error is None] == ["good feed"]
    assert caveat("condense").code == 0


class Mailbox:
    """A mail server that answers every recipient, or every message, with the given reply."""

    def __init__(self, *, rcpt: str = "250 ok", data: str = "250 kept", hold: Event | None = None) -> None:
        self.rcpt, self.data, self.kept = rcpt, data, 0
        self.hold, self.release = hold, Event()

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.rcpt.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt

    async def handle_DATA(self, _server: SMTP, _session: Session, _envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        if self.hold is not None:
            self.hold.set()
            await asyncio.to_thread(self.release.wait, 20)
        self.kept += self.data.startswith("250")
        return self.data


@contextmanager
def mail_server(mailbox: Mailbox, **options: object) -> Iterator[int]:
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


@pytest.fixture
def by_smtp(caveat: CliRunner) -> Callable[[int, str], CliRunner]:
    """Return a function that prepares an installation with one article and SMTP to a port."""

    def prepare(port: int, login: str = "") -> CliRunner:
        smtp = f"smtp: {{host: 127.0.0.1, port: {port}, security: none{login}}}"
        caveat.replace("caveat.yaml", "mail: {channel: file,", f"mail: {{channel: smtp, {smtp},")
        assert caveat("gather").code == 0
        assert caveat("condense").code == 0
        return caveat

    return prepare


def books(caveat: CliRunner) -> dict[str, int]:
    (issue,) = caveat("issue", "list", "--json").records
    assert issue["closed"]
    return {key: value for key, value in issue["books"].items() if value and key != "due"}


SEND = ("send", "morning", "--to", "amina@example.org")


def test_a_delivery_waits_while_the_server_is_unreachable(by_smtp):
    caveat = by_smtp(free_port())
    done = caveat(*SEND)

    assert done.code == 1
    assert "127.0.0.1" in done.err
    assert books(caveat) == {"waiting": 1}


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
def test_a_delivery_waits_while_the_password_is_wrong(by_smtp):
    def refuse(*_: object) -> AuthResult:
        return AuthResult(success=False, handled=False)

    options = {"authenticator": refuse, "auth_required": True, "auth_require_tls": False}
    with mail_server(Mailbox(), **options) as port:
        caveat = by_smtp(port, ", username: caveat, password: s3same")
        done = caveat(*SEND)

    assert done.code == 1
    assert "login" in done.err.lower()
    assert "s3same" not in done.err
    assert books(caveat) == {"waiting": 1}


@pytest.mark.parametrize(
    ("reply", "left"),
    [
        ("421 4.3.2 the service shuts down", {"waiting": 1}),
        ("451 4.7.1 greylisted, come back later", {"waiting": 1}),
        ("550 5.1.1 no such user here", {"refused": 1}),
    ],
    ids=["421", "451", "550"],
)
def test_a_negative_reply_is_reported(by_smtp, reply: str, left: dict[str, int]):
    with mail_server(Mailbox(rcpt=reply)) as port:
        caveat = by_smtp(port)
        done = caveat(*SEND)

    assert done.code == 1
    assert reply[:3] in f"{done.out}{done.err}"
    assert "Traceback" not in done.err
    assert books(caveat) == left


def test_a_deferred_delivery_is_sent_when_the_server_accepts_it(by_smtp):
    mailbox = Mailbox(rcpt="451 4.7.1 greylisted")
    with mail_server(mailbox) as port:
        caveat = by_smtp(port)
        assert caveat(*SEND).code == 1
        mailbox.rcpt = "250 ok"
        assert caveat("deliver").code == 0  # its next attempt is not due
        assert mailbox.kept == 0
        (issue,) = caveat("issue", "list", "--json").records
        done = caveat("issue", "resend", issue["id"], "--to", "amina@example.org", "--yes")

    assert (done.code, mailbox.kept) == (0, 1)
    assert books(caveat) == {"sent": 1}


def test_a_second_ctrl_c_stops_at_once_and_loses_no_delivery(by_smtp):
    begun = Event()
    mailbox = Mailbox(hold=begun)
    with mail_server(mailbox) as port:
        caveat = by_smtp(port)
        words = ["-m", "service", "--config", str(caveat.folder), *SEND]
        process = subprocess.Popen([sys.executable, *words], stderr=subprocess.PIPE, text=True)
        assert begun.wait(20)
        process.send_signal(signal.SIGINT)
        assert "Ctrl-C again stops at once" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
        mailbox.release.set()

        assert process.returncode == 130
        assert "Nothing is lost" in said
        assert "issue resume" in said
        assert "Traceback" not in said
        (issue,) = caveat("issue", "list", "--json").records
        assert issue["closed"]
        assert issue["books"]["sent"] == 0


def test_a_refused_address_is_not_mailed_again(by_smtp):
    mailbox = Mailbox(rcpt="550 5.1.1 no such user here")
    with mail_server(mailbox) as port:
        caveat = by_smtp(port)
        caveat(*SEND)
        mailbox.rcpt = "250 ok"
        done = caveat(*SEND, "--again")

    assert done.code == 1
    assert "must not be mailed" in done.err
    assert mailbox.kept == 0


def test_an_unwritable_folder_loses_no_delivery(caveat: CliRunner, tmp_path: Path):
    (tmp_path / "outbox").write_text("a file stands where the folder should be")
    caveat("gather")
    caveat("condense")
    done = caveat(*SEND)

    assert done.code == 1
    assert str(tmp_path / "outbox") in done.err
    assert books(caveat) == {"waiting": 1}


def test_a_file_that_is_no_database_is_not_changed(caveat: CliRunner, tmp_path: Path):
    (tmp_path / "caveat.db").write_text("these are my notes, not a database " * 40)
    before = (tmp_path / "caveat.db").read_text()
    done = caveat("gather")

    assert done.code == 1
    assert str(tmp_path / "caveat.db") in done.err
    assert "Traceback" not in done.err
    assert (tmp_path / "caveat.db").read_text() == before
