"""The table of contents: which commands there are, in which chapter, and which module holds each of them.

Nothing is imported for a command before it is asked for, so that `caveat --help` answers at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, NamedTuple

import typer

from service.cli.manual import EVERYWHERE, HELP_NAMES, Group, Page, Sheet

ABOUT = """
Caveat reads news feeds, condenses every article into a few key points taken word for word from it, together
with the caveats that qualify them, and mails each reader a digest when they want it.
"""


class Entry(NamedTuple):
    """A command: its name, the module that holds it, and one line about it."""

    name: str
    module: str
    about: str


CHAPTERS: dict[str, tuple[Entry, ...]] = {
    "Begin here": (
        Entry("demo", "demo", "Walk the whole road once, with a bundled sample and no network."),
        Entry("config", "config", "Begin, check, show and apply the configuration."),
        Entry("doctor", "upkeep", "Look whether everything is in place to gather, condense and mail."),
    ),
    "The service": (
        Entry("run", "serve", "Run it all in one process: scheduler, worker and web."),
        Entry("worker", "serve", "Work off what there is to do; any number of them on PostgreSQL."),
        Entry("web", "serve", "Serve the public pages: unsubscribe, health."),
        Entry("scheduler", "serve", "Say when there may be something to do; one of them is enough."),
    ),
    "One pass of a stage": (
        Entry("gather", "stages", "Look at the feeds that are due, and keep what is new."),
        Entry("condense", "stages", "Make key points of new articles."),
        Entry("compose", "stages", "Make the issues that are due."),
        Entry("deliver", "stages", "Send what waits in the outbox."),
    ),
    "Newsletters and mail": (
        Entry("send", "send", "Mail a newsletter now, to some readers or to all."),
        Entry("preview", "preview", "Show what somebody would get; changes nothing."),
        Entry("plan", "plan", "Show who gets what, and when."),
        Entry("explain", "explain", "Say why an article is, or is not, in somebody's issue."),
        Entry("issue", "issue", "Look at issues that were made, and what became of them."),
        Entry("bounce", "bounce", "Read mails that came back."),
    ),
    "Feeds and people": (
        Entry("feed", "feed", "The feeds that are looked at."),
        Entry("subscriber", "subscriber", "The people who get mail."),
    ),
    "Tools": (
        Entry("summarize", "summarize", "Make key points of any text, page or file of articles."),
        Entry("migrate", "upkeep", "Bring the database to this version's shape."),
        Entry("backup", "upkeep", "Copy the database into one file, while it is in use."),
        Entry("restore", "upkeep", "Put a backup back."),
    ),
}
ENTRIES = {entry.name: entry for entries in CHAPTERS.values() for entry in entries}
EXAMPLES = (
    "caveat demo                              see it work, in a minute",
    "caveat config check                      find what is wrong in ./config, by file, line and column",
    "caveat preview morning                   what your readers would get right now",
    "caveat run                               and leave it running",
)


class Contents(Group):
    """The root of the command line, which finds its commands in the table above."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002 - as Sheet; typer's signature
        """Return the names of the commands, in the order of the table."""
        return list(ENTRIES)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401, ARG002 - as above
        """Return the command of that name, from the module that holds it; None when there is none."""
        entry = ENTRIES.get(cmd_name)
        if entry is None:
            return None
        chapter = typer.main.get_group(import_module(f"service.cli.{entry.module}").chapter)
        return chapter.commands.get(entry.name, chapter)

    def format_help(self, ctx: Any, formatter: Sheet) -> None:  # noqa: ANN401 - as above
        """Write the first page: what it is, the commands by chapter, examples."""
        page = Page()
        page.usage(ctx.command_path, ["COMMAND"])
        page.prose(ABOUT)
        for title, entries in CHAPTERS.items():
            page.section(title, [(entry.name, entry.about) for entry in entries])
        page.section("Everywhere", [("--version", "Say which version this is."), *EVERYWHERE])
        page.examples(EXAMPLES)
        page.prose("caveat COMMAND --help tells everything about one of them.")
        formatter.write(page.text())


app = typer.Typer(
    cls=Contents,
    no_args_is_help=True,
    add_help_option=False,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=HELP_NAMES,
)


@app.callback()
def caveat() -> None:
    """Hold the commands; the options that hold for every one of them are taken by main."""
