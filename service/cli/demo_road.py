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
from service.app.factories.application import House, open_house
from service.app.readers import Reader
from service.cli.sample_site import free_port, served
from service.cli.ui import terminal
from service.cli.ui.digest_view import show
from service.cli.ui.output import count, progress, say
from service.core.errors import CaveatError, UsageError
from service.core.model import Membership
from service.core.read_models import DeliveryLine, IssueLine
from service.runtime.logging import configure_logs
from service.runtime.signals import run
from service.settings.load import load_settings
from service.settings.packaged_files import sample_folder

PORT, CONFIG, DATABASE, OUTBOX = ".port", "config", "data/caveat.db", "outbox"
OURS = (CONFIG, "data", OUTBOX, PORT, ".gitignore")
"""What a demo puts into its folder, and all that it ever takes out again."""
DAY = timedelta(hours=25)
"""How much time passes in a demo: each reader's hour comes, also on the day that autumn makes longer."""


@dataclass(slots=True)
class FastClock:
    """A clock that stands still until it is set."""

    at: datetime

    def __call__(self) -> datetime:
        """Return the moment that it shows."""
        return self.at


@dataclass(frozen=True, slots=True)
class Told:
    """A reader, and the last issue that they were given."""

    membership: Membership
    delivery: DeliveryLine
    issue: IssueLine


def walk(out: Path, *, fresh: bool) -> None:
    """Walk the road in the folder `out`. Raises CaveatError when something is in the way."""
    configure_logs("critical")
    port = _prepare(out, fresh=fresh)
    again = (out / DATABASE).exists()
    now = utc_now().replace(second=0, microsecond=0)
    clock = FastClock(now if again else now - DAY)
    try:
        with served(sample_folder(), port=port, now=clock.at) as base:
            _write_config(out, base)
            run(_road(out, clock, now, again=again))
    except OSError as error:
        raise CaveatError(
            f"the sample cannot be served on port {port} of this machine ({error.strerror or error}); "
            "caveat demo --fresh tries another"
        ) from error


def _prepare(out: Path, *, fresh: bool) -> int:
    """Make the folder ready, and return the port for its server: the same in every demo there.

    Addresses are what articles are known by, so on another port they would all be new.
    """
    ours = (out / PORT).is_file()
    if out.exists() and not ours and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} holds other things; name an empty folder, or a new one, with --out")
    if fresh and ours:
        for name in OURS:
            path = out / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    out.mkdir(parents=True, exist_ok=True)
    try:
        return int((out / PORT).read_text())
    except (OSError, ValueError):
        port = free_port()
    (out / PORT).write_text(f"{port}\n")
    (out / ".gitignore").write_text("*\n")
    return port


def _write_config(out: Path, base: str) -> None:
    (out / CONFIG).mkdir(exist_ok=True)
    for path in sorted((sample_folder() / CONFIG).iterdir()):
        text = path.read_text(encoding="utf-8")
        (out / CONFIG / path.name).write_text(text.replace("{base}", base), encoding="utf-8")


async def _road(out: Path, clock: FastClock, now: datetime, *, again: bool) -> None:
    loaded = load_settings(out / CONFIG, {})
    async with open_house(loaded.settings, loaded.roster, clock=clock) as house:
        await house.apply_roster()
        await _gather_and_condense(house)
        mails, problems = 0, dict[str, None]()
        for moment in await _due_moments(house, now):
            clock.at = max(moment, clock.at)
            made = await house.compose()
            problems |= dict.fromkeys(made.problems)
            if made.deliveries:
                mails += (await house.deliver()).sent
        clock.at = now
        told = await _told(house)
        _say_who_got_what(told, mails, again=again)
        await _show_one(house, told)
        _say_what_next(out)
    if problems:
        raise CaveatError(f"not all of the demo's issues could be made: {'; '.join(problems)}")


async def _gather_and_condense(house: House) -> None:
    with progress("Gathering") as report:
        gathered = await house.gather(force=True, progress=report)
    if gathered.failed:
        raise CaveatError(f"the sample could not be gathered: {'; '.join(gathered.failed)}")
    say(f"Gathered   {count(gathered.looked, 'feed')} over HTTP, {count(gathered.new, 'new article')}")
    with progress("Condensing") as report:
        condensed = await house.condense(progress=report)
    if condensed.condensed:
        say(f"Condensed  {count(condensed.condensed, 'article')} into key points, each word for word")


async def _due_moments(house: House, now: datetime) -> Sequence[datetime]:
    due = {m.subscription.next_due_at for m in await house.people.memberships()}
    return sorted(moment for moment in due if moment <= now)


async def _told(house: House) -> list[Told]:
    issues = {issue.id: issue for issue in await house.overview.issues()}
    told: list[Told] = []
    for membership in await house.people.memberships():
        last = await house.overview.deliveries_to(membership.subscriber.id, limit=1)
        told += [Told(membership, delivery, issues[delivery.issue_id]) for delivery in last]
    return sorted(told, key=lambda one: one.issue.due_at)


def _say_who_got_what(told: Sequence[Told], mails: int, *, again: bool) -> None:
    if mails or not again:
        say(f"Delivered  {count(mails, 'mail')}, each reader at their own hour:")
    else:
        say(
            "Delivered  nothing: there is no news since the last demo here, and nobody is told a thing twice."
        )
        say("           caveat demo --fresh begins anew. This is what they were given:")
    for one in told:
        zone = one.membership.edition.timezone
        local = one.issue.due_at.astimezone(ZoneInfo(zone))
        stories = count(len(one.issue.article_ids), "article")
        say(f"             {local:%H:%M} {zone:<18} {one.membership.subscriber.name:<7} {stories}")
    say("")


async def _show_one(house: House, told: Sequence[Told]) -> None:
    """Print the shortest of the issues, as it was when it was made."""
    one = min(told, key=lambda found: len(found.issue.article_ids), default=None)
    if one is None:
        raise CaveatError("the demo made no issue, which it should have; caveat doctor may know why")
    reader = Reader(one.issue.edition, one.issue.told_from, one.membership.subscriber)
    found = await house.preview(reader, at=one.issue.due_at)
    newsletter = house.roster.newsletter(one.issue.newsletter)
    show(found.digest, newsletter.title if newsletter else one.issue.newsletter)


def _say_what_next(out: Path) -> None:
    program, config = shlex.quote(_program()), shlex.quote(str(out / CONFIG))
    mails = sorted((out / OUTBOX).glob("*.eml"))
    say(f"\nThe mail lies in {out / OUTBOX}: {count(len(mails), 'file')}. Open one with a mail program.")
    say("Three commands to try next:")
    for command, about in (
        (f"{program} --config {config} preview morning --for ben@example.org", "another reader's issue"),
        (f"{program} --config {config} issue list", "every issue, and what became of it"),
        (f"{program} config check", "then run: your own feeds, readers and hours"),
    ):
        say(f"  {terminal.bold(command)}\n      {about}")


def _program() -> str:
    """Return how a person in this folder starts the program that they have just started."""
    path = Path(sys.argv[0])
    here = Path.cwd()
    if path.is_absolute() and path.is_relative_to(here) and path.name == "caveat":
        return str(path.relative_to(here))
    return "caveat"
