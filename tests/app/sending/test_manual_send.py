"""Manual sends from many processes at once, through crashes and Ctrl-C, counted by the mail server."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import subprocess
import sys
import termios
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from service.app.clock import utc_now
from service.app.factories.application import Application, open_application
from service.app.sending.foreground_delivery import deliver_issues
from service.app.sending.manual_send import send
from service.app.sending.pausing import pause, resume
from service.core.errors import IdempotencyKeyReused
from service.core.model import DeliveryState
from service.core.send_request import SendRequest
from tests.app.configs import loaded, write_config
from tests.deliver.server import MailServer, Reply, Wait

PATIENCE = 60
EVERYBODY = SendRequest("morning", None, key="monday")


@asynccontextmanager
async def a_house(folder: Path, *, later: timedelta = timedelta(0)) -> AsyncIterator[Application]:
    """Open the application of a config folder, with a clock that is `later` than now."""
    read = loaded(folder)
    async with open_application(read.settings, read.roster, clock=lambda: utc_now() + later) as app:
        yield app


async def prepared(folder: Path, mail: MailServer, *, storage: str, readers: int) -> None:
    """Write a configuration, then gather and condense its articles."""
    write_config(folder, storage=storage, smtp_port=mail.port, readers=readers)
    async with a_house(folder) as app:
        await app.apply_roster()
        await app.gather()
        await app.condense()


async def another(folder: Path, key: str, times: int, *words: str) -> tuple[int, list[str]]:
    """Send concurrently in another process; return its exit code and the issues that it printed."""
    command = [sys.executable, "-m", "tests.app.send_process", str(folder), key, str(times), *words]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    told, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode is not None
    return process.returncode, told.decode().split()


def once(readers: int) -> Counter[str]:
    """Return the server's log in which each subscriber got one message."""
    return Counter(f"reader{n}@example.org" for n in range(readers))


@pytest.mark.long
async def test_a_hundred_times_in_two_processes_the_same_key_sends_once(tmp_path: Path, database_url: str):
    folder = tmp_path / "config"
    async with MailServer() as mail:
        await prepared(folder, mail, storage=database_url, readers=5)
        answers = await asyncio.gather(*(another(folder, "monday", 50) for _ in range(2)))
        assert {code for code, _ in answers} == {0}
        assert {len(told) for _, told in answers} == {50}
        [issue] = {issue for _, told in answers for issue in told}
        async with a_house(folder) as app:
            done = await deliver_issues(app, [issue])

        assert done.states == {DeliveryState.SENT: 5}
        assert Counter(taken.recipient for taken in mail.taken) == once(5)


async def test_after_a_crash_before_the_response_the_repeated_request_finds_the_send(tmp_path: Path):
    folder = tmp_path / "config"
    async with MailServer() as mail:
        await prepared(folder, mail, storage="sqlite:///../caveat.db", readers=3)
        assert await another(folder, "monday", 1, "crash") == (9, [])
        async with a_house(folder) as app:
            again = (await send(app, EVERYBODY)).planned
            await deliver_issues(app, again.issues)
            [issue] = await app.queries.issues()

        assert (issue.id,) == again.issues
        assert Counter(taken.recipient for taken in mail.taken) == once(3)


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[Application]:
    async with MailServer({"RCPT": {2: Reply("550 5.1.1 no such user")}}) as mail:
        await prepared(tmp_path / "config", mail, storage="sqlite:///../caveat.db", readers=3)
        async with a_house(tmp_path / "config") as app:
            yield app


async def test_progress_reports_refused_deliveries(app: Application):
    told: list[tuple[str, int, int]] = []
    planned = (await send(app, EVERYBODY)).planned
    await deliver_issues(app, planned.issues)
    await deliver_issues(app, planned.issues, progress=lambda *what: told.append(what))

    assert set(told) <= {("1 refused", 3, 3)}
    assert (await app.queries.delivery_counts(planned.issues))[DeliveryState.REFUSED] == 1


async def test_a_paused_issue_is_not_waited_for(app: Application):
    planned = (await send(app, EVERYBODY)).planned
    await pause(app, planned.issues)
    done = await deliver_issues(app, planned.issues)
    assert (done.paused, done.waiting, done.states) == (True, 3, {DeliveryState.PLANNED: 3})

    await resume(app, planned.issues)
    done = await deliver_issues(app, planned.issues)
    assert (done.paused, done.waiting) == (False, 0)


async def test_order_and_spelling_of_addresses_do_not_make_another_request(app: Application):
    one = SendRequest("morning", ("reader1@example.org", "Reader2@example.org"), key="k")
    same = SendRequest(
        "morning", ("reader2@EXAMPLE.org", "reader1@example.org", "reader1@example.org"), key="k"
    )
    assert (await send(app, one)).planned.issues == (await send(app, same)).planned.issues
    with pytest.raises(IdempotencyKeyReused):
        await send(app, SendRequest("morning", ("reader1@example.org",), key="k"))


# --- Ctrl-C, in a terminal ---------------------------------------------------------------------


@dataclass
class Terminal:
    """A command in its own terminal."""

    master: int
    process: subprocess.Popen[bytes]
    seen: str = ""
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def read(self) -> None:
        try:
            self.seen += os.read(self.master, 65_536).decode("utf-8", "replace")
        except OSError:  # the other end is closed
            asyncio.get_running_loop().remove_reader(self.master)
        self.news.set()

    async def until(self, text: str) -> None:
        async with asyncio.timeout(PATIENCE):
            while text not in self.seen:
                self.news.clear()
                await self.news.wait()

    def press_ctrl_c(self) -> None:
        os.write(self.master, b"\x03")

    async def left(self) -> int:
        return await asyncio.wait_for(asyncio.to_thread(self.process.wait), PATIENCE)


@asynccontextmanager
async def terminal(folder: Path, *words: str) -> AsyncIterator[Terminal]:
    """Run a command in a terminal where Ctrl-C is a key."""
    master, slave = pty.openpty()
    process = subprocess.Popen(  # noqa: ASYNC220 - what starts it is what the test is about
        [sys.executable, "-m", "service", "--config", str(folder), *words],
        stdin=slave, stdout=slave, stderr=slave,
        start_new_session=True,
        env={**os.environ, "COLUMNS": "120", "TERM": "xterm"},
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - one call of the kernel
    )  # fmt: skip
    os.close(slave)
    seen = Terminal(master, process)
    asyncio.get_running_loop().add_reader(master, seen.read)
    try:
        yield seen
    finally:
        asyncio.get_running_loop().remove_reader(master)
        process.kill()
        process.wait()
        os.close(master)


READERS, FEW, SOME, LANES = 2_000, 300, 700, 10


def slow(turn: int) -> dict[int, Wait]:
    """Return a script in which the server waits from this message on until one event."""
    answer = asyncio.Event()
    return {turn + lane: Wait(answer) for lane in range(LANES)}


async def all_wait(script: dict[int, Wait]) -> asyncio.Event:
    """Wait until every connection waits for its reply; return the event that releases them."""
    await asyncio.wait_for(asyncio.gather(*(wait.reached.wait() for wait in script.values())), PATIENCE)
    return next(iter(script.values())).event


async def test_ctrl_c_pauses_and_resume_continues(tmp_path: Path):
    folder, first, second = tmp_path / "config", slow(FEW), slow(SOME)
    async with MailServer({"DOT": first | second}) as mail:
        await prepared(folder, mail, storage="sqlite:///../caveat.db", readers=READERS)
        async with terminal(folder, "send", "morning", "--all", "--yes") as screen:
            answer = await all_wait(first)
            await screen.until(f"{len(mail.taken)}/2,000")
            answer.set()
            answer = await all_wait(second)
            await screen.until("/s ")
            screen.press_ctrl_c()
            await screen.until("Ctrl-C again stops at once")
            answer.set()
            assert await screen.left() == 130
            await screen.until("To continue: caveat ")
        before = len(mail.taken)
        assert SOME <= before < READERS
        assert f"{before:,} of 2,000 sent" in screen.seen
        assert " left " in screen.seen
        assert "0 refused" in screen.seen
        assert "Traceback" not in screen.seen

        words = screen.seen.rpartition("To continue: caveat ")[2].split()
        assert words[:4] == ["--config", str(folder), "issue", "resume"]
        async with terminal(folder, *words[2:]) as screen:
            assert await screen.left() == 0
        assert Counter(taken.recipient for taken in mail.taken) == once(READERS)


async def test_a_second_ctrl_c_ends_at_once_without_losing_a_delivery(tmp_path: Path):
    folder, stuck = tmp_path / "config", slow(SOME)
    async with MailServer({"DOT": stuck}) as mail:
        await prepared(folder, mail, storage="sqlite:///../caveat.db", readers=READERS)
        async with terminal(folder, "send", "morning", "--all", "--yes") as screen:
            await all_wait(stuck)
            screen.press_ctrl_c()
            await screen.until("Ctrl-C again stops at once")
            screen.press_ctrl_c()
            assert await screen.left() == 130
            await screen.until("To continue: caveat ")
        assert "Nothing is lost" in screen.seen
        assert "Traceback" not in screen.seen
        taken = len(mail.taken)
        assert taken < READERS

        async with a_house(folder, later=timedelta(minutes=2)) as app:
            [issue] = await app.queries.issues()
            assert issue.books.waiting + issue.books.uncertain == READERS - taken
            assert issue.books.closed
            assert issue.paused_at is not None
            await resume(app, [issue.id])
            done = await deliver_issues(app, [issue.id])
        assert done.states == {DeliveryState.SENT: READERS}
        assert Counter(taken.recipient for taken in mail.taken) == once(READERS)


# --- several issues in flight ------------------------------------------------------------------


@asynccontextmanager
async def two_in_flight(
    folder: Path, storage: str
) -> AsyncIterator[tuple[Application, tuple[str, ...], asyncio.Event]]:
    """Give an application, two issues whose mails get no reply, and the event of the first mail."""
    silent = asyncio.Event()
    script = {turn: Wait(silent) for turn in range(1, 200)}
    async with MailServer({"DOT": script}) as mail:
        await prepared(folder, mail, storage=storage, readers=4)
        async with a_house(folder) as app:
            first = (await send(app, EVERYBODY)).planned
            second = (await send(app, SendRequest("morning", None, repeat=True, key="again"))).planned
            assert first.issues != second.issues
            yield app, (*first.issues, *second.issues), script[1].reached
            silent.set()


async def paused(app: Application) -> list[bool]:
    return [issue.paused_at is not None for issue in await app.queries.issues()]


@pytest.mark.parametrize("steps", [0, 2, 8, 34])
async def test_whenever_the_second_ctrl_c_comes_every_issue_is_paused(tmp_path: Path, steps: int):
    async with two_in_flight(tmp_path / "config", "sqlite:///../caveat.db") as (app, both, begun):
        stopping = asyncio.Event()
        delivering = asyncio.create_task(deliver_issues(app, both, stopping=stopping))
        async with asyncio.timeout(PATIENCE):
            await begun.wait()
        stopping.set()
        for _ in range(steps):
            await asyncio.sleep(0)
        delivering.cancel()
        await asyncio.gather(delivering, return_exceptions=True)
        assert delivering.cancelled()
        assert await paused(app) == [True, True]


async def test_a_delivery_being_written_does_not_delay_the_pause(tmp_path: Path, postgres_url: str):
    async with two_in_flight(tmp_path / "config", postgres_url) as (app, both, _):
        writer = await asyncpg.connect(postgres_url)
        await writer.execute("BEGIN")
        locked = (
            "SELECT 1 FROM deliveries JOIN issues ON number = issue WHERE id = $1 FOR UPDATE OF deliveries"
        )
        await writer.execute(locked.replace("$1", f"'{both[0]}'"))
        pausing = asyncio.create_task(pause(app, both))
        async with asyncio.timeout(PATIENCE):
            while True:
                if await paused(app) == [True, True]:
                    break
                await asyncio.sleep(0)
        assert not pausing.done()
        await writer.close()
        await asyncio.wait_for(pausing, PATIENCE)
