"""The table of commands: the section, module and summary of each; `caveat --help` shows it."""

from __future__ import annotations

from typing import NamedTuple

from service.cli.ui.help_page import GLOBAL_OPTIONS, HelpPage

ABOUT = """
Caveat reads news feeds, condenses every article into a few key points taken word for word from it, together
with the caveats that qualify them, and mails each subscriber a digest when they want it.
"""


class CommandSummary(NamedTuple):
    """A command, its module below service.cli, and the first sentence of its help page."""

    name: str
    module: str
    help: str


COMMAND_SECTIONS: dict[str, tuple[CommandSummary, ...]] = {
    "Begin here": (
        CommandSummary("demo", "demo.command", "Run the whole service once on a sample, without network."),
        CommandSummary("config", "config.commands", "Create, check, show and apply the configuration."),
        CommandSummary("template", "template.commands", "Check the themes of issues."),
        CommandSummary("doctor", "maintenance", "Check the configuration, the database and the mail server."),
    ),
    "The service": (
        CommandSummary("run", "serve", "Run the whole service in one process: scheduler, worker and web."),
        CommandSummary("worker", "serve", "Run a worker; PostgreSQL allows several."),
        CommandSummary("web", "serve", "Serve the web pages, the API and the health check."),
        CommandSummary("scheduler", "serve", "Run the scheduler, which tells workers what is due."),
    ),
    "The editors' pages": (
        CommandSummary("admin", "admin.commands", "Manage the accounts that may open the editors' pages."),
    ),
    "Other programs": (
        CommandSummary("token", "api.tokens", "Manage the tokens of the HTTP API."),
        CommandSummary("webhook", "api.webhooks", "List and test webhooks, and send their messages again."),
    ),
    "One pass of a stage": (
        CommandSummary("gather", "stages", "Poll the feeds that are due and store their new articles."),
        CommandSummary("condense", "stages", "Extract the key points of new articles."),
        CommandSummary("compose", "stages", "Compose the issues that are due."),
        CommandSummary("deliver", "stages", "Send the deliveries that are due."),
    ),
    "Newsletters and mail": (
        CommandSummary("send", "send", "Send a newsletter now, to some of its subscribers or to all."),
        CommandSummary("preview", "preview", "Show the issue that a subscriber would get; nothing is sent."),
        CommandSummary("plan", "plan", "List the issues that are due in the next hours."),
        CommandSummary(
            "explain", "explain", "Explain why an article is, or is not, in a subscriber's issue."
        ),
        CommandSummary("story", "story", "Show the articles of a story, and split a wrong one from it."),
        CommandSummary("label", "label", "Label the key points and caveats of articles, for learning."),
        CommandSummary(
            "draft", "draft.commands", "Review issues before they are sent: change, approve, hold, stop."
        ),
        CommandSummary("issue", "issue.commands", "List, verify, pause, resume, resend and cancel issues."),
        CommandSummary("bounce", "bounce", "Read bounced mails."),
    ),
    "Feeds and subscribers": (
        CommandSummary("feed", "feed", "Find, add, remove and inspect feeds, and show their health."),
        CommandSummary("subscriber", "subscriber.commands", "Manage subscribers and their subscriptions."),
    ),
    "Tools": (
        CommandSummary("summarize", "summarize.command", "Extract the key points of a text, page or file."),
        CommandSummary("judge", "judge", "Let a language model help to choose key points and caveats."),
        CommandSummary("migrate", "maintenance", "Migrate the database to this version."),
        CommandSummary("backup", "maintenance", "Copy the database into one file while it is in use."),
        CommandSummary("restore", "maintenance", "Restore a backup of the database."),
    ),
}
COMMANDS = {command.name: command for section in COMMAND_SECTIONS.values() for command in section}
EXAMPLES = (
    ("caveat demo", "See it work, in a minute."),
    ("caveat config check", "Check ./config; every error has file, line and column."),
    ("caveat preview morning", "See what the subscribers of a newsletter would get now."),
    ("caveat run", "Start the service."),
)


def root_help() -> str:
    """Return the help page of `caveat`: what it is, its commands by section, examples."""
    page = HelpPage()
    page.usage("caveat", ["COMMAND"])
    page.prose(ABOUT)
    for title, commands in COMMAND_SECTIONS.items():
        page.section(title, [(command.name, command.help) for command in commands])
    page.section("Everywhere", [("--version", "Show the version."), *GLOBAL_OPTIONS])
    page.section("Examples", EXAMPLES)
    page.prose("caveat COMMAND --help describes a command.")
    return page.text()
