"""`caveat feed`: find, add, remove and inspect feeds, and show their health."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from service.cli.ui import context
from service.cli.ui.commands import CommandTyper
from service.cli.ui.input import open_input
from service.cli.ui.lazy_imports import lazy_imports
from service.cli.ui.options import AsJson, DryRun
from service.cli.ui.output import (
    hanging_paragraph,
    print_data,
    print_json,
    print_message,
    print_records,
    quantity,
)
from service.core.errors import CaveatError, UsageError
from service.core.model import Feed
from service.core.read_models import FeedDetails

with lazy_imports():
    from service.app import feeds
    from service.app.factories import application, config_folder
    from service.cli import inspection_text
    from service.cli.ui import open_app
    from service.runtime import event_loop

commands = CommandTyper(
    """Find, add, remove and inspect feeds, and show their health.

    Feeds are configured in feeds.yaml. These commands edit it and keep its comments; a running service loads
    the change by itself.
    """,
    name="feed",
)


@commands.add("list", "caveat feed list\ncaveat feed list --json | jq -r .url")
def list_feeds(*, as_json: AsJson = False) -> None:
    """List the feeds with their last successful poll, last error and next poll."""

    async def work(app: application.Application) -> bool:
        known = {details.state.feed.id: details for details in await app.queries.feeds()}
        records = [_feed_record(feed, known.get(feed.id)) for feed in app.roster.feeds]
        rows = records if as_json else [_feed_row(record, app.clock()) for record in records]
        empty_message = "There is no feed yet; caveat feed add ADDRESS adds one."
        print_records(rows, as_json=as_json, empty_message=empty_message)
        if not as_json:
            _print_sentences([(str(r["name"]), str(r["trouble"])) for r in records if r["trouble"]])
        return True

    open_app.run_in_app(work)


def _feed_record(feed: Feed, details: FeedDetails | None) -> dict[str, object]:
    state = details.state if details else None
    return {
        "name": feed.name,
        "url": feed.url,
        "topics": feed.topics,
        "articles": details.articles if details else 0,
        "read": state.last_success_at if state else None,
        "next": state.next_poll_at if state else None,
        "trouble": state.last_error if state else None,
    }


def _feed_row(record: dict[str, Any], now: datetime) -> dict[str, object]:
    """Return a feed's row of the table: times relative to now, and the address last."""
    times = {"read": feeds.time_since(record["read"], now), "next": feeds.time_until(record["next"], now)}
    return {**{key: record[key] for key in ("name", "topics", "articles")}, **times, "url": record["url"]}


def _print_sentences(named: Sequence[tuple[str, str]]) -> None:
    """Print sentences about feeds (name, sentence) below a table."""
    if named:
        print_data("")
    for name, text in named:
        print_data(hanging_paragraph(name, text))


@commands.add(
    "add",
    """
    caveat feed add https://example.org/feed.xml --topic world
    caveat feed add example.org --name Example --dry-run
    """,
)
def add(
    address: Annotated[
        str, typer.Argument(metavar="ADDRESS", help="Address of a feed or of any page of its site.")
    ],
    *,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="Name of the publisher. Default: its title.")
    ] = None,
    topics: Annotated[
        list[str] | None, typer.Option("--topic", metavar="TOPIC", help="Topic; may be repeated.")
    ] = None,
    language: Annotated[
        str | None,
        typer.Option("--language", metavar="CODE", help="Language, such as en. Default: detected."),
    ] = None,
    pick: Annotated[
        int, typer.Option("--pick", metavar="N", min=1, help="Number of the feed, if the site has several.")
    ] = 1,
    dry_run: DryRun = False,
) -> None:
    """Add a feed by its address or by the address of its site.

    The address is requested first: a page leads to the feeds of its site, and an address without a feed is
    refused. A local file is added as file:notices.xml.
    """
    url, title = (address, "") if address.startswith("file:") else _discover(address, pick)
    values = {"name": name or title, "topics": topics, "language": language}
    gaps = config_folder.add_feed(context.options().config, url, values, dry_run=dry_run)
    feed = f"{values['name']}: {url}" if values["name"] else url
    print_message(f"{'Would add' if dry_run else 'Added'} {feed}")
    for sentence in gaps:
        print_message(f"Warning: {sentence}")


def _discover(address: str, pick: int) -> tuple[str, str]:
    """Return the address and title of the feed with that number. Raises CaveatError if there is none."""
    found = event_loop.run(feeds.discover(context.load_for_database().settings, address))
    if not found.feeds:
        raise CaveatError(f"{address} leads to no feed: {found.reason}")
    if len(found.feeds) > 1:
        for number, feed in enumerate(found.feeds, start=1):
            print_message(f"{'*' if number == pick else ' '} {number}. {feed.url}  {feed.title}".rstrip())
    if pick > len(found.feeds):
        raise UsageError(f"--pick {pick} is too large: the site has {quantity(len(found.feeds), 'feed')}")
    return found.feeds[pick - 1].url, found.feeds[pick - 1].title


@commands.add("remove", "caveat feed remove https://example.org/feed.xml\ncaveat feed remove Example")
def remove(
    name: Annotated[str, typer.Argument(metavar="FEED", help="Address or name of the feed.")],
) -> None:
    """Remove a feed from feeds.yaml; its articles stay in the database."""
    config_folder.remove_feed(context.options().config, name)
    print_message(f"Removed {name} from feeds.yaml.")


@commands.add(
    "inspect",
    """
    caveat feed inspect https://example.org/feed.xml
    caveat feed inspect --json *.xml
    ls *.xml | caveat feed inspect --json -
    """,
)
def inspect(
    sources: Annotated[
        list[str],
        typer.Argument(metavar="SOURCE", help="Addresses or files; - reads names from standard input."),
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Show the entries of a feed, or why it cannot be read, without recording anything.

    The categories of entries are shown with the topics that feeds.yaml gives them, and a mapping for the
    most frequent others is proposed.

    With --json there is one line per source, in order: {"source", "ok", "error", "format", "title",
    "entries": [{"id", "title", "url", "published", "text", "day_only", "blocks", "cut", "categories",
    "picture"}]}. With "day_only" the hour of "published" is unknown. "blocks" are [kind, start, end] of the
    parts of "text"; "cut" says why it is incomplete. A source that fails is reported, and the next one is
    read; the exit code is then 1.
    """
    loaded = config_folder.load_or_example(context.options().config)
    fetch = loaded.settings.fetch

    def show(inspection: feeds.Inspection) -> None:
        if as_json:
            print_json(inspection.as_json())
        else:
            inspection_text.print_inspection(inspection, loaded.roster)

    if not event_loop.run(feeds.inspect_each(fetch, _source_names(sources), show)):
        raise typer.Exit(1)


@commands.add("health", "caveat feed health\ncaveat feed health --json | jq 'select(.flags != [])'")
def health(*, as_json: AsJson = False) -> None:
    """Show the health of each feed: its rhythm, silence, errors and warnings.

    `faulty` is the share of documents with broken markup, `repeats` the share of old entries under new ids.
    If any feed has a warning, the exit code is 1.
    """

    async def work(app: application.Application) -> bool:
        active = [details for details in await app.queries.feeds() if details.active]
        now = app.clock()
        records = [feeds.health_record(details, now, short=not as_json) for details in active]
        empty_message = "No feed has been polled yet; caveat gather polls them."
        print_records(records, as_json=as_json, empty_message=empty_message)
        flags = [(d.state.feed.name, flag) for d in active for flag in feeds.health_flags(d, now)]
        if not as_json:
            _print_sentences(flags)
        return not flags

    open_app.run_in_app(work)


@commands.add(
    "import", "caveat feed import subscriptions.opml\ncaveat feed import subscriptions.opml --dry-run"
)
def import_feeds(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="OPML file; - reads standard input.")],
    *,
    dry_run: DryRun = False,
) -> None:
    """Add the feeds of an OPML file, which most feed readers export; its folders become topics.

    Configured feeds stay unchanged. An entry that cannot be added is reported; the exit code is then 1.
    """
    loaded = context.load_config()
    with open_input(file) as stream:
        entries, skipped = feeds.read_opml_entries(stream.read(), loaded.roster)
    for sentence in skipped:
        print_message(sentence)
    if entries and not dry_run:
        config_folder.add_feeds(context.options().config, entries)
    print_message(f"{'Would add' if dry_run else 'Added'} {quantity(len(entries), 'feed')}.")
    if skipped:
        raise typer.Exit(1)


@commands.add("export", "caveat feed export > feeds.opml")
def export() -> None:
    """Print the feeds as OPML, which most feed readers import."""
    sys.stdout.buffer.write(feeds.write_opml_feeds(context.load_config()))


def _source_names(sources: Iterable[str]) -> Iterator[str]:
    for source in sources:
        if source == "-":
            yield from (line.strip() for line in sys.stdin if line.strip())
        else:
            yield source
