"""A backup is put back after mails were sent and people left: nobody is mailed twice, or after they left."""

from __future__ import annotations

import asyncio
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
from tests.end_to_end.press import edition_of, press
from tests.end_to_end.world import (
    Clock,
    Inbox,
    free_port,
    leave,
    running,
    smtp_server,
    until_quiet,
    write_config,
)

DAY = timedelta(days=1)
FIRST = datetime(2026, 3, 4, 14, 0, tzinfo=UTC)
"""Past everybody's hour of that day."""


@dataclass
class World:
    """A running configuration with a press and an inbox, and where its backup is."""

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
def world(tmp_path: Path, database_url: str):
    clock, news = Clock(FIRST - DAY), edition_of(FIRST - 2 * DAY, 6)
    with smtp_server() as (inbox, smtp_port), press(news, clock) as base:
        config = tmp_path / "config"
        write_config(config, storage=database_url, press=base, smtp_port=smtp_port, web_port=free_port())
        yield World(config, clock, inbox, tmp_path / "backup")


async def live_until_after_the_backup(world: World) -> None:
    """Send a first issue, make a backup, send a second one; then Ben leaves and Carla is erased."""
    async with running(world.config, world.clock) as service:
        await until_quiet(service)
        world.clock.at = FIRST
        await until_quiet(service)
        assert sorted(world.mailed()) == ["amina", "ben", "carla"]
        await asyncio.to_thread(upkeep.back_up, world.settings, world.backup)
        world.clock.at = FIRST + DAY
        await until_quiet(service)
        assert sorted(world.mailed()) == ["amina", "amina", "ben", "ben", "carla", "carla"]
        await leave(world.inbox.of("ben")[-1])
        await choices.erase(service.app.subscribers, "carla@example.org", world.clock())


async def statuses(house: Application) -> dict[str, str]:
    return {m.subscriber.email: m.subscription.status.value for m in await house.subscribers.memberships()}


async def test_a_restore_under_a_running_service_changes_nothing(world: World):
    await live_until_after_the_backup(world)
    async with running(world.config, world.clock) as service:
        before = await statuses(service.app)
        with pytest.raises(StoreError, match=r"is in use, and a restore needs it alone; stop the service"):
            await world.restore()
        await until_quiet(service)
        assert await statuses(service.app) == before
    assert len(world.mailed()) == 6


async def test_after_a_restore_nobody_is_mailed_twice_and_nobody_who_left(world: World):
    await live_until_after_the_backup(world)

    restored = await world.restore()

    assert restored.hold_reason == ""
    assert restored.merged.deliveries == 3  # Carla's line stays, as nobody's
    async with running(world.config, world.clock) as service:
        await until_quiet(service)
        assert len(world.mailed()) == 6
        world.clock.at = FIRST + 2 * DAY
        await until_quiet(service)
        assert world.mailed()[6:] == ["amina"]
        assert all(issue.books.closed for issue in await service.app.overview.issues())
    for name in ("amina", "ben", "carla"):
        told = [mark for mail in world.inbox.of(name) for mark in mail.told]
        assert len(told) == len(set(told))
    # Three days with four articles each: none is missed either.
    assert len({mark for mail in world.inbox.of("amina") for mark in mail.told}) == 12


async def test_without_the_database_of_before_nothing_is_sent_until_somebody_says_so(world: World):
    await live_until_after_the_backup(world)
    await lose(world)

    restored = await world.restore()

    assert restored.merged is None
    assert "what was sent since the backup is not known" in restored.hold_reason
    loaded = load_config(world.config, {})
    async with open_application(loaded.settings, loaded.roster, clock=world.clock) as house:
        assert (await house.compose()).deliveries == 3
        with pytest.raises(StoreError, match=r"nothing is sent: .* caveat restore --resume"):
            await house.deliver()
        assert len(world.mailed()) == 6
    assert await upkeep.resume_sending(world.settings)
    async with open_application(loaded.settings, loaded.roster, clock=world.clock) as house:
        assert (await house.deliver()).sent == 3


async def lose(world: World) -> None:
    """Take the database away, as a broken disk does."""
    storage = world.settings.storage
    if storage.startswith("sqlite"):
        path = Path(storage.removeprefix("sqlite:///"))
        for left in path.parent.glob(f"{path.name}*"):
            left.unlink()
    else:
        connection = await asyncpg.connect(storage)
        await connection.execute("DROP SCHEMA public CASCADE")
        await connection.execute("CREATE SCHEMA public")
        await connection.close()
