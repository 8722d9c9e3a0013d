"""The table of contents: which commands there are, in which chapter, and which module holds each of them."""

from __future__ import annotations

from typing import NamedTuple

from service.cli.ui.help_page import GLOBAL_OPTIONS, HelpPage

ABOUT = """
Caveat reads news feeds, condenses every article into a few key points taken word for word from it, together
with the caveats that qualify them, and mails each reader a digest when they want it.
"""


class CommandSummary(NamedTuple):
    """A command: its name, the module that holds it, and one line about it."""

    name: str
    module: str
    help: str


COMMAND_SECTIONS: dict[str, tuple[CommandSummary, ...]] = {
    "Begin here": (
        CommandSummary("demo", "demo", "Walk the whole road once, with a bundled sample and no network."),
        CommandSummary("config", "config", "Begin, check, show and apply the configuration."),
        CommandSummary(
            "doctor", "maintenance", "Look whether everything is in place to gather, condense and mail."
        ),
    ),
    "The service": (
        CommandSummary("run", "serve", "Run it all in one process: scheduler, worker and web."),
        CommandSummary("worker", "serve", "Work off what there is to do; any number of them on PostgreSQL."),
        CommandSummary("web", "serve", "Serve the public pages: unsubscribe, health."),
        CommandSummary("scheduler", "serve", "Say when there may be something to do; one of them is enough."),
    ),
    "One pass of a stage": (
        CommandSummary("gather", "stages", "Look at the feeds that are due, and keep what is new."),
        CommandSummary("condense", "stages", "Make key points of new articles."),
        CommandSummary("compose", "stages", "Make the issues that are due."),
        CommandSummary("deliver", "stages", "Send what waits in the outbox."),
    ),
    "Newsletters and mail": (
        CommandSummary("send", "send", "Mail a newsletter now, to some readers or to all."),
        CommandSummary("preview", "preview", "Show what somebody would get; changes nothing."),
        CommandSummary("plan", "plan", "Show who gets what, and when."),
        CommandSummary("explain", "explain", "Say why an article is, or is not, in somebody's issue."),
        CommandSummary("issue", "issue", "Look at issues that were made, and what became of them."),
        CommandSummary("bounce", "bounce", "Read mails that came back."),
    ),
    "Feeds and people": (
        CommandSummary("feed", "feed", "The feeds that are looked at."),
        CommandSummary("subscriber", "subscriber", "The people who get mail."),
    ),
    "Tools": (
        CommandSummary("summarize", "summarize", "Make key points of any text, page or file of articles."),
        CommandSummary("migrate", "maintenance", "Bring the database to this version's shape."),
        CommandSummary("backup", "maintenance", "Copy the database into one file, while it is in use."),
        CommandSummary("restore", "maintenance", "Put a backup back."),
    ),
}
COMMANDS = {entry.name: entry for entries in COMMAND_SECTIONS.values() for entry in entries}
EXAMPLES = (
    ("caveat demo", "See it work, in a minute."),
    ("caveat config check", "Find what is wrong in ./config, by file, line and column."),
    ("caveat preview morning", "What your readers would get right now."),
    ("caveat run", "And leave it running."),
)


def root_help() -> str:
    """Return the manual's first page: what it is, the commands by chapter, examples."""
    page = HelpPage()
    page.usage("caveat", ["COMMAND"])
    page.prose(ABOUT)
    for title, entries in COMMAND_SECTIONS.items():
        page.section(title, [(entry.name, entry.help) for entry in entries])
    page.section("Everywhere", [("--version", "Say which version this is."), *GLOBAL_OPTIONS])
    page.section("Examples", EXAMPLES)
    page.prose("caveat COMMAND --help tells everything about one of them.")
    return page.text()
