"""Sends by hand from many processes at once, through crashes and Ctrl-C; the mail server counts."""

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
from service.app.foreground_delivery import deliver_issues
from service.app.manual_send import pause, resume, send
from service.core.errors import IdempotencyKeyReused
from service.core.model import DeliveryState
from service.core.send_request import SendRequest
from tests.app.crowds import loaded, write_crowd
from tests.deliver.server import MailServer, Reply, Wait

PATIENCE = 60
EVERYBODY = SendRequest("morning", None, key="monday")


@asynccontextmanager
async def a_house(folder: Path, *, later: timedelta = timedelta(0)) -> AsyncIterator[Application]:
    """Open the house of a folder; `later`, as if so much time had gone by."""
    read = loaded(folder)
    async with open_application(read.settings, read.roster, clock=lambda: utc_now() + later) as house:
        yield house


async def prepared(folder: Path, mail: MailServer, *, storage: str, readers: int) -> None:
    """Write a configuration, and gather and condense what there is to tell."""
    write_crowd(folder, storage=storage, smtp_port=mail.port, readers=readers)
    async with a_house(folder) as house:
        await house.apply_roster()
        await house.gather()
        await house.condense()


async def another(folder: Path, key: str, times: int, *words: str) -> tuple[int, list[str]]:
    """Let another process ask so many times at once; return its exit code and the issues it was told."""
    command = [sys.executable, "-m", "tests.app.sender", str(folder), key, str(times), *words]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    told, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode is not None
    return process.returncode, told.decode().split()


def once(readers: int) -> Counter[str]:
    """Return the log in which everybody got one message."""
    return Counter(f"reader{n}@example.org" for n in range(readers))


async def test_a_hundred_times_in_two_processes_the_same_key_sends_once(tmp_path: Path, database_url: str):
    folder = tmp_path / "config"
    async with MailServer() as mail:
        await prepared(folder, mail, storage=database_url, readers=5)
        answers = await asyncio.gather(*(another(folder, "monday", 50) for _ in range(2)))
        assert {code for code, _ in answers} == {0}
        assert {len(told) for _, told in answers} == {50}
        [issue] = {issue for _, told in answers for issue in told}
        async with a_house(folder) as house:
            done = await deliver_issues(house, [issue])

        assert done.states == {DeliveryState.SENT: 5}
        assert Counter(taken.recipient for taken in mail.taken) == once(5)


async def test_a_crash_between_plan_and_answer_is_made_good_by_asking_again(tmp_path: Path):
    folder = tmp_path / "config"
    async with MailServer() as mail:
        await prepared(folder, mail, storage="sqlite:///../caveat.db", readers=3)
        assert await another(folder, "monday", 1, "crash") == (9, [])
        async with a_house(folder) as house:
            again = (await send(house, EVERYBODY)).planned
            await deliver_issues(house, again.issues)
            [issue] = await house.overview.issues()

        assert (issue.id,) == again.issues
        assert Counter(taken.recipient for taken in mail.taken) == once(3)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Application]:
    async with MailServer({"RCPT": {2: Reply("550 5.1.1 no such user")}}) as mail:
        await prepared(tmp_path / "config", mail, storage="sqlite:///../caveat.db", readers=3)
        async with a_house(tmp_path / "config") as house:
            yield house


async def test_progress_tells_from_the_books_what_was_refused(house: Application):
    told: list[tuple[str, int, int]] = []
    planned = (await send(house, EVERYBODY)).planned
    await deliver_issues(house, planned.issues)
    await deliver_issues(house, planned.issues, progress=lambda *what: told.append(what))

    assert set(told) <= {("1 refused", 3, 3)}
    assert (await house.overview.delivery_counts(planned.issues))[DeliveryState.REFUSED] == 1


async def test_an_issue_that_somebody_paused_is_not_waited_for(house: Application):
    planned = (await send(house, EVERYBODY)).planned
    await pause(house, planned.issues)
    done = await deliver_issues(house, planned.issues)
    assert (done.paused, done.waiting, done.states) == (True, 3, {DeliveryState.PLANNED: 3})

    await resume(house, planned.issues)
    done = await deliver_issues(house, planned.issues)
    assert (done.paused, done.waiting) == (False, 0)


async def test_the_order_and_spelling_of_the_readers_do_not_matter_but_who_they_are_does(house: Application):
    one = SendRequest("morning", ("reader1@example.org", "Reader2@example.org"), key="k")
    same = SendRequest(
        "morning", ("reader2@EXAMPLE.org", "reader1@example.org", "reader1@example.org"), key="k"
    )
    assert (await send(house, one)).planned.issues == (await send(house, same)).planned.issues
    with pytest.raises(IdempotencyKeyReused):
        await send(house, SendRequest("morning", ("reader1@example.org",), key="k"))


# --- Ctrl-C, in a terminal ---------------------------------------------------------------------


@dataclass
class Terminal:
    """A command in a terminal of its own, as a person sees it."""

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
    """Run a command where Ctrl-C is a key, not a call."""
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
    """Let every lane wait for its answer from this message on; one event answers them all."""
    answer = asyncio.Event()
    return {turn + lane: Wait(answer) for lane in range(LANES)}


async def all_wait(script: dict[int, Wait]) -> asyncio.Event:
    """Wait until every lane waits for its answer; return the event that gives it."""
    await asyncio.wait_for(asyncio.gather(*(wait.reached.wait() for wait in script.values())), PATIENCE)
    return next(iter(script.values())).event


async def test_ctrl_c_pauses_and_resume_goes_on(tmp_path: Path):
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
            await screen.until("goes on.")
        before = len(mail.taken)
        assert SOME <= before < READERS
        assert f"{before:,} of 2,000 sent" in screen.seen
        assert " left " in screen.seen
        assert "0 refused" in screen.seen
        assert "Traceback" not in screen.seen

        goes_on = screen.seen.rpartition("wait. caveat ")[2].partition(" goes on.")[0]
        words = goes_on.replace("\r\n", "").split()
        assert words[:4] == ["--config", str(folder), "issue", "resume"]
        async with terminal(folder, *words[2:]) as screen:
            assert await screen.left() == 0
        assert Counter(taken.recipient for taken in mail.taken) == once(READERS)


async def test_a_second_ctrl_c_ends_at_once_and_nobody_is_lost(tmp_path: Path):
    folder, stuck = tmp_path / "config", slow(SOME)
    async with MailServer({"DOT": stuck}) as mail:
        await prepared(folder, mail, storage="sqlite:///../caveat.db", readers=READERS)
        async with terminal(folder, "send", "morning", "--all", "--yes") as screen:
            await all_wait(stuck)
            screen.press_ctrl_c()
            await screen.until("Ctrl-C again stops at once")
            screen.press_ctrl_c()
            assert await screen.left() == 130
            await screen.until("goes on.")
        assert "Nothing is lost" in screen.seen
        assert "Traceback" not in screen.seen
        taken = len(mail.taken)
        assert taken < READERS

        async with a_house(folder, later=timedelta(minutes=2)) as house:
            [issue] = await house.overview.issues()
            assert issue.books.waiting + issue.books.uncertain == READERS - taken
            assert issue.books.closed
            assert issue.paused_at is not None
            await resume(house, [issue.id])
            done = await deliver_issues(house, [issue.id])
        assert done.states == {DeliveryState.SENT: READERS}
        assert Counter(taken.recipient for taken in mail.taken) == once(READERS)


# --- several issues in flight ------------------------------------------------------------------


@asynccontextmanager
async def two_in_flight(
    folder: Path, storage: str
) -> AsyncIterator[tuple[Application, tuple[str, ...], asyncio.Event]]:
    """Give a house, two issues whose mails the server leaves without an answer, and when it has the first."""
    silent = asyncio.Event()
    script = {turn: Wait(silent) for turn in range(1, 200)}
    async with MailServer({"DOT": script}) as mail:
        await prepared(folder, mail, storage=storage, readers=4)
        async with a_house(folder) as house:
            first = (await send(house, EVERYBODY)).planned
            second = (await send(house, SendRequest("morning", None, repeat=True, key="again"))).planned
            assert first.issues != second.issues
            yield house, (*first.issues, *second.issues), script[1].reached
            silent.set()


async def paused(house: Application) -> list[bool]:
    return [issue.paused_at is not None for issue in await house.overview.issues()]


@pytest.mark.parametrize("steps", [0, 2, 8, 34])
async def test_whenever_the_second_ctrl_c_comes_every_issue_is_paused(tmp_path: Path, steps: int):
    async with two_in_flight(tmp_path / "config", "sqlite:///../caveat.db") as (house, both, begun):
        stopping = asyncio.Event()
        delivering = asyncio.create_task(deliver_issues(house, both, stopping=stopping))
        async with asyncio.timeout(PATIENCE):
            await begun.wait()
        stopping.set()
        for _ in range(steps):
            await asyncio.sleep(0)
        delivering.cancel()
        await asyncio.gather(delivering, return_exceptions=True)
        assert delivering.cancelled()
        assert await paused(house) == [True, True]


async def test_a_delivery_that_is_being_written_holds_up_the_pause_of_no_issue(
    tmp_path: Path, postgres_url: str
):
    async with two_in_flight(tmp_path / "config", postgres_url) as (house, both, _):
        writer = await asyncpg.connect(postgres_url)
        await writer.execute("BEGIN")
        locked = (
            "SELECT 1 FROM deliveries JOIN issues ON number = issue WHERE id = $1 FOR UPDATE OF deliveries"
        )
        await writer.execute(locked.replace("$1", f"'{both[0]}'"))
        pausing = asyncio.create_task(pause(house, both))
        async with asyncio.timeout(PATIENCE):
            while True:
                if await paused(house) == [True, True]:
                    break
                await asyncio.sleep(0)
        assert not pausing.done()
        await writer.close()
        await asyncio.wait_for(pausing, PATIENCE)
