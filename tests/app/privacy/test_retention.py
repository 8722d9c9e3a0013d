"""Retention: old data about people go, the numbers of issues stay."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from service.app.factories.application import open_application
from service.app.maintenance import prune
from service.core.model import AuditEntry, DeliveryState
from service.settings.values import PrivacySettings
from service.store.audit import SqlAuditStore
from service.store.bounces import SqlBounceStore
from service.store.schema import bounces, deliveries
from tests.builders import NOON
from tests.deliver.fakes import Clock
from tests.settings.config_folders import a_config_folder, faults, loaded
from tests.store.stores import DAY, HOUR, Stores, a_desired_subscription, an_issue

PRIVACY = PrivacySettings(deliveries=40 * DAY, bounces=35 * DAY, audit=50 * DAY)


async def sent_issue(stores: Stores, *, last: DeliveryState = DeliveryState.SENT) -> None:
    """Record an issue for Amina and Ben; the mail to one of them has the state `last`."""
    people = [a_desired_subscription(), a_desired_subscription("ben")]
    await stores.subscribers.save_roster_subscriptions(people, NOON - DAY, starts_after=NOON - DAY)
    group = await stores.due_group()
    await stores.compose.record_issue(group, an_issue(group), NOON + DAY, "file")
    batch = (await stores.take_batch("a")).deliveries
    await stores.record_state("a", batch, DeliveryState.ATTEMPTING)
    await stores.record_state("a", batch[:1], DeliveryState.SENT)
    await stores.record_state("a", batch[1:], last)
    await SqlBounceStore(stores.database).record_bounce(batch[0].id, hard=False, reason="full", now=NOON)
    entry = AuditEntry(NOON, "", "ada", "issue_paused", "i", {})
    await SqlAuditStore(stores.database).append(entry)


async def left(stores: Stores) -> tuple[int, int, int]:
    """Return the numbers of deliveries, bounces and entries of the audit record."""
    async with stores.database.read() as connection:
        rows = [len((await connection.execute(table.select())).all()) for table in (deliveries, bounces)]
    return rows[0], rows[1], len(await SqlAuditStore(stores.database).page(None, 9))


async def test_rows_about_people_expire_and_the_books_of_their_issue_close(tmp_path: Path, database_url: str):
    clock, found = Clock(), loaded(a_config_folder(tmp_path))
    settings = replace(found.settings, storage=database_url)
    async with open_application(settings, found.roster, clock=clock) as app:
        stores = Stores(app.database)
        await sent_issue(stores)
        [before] = await stores.queries.issues()
        clock.now = NOON + 400 * DAY
        await prune(app)
        assert await left(stores) == (2, 1, 1)  # by default nothing expires

        app.settings = replace(settings, privacy=PRIVACY)
        for days, rows in ((34, (2, 1, 1)), (39, (2, 0, 1)), (49, (0, 0, 1)), (51, (0, 0, 0))):
            clock.now = NOON + timedelta(days=days) + HOUR
            await prune(app)
            assert await left(stores) == rows, days
        [after] = await stores.queries.issues()
        assert (after.books, after.books.closed) == (before.books, True)


async def test_an_issue_with_an_unknown_outcome_keeps_its_rows(tmp_path: Path, database_url: str):
    clock, found = Clock(), loaded(a_config_folder(tmp_path))
    settings = replace(found.settings, storage=database_url, privacy=PRIVACY)
    async with open_application(settings, found.roster, clock=clock) as app:
        await sent_issue(Stores(app.database), last=DeliveryState.UNCERTAIN)
        clock.now = NOON + 400 * DAY
        await prune(app)
        assert (await left(Stores(app.database)))[0] == 2


def test_a_time_that_is_too_short_is_a_fault(tmp_path: Path):
    folder = a_config_folder(tmp_path)
    with (folder / "caveat.yaml").open("a") as file:
        file.write("privacy: {bounces: 3d}\n")
    [fault] = faults(folder)
    assert "at least 30d" in str(fault)
