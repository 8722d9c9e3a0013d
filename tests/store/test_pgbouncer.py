"""Through PgBouncer: everything works in session mode, and transaction mode is refused in one sentence."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest

from service.core.errors import StoreError
from service.core.model import DeliveryState as State
from service.runtime.stage_signals import StageSignals
from service.store.backups.backup import back_up
from service.store.database import Database
from tests import pgbouncer
from tests.store.restored import restored
from tests.store.stores import Stores

NOT_INSTALLED = "NOT TESTED: no pgbouncer (apt install pgbouncer)"
pytestmark = pytest.mark.skipif(pgbouncer.program() is None, reason=NOT_INSTALLED)


async def test_in_session_mode_deliveries_are_planned_taken_and_recorded(postgres_url: str):
    with pgbouncer.pooled(postgres_url, "session") as url:
        database = await Database.open(url)
        stores = Stores(database)
        issue = await stores.plan_issue_for("amina", "ben")
        batch = (await stores.take_batch("a")).deliveries
        await stores.record_state("a", batch, State.ATTEMPTING)
        assert await stores.record_state("a", batch, State.SENT) == 2
        assert await stores.states(issue) == {"amina": "sent", "ben": "sent"}
        await database.probe_write()
        await database.close()


async def test_in_session_mode_signals_reach_a_worker(postgres_url: str):
    with pgbouncer.pooled(postgres_url, "session") as url:
        worked, stopping = asyncio.Event(), asyncio.Event()

        async def deliver() -> list[str]:
            worked.set()
            return []

        signals = StageSignals(url)
        working = asyncio.create_task(signals.run({"deliver": deliver}, stopping))
        await signals.send(["gather"])  # returns when this process listens; a signal before that is lost
        sender = StageSignals(url)
        await sender.send(["deliver"])
        async with asyncio.timeout(20):
            await worked.wait()
        stopping.set()
        await working
        await sender.close()


async def test_in_session_mode_a_backup_is_made_and_restored(postgres_url: str, tmp_path: Path):
    with pgbouncer.pooled(postgres_url, "session") as url:
        back_up(url, tmp_path / "copy")
        running = await Database.open(postgres_url)  # not through the pooler: the lock belongs to the server
        with pytest.raises(StoreError, match="is in use, and a restore"):
            await restored(url, tmp_path / "copy")
        await running.close()
        assert (await restored(url, tmp_path / "copy")).hold_reason == ""


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        ("transaction", r"gives each transaction another session.*pool_mode = session"),
        ("statement", r"it said: transaction blocks not allowed in statement pooling mode"),
    ],
)
async def test_a_pooler_without_sessions_is_refused_and_keeps_no_lock(
    postgres_url: str, mode: str, said: str
):
    with pgbouncer.pooled(postgres_url, mode) as url:
        for _ in range(3):
            with pytest.raises(StoreError, match=said):
                await Database.open(url)
        direct = await asyncpg.connect(postgres_url)
        assert await direct.fetchval("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0
        await direct.close()


async def test_an_error_of_the_pooler_is_in_the_message(postgres_url: str):
    with pgbouncer.pooled(postgres_url, "session") as url:
        with pytest.raises(StoreError, match=r"nowhere.* (does not exist|refuses the connection: .*nowhere)"):
            await Database.open(f"{url.rpartition('/')[0]}/nowhere")
        wrong = url.replace("pa%3Ass", "wrong")
        with pytest.raises(
            StoreError, match=r"(does not accept the password|refuses the connection)"
        ) as caught:
            await Database.open(wrong)
        assert "wrong" not in str(caught.value)
