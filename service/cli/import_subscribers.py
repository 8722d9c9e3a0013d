"""What `caveat subscriber import` does: people out of a file, and every refused row by its line number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from service.app.subscribers import ImportResult, RefusedRow, import_file
from service.cli.summarize import STDIN, open_input
from service.cli.ui.confirm import require_confirmation
from service.cli.ui.open_app import run_in_app
from service.cli.ui.output import print_message, progress, quantity
from service.core.errors import UsageError

if TYPE_CHECKING:
    from service.app.factories.application import Application

MAX_SHOWN_ROWS = 100
"""So many refused rows are named one by one."""


class RefusalPrinter:
    """Says which rows were refused, and why; of thousands only the first."""

    def __init__(self, name: str) -> None:
        self._name, self._count = name, 0

    def __call__(self, row: RefusedRow) -> None:
        """Say it of one row."""
        self._count += 1
        if self._count <= MAX_SHOWN_ROWS:
            print_message(f"{self._name}, line {row.line}: {row.reason}")
        elif self._count == MAX_SHOWN_ROWS + 1:
            print_message("... and more; they are counted in the end")


def run_import(file: Path, default_newsletters: Sequence[str], *, dry_run: bool, yes: bool) -> None:
    """Take over the people in the file; without `yes` a dry run comes first, and a question."""
    if file == STDIN and not (dry_run or yes):
        raise UsageError("standard input can be read only once: say --yes, or --dry-run to look first")

    async def work(house: Application) -> bool:
        if dry_run or not yes:
            looked = await _import(
                house, file, default_newsletters, dry_run=True, refused=RefusalPrinter(file.name)
            )
            print_message(_forecast_text(looked))
            if dry_run or not looked.people:
                return not looked.refused
            require_confirmation(f"Take over {quantity(looked.people, 'person', 'people')}?", confirmed=False)
        refused = RefusalPrinter(file.name) if yes else _ignore
        done = await _import(house, file, default_newsletters, dry_run=False, refused=refused)
        print_message(_result_text(done))
        return not done.refused

    run_in_app(work, apply_roster=not dry_run)


async def _import(
    house: Application,
    file: Path,
    usual: Sequence[str],
    *,
    dry_run: bool,
    refused: Callable[[RefusedRow], None],
) -> ImportResult:
    with open_input(file) as source, progress("Reading people") as report:
        return await import_file(
            house,
            source,
            file.name,
            default_newsletters=usual,
            dry_run=dry_run,
            on_refusal=refused,
            on_note=_ignore if refused is _ignore else print_message,
            progress=report,
        )


def _ignore(_said: object) -> None:
    """Say nothing: it was said in the dry run."""


def _forecast_text(found: ImportResult) -> str:
    people = quantity(found.people, "person", "people")
    refused = quantity(found.refused, "row")
    return f"{people} can be taken over, {found.known} of them known already; {refused} cannot."


def _result_text(done: ImportResult) -> str:
    return (
        f"Took over {quantity(done.people, 'person', 'people')}: "
        f"{quantity(done.added, 'subscription')} added, "
        f"{done.changed} changed, {done.kept} left as they were; {quantity(done.refused, 'row')} refused."
    )
