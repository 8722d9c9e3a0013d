"""A sending pause holds in every process of the database, until the operator ends it for all."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from structlog.testing import capture_logs

from service.app.doctor.checks import run_checks
from service.app.factories.application import open_application
from service.app.sending.pausing import resume
from service.deliver.limits.rate_limit import RateLimits
from service.deliver.ports import LearnedRate, SendingPause
from service.runtime.stage_monitor import log_report
from service.settings.load import load_config
from service.store.coordination import SqlCoordination
from tests.builders import NOON
from tests.deliver.fakes import Clock
from tests.end_to_end.installation import write_config


async def test_a_sending_pause_holds_in_every_process_until_resumed(tmp_path: Path, database_url: str):
    folder = tmp_path / "config"
    write_config(folder, storage=database_url, news_url="http://127.0.0.1:1", smtp_port=25, web_port=8080)
    settings, clock = load_config(folder, {}), Clock()
    async with (
        open_application(settings.settings, settings.roster, clock=clock) as one,
        open_application(settings.settings, settings.roster, clock=clock) as other,
    ):
        halt = SendingPause(
            "the mail server refuses our mail as such: 550 5.7.1 no", NOON, NOON + timedelta(hours=1)
        )
        await SqlCoordination(one.database).begin_pause("127.0.0.1:25", halt)
        reports = [await app.deliver() for app in (one, other)]
        assert all("550 5.7.1 no" in report.alert for report in reports)
        assert [report.problems for report in reports] == [(reports[0].alert,)] * 2
        said = [finding.said async for finding in run_checks(settings, clock)]
        assert reports[0].alert in said
        # Whoever began the halt told it; the passes of a service do not repeat it every minute.
        with capture_logs() as logs:
            log_report("deliver", reports[1])
        assert logs == []

        assert (await resume(other, [])).sending_pause == halt
        assert (await resume(one, [])).sending_pause is None
        clock.now += timedelta(seconds=1)
        assert [(await app.deliver()).problems for app in (one, other)] == [(), ()]


async def test_doctor_names_the_setting_for_a_limit_that_was_learned(tmp_path: Path, database_url: str):
    folder = tmp_path / "config"
    write_config(folder, storage=database_url, news_url="http://127.0.0.1:1", smtp_port=25, web_port=8080)
    settings, clock = load_config(folder, {}), Clock()
    async with open_application(settings.settings, settings.roster, clock=clock) as app:
        records = SqlCoordination(app.database, clock)
        relay = LearnedRate(19.6, 20, NOON, NOON, reply="450 4.7.1 too much mail")
        assert await records.save_rate("127.0.0.1:25", "", relay, 0)
        assert await records.save_rate("127.0.0.1:25", "gmail.com", replace(relay, refused_at=NOON), 0)
        said = " ".join([finding.said async for finding in run_checks(settings, clock)])
    assert (
        "127.0.0.1:25 limits how fast mail may be sent (450 4.7.1 too much mail); it is sent 20 mails" in said
    )
    assert "mail.smtp.per_minute" in said
    assert "mail.smtp.domains for gmail.com" in said


async def test_the_limits_of_the_settings_are_shared(tmp_path: Path, database_url: str):
    folder = tmp_path / "config"
    write_config(folder, storage=database_url, news_url="http://127.0.0.1:1", smtp_port=25, web_port=8080)
    main = folder / "caveat.yaml"
    main.write_text(main.read_text().replace("connections: 2", "connections: 2, per_second: 5"))
    settings = load_config(folder, {})
    async with open_application(settings.settings, settings.roster) as app:
        deliverer = await app.deliverer()
        assert deliverer.coordination_store == SqlCoordination(app.database)
        assert deliverer.rate_limiter.limited
        assert deliverer.rate_limiter.overall.opens_at(0.0) is None
        assert RateLimits(per_second=5) == deliverer.rate_limiter._limits
