"""The table of contents: which commands there are, in which chapter, and which module holds each of them."""

from __future__ import annotations

from typing import NamedTuple

from service.cli.ui.help_page import EVERYWHERE, Page

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
    ("caveat demo", "See it work, in a minute."),
    ("caveat config check", "Find what is wrong in ./config, by file, line and column."),
    ("caveat preview morning", "What your readers would get right now."),
    ("caveat run", "And leave it running."),
)


def first_page() -> str:
    """Return the manual's first page: what it is, the commands by chapter, examples."""
    page = Page()
    page.usage("caveat", ["COMMAND"])
    page.prose(ABOUT)
    for title, entries in CHAPTERS.items():
        page.section(title, [(entry.name, entry.about) for entry in entries])
    page.section("Everywhere", [("--version", "Say which version this is."), *EVERYWHERE])
    page.section("Examples", EXAMPLES)
    page.prose("caveat COMMAND --help tells everything about one of them.")
    return page.text()
