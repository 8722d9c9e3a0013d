"""The demo's road: a folder, a server, a clock that runs fast, and the four stages as they always work."""

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
from service.app.preview import PreviewReader, next_issue
from service.cli.sample_site import free_port, serve_sample
from service.cli.ui import terminal
from service.cli.ui.digest_view import print_digest
from service.cli.ui.output import print_message, progress, quantity
from service.core.errors import CaveatError, UsageError
from service.core.model import Membership
from service.core.read_models import DeliveryDetails, IssueDetails
from service.runtime.logging import configure_logs
from service.runtime.signals import run
from service.settings.load import load_config
from service.settings.packaged_files import sample_folder

PORT_FILE, CONFIG, DATABASE, OUTBOX = ".port", "config", "data/caveat.db", "outbox"
DEMO_FILES = (CONFIG, "data", OUTBOX, PORT_FILE, ".gitignore")
"""What a demo puts into its folder, and all that it ever takes out again."""
SIMULATED_PERIOD = timedelta(hours=25)
"""How much time passes in a demo: each reader's hour comes, also on the day that autumn makes longer."""


@dataclass(slots=True)
class SimulatedClock:
    """A clock that stands still until it is set."""

    at: datetime

    def __call__(self) -> datetime:
        """Return the moment that it shows."""
        return self.at


@dataclass(frozen=True, slots=True)
class DemoResult:
    """A reader, and the last issue that they were given."""

    membership: Membership
    delivery: DeliveryDetails
    issue: IssueDetails


def run_demo(out: Path, *, fresh: bool) -> None:
    """Walk the road in the folder `out`. Raises CaveatError when something is in the way."""
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
            f"the sample cannot be served on port {port} of this machine ({error.strerror or error}); "
            "caveat demo --fresh tries another"
        ) from error


def _prepare(out: Path, *, fresh: bool) -> int:
    """Make the folder ready, and return the port for its server: the same in every demo there.

    Addresses are what articles are known by, so on another port they would all be new.
    """
    ours = (out / PORT_FILE).is_file()
    if out.exists() and not ours and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} holds other things; name an empty folder, or a new one, with --out")
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
    async with open_application(loaded.settings, loaded.roster, clock=clock) as house:
        await house.apply_roster()
        await _gather_and_condense(house)
        mails, problems = 0, dict[str, None]()
        for moment in await _due_times(house, now):
            clock.at = max(moment, clock.at)
            made = await house.compose()
            problems |= dict.fromkeys(made.problems)
            if made.deliveries:
                mails += (await house.deliver()).sent
        clock.at = now
        told = await _results(house)
        _print_deliveries(told, mails, again=again)
        await _print_shortest_issue(house, told)
        _print_next_steps(out)
    if problems:
        raise CaveatError(f"not all of the demo's issues could be made: {'; '.join(problems)}")


async def _gather_and_condense(house: Application) -> None:
    with progress("Gathering") as report:
        gathered = await house.gather(force=True, progress=report)
    if gathered.failed:
        raise CaveatError(f"the sample could not be gathered: {'; '.join(gathered.failed)}")
    print_message(
        f"Gathered   {quantity(gathered.polled, 'feed')} over HTTP, {quantity(gathered.new, 'new article')}"
    )
    with progress("Condensing") as report:
        condensed = await house.condense(progress=report)
    if condensed.condensed:
        print_message(
            f"Condensed  {quantity(condensed.condensed, 'article')} into key points, each word for word"
        )


async def _due_times(house: Application, now: datetime) -> Sequence[datetime]:
    due = {m.subscription.next_due_at for m in await house.subscribers.memberships()}
    return sorted(moment for moment in due if moment <= now)


async def _results(house: Application) -> list[DemoResult]:
    issues = {issue.id: issue for issue in await house.overview.issues()}
    told: list[DemoResult] = []
    for membership in await house.subscribers.memberships():
        last = await house.overview.deliveries_to(membership.subscriber.id, limit=1)
        told += [DemoResult(membership, delivery, issues[delivery.issue_id]) for delivery in last]
    return sorted(told, key=lambda one: one.issue.due_at)


def _print_deliveries(told: Sequence[DemoResult], mails: int, *, again: bool) -> None:
    if mails or not again:
        print_message(f"Delivered  {quantity(mails, 'mail')}, each reader at their own hour:")
    else:
        print_message(
            "Delivered  nothing: there is no news since the last demo here, and nobody is told a thing twice."
        )
        print_message("           caveat demo --fresh begins anew. This is what they were given:")
    for one in told:
        zone = one.membership.edition.timezone
        local = one.issue.due_at.astimezone(ZoneInfo(zone))
        stories = quantity(len(one.issue.article_ids), "article")
        print_message(f"             {local:%H:%M} {zone:<18} {one.membership.subscriber.name:<7} {stories}")
    print_message("")


async def _print_shortest_issue(house: Application, told: Sequence[DemoResult]) -> None:
    """Print the shortest of the issues, as it was when it was made."""
    one = min(told, key=lambda found: len(found.issue.article_ids), default=None)
    if one is None:
        raise CaveatError("the demo made no issue, which it should have; caveat doctor may know why")
    reader = PreviewReader(one.issue.edition, one.issue.served_from, one.membership.subscriber)
    found = await next_issue(house, reader, at=one.issue.due_at)
    newsletter = house.roster.newsletter(one.issue.newsletter)
    print_digest(found.digest, newsletter.title if newsletter else one.issue.newsletter)


def _print_next_steps(out: Path) -> None:
    program, config = shlex.quote(_program()), shlex.quote(str(out / CONFIG))
    mails = sorted((out / OUTBOX).glob("*.eml"))
    print_message(
        f"\nThe mail lies in {out / OUTBOX}: {quantity(len(mails), 'file')}. Open one with a mail program."
    )
    print_message("Three commands to try next:")
    for command, about in (
        (f"{program} --config {config} preview morning --for ben@example.org", "another reader's issue"),
        (f"{program} --config {config} issue list", "every issue, and what became of it"),
        (f"{program} config check", "then run: your own feeds, readers and hours"),
    ):
        print_message(f"  {terminal.bold(command)}\n      {about}")


def _program() -> str:
    """Return how a person in this folder starts the program that they have just started."""
    path = Path(sys.argv[0])
    here = Path.cwd()
    if path.is_absolute() and path.is_relative_to(here) and path.name == "caveat":
        return str(path.relative_to(here))
    return "caveat"
