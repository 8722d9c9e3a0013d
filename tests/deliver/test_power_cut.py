"""After a power failure or a disk error no message is lost, and few are sent twice.

A worker's system calls are traced while it sends. For every moment of the trace the disk is built as it could
be after a power failure: without the writes that were not synced, with all of them, and with some, torn at
sector boundaries. A second worker continues from each of these disks. The messages that the server accepted
before and after the cut decide.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service.deliver.channels.smtp.channel import SmtpChannel
from service.deliver.stage import Deliverer, deliver
from service.store.database import Database
from service.store.deliver import SqlDeliverStore
from tests.deliver import disk
from tests.deliver.disk import Disk, Survives
from tests.deliver.fakes import a_message_builder, a_relay_at
from tests.deliver.planning import plan_issue
from tests.deliver.server import DOT, USUAL, MailServer, Taken
from tests.deliver.worker import LATER, LEDGER_LOST, LOOPS

PLACE = Path(__file__).parents[2]
READERS, CONNECTIONS = 7, 2
YES = USUAL[DOT].encode()

pytestmark = pytest.mark.skipif(
    shutil.which("strace") is None, reason="NOT TESTED: no strace (apt install strace)"
)


@pytest.fixture
async def planned(tmp_path: Path) -> list[str]:
    """Plan an issue in a new database; return the ids of its deliveries."""
    database = await Database.open(f"sqlite:///{tmp_path}/caveat.db")
    ids = await plan_issue(database, READERS, at=datetime.now(UTC) - timedelta(minutes=1))
    await database.close()
    return ids


async def run_worker_under_strace(folder: Path, port: int, *strace: str, loop: str = "uvloop") -> int:
    """Let a worker send under strace; return its exit code."""
    process = await asyncio.create_subprocess_exec(
        *strace,
        *(sys.executable, "-m", "tests.deliver.worker", f"sqlite:///{folder}/caveat.db"),
        *(str(port), str(CONNECTIONS), "0.5", loop),
        cwd=PLACE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    return await process.wait()


async def continue_from(folder: Path) -> list[Taken]:
    """Let two workers, one after the other, continue from the folder; return the accepted messages."""
    database = await Database.open(f"sqlite:///{folder}/caveat.db")
    async with MailServer() as server:
        for shift in (LATER, 2 * LATER):
            channel = SmtpChannel(a_relay_at(server.port, connections=CONNECTIONS), a_message_builder())
            at = datetime.now(UTC) + shift
            await deliver(Deliverer(SqlDeliverStore(database), channel), now=lambda at=at: at)
            await channel.close()
    await database.close()
    with sqlite3.connect(folder / "caveat.db") as record:
        assert record.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        states = record.execute("SELECT state, count(*) FROM deliveries GROUP BY state").fetchall()
    assert states == [("sent", READERS)]
    return server.taken


def assert_no_message_is_lost(planned: list[str], before: set[str], after: list[Taken]) -> None:
    assert {*before, *(taken.id for taken in after)} == set(planned)


def assert_few_repeats(before: list[Taken], after: list[Taken]) -> None:
    """At most one message for each connection arrived twice, and all copies are the same."""
    counts = Counter(taken.id for taken in (*before, *after))
    assert sum(counts.values()) - READERS <= CONNECTIONS
    assert max(counts.values()) <= 2
    assert len({(taken.id, taken.content) for taken in (*before, *after)}) == READERS


# --- power failures ----------------------------------------------------------------------------


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.glob("caveat.db*")}


class Recorded:
    """A worker's run: its system calls, the accepted messages, and the disk before it."""

    def __init__(self, folder: Path, record: Path, taken: list[Taken], files: dict[str, bytes]) -> None:
        self.calls = [call for call in disk.read_calls(record) if _matters(call, folder)]
        self.disk = Disk(files, self.calls)
        self._taken = taken

    @property
    def moments(self) -> list[int]:
        """The trace lines at which a call began or ended."""
        return sorted({line for call in self.calls for line in (call.began, call.ended)})

    def may_have_arrived(self, cut: int) -> list[Taken]:
        ids = disk.handed_over(self.calls, cut)
        return [taken for taken in self._taken if taken.id in ids]


def _matters(call: disk.Call, folder: Path) -> bool:
    # The index of the write-ahead log is in shared memory; SQLite rebuilds it from the log.
    return call.on.startswith("socket:") or (call.on.startswith(str(folder)) and not call.on.endswith("-shm"))


@pytest.fixture(params=sorted(LOOPS))
async def recorded(request: pytest.FixtureRequest, tmp_path: Path, planned: list[str]) -> Recorded:
    files = contents(tmp_path)
    record = tmp_path / "record"
    async with MailServer() as server:
        await run_worker_under_strace(
            tmp_path, server.port, *disk.STRACE, "-o", str(record), loop=request.param
        )
    assert sorted(server.ids) == sorted(planned)
    return Recorded(tmp_path, record, server.taken, files)


def kinds_of_loss(seed: int) -> Iterator[Survives]:
    yield disk.nothing
    yield disk.everything
    yield disk.by_chance(random.Random(seed))  # noqa: S311 - a test that can be repeated
    yield disk.by_chance(random.Random(-seed))  # noqa: S311 - a test that can be repeated


async def cut_at(recorded: Recorded, cut: int, planned: list[str], folder: Path) -> int:
    """Cut the power at a line, with each kind of loss; return the maximum number of repeated messages."""
    repeats = 0
    for number, survives in enumerate(kinds_of_loss(cut + 1)):
        place = folder / f"{cut}-{number}"
        place.mkdir()
        for path, content in recorded.disk.after(cut, survives).items():
            (place / Path(path).name).write_bytes(content)
        after = await continue_from(place)
        assert_no_message_is_lost(planned, disk.acknowledged(recorded.calls, cut, YES), after)
        may_have_arrived = recorded.may_have_arrived(cut)
        assert_few_repeats(may_have_arrived, after)
        repeats = max(repeats, len(may_have_arrived) + len(after) - READERS)
        shutil.rmtree(place)
    return repeats


async def test_the_power_may_fail_at_some_moments(recorded: Recorded, planned: list[str], tmp_path: Path):
    moments = recorded.moments
    for cut in moments[5 :: len(moments) // 6]:
        await cut_at(recorded, cut, planned, tmp_path)


@pytest.mark.long
async def test_the_power_may_fail_at_every_moment(recorded: Recorded, planned: list[str], tmp_path: Path):
    repeats = [await cut_at(recorded, cut, planned, tmp_path) for cut in recorded.moments]

    assert len(repeats) > 100
    # A repeated message shows that some cuts fall between sending and recording.
    assert max(repeats) > 0


async def test_a_worker_that_does_not_sync_would_be_detected(recorded: Recorded, planned: list[str]):
    unsynced = Disk(recorded.disk.files, [c for c in recorded.calls if not c.name.endswith("sync")])
    last = recorded.moments[-1]

    assert unsynced.after(last, disk.nothing) == recorded.disk.files
    assert disk.acknowledged(recorded.calls, last, YES) == set(planned)


# --- disk errors -------------------------------------------------------------------------------

FAULTS = [(call, fault) for call in ("pwrite64", "fdatasync") for fault in ("EIO", "ENOSPC")]


async def refused_at(turn: str, fault: tuple[str, str], planned: list[str], template: Path) -> bool:
    """Let a system call of a worker fail at a turn of each thread; return whether the worker noticed."""
    call, error = fault
    folder = template.with_name(f"caveat-{turn}")
    os.mkdir(folder)  # noqa: PTH102 - nothing else runs meanwhile
    shutil.copy(template, folder / "caveat.db")
    inject = ("strace", "-f", "-o", "/dev/null", "-e", f"trace={call}")
    async with MailServer() as server:
        code = await run_worker_under_strace(
            folder, server.port, *inject, "-e", f"inject={call}:error={error}:when={turn}"
        )
        assert 0 < code <= LEDGER_LOST, "a worker ends by itself"
    after = await continue_from(folder)
    assert_no_message_is_lost(planned, set(server.ids), after)
    assert_few_repeats(server.taken, after)
    shutil.rmtree(folder)
    return code == LEDGER_LOST or len(server.taken) < READERS


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_disk_may_fail_permanently(planned: list[str], tmp_path: Path, fault: tuple[str, str]):
    assert await refused_at("4+", fault, planned, tmp_path / "caveat.db")


@pytest.mark.long
@pytest.mark.parametrize("lasting", ["", "+"])
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_disk_may_fail_at_every_call(
    planned: list[str], tmp_path: Path, fault: tuple[str, str], lasting: str
):
    turns = 12 if fault[0] == "fdatasync" else 40
    noticed = [
        await refused_at(f"{turn}{lasting}", fault, planned, tmp_path / "caveat.db")
        for turn in range(1, turns)
    ]
    assert any(noticed) or not lasting
