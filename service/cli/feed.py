"""`caveat feed`: the feeds that are looked at; find, add, remove, inspect them, and see how they are."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.cli.ui import context as session
from service.cli.ui.help import CommandTyper
from service.cli.ui.options import AsJson, DryRun
from service.cli.ui.output import (
    hanging_paragraph,
    print_data,
    print_json,
    print_message,
    print_records,
    printable,
    quantity,
)
from service.core.errors import CaveatError, UsageError
from service.core.ids import feed_id

if TYPE_CHECKING:
    from service.app.factories.application import Application
    from service.app.feeds import Inspection
    from service.core.model import Feed
    from service.core.read_models import FeedDetails

MAX_SHOWN_ENTRIES = 10
FORMAT_NAMES = {
    "rss20": "RSS 2.0",
    "rss10": "RSS 1.0",
    "rss092": "RSS 0.92",
    "rss091u": "RSS 0.91",
    "rss091n": "RSS 0.91",
    "rss090": "RSS 0.90",
    "atom10": "Atom 1.0",
    "atom03": "Atom 0.3",
    "json11": "JSON Feed 1.1",
    "json10": "JSON Feed 1.0",
    "cdf": "CDF",
}
"""What a format's short word is called in its specification."""

chapter = CommandTyper(
    """The feeds that are looked at.

    They stand in feeds.yaml, which these commands edit and leave its comments in place; a running service
    takes the change over by itself.
    """,
    name="feed",
)


@chapter.add("list", "caveat feed list\ncaveat feed list --json | jq -r .url")
def list_feeds(*, as_json: AsJson = False) -> None:
    """List the feeds with their last success, last trouble and next look."""
    from service.cli.ui.open_app import run_in_app  # noqa: PLC0415 - not for `--help`

    async def work(house: Application) -> bool:
        known = {line.state.feed.id: line for line in await house.overview.feeds()}
        records = [_feed_record(feed, known.get(feed.id)) for feed in house.roster.feeds]
        shown = records if as_json else [_feed_row(record, house.clock()) for record in records]
        print_records(
            shown, as_json=as_json, empty_message="There is no feed so far; caveat feed add ADDRESS adds one."
        )
        troubles = [(str(record["name"]), str(record["trouble"])) for record in records if record["trouble"]]
        if not as_json:
            _print_sentences(troubles)
        return True

    run_in_app(work)


def _feed_record(feed: Feed, line: FeedDetails | None) -> dict[str, object]:
    state = line.state if line else None
    return {
        "name": feed.name,
        "url": feed.url,
        "topics": feed.topics,
        "articles": line.articles if line else 0,
        "read": state.last_success_at if state else None,
        "next": state.next_poll_at if state else None,
        "trouble": state.last_error if state else None,
    }


def _feed_row(record: dict[str, Any], now: datetime) -> dict[str, object]:
    """Return a feed's line of the table: ages instead of instants, its address last."""
    from service.app.feeds import time_since, time_until  # noqa: PLC0415 - not for `--help`

    ages = {"read": time_since(record["read"], now), "next": time_until(record["next"], now)}
    return {**{key: record[key] for key in ("name", "topics", "articles")}, **ages, "url": record["url"]}


def _print_sentences(named: Sequence[tuple[str, str]]) -> None:
    """Print sentences about feeds below a table."""
    if named:
        print_data("")
    for name, text in named:
        print_data(hanging_paragraph(name, text))


@chapter.add(
    "add",
    """
    caveat feed add https://example.org/feed.xml --topic world
    caveat feed add example.org --name Example --dry-run
    """,
)
def add(
    address: Annotated[
        str, typer.Argument(metavar="ADDRESS", help="A feed's address, or that of any page of its site.")
    ],
    *,
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="The publisher's name.")] = None,
    topics: Annotated[
        list[str] | None, typer.Option("--topic", metavar="TOPIC", help="A topic; say it again for another.")
    ] = None,
    language: Annotated[str | None, typer.Option("--language", metavar="CODE", help="Its language.")] = None,
    pick: Annotated[
        int, typer.Option("--pick", metavar="N", min=1, help="Which, where a site has several.")
    ] = 1,
    dry_run: DryRun = False,
) -> None:
    """Add a feed, by its address or that of its site; or a file, as file:notices.xml.

    An address is asked first: a site's own feeds are found, and what is no feed is not added.
    """
    from service.settings.yaml import edit  # noqa: PLC0415 - not for `--help`

    url, title = (address, "") if address.startswith("file:") else _discover(address, pick)
    _require_new(url)
    entry = {"url": url, "name": name or title, "topics": topics, "language": language}
    entry = {key: value for key, value in entry.items() if value}
    if not dry_run:
        edit.add(session.options().config, "feeds", [entry], os.environ)
    named = f"{entry['name']}: {url}" if "name" in entry else url
    print_message(f"{'Would add' if dry_run else 'Added'} {named}")


def _require_new(url: str) -> None:
    """Raise UsageError for a feed that is there already, under whatever spelling of its address."""
    there = {feed.id: feed for feed in session.load_config().roster.feeds}
    if (known := there.get(feed_id(url))) is not None:
        raise UsageError(f"{known.name} is there already, with the address {known.url}")


def _discover(address: str, pick: int) -> tuple[str, str]:
    """Return the feed, and its title, that an address leads to. Raises CaveatError when there is none."""
    from service.app.feeds import discover  # noqa: PLC0415 - not for `--help`
    from service.runtime.signals import run  # noqa: PLC0415 - as above

    found = run(discover(session.load_config().settings, address))
    if not found.feeds:
        raise CaveatError(f"{address} leads to no feed: {found.reason}")
    if len(found.feeds) > 1:
        for number, feed in enumerate(found.feeds, start=1):
            print_message(f"{'*' if number == pick else ' '} {number}. {feed.url}  {feed.title}".rstrip())
    if pick > len(found.feeds):
        raise UsageError(f"--pick {pick}: the site has {quantity(len(found.feeds), 'feed')}")
    return found.feeds[pick - 1].url, found.feeds[pick - 1].title


@chapter.add("remove", "caveat feed remove https://example.org/feed.xml\ncaveat feed remove Example")
def remove(
    name: Annotated[str, typer.Argument(metavar="FEED", help="Its address or its name.")],
) -> None:
    """Take a feed out; what it brought so far stays."""
    from service.settings.yaml import edit  # noqa: PLC0415 - not for `--help`

    edit.remove(session.options().config, "feeds", name, os.environ)
    print_message(f"Took {name} out of feeds.yaml.")


@chapter.add(
    "inspect",
    """
    caveat feed inspect https://example.org/feed.xml
    caveat feed inspect --json *.xml
    ls *.xml | caveat feed inspect --json -
    """,
)
def inspect(
    sources: Annotated[
        list[str], typer.Argument(metavar="SOURCE", help="Addresses or files; - for names on standard input.")
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Show what a feed holds, or why it is none; nothing is recorded.

    With --json each source gets one line, in order: {"source", "ok", "error", "format", "title", "entries":
    [{"id", "title", "url", "published", "text"}]}. One that fails never stops the others; the exit code is
    1 then.
    """
    from service.app.feeds import inspect_each  # noqa: PLC0415 - not for `--help`
    from service.runtime.signals import run  # noqa: PLC0415 - as above

    show = _print_inspection_json if as_json else _print_inspection
    if not run(inspect_each(session.fetch_settings(), _source_names(sources), show)):
        raise typer.Exit(1)


@chapter.add("health", "caveat feed health\ncaveat feed health --json | jq 'select(.flags != [])'")
def health(*, as_json: AsJson = False) -> None:
    """Show how each feed is doing: rhythm, silence, faults, and what a person should look at.

    `faulty` is the share of its documents whose markup was broken, `repeats` that of old items under new
    names. The exit code is 1 when some feed wants a look.
    """
    from service.app.feeds import health_flags, health_record  # noqa: PLC0415 - as above
    from service.cli.ui.open_app import run_in_app  # noqa: PLC0415 - not for `--help`

    async def work(house: Application) -> bool:
        lines = [line for line in await house.overview.feeds() if line.active]
        now = house.clock()
        records = [health_record(line, now, short=not as_json) for line in lines]
        print_records(
            records, as_json=as_json, empty_message="No feed was looked at so far; caveat gather does."
        )
        flags = [(line.state.feed.name, flag) for line in lines for flag in health_flags(line, now)]
        if not as_json:
            _print_sentences(flags)
        return not flags

    run_in_app(work)


@chapter.add(
    "import", "caveat feed import subscriptions.opml\ncaveat feed import subscriptions.opml --dry-run"
)
def import_feeds(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A list of feeds (OPML); - for standard input.")
    ],
    *,
    dry_run: DryRun = False,
) -> None:
    """Add the feeds of a list that a feed reader exported (OPML); folders become topics.

    Feeds that are there already are left as they are. What cannot be taken is named; the exit code is 1.
    """
    from service.app.feeds import read_opml_entries  # noqa: PLC0415 - as above
    from service.cli.summarize import open_input  # noqa: PLC0415 - not for `--help`
    from service.settings.yaml import edit  # noqa: PLC0415 - as above

    loaded = session.load_config()
    with open_input(file) as stream:
        entries, left_out = read_opml_entries(stream.read(), loaded.roster)
    for sentence in left_out:
        print_message(sentence)
    if entries and not dry_run:
        edit.add(session.options().config, "feeds", entries, os.environ)
    print_message(f"{'Would add' if dry_run else 'Added'} {quantity(len(entries), 'feed')}.")
    if left_out:
        raise typer.Exit(1)


@chapter.add("export", "caveat feed export > feeds.opml")
def export() -> None:
    """Print the feeds as a list that every feed reader takes (OPML)."""
    from service.app.feeds import write_opml_feeds  # noqa: PLC0415 - not for `--help`

    loaded = session.load_config()
    sys.stdout.buffer.write(write_opml_feeds(loaded))


def _source_names(sources: Iterable[str]) -> Iterator[str]:
    for source in sources:
        if source == "-":
            yield from (line.strip() for line in sys.stdin if line.strip())
        else:
            yield source


def _print_inspection_json(inspection: Inspection) -> None:
    print_json(inspection.as_json())


def _print_inspection(inspection: Inspection) -> None:
    if not inspection.ok:
        print_message(f"{inspection.source}: {inspection.error}")
        return
    held = quantity(len(inspection.entries), "entry", "entries")
    named = [
        part
        for part in (
            FORMAT_NAMES.get(inspection.format, inspection.format),
            printable(inspection.title),
            held,
        )
        if part
    ]
    print_data(f"{inspection.source}: {', '.join(named)}")
    if inspection.error:
        print_message(f"{inspection.source}: {inspection.error}")
    for entry in inspection.entries[:MAX_SHOWN_ENTRIES]:
        print_data(f"  {entry.published[:16].replace('T', ' '):<16}  {entry.title}")
        print_data(f"  {'':<16}  {entry.url}")
    if (more := len(inspection.entries) - MAX_SHOWN_ENTRIES) > 0:
        print_data(f"  {'':<16}  and {more} more")
