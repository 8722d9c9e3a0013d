"""`caveat config`: create, check, show, document and apply the configuration folder."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from service.cli.ui import context, terminal
from service.cli.ui.commands import CommandTyper
from service.cli.ui.lazy_imports import lazy_imports
from service.cli.ui.options import AsJson, Yes
from service.cli.ui.output import (
    as_sentence,
    fault_record,
    print_data,
    print_json,
    print_message,
    print_records,
    quantity,
)
from service.core.errors import ConfigError, UnknownName, UsageError

with lazy_imports():
    from service.app import subscribers
    from service.app.config import in_force
    from service.app.doctor import theme_check
    from service.app.factories import application, channels, config_folder
    from service.app.judge import disclosure
    from service.cli.config import plans
    from service.cli.ui import open_app
    from service.runtime import event_loop

commands = CommandTyper(
    """Create, check, show and apply the configuration.

    It is a folder of four files: caveat.yaml (site, mail, database), feeds.yaml, newsletters.yaml and
    subscribers.yaml. A running service loads a saved change by itself, once it is valid.
    """,
    name="config",
)


@commands.add("init", "caveat config init\ncaveat config init /etc/caveat")
def init(
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="Folder to create. Default: ./config.")
    ] = None,
) -> None:
    """Create an example configuration.

    It works unchanged: public feeds of five continents, one newsletter, one subscriber, and mail written to
    files. Existing files are never overwritten.
    """
    target = folder or context.options().config
    config_folder.create_example(target)
    print_message(f"{target} is ready. Next: edit its files, then caveat --config {target} config check")


@commands.add("check", "caveat config check\ncaveat config check --json | jq .line")
def check(*, as_json: AsJson = False) -> None:
    """Check the configuration and list every error with file, line and column.

    Each error names what was expected; if there is any, the exit code is 2. Harmless oddities are printed as
    warnings. The themes of the newsletters are tried with a sample, as `caveat template check` does.
    """
    try:
        loaded = context.load_config()
        theme_check.check_used_themes(loaded.settings, loaded.roster)
    except ConfigError as error:
        if not as_json:
            raise
        for fault in error.faults:
            print_json(fault_record(fault, "fault"))
        raise typer.Exit(2) from None
    unusable = channels.channel_faults(loaded.settings, loaded.roster)
    held = event_loop.run(in_force.held_change_of(loaded))
    loaded = replace(loaded, warnings=(*loaded.warnings, *unusable, *held))
    if as_json:
        for warning in loaded.warnings:
            print_json(fault_record(warning, "warning"))
        return
    context.print_warnings(loaded)
    roster = loaded.roster
    parts = ("feed", roster.feeds), ("newsletter", roster.newsletters), ("subscriber", roster.subscribers)
    counts = ", ".join(quantity(len(items), noun) for noun, items in parts)
    valid = "is valid, but not in force" if held else "is valid"
    print_message(f"{context.options().config} {valid}: {counts}.")


@commands.add(
    "show", "caveat config show\ncaveat config show mail\nCAVEAT_MAIL__CHANNEL=smtp caveat config show"
)
def show(
    key: Annotated[
        str | None,
        typer.Argument(metavar="KEY", help="Key of a section or setting, such as mail. Default: all."),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show every setting in effect and its origin: a file, an environment variable or the default.

    Secrets are hidden. With a judge, a sentence says what leaves this machine.
    """
    loaded = context.load_config()
    context.print_warnings(loaded)
    found = [e for e in loaded.effective if not key or e.key == key or e.key.startswith(f"{key}.")]
    if key and not found:
        raise UsageError(f"there is no setting {key!r}; caveat config show lists all settings")
    print_records([{"key": e.key, "value": e.value, "origin": e.origin} for e in found], as_json=as_json)
    judge = loaded.settings.condense.judge
    if judge is not None and any(e.key.startswith("condense.judge.") for e in found):
        print_message(as_sentence(disclosure.what_leaves(judge)))


@commands.add("schema", "caveat config schema | less\ncaveat config schema --json newsletters.yaml")
def schema(
    file: Annotated[
        str | None, typer.Argument(metavar="FILE", help="Name of one of the four files, with --json.")
    ] = None,
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="JSON Schema (draft 2020-12), for editors.")
    ] = False,
) -> None:
    """Document every key of the four files: its meaning, default and environment variable."""
    if not as_json:
        print_data(config_folder.reference_page(terminal.width()).rstrip())
        return
    schemas = {name.replace(".json", ".yaml"): found for name, found in config_folder.json_schemas().items()}
    if file is not None and file not in schemas:
        raise UnknownName("file", file, schemas)
    print_data(json.dumps(schemas[file] if file else schemas, indent=2, ensure_ascii=False))


@commands.add("diff", "caveat config diff\ncaveat config diff --json")
def diff(*, as_json: AsJson = False) -> None:
    """List the differences between the files and the database, and what `config apply` would do.

    `add`, `change`, `end` and `return` follow the files; `stay` keeps what a subscriber chose.
    """

    async def work(app: application.Application) -> bool:
        records = [
            {
                "what": found.kind,
                "name": found.name,
                "newsletter": found.newsletter,
                "then": found.action,
                "detail": found.detail,
            }
            async for found in subscribers.roster_differences(app)
        ]
        empty_message = "The database matches the files."
        print_records(records, as_json=as_json, empty_message=empty_message)
        return True

    open_app.run_in_app(work, needs_files=True)


DraftFolder = Annotated[
    Path | None,
    typer.Argument(
        metavar="DRAFT",
        help="Folder with changed files; it needs only those. Default: the files as saved.",
    ),
]


@commands.add(
    "plan", "caveat config plan\ncaveat config plan draft\ncaveat config plan draft --json | jq .loses"
)
def plan(draft: DraftFolder = None, *, as_json: AsJson = False) -> None:
    """Say what applying the files would change; nothing is changed.

    For each newsletter: how many people get it newly, no longer or at another time, some of them by name, and
    when their next mail is due. Then the feeds, and with a draft the settings; secrets are hidden. The draft
    is checked first: an error is listed with file, line and column.
    """
    plans.show_plan(draft, as_json=as_json)


@commands.add("apply", "caveat config apply\ncaveat config plan draft && caveat config apply draft --yes")
def apply(draft: DraftFolder = None, *, yes: Yes = False) -> None:
    """Apply the files to the database, as a running service does by itself.

    With a draft, its files first replace those of the configuration; the old ones are kept in its folder
    .backups. The plan is printed before. What a subscriber chose is kept, and applying the same files twice
    changes nothing. A subscriber who cannot be applied is reported and stays unchanged; the exit code is then
    1.

    A change that would end more than five subscriptions and more than a fifth of them is never applied by
    itself, by no command and by no running service: it needs this command with --yes.
    """
    plans.apply_plan(draft, yes=yes)
