"""Each newsletter with its readers by group: when their next issue is due, and what they chose."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from service.app.factories.application import Application
from service.app.newsletters.overview import KEPT, newsletters_overview
from service.app.process_pool.pool import ProcessPool
from service.settings.load import load_config
from service.store.database import Database
from tests.builders import NOON
from tests.end_to_end.installation import Clock
from tests.settings.config_folders import a_config_folder

NEWSLETTERS = """newsletters:
  - {id: morning, title: The Morning, topics: [world], schedule: "daily 07:00", timezone: UTC}
  - {id: evening, title: The Evening, schedule: "weekly fri 18:00", timezone: UTC}
"""


SUBSCRIBERS = """subscribers:
  - {email: amina@example.org, newsletters: [morning]}
  - {email: ben@example.org, newsletters: [morning]}
  - email: carla@example.org
    newsletters: [{id: morning, schedule: "weekdays 06:00", stories: 3, follow: [harbour]}]
"""
DORA = "  - {email: dora@example.org, newsletters: [morning]}\n"


async def test_readers_are_counted_by_group_and_kept_for_a_moment(database: Database, tmp_path: Path):
    files = {"newsletters.yaml": NEWSLETTERS, "subscribers.yaml": SUBSCRIBERS}
    loaded, clock = load_config(a_config_folder(tmp_path / "config", files), {}), Clock(NOON)
    app = Application(loaded.settings, loaded.roster, database, clock, ProcessPool(1))
    await app.apply_roster()

    morning, evening = await newsletters_overview(app)
    assert (morning.when, morning.readers) == ("every day at 07:00", 3)
    assert [(group.when, group.readers, group.wanted) for group in morning.groups] == [
        ("every day at 07:00", 2, ""),
        ("Monday to Friday at 06:00", 1, "follow: harbour; stories: 3"),
    ]
    due = min(group.due_at for group in morning.groups)
    assert morning.next_at == due == NOON.replace(hour=6) + timedelta(days=1)
    assert (evening.readers, evening.next_at, evening.groups) == (0, None, ())

    files["subscribers.yaml"] += DORA
    app.roster = load_config(a_config_folder(tmp_path / "config", files), {}).roster
    await app.apply_roster()
    assert (await newsletters_overview(app))[0].readers == 3
    clock.at += KEPT
    assert (await newsletters_overview(app))[0].readers == 4
