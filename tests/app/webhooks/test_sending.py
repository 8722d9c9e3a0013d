"""Webhooks: each event reaches its receiver, over failures and crashes, with a signature and no address."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text, update

from service.app import subscribers as people
from service.app.doctor.webhooks import webhook_problems
from service.app.factories.application import Application
from service.app.maintenance import prune
from service.app.process_pool.pool import ProcessPool
from service.app.webhooks.sending import (
    DISABLED_AFTER,
    RETRIES,
    declare_webhooks,
    plan_events,
    resend,
    send_messages,
    send_test,
    statuses,
)
from service.core.ids import subscriber_id
from service.core.model import DeliveryState, WebhookStatus
from service.deliver.ports import StateChange
from service.settings.load import load_config
from service.store.database import Database
from service.store.deliver import SqlDeliverStore
from service.store.schema import feeds, webhook_messages
from tests.app.webhooks.receiver import Receiver, a_receiver, webhooks_block, write_secret
from tests.builders import NOON
from tests.deliver.planning import plan_issue
from tests.end_to_end.installation import Clock
from tests.settings.config_folders import SITE, a_config_folder

AMINA = subscriber_id("amina@example.org")
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@dataclass
class Hooked:
    """An installation whose webhook calls `receiver`."""

    app: Application
    clock: Clock
    receiver: Receiver

    async def status(self) -> WebhookStatus:
        [found] = await statuses(self.app)
        return found

    async def pass_after(self, wait: timedelta = timedelta()) -> None:
        self.clock.at += wait
        await plan_events(self.app)
        await send_messages(self.app)

    async def unsubscribe(self) -> None:
        await people.set_status(self.app, "unsubscribe", AMINA, "morning")


@pytest.fixture
async def hooked(database: Database, tmp_path: Path) -> AsyncIterator[Hooked]:
    async with a_receiver() as receiver:
        folder = tmp_path / "config"
        a_config_folder(folder)
        write_secret(folder)
        a_config_folder(folder, {"caveat.yaml": SITE + webhooks_block(receiver.url)})
        loaded, clock, pool = load_config(folder, {}), Clock(NOON), ProcessPool(1)
        app = Application(loaded.settings, loaded.roster, database, clock, pool)
        await declare_webhooks(app)
        await app.apply_roster()
        yield Hooked(app, clock, receiver)
        pool.shutdown(wait=False)


async def test_an_unsubscribe_reaches_the_receiver_once_without_an_address(hooked: Hooked):
    await hooked.unsubscribe()
    await hooked.unsubscribe()
    for _ in range(3):
        await hooked.pass_after(MINUTE)
    [(_, body)] = hooked.receiver.messages
    assert body == {
        "type": "subscriber.unsubscribed",
        "timestamp": NOON.isoformat(),
        "data": {"subscriber": AMINA, "newsletter": "morning"},
    }
    assert (await hooked.status()).sent == 1


async def test_a_refused_delivery_and_the_finished_issue_reach_the_receiver(
    hooked: Hooked, database: Database
):
    hooked.clock.at += MINUTE
    await plan_issue(database, 2, at=hooked.clock.at)
    ledger = SqlDeliverStore(database)
    batch = await ledger.take_batch("smtp", "worker", hooked.clock.at, hooked.clock.at + DAY, 10)
    first, second = batch.deliveries
    for delivery, state in ((first, DeliveryState.REFUSED), (second, DeliveryState.SENT)):
        for step in (DeliveryState.ATTEMPTING, state):
            change = StateChange(delivery, step, hooked.clock.at, "550 <amina@example.org> unknown")
            assert await ledger.record_changes("worker", [change])
    await prune(hooked.app)  # stores the numbers of finished issues
    for _ in range(3):
        await hooked.pass_after(MINUTE)
    assert hooked.receiver.events == {"delivery.refused": 1, "issue.sent": 1}
    data = {body["type"]: body["data"] for _, body in hooked.receiver.messages}
    assert data["delivery.refused"] == {
        "issue": first.issue_id, "newsletter": "morning", "subscriber": first.subscriber_id,
    }  # fmt: skip
    assert data["issue.sent"]["deliveries"] == {
        "planned": 2, "sent": 1, "refused": 1, "suppressed": 0, "uncertain": 0, "cancelled": 0,
    }  # fmt: skip
    assert "example.org" not in repr(hooked.receiver.bodies)


async def test_a_failing_feed_is_told_once_for_each_outage(hooked: Hooked, database: Database):
    async def set_feed(failures: int, succeeded: timedelta) -> None:
        async with database.write() as connection:
            values = {"failures": failures, "last_success_at": NOON + succeeded}
            await connection.execute(update(feeds).values(values))

    for failures, succeeded, told in ((2, 0, 0), (3, 0, 1), (9, 0, 1), (0, 5, 1), (3, 5, 2)):
        await set_feed(failures, succeeded * MINUTE)
        await hooked.pass_after(MINUTE)
        assert hooked.receiver.events["feed.failing"] == told


async def test_a_message_is_attempted_for_days_with_the_same_id_and_body_until_it_is_accepted(hooked: Hooked):
    await hooked.unsubscribe()
    hooked.receiver.status = 503
    for wait in (timedelta(), *RETRIES[:4]):
        await hooked.pass_after(wait)
    assert (await hooked.status()).last_error == "the receiver answered 503"
    hooked.receiver.status = 204
    await hooked.pass_after(RETRIES[4])
    await hooked.pass_after(DAY)
    assert len(hooked.receiver.messages) == 6
    assert [len(bodies) for bodies in hooked.receiver.bodies.values()] == [1]
    status = await hooked.status()
    assert (status.sent, status.waiting, status.failing_since, status.last_error) == (1, 0, None, "")


async def test_before_its_time_no_second_attempt_is_made(hooked: Hooked):
    await hooked.unsubscribe()
    hooked.receiver.status = 500
    await hooked.pass_after()
    await hooked.pass_after(RETRIES[0] - timedelta(seconds=1))
    assert len(hooked.receiver.messages) == 1


async def test_a_receiver_that_fails_for_days_is_disabled_and_loses_nothing(hooked: Hooked):
    hooked.receiver.status = 500
    await hooked.unsubscribe()
    for wait in (*RETRIES, DAY):
        await hooked.pass_after(wait)
    await people.set_status(hooked.app, "resume", AMINA, "morning")
    hooked.clock.at += DISABLED_AFTER
    await hooked.unsubscribe()
    await hooked.pass_after()
    status = await hooked.status()
    assert (status.disabled_at is not None, status.failed, status.waiting) == (True, 1, 1)
    assert "is disabled since" in webhook_problems([status])[0]
    asked = len(hooked.receiver.messages)
    await hooked.pass_after(DAY)
    assert len(hooked.receiver.messages) == asked

    hooked.receiver.status = 200
    assert await resend(hooked.app, None) == 2
    await hooked.pass_after()
    status = await hooked.status()
    assert (status.sent, status.waiting, status.failed, webhook_problems([status])) == (2, 0, 0, ())


async def test_a_receiver_that_has_gone_is_not_asked_again(hooked: Hooked):
    hooked.receiver.status = 410
    await hooked.unsubscribe()
    for _ in range(3):
        await hooked.pass_after(DAY)
    assert len(hooked.receiver.messages) == 1


async def test_a_redirect_is_a_failure_and_not_followed(hooked: Hooked):
    hooked.receiver.status, hooked.receiver.headers = 307, {"Location": hooked.receiver.url + "?again"}
    await hooked.unsubscribe()
    await hooked.pass_after()
    assert (len(hooked.receiver.messages), (await hooked.status()).last_error) == (
        1,
        "the receiver answered 307",
    )


async def test_erasure_deletes_the_messages_about_a_person(hooked: Hooked, database: Database):
    await hooked.unsubscribe()
    await people.erase(hooked.app, "amina@example.org")
    async with database.read() as connection:
        assert (await connection.execute(select(webhook_messages.c.id))).all() == []
    await hooked.pass_after()
    assert hooked.receiver.messages == []


async def test_a_test_message_is_sent_at_once_and_its_failure_is_named(hooked: Hooked):
    assert await send_test(hooked.app, hooked.receiver.url) == ""
    hooked.receiver.status = 403
    assert await send_test(hooked.app, hooked.receiver.url) == "the receiver answered 403"
    assert hooked.receiver.events == {"webhook.test": 2}


async def test_two_processes_that_send_at_once_send_each_message_once(hooked: Hooked):
    for newsletter in ("morning",) * 3:
        await people.set_status(hooked.app, "unsubscribe", AMINA, newsletter)
        await people.set_status(hooked.app, "resume", AMINA, newsletter)
        hooked.clock.at += MINUTE
    await asyncio.gather(*(send_messages(hooked.app) for _ in range(5)))
    assert sorted({message for message, _ in hooked.receiver.messages}) == sorted(
        message for message, _ in hooked.receiver.messages
    )
    assert len(hooked.receiver.messages) == 3


async def test_without_webhooks_nothing_is_recorded(hooked: Hooked, database: Database):
    async with database.write() as connection:
        await connection.execute(text("UPDATE webhooks SET active = false"))
    await hooked.unsubscribe()
    async with database.read() as connection:
        assert (await connection.execute(select(webhook_messages.c.id))).all() == []


KILLED = """
import asyncio, os, signal, sys
from service.app import subscribers
from service.app.factories.application import open_application
from service.app.webhooks.sending import declare_webhooks
from service.app.webhooks import sending
from service.core.ids import subscriber_id
from service.settings.load import load_config

async def die(*_args, **_options):
    os.kill(os.getpid(), signal.SIGKILL)

async def main():
    loaded = load_config(__import__("pathlib").Path(sys.argv[1]), {})
    async with open_application(loaded.settings, loaded.roster) as app:
        await declare_webhooks(app)
        await app.apply_roster()
        await subscribers.set_status(app, "unsubscribe", subscriber_id("amina@example.org"), "morning")
        if sys.argv[2] == "in transfer":
            sending.post = die
            await sending.send_messages(app)
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


@pytest.mark.parametrize("when", ["planned", "in transfer"])
async def test_a_process_that_is_killed_between_event_and_message_loses_none(
    database_url: str, tmp_path: Path, when: str
):
    async with a_receiver() as receiver:
        folder = a_config_folder(tmp_path / "config")
        write_secret(folder)
        main = f"{SITE}storage: '{database_url}'\n{webhooks_block(receiver.url)}"
        a_config_folder(folder, {"caveat.yaml": main})
        command = [sys.executable, "-c", KILLED, str(folder), when]
        done = await asyncio.to_thread(subprocess.run, command, env={**os.environ}, capture_output=True)
        assert done.returncode == -signal.SIGKILL, done.stderr.decode()

        loaded, pool = load_config(folder, {}), ProcessPool(1)
        database = await Database.open(database_url)
        async with database.read() as connection:
            [(created,)] = (await connection.execute(select(webhook_messages.c.created_at))).all()
        clock = Clock(created + 5 * MINUTE)
        app = Application(loaded.settings, loaded.roster, database, clock, pool)
        await send_messages(app)
        assert receiver.events == {"subscriber.unsubscribed": 1}
        await app.close()
        pool.shutdown(wait=False)
