"""`caveat config`: begin, check, show, document and apply the folder of configuration."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.ui import context as session
from service.cli.ui import terminal
from service.cli.ui.help import CommandTyper
from service.cli.ui.options import AsJson
from service.cli.ui.output import print_data, print_json, print_message, print_records, quantity
from service.core.errors import ConfigError, Fault, UnknownName, UsageError

if TYPE_CHECKING:
    from service.app.factories.application import Application

PRIVATE_PATTERNS = ("*.secret", "secrets", "*.local.yaml", ".*")

chapter = CommandTyper(
    """Begin, check, show and apply the configuration.

    Four files say everything: caveat.yaml (the house: site, mail, database), feeds.yaml, newsletters.yaml and
    subscribers.yaml. A running service takes over what you save, as soon as it is whole.
    """,
    name="config",
)


@chapter.add("init", "caveat config init\ncaveat config init /etc/caveat")
def init(
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="Where to put it; by default ./config.")
    ] = None,
) -> None:
    """Write an example configuration to begin with.

    It works as it is: public feeds of five continents, one newsletter, one subscriber, and mail that goes
    into files. Nothing that is there already is overwritten.
    """
    from service.settings.packaged_files import config_folder  # noqa: PLC0415 - not for `--help`

    target = folder or session.options().config
    example = config_folder()
    taken = [path.name for path in sorted(example.glob("*.yaml")) if (target / path.name).exists()]
    if taken:
        raise UsageError(f"{target} has {', '.join(taken)} already; name another folder")
    _copy_private(example, target)
    print_message(f"{target} is ready. Next: edit its files, then caveat --config {target} config check")


def _copy_private(example: Path, target: Path) -> None:
    """Copy the example so that only its owner may read it: passwords are going to be written into it."""
    before = target.stat().st_mode & 0o7777 if target.exists() else 0o700
    ignored = shutil.ignore_patterns(*PRIVATE_PATTERNS)
    shutil.copytree(example, target, dirs_exist_ok=True, ignore=ignored, copy_function=shutil.copyfile)
    # copytree gives folders the mode of those that they were copied from.
    for folder in example.rglob("*/"):
        copied = target / folder.relative_to(example)
        if copied.is_dir():
            copied.chmod(0o700)
    target.chmod(before)


@chapter.add("check", "caveat config check\ncaveat config check --json | jq .line")
def check(*, as_json: AsJson = False) -> None:
    """Find what is wrong, by file, line and column.

    Every fault is named at once, with what was expected; the exit code is 2 if there is one. What is odd but
    does no harm is said as a warning.
    """
    from service.app.factories.deliver import channel_faults  # noqa: PLC0415 - not for `--help`

    try:
        loaded = session.load_config()
    except ConfigError as error:
        if not as_json:
            raise
        for fault in error.faults:
            print_json(_fault_record(fault, "fault"))
        raise typer.Exit(2) from None
    loaded = replace(loaded, warnings=(*loaded.warnings, *channel_faults(loaded.settings, loaded.roster)))
    if as_json:
        for warning in loaded.warnings:
            print_json(_fault_record(warning, "warning"))
        return
    session.print_warnings(loaded)
    roster = loaded.roster
    parts = ("feed", roster.feeds), ("newsletter", roster.newsletters), ("subscriber", roster.subscribers)
    counted = ", ".join(quantity(len(found), noun) for noun, found in parts)
    print_message(f"{session.options().config} is in order: {counted}.")


@chapter.add(
    "show", "caveat config show\ncaveat config show mail\nCAVEAT_MAIL__CHANNEL=smtp caveat config show"
)
def show(
    part: Annotated[
        str | None, typer.Argument(metavar="KEY", help="Only what begins so, such as mail or mail.smtp.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show every setting that is in force, and where it comes from.

    Files, environment variables and defaults are laid over one another here. Secrets stay hidden.
    """
    loaded = session.load_config()
    session.print_warnings(loaded)
    found = [
        line for line in loaded.effective if not part or line.key == part or line.key.startswith(f"{part}.")
    ]
    if part and not found:
        raise UsageError(f"no setting begins with {part!r}; caveat config show lists them all")
    print_records([{"key": e.key, "value": e.value, "origin": e.origin} for e in found], as_json=as_json)


@chapter.add("schema", "caveat config schema | less\ncaveat config schema --json newsletters.yaml")
def schema(
    file: Annotated[
        str | None, typer.Argument(metavar="FILE", help="Only this file's, of those with --json.")
    ] = None,
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="As JSON Schema (draft 2020-12), for editors.")
    ] = False,
) -> None:
    """Document every key of the four files: what it means, its default, its environment variable."""
    from service.settings.schema import json_schemas, reference_page  # noqa: PLC0415 - not for `--help`

    if not as_json:
        print_data(reference_page(terminal.width()).rstrip())
        return
    schemas = {name.replace(".json", ".yaml"): found for name, found in json_schemas().items()}
    if file is not None and file not in schemas:
        raise UnknownName("file", file, schemas)
    print_data(json.dumps(schemas[file] if file else schemas, indent=2, ensure_ascii=False))


@chapter.add("diff", "caveat config diff\ncaveat config diff --json")
def diff(*, as_json: AsJson = False) -> None:
    """Show where the files and the database part, and what applying the files would do about it.

    add, change, end and return follow the files; stay means that the person's own choice goes before them.
    """
    from service.app.subscribers import roster_differences  # noqa: PLC0415 - as above
    from service.cli.ui.open_app import run_in_app  # noqa: PLC0415 - not for `--help`

    async def work(house: Application) -> bool:
        records = [
            {
                "what": found.kind,
                "name": found.name,
                "newsletter": found.newsletter,
                "then": found.action,
                "detail": found.detail,
            }
            async for found in roster_differences(house)
        ]
        print_records(records, as_json=as_json, empty_message="The database is as the files say.")
        return True

    run_in_app(work)


@chapter.add("apply", "caveat config apply\ncaveat config diff && caveat config apply")
def apply() -> None:
    """Make the database what the files say, as a running service does by itself.

    Nobody's own choice is overwritten, and doing it twice changes nothing the second time. A subscriber who
    cannot be placed is named and stays as they were; the exit code is 1 then.
    """
    from service.cli.ui.open_app import run_in_app  # noqa: PLC0415 - not for `--help`

    async def work(house: Application) -> bool:
        done = await house.apply_roster()
        for problem in done.problems:
            print_message(problem)
        for noun, applied in (("feeds", done.feeds), ("subscriptions", done.subscriptions)):
            counts = f"{applied.added} added, {applied.changed} changed, {applied.ended} ended"
            print_message(f"{noun}: {counts}, {applied.kept} kept.")
        return not done.problems

    run_in_app(work)


def _fault_record(fault: Fault, level: str) -> dict[str, object]:
    return {
        "level": level,
        "file": fault.file,
        "line": fault.line,
        "column": fault.column,
        "what": fault.message,
        "expected": fault.expected,
    }
