"""A restore replaces the whole database or nothing, and never a database in use."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import select, text, update

from service.core.errors import StoreError
from service.core.model import DeliveryState as State
from service.store import database_lock
from service.store.backups.backup import back_up, no_page_progress
from service.store.backups.merge import MergeCounts
from service.store.backups.restore import restore_file
from service.store.database import Database
from service.store.schema import counters
from service.store.sending_hold import SendingHold
from service.store.stories import SqlStoryStore
from tests.builders import NOON
from tests.store.restored import restored
from tests.store.stores import DAY, HOUR, Stores, an_issue


async def write_value(url: str, value: int) -> None:
    """Write a value into the database that identifies it."""
    database = await Database.open(url)
    async with database.write() as connection:
        await connection.execute(update(counters).values(value=value))
    await database.close()


async def read_value(url: str) -> int:
    database = await Database.open(url)
    async with database.read() as connection:
        value = await connection.scalar(select(counters.c.value))
    await database.close()
    return value


def mode_of(path: str) -> int:
    return Path(path).stat().st_mode & 0o777


def bytes_of(path: str) -> bytes:
    return Path(path).read_bytes()


def path_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


# --- exclusive use -----------------------------------------------------------------------------


async def test_a_database_in_use_is_not_restored(database_url: str, tmp_path: Path):
    back_up(database_url, tmp_path / "copy")
    await write_value(database_url, 7)
    running = await Database.open(database_url)
    with pytest.raises(StoreError, match=r"is in use, and a restore needs it alone; stop the service"):
        await restored(database_url, tmp_path / "copy")
    await running.close()
    assert await read_value(database_url) == 7


async def test_a_program_that_does_not_use_our_lock_is_detected(sqlite_url: str, tmp_path: Path):
    back_up(sqlite_url, tmp_path / "copy")
    await write_value(sqlite_url, 7)
    with closing(sqlite3.connect(path_of(sqlite_url))) as other:
        other.execute("SELECT * FROM counters").fetchall()
        with pytest.raises(StoreError, match="is in use, and a restore"):
            await restored(sqlite_url, tmp_path / "copy")
    assert await read_value(sqlite_url) == 7


async def test_a_database_cannot_be_opened_during_a_restore(sqlite_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(database_lock, "WAIT_SECONDS", 0.2)
    lock = database_lock.FileLock(path_of(sqlite_url))
    assert lock.acquire_exclusive()
    with pytest.raises(StoreError, match="is being restored or upgraded"):
        await Database.open(sqlite_url)
    lock.release()
    assert await read_value(sqlite_url) == 0


async def test_tables_cannot_be_opened_during_a_restore(postgres_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(database_lock, "WAIT_SECONDS", 0.2)
    restoring = await asyncpg.connect(postgres_url)
    await restoring.execute(f"SELECT pg_advisory_lock({database_lock.USE_LOCK})")
    with pytest.raises(StoreError, match="is being restored or upgraded"):
        await Database.open(postgres_url)
    await restoring.close()


async def test_a_killed_process_holds_no_lock(sqlite_url: str, tmp_path: Path):
    program = (
        "import asyncio, os, signal; from service.store.database import Database\n"
        f"asyncio.run(Database.open({sqlite_url!r})); os.kill(os.getpid(), signal.SIGKILL)"
    )
    back_up(sqlite_url, tmp_path / "copy")
    done = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", program], check=False)
    assert done.returncode == -signal.SIGKILL
    await restored(sqlite_url, tmp_path / "copy")


# --- refused backups ---------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"a letter to my aunt", b"PK\x03\x04" * 2000])
async def test_a_file_of_another_kind_is_never_restored(tmp_path: Path, database_url: str, content: bytes):
    (tmp_path / "copy").write_bytes(content)
    await write_value(database_url, 7)
    with pytest.raises(StoreError, match="no backup of a"):
        await restored(database_url, tmp_path / "copy")
    assert await read_value(database_url) == 7


async def test_another_programs_database_is_no_backup(sqlite_url: str, tmp_path: Path):
    with closing(sqlite3.connect(tmp_path / "copy")) as other:
        other.execute("CREATE TABLE notes (text)")
    with pytest.raises(StoreError, match="no backup of a Caveat database"):
        await restored(sqlite_url, tmp_path / "copy")


async def test_a_backup_of_a_newer_version_is_refused(database_url: str, tmp_path: Path):
    future = await Database.open(database_url)
    async with future.write() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    back_up(database_url, tmp_path / "copy")
    async with future.write() as connection:
        await connection.execute(text("UPDATE counters SET value = 7"))
    await future.close()
    with pytest.raises(StoreError, match=r"newer Caveat .*9999"):
        await restored(database_url, tmp_path / "copy")


async def test_a_damaged_backup_is_refused(database_url: str, tmp_path: Path):
    back_up(database_url, tmp_path / "copy")
    await write_value(database_url, 7)
    whole = (tmp_path / "copy").read_bytes()
    (tmp_path / "copy").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StoreError, match=r"copy (is damaged|cannot be restored)"):
        await restored(database_url, tmp_path / "copy")
    assert await read_value(database_url) == 7


async def test_a_file_copy_of_a_running_database_is_refused(sqlite_url: str, tmp_path: Path):
    path = path_of(sqlite_url)
    running = await Database.open(sqlite_url)
    await Stores(running).subscribers.suppress("amina@example.org", "complaint", NOON)
    for side in ("", "-wal"):
        (tmp_path / f"copy{side}").write_bytes(path.with_name(path.name + side).read_bytes())
    await running.close()
    with pytest.raises(StoreError, match="was copied out of a running database"):
        await restored(sqlite_url, tmp_path / "copy")


# --- the old database and the sending hold -----------------------------------------------------


async def test_the_old_database_file_is_kept(sqlite_url: str, tmp_path: Path):
    back_up(sqlite_url, tmp_path / "copy")
    await write_value(sqlite_url, 7)
    done = await restored(sqlite_url, tmp_path / "copy")
    assert done.old_database.endswith("caveat.db.before-restore-2026-03-02T120000Z")
    assert mode_of(done.old_database) & 0o077 == 0
    with closing(sqlite3.connect(done.old_database)) as kept:
        assert kept.execute("SELECT value FROM counters").fetchone() == (7,)


async def test_the_old_tables_are_kept_in_a_schema_with_the_date(postgres_url: str, tmp_path: Path):
    back_up(postgres_url, tmp_path / "copy")
    await write_value(postgres_url, 7)
    done = await restored(postgres_url, tmp_path / "copy")
    assert done.old_database == "the schema before_restore_20260302_120000"
    connection = await asyncpg.connect(postgres_url)
    assert await connection.fetchval("SELECT value FROM before_restore_20260302_120000.counters") == 7
    schemas = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'caveat%'"
    assert await connection.fetchval(schemas) == 0
    await connection.close()


async def test_a_restore_grants_others_no_more_rights_to_the_file(sqlite_url: str, tmp_path: Path):
    path = path_of(sqlite_url)
    back_up(sqlite_url, tmp_path / "copy")
    path.chmod(0o644)
    await restored(sqlite_url, tmp_path / "copy")
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("damage", [b"", b"not a database any more"])
async def test_sending_is_held_when_the_old_database_is_unreadable(
    sqlite_url: str, tmp_path: Path, damage: bytes
):
    back_up(sqlite_url, tmp_path / "copy")
    path_of(sqlite_url).write_bytes(damage)
    done = await restored(sqlite_url, tmp_path / "copy")
    assert done.merged is None
    assert bytes_of(done.old_database) == damage
    database = await Database.open(sqlite_url)
    hold = SendingHold(database)
    with pytest.raises(StoreError, match="what was sent since the backup is not known"):
        await hold.raise_if_held()
    assert await hold.release()
    await hold.raise_if_held()
    assert not await hold.release()
    await database.close()


async def test_a_damaged_old_database_is_merged_in_part_and_sending_is_held(sqlite_url: str, tmp_path: Path):
    back_up(sqlite_url, tmp_path / "copy")
    database = await Database.open(sqlite_url)
    await Stores(database).subscribers.suppress("amina@example.org", "complaint", NOON)
    async with database.write() as connection:
        await connection.execute(text("PRAGMA writable_schema = ON"))
        await connection.execute(text("DELETE FROM sqlite_master WHERE name = 'ix_groups_due'"))
    await database.close()
    done = await restored(sqlite_url, tmp_path / "copy")
    assert done.merged == MergeCounts(suppressions=1)
    assert done.hold_reason


# --- merge -------------------------------------------------------------------------------------


async def test_changes_since_the_backup_win(database_url: str, tmp_path: Path):
    database = await Database.open(database_url)
    stores = Stores(database)
    issue = await stores.plan_issue_for("amina", "ben", "carla", "dora")
    back_up(database_url, tmp_path / "copy")  # four deliveries are planned
    batch = {d.address.partition("@")[0]: d for d in (await stores.take_batch("a")).deliveries}
    await stores.record_state("a", list(batch.values()), State.ATTEMPTING)
    await stores.record_state("a", [batch["amina"]], State.SENT, NOON + HOUR)
    await stores.record_state(
        "a", [batch["ben"]], State.REFUSED, NOON + HOUR, suppress=True, reply="550 unknown"
    )
    await stores.record_state("a", [batch["carla"]], State.DEFERRED, NOON + HOUR, next_attempt_at=NOON + DAY)
    before = await stores.states(issue)
    subscription = await stores.subscription("amina")
    await database.close()

    done = await restored(database_url, tmp_path / "copy")

    assert done.merged == MergeCounts(suppressions=1, deliveries=4)
    database = await Database.open(database_url)
    stores = Stores(database)
    assert await stores.states(issue) == before
    assert before == {"amina": "sent", "ben": "refused", "carla": "deferred", "dora": "attempting"}
    assert await stores.subscription("amina") == subscription
    assert [d.address for d in (await stores.take_batch("b", NOON + HOUR)).deliveries] == []
    found = await stores.subscribers.suppression("ben@example.org")
    assert found is not None
    assert found.reason == "550 unknown"
    await database.close()


async def test_a_delivery_sent_in_the_backup_stays_sent(database_url: str, tmp_path: Path):
    """The old database may be older than the backup, because an earlier restore created it."""
    database = await Database.open(database_url)
    stores = Stores(database)
    issue = await stores.plan_issue_for("amina")
    back_up(database_url, tmp_path / "early")
    batch = (await stores.take_batch("a")).deliveries
    await stores.record_state("a", batch, State.ATTEMPTING)
    await stores.record_state("a", batch, State.SENT)
    back_up(database_url, tmp_path / "late")
    async with database.write() as connection:
        await connection.execute(text("UPDATE deliveries SET state = 'planned', due_at = 0, at = NULL"))
    await database.close()

    await restored(database_url, tmp_path / "late")

    database = await Database.open(database_url)
    assert await Stores(database).states(issue) == {"amina": "sent"}
    await database.close()


async def test_an_issue_made_since_the_backup_is_not_repeated(database_url: str, tmp_path: Path):
    database = await Database.open(database_url)
    stores = Stores(database)
    await stores.subscribe("amina", "ben")
    back_up(database_url, tmp_path / "copy")
    group = await stores.due_group()
    await stores.compose.record_issue(group, an_issue(group), NOON + DAY, "file")
    await database.close()

    await restored(database_url, tmp_path / "copy")

    database = await Database.open(database_url)
    stores = Stores(database)
    assert await stores.compose.due_groups(NOON) == []
    [issue] = await stores.queries.issues()
    assert issue.books.closed
    assert issue.books.due == 2
    await database.close()


async def test_a_split_since_the_backup_is_kept(database_url: str, tmp_path: Path):
    database = await Database.open(database_url)
    await Stores(database).publish("Harbour reopens", "Harbour open again")
    stories = SqlStoryStore(database)
    ids = [article.id for article, _ in await stories.articles_between(0, 99, 10)]
    await stories.record_stories(dict.fromkeys(ids, ids[0]), split_count=0)
    back_up(database_url, tmp_path / "copy")
    own = await stories.split(ids[1], NOON)
    await database.close()

    await restored(database_url, tmp_path / "copy")

    database = await Database.open(database_url)
    stories = SqlStoryStore(database)
    assert await stories.stories_of(ids) == {ids[0]: ids[0], ids[1]: own}
    assert await stories.split_count() == 1
    await database.close()


# --- interrupted -------------------------------------------------------------------------------

STEPS = {"os.rename", "os.link", "os.remove", "os.chmod", "sqlite3.connect", "open", "tempfile.mkstemp"}
"""Audit events (PEP 578) of a restore: each of its file operations raises one of them."""


def killed_at(step: int, path: Path, source: Path) -> bool:
    """Restore in a child process that is killed before the step of that number; return whether it was."""
    child = os.fork()
    if child == 0:
        left = step

        def count(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal left
            if event in STEPS and str(path.parent) in str(arguments):
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        try:
            sys.addaudithook(count)
            restore_file("test", path, source, NOON, no_page_progress)
        finally:
            os._exit(0)
    return os.waitpid(child, 0)[1] == signal.SIGKILL


async def test_a_restore_killed_at_any_step_leaves_the_old_or_the_new_database(
    sqlite_url: str, tmp_path: Path
):
    path = path_of(sqlite_url)
    await write_value(sqlite_url, 3)
    back_up(sqlite_url, tmp_path / "copy")
    old = path.read_bytes()
    seen, step = [], 0
    await write_value(sqlite_url, 7)
    with closing(sqlite3.connect(path)) as settled:
        settled.execute("PRAGMA journal_mode=DELETE")
        settled.execute("CREATE TABLE only_in_the_old_one (x)")
    old = path.read_bytes()
    while await asyncio.to_thread(killed_at, step, path, tmp_path / "copy"):
        with closing(sqlite3.connect(path)) as found:
            assert found.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            of_old = found.execute("SELECT 1 FROM sqlite_master WHERE name = 'only_in_the_old_one'")
            seen.append("new" if of_old.fetchone() is None else "old")
        path.write_bytes(old)
        step += 1
    assert seen == sorted(seen, reverse=True)  # the old database up to some step, the new one from then on
    assert len(seen) > 10
    assert "old" in seen
    assert (
        await read_value(sqlite_url) == 7
    )  # the counter of the old database wins: its positions are assigned


async def test_a_killed_restore_of_tables_leaves_the_old_ones(postgres_url: str, tmp_path: Path):
    await write_value(postgres_url, 7)
    back_up(postgres_url, tmp_path / "copy")
    program = (
        "import asyncio, sys; from datetime import datetime, UTC; from pathlib import Path\n"
        "from service.store.backups.postgres_restore import restore_tables\n"
        f"asyncio.run(restore_tables({postgres_url!r}, 'test', Path({str(tmp_path / 'copy')!r}), "
        "datetime(2026, 3, 2, tzinfo=UTC)))"
    )
    watch = await asyncpg.connect(postgres_url)
    # This lock makes the restore wait in the middle.
    async with watch.transaction():
        await watch.execute("LOCK TABLE counters IN ACCESS SHARE MODE")
        child = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        async with asyncio.timeout(20):
            while not await watch.fetchval(waiting):  # noqa: ASYNC110 - the server sends no event
                await asyncio.sleep(0.05)
        child.kill()
        await child.wait()
    await watch.close()
    assert await read_value(postgres_url) == 7
    done = await restored(postgres_url, tmp_path / "copy")
    assert done.hold_reason == ""
