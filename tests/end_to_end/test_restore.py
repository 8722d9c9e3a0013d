"""A restore after mails were sent and subscribers left: no mail is sent twice or to those who left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from service.app import maintenance as upkeep
from service.app.factories.application import Application, open_application
from service.core.errors import StoreError
from service.settings.load import load_config
from service.subscribers import actions as choices
from tests.end_to_end.installation import (
    Clock,
    Inbox,
    free_port,
    running,
    smtp_server,
    sweep_until_idle,
    unsubscribe,
    write_config,
)
from tests.end_to_end.news_site import news_site, published_articles

DAY = timedelta(days=1)
FIRST = datetime(2026, 3, 4, 14, 0, tzinfo=UTC)
"""After the due time of every subscriber on that day."""


@dataclass
class Installation:
    """A configuration with a clock, an inbox and the path of its backup."""

    config: Path
    clock: Clock
    inbox: Inbox
    backup: Path

    @property
    def settings(self):
        return load_config(self.config, {}).settings

    def mailed(self) -> list[str]:
        return [mail.to.partition("@")[0] for mail in self.inbox.mails]

    async def restore(self):
        return await upkeep.restore(self.settings, self.backup, clock=self.clock)


@pytest.fixture
def installation(tmp_path: Path, database_url: str):
    clock, news = Clock(FIRST - DAY), published_articles(FIRST - 2 * DAY, 6)
    with smtp_server() as (inbox, smtp_port), news_site(news, clock) as base:
        config = tmp_path / "config"
        write_config(config, storage=database_url, news_url=base, smtp_port=smtp_port, web_port=free_port())
        yield Installation(config, clock, inbox, tmp_path / "backup")


async def run_past_the_backup(installation: Installation) -> None:
    """Send a first issue, make a backup, send a second one; then Ben leaves and Carla is erased."""
    async with running(installation.config, installation.clock) as service:
        await sweep_until_idle(service)
        installation.clock.at = FIRST
        await sweep_until_idle(service)
        assert sorted(installation.mailed()) == ["amina", "ben", "carla"]
        await upkeep.back_up(installation.settings, installation.backup)
        installation.clock.at = FIRST + DAY
        await sweep_until_idle(service)
        assert sorted(installation.mailed()) == ["amina", "amina", "ben", "ben", "carla", "carla"]
        await unsubscribe(installation.inbox.mails_to("ben")[-1])
        await choices.erase(service.app.subscribers, "carla@example.org", installation.clock())


async def statuses(app: Application) -> dict[str, str]:
    return {m.subscriber.email: m.subscription.status.value for m in await app.subscribers.memberships()}


async def test_a_restore_is_refused_while_the_service_runs(installation: Installation):
    await run_past_the_backup(installation)
    async with running(installation.config, installation.clock) as service:
        before = await statuses(service.app)
        with pytest.raises(StoreError, match=r"is in use, and a restore needs it alone; stop the service"):
            await installation.restore()
        await sweep_until_idle(service)
        assert await statuses(service.app) == before
    assert len(installation.mailed()) == 6


async def test_after_a_restore_no_mail_is_sent_twice_or_to_an_unsubscribed_person(installation: Installation):
    await run_past_the_backup(installation)

    restored = await installation.restore()

    assert restored.hold_reason == ""
    assert restored.merged.deliveries == 3  # the delivery of the erased Carla stays without a subscriber
    async with running(installation.config, installation.clock) as service:
        await sweep_until_idle(service)
        assert len(installation.mailed()) == 6
        installation.clock.at = FIRST + 2 * DAY
        await sweep_until_idle(service)
        assert installation.mailed()[6:] == ["amina"]
        assert all(issue.books.closed for issue in await service.app.queries.issues())
    for name in ("amina", "ben", "carla"):
        sent = [mark for mail in installation.inbox.mails_to(name) for mark in mail.article_marks]
        assert len(sent) == len(set(sent))
    # Three days with four articles each: none is missed either.
    assert len({mark for mail in installation.inbox.mails_to("amina") for mark in mail.article_marks}) == 12


async def test_without_the_old_database_nothing_is_sent_until_it_is_resumed(
    installation: Installation,
):
    await run_past_the_backup(installation)
    await delete_database(installation)

    restored = await installation.restore()

    assert restored.merged is None
    assert "what was sent since the backup is not known" in restored.hold_reason
    loaded = load_config(installation.config, {})
    async with open_application(loaded.settings, loaded.roster, clock=installation.clock) as app:
        assert (await app.compose()).deliveries == 3
        with pytest.raises(StoreError, match=r"nothing is sent: .* caveat restore --resume"):
            await app.deliver()
        assert len(installation.mailed()) == 6
    assert await upkeep.resume_sending(installation.settings)
    async with open_application(loaded.settings, loaded.roster, clock=installation.clock) as app:
        assert (await app.deliver()).sent == 3


async def delete_database(installation: Installation) -> None:
    """Delete the database, as after a broken disk."""
    storage = installation.settings.storage
    if storage.startswith("sqlite"):
        path = Path(storage.removeprefix("sqlite:///"))
        for left in path.parent.glob(f"{path.name}*"):
            left.unlink()
    else:
        connection = await asyncpg.connect(storage)
        await connection.execute("DROP SCHEMA public CASCADE")
        await connection.execute("CREATE SCHEMA public")
        await connection.close()
