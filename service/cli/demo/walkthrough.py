"""The walkthrough of the demo: a folder, a web server, a simulated clock, and the four real stages."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from service.app.clock import utc_now
from service.app.factories.application import Application, open_application
from service.app.factories.config_folder import load_config, sample_folder
from service.app.preview import PreviewReader, next_issue
from service.cli.demo.sample_site import free_port, serve_sample
from service.cli.ui import terminal
from service.cli.ui.digest_view import print_digest
from service.cli.ui.output import print_message, progress, quantity
from service.core.errors import CaveatError, UsageError
from service.core.model import Membership
from service.core.read_models import DeliveryDetails, IssueDetails
from service.runtime.event_loop import run
from service.runtime.logging import configure_logs

PORT_FILE, CONFIG, DATABASE, OUTBOX = ".port", "config", "data/caveat.db", "outbox"
DEMO_FILES = (CONFIG, "data", OUTBOX, PORT_FILE, ".gitignore")
"""The files that a demo creates in its folder; --fresh deletes these and no others."""
SIMULATED_PERIOD = timedelta(hours=25)  # every daily schedule is due once, even on the 25-hour day in autumn


@dataclass(slots=True)
class SimulatedClock:
    """A clock that shows the time it was set to."""

    at: datetime

    def __call__(self) -> datetime:
        """Return that time."""
        return self.at


@dataclass(frozen=True, slots=True)
class DemoResult:
    """A subscriber and their latest issue."""

    membership: Membership
    delivery: DeliveryDetails
    issue: IssueDetails


def run_demo(out: Path, *, fresh: bool) -> None:
    """Run the demo in the folder `out`. Raises CaveatError if that fails."""
    configure_logs("critical")
    port = _prepare(out, fresh=fresh)
    again = (out / DATABASE).exists()
    now = utc_now().replace(second=0, microsecond=0)
    clock = SimulatedClock(now if again else now - SIMULATED_PERIOD)
    try:
        with serve_sample(sample_folder(), port=port, now=clock.at) as base:
            _write_config(out, base)
            run(_run_stages(out, clock, now, again=again))
    except OSError as error:
        raise CaveatError(
            f"port {port} of this machine cannot be opened ({error.strerror or error}); "
            "caveat demo --fresh tries another"
        ) from error


def _prepare(out: Path, *, fresh: bool) -> int:
    """Prepare the folder, and return the port of its web server: the same for every demo in it.

    An article is identified by its address, so with another port every article would be new.
    """
    ours = (out / PORT_FILE).is_file()
    if out.exists() and not ours and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} contains other files; name an empty or new folder with --out")
    if fresh and ours:
        for name in DEMO_FILES:
            path = out / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    out.mkdir(parents=True, exist_ok=True)
    try:
        return int((out / PORT_FILE).read_text())
    except (OSError, ValueError):
        port = free_port()
    (out / PORT_FILE).write_text(f"{port}\n")
    (out / ".gitignore").write_text("*\n")
    return port


def _write_config(out: Path, base: str) -> None:
    (out / CONFIG).mkdir(exist_ok=True)
    for path in sorted((sample_folder() / CONFIG).iterdir()):
        text = path.read_text(encoding="utf-8")
        (out / CONFIG / path.name).write_text(text.replace("{base}", base), encoding="utf-8")


async def _run_stages(out: Path, clock: SimulatedClock, now: datetime, *, again: bool) -> None:
    loaded = load_config(out / CONFIG, {})
    async with open_application(loaded.settings, loaded.roster, clock=clock) as app:
        await app.apply_roster()
        await _gather_and_condense(app)
        mails, problems = 0, dict[str, None]()
        for due_at in await _due_times(app, now):
            clock.at = max(due_at, clock.at)
            composed = await app.compose()
            problems |= dict.fromkeys(composed.problems)
            if composed.deliveries:
                mails += (await app.deliver()).sent
        clock.at = now
        results = await _results(app)
        _print_deliveries(results, mails, again=again)
        await _print_shortest_issue(app, results)
        _print_next_steps(out)
    if problems:
        raise CaveatError(f"not every issue of the demo could be composed: {'; '.join(problems)}")


async def _gather_and_condense(app: Application) -> None:
    with progress("Gathering") as report:
        gathered = await app.gather(force=True, progress=report)
    if gathered.failed:
        raise CaveatError(f"the sample could not be gathered: {'; '.join(gathered.failed)}")
    print_message(
        f"Gathered   {quantity(gathered.polled, 'feed')} over HTTP, {quantity(gathered.new, 'new article')}"
    )
    with progress("Condensing") as report:
        condensed = await app.condense(progress=report)
    if condensed.condensed:
        print_message(
            f"Condensed  {quantity(condensed.condensed, 'article')} into key points, each word for word"
        )


async def _due_times(app: Application, now: datetime) -> Sequence[datetime]:
    due = {m.subscription.next_due_at for m in await app.subscribers.memberships()}
    return sorted(time for time in due if time <= now)


async def _results(app: Application) -> list[DemoResult]:
    issues = {issue.id: issue for issue in await app.queries.issues()}
    results: list[DemoResult] = []
    for membership in await app.subscribers.memberships():
        last = await app.queries.deliveries_to(membership.subscriber.id, limit=1)
        results += [DemoResult(membership, delivery, issues[delivery.issue_id]) for delivery in last]
    return sorted(results, key=lambda result: result.issue.due_at)


def _print_deliveries(results: Sequence[DemoResult], mails: int, *, again: bool) -> None:
    if mails or not again:
        print_message(f"Delivered  {quantity(mails, 'mail')}, to each subscriber at their own time:")
    else:
        print_message(
            "Delivered  no mail: there is no new article since the last demo, and no article is sent twice."
        )
        print_message(
            "           caveat demo --fresh starts from the beginning. These mails were sent before:"
        )
    for one in results:
        zone = one.membership.edition.timezone
        local = one.issue.due_at.astimezone(ZoneInfo(zone))
        stories = quantity(len(one.issue.article_ids), "article")
        print_message(f"             {local:%H:%M} {zone:<18} {one.membership.subscriber.name:<7} {stories}")
    print_message("")


async def _print_shortest_issue(app: Application, results: Sequence[DemoResult]) -> None:
    """Print the shortest of the issues, as it was composed."""
    one = min(results, key=lambda found: len(found.issue.article_ids), default=None)
    if one is None:
        raise CaveatError("the demo composed no issue; caveat doctor may find the reason")
    reader = PreviewReader(one.issue.edition, one.issue.served_from, one.membership.subscriber)
    found = await next_issue(app, reader, at=one.issue.due_at)
    newsletter = app.roster.newsletter(one.issue.newsletter)
    print_digest(found.digest, newsletter.title if newsletter else one.issue.newsletter)


def _print_next_steps(out: Path) -> None:
    program, config = shlex.quote(_program()), shlex.quote(str(out / CONFIG))
    mails = sorted((out / OUTBOX).glob("*.eml"))
    print_message(
        f"\nThe mails are in {out / OUTBOX}: {quantity(len(mails), 'file')}. Open one with a mail program."
    )
    print_message("Three commands to try next:")
    for command, about in (
        (
            f"{program} --config {config} preview morning --for ben@example.org",
            "the issue of another subscriber",
        ),
        (f"{program} --config {config} issue list", "every issue, with the states of its deliveries"),
        (f"{program} config check", "check your own configuration; then caveat run"),
    ):
        print_message(f"  {terminal.bold(command)}\n      {about}")


def _program() -> str:
    """Return the command that starts this program from the current folder."""
    path = Path(sys.argv[0])
    here = Path.cwd()
    if path.is_absolute() and path.is_relative_to(here) and path.name == "caveat":
        return str(path.relative_to(here))
    return "caveat"
