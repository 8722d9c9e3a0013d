"""`caveat subscriber import`: the dry run, the confirmation, the import, and the refused rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from service.app.accounts.audit import record_command
from service.app.factories.application import Application
from service.app.subscribers import ImportResult, RefusedRow, import_file
from service.cli.ui.input import STDIN, open_input, require_confirmation
from service.cli.ui.open_app import run_in_app
from service.cli.ui.output import print_message, progress, quantity
from service.core.errors import UsageError

MAX_SHOWN_ROWS = 100  # refused rows that are printed; all are counted


class RefusalPrinter:
    """Prints the refused rows with their reasons; of thousands only the first."""

    def __init__(self, name: str) -> None:
        self._name, self._count = name, 0

    def __call__(self, row: RefusedRow) -> None:
        """Print one row."""
        self._count += 1
        if self._count <= MAX_SHOWN_ROWS:
            print_message(f"{self._name}, line {row.line}: {row.reason}")
        elif self._count == MAX_SHOWN_ROWS + 1:
            print_message("... and more, counted at the end")


def run_import(file: Path, default_newsletters: Sequence[str], *, dry_run: bool, yes: bool) -> None:
    """Import the file; without `yes`, after a dry run and a confirmation."""
    if file == STDIN and not (dry_run or yes):
        raise UsageError("standard input can be read only once: use --yes, or --dry-run first")

    async def work(app: Application) -> bool:
        if dry_run or not yes:
            found = await _import(
                app, file, default_newsletters, dry_run=True, on_refusal=RefusalPrinter(file.name)
            )
            print_message(_dry_run_text(found))
            if dry_run or not found.people:
                return not found.refused
            question = f"Import {quantity(found.people, 'subscriber')}?"
            require_confirmation(question, confirmed=False)
        on_refusal = RefusalPrinter(file.name) if yes else _ignore
        done = await _import(app, file, default_newsletters, dry_run=False, on_refusal=on_refusal)
        await record_command(app, "subscribers_imported", file=file.name, added=done.added)
        print_message(_result_text(done))
        return not done.refused

    run_in_app(work, apply_roster=not dry_run, needs_files=True)


async def _import(
    app: Application,
    file: Path,
    default_newsletters: Sequence[str],
    *,
    dry_run: bool,
    on_refusal: Callable[[RefusedRow], None],
) -> ImportResult:
    with open_input(file) as source, progress("Reading subscribers") as report:
        return await import_file(
            app,
            source,
            file.name,
            default_newsletters=default_newsletters,
            dry_run=dry_run,
            on_refusal=on_refusal,
            on_note=_ignore if on_refusal is _ignore else print_message,
            progress=report,
        )


def _ignore(_row_or_note: object) -> None:
    """Print nothing: the dry run has printed it."""


def _dry_run_text(found: ImportResult) -> str:
    subscribers, refused = quantity(found.people, "subscriber"), quantity(found.refused, "row")
    more = f" ({quantity(found.more, 'new subscription')})" if found.more else ""
    kept = f" {found.of_file} of them in subscribers.yaml, which takes precedence." if found.of_file else ""
    return f"{subscribers} can be imported, {found.known} of them known{more}; {refused} cannot.{kept}"


def _result_text(done: ImportResult) -> str:
    return (
        f"Imported {quantity(done.people, 'subscriber')}: {quantity(done.added, 'subscription')} added, "
        f"{done.changed} changed, {done.kept} unchanged; {quantity(done.refused, 'row')} refused."
    )
