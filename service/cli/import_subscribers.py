"""What `caveat subscriber import` does: people out of a file, and every refused row by its line number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from service.app.subscribers import Arrived, Refusal, take_in
from service.cli.summarize import STDIN, opened
from service.cli.ui.confirm import require_yes
from service.cli.ui.open_app import in_house
from service.cli.ui.output import count, progress, say
from service.core.errors import UsageError

if TYPE_CHECKING:
    from service.app.factories.application import House

SHOWN = 100
"""So many refused rows are named one by one."""


class Complaints:
    """Says which rows were refused, and why; of thousands only the first."""

    def __init__(self, name: str) -> None:
        self._name, self._count = name, 0

    def __call__(self, row: Refusal) -> None:
        """Say it of one row."""
        self._count += 1
        if self._count <= SHOWN:
            say(f"{self._name}, line {row.line}: {row.reason}")
        elif self._count == SHOWN + 1:
            say("... and more; they are counted in the end")


def bring_in(file: Path, usual: Sequence[str], *, dry_run: bool, yes: bool) -> None:
    """Take over the people in the file; without `yes` a dry run comes first, and a question."""
    if file == STDIN and not (dry_run or yes):
        raise UsageError("standard input can be read only once: say --yes, or --dry-run to look first")

    async def work(house: House) -> bool:
        if dry_run or not yes:
            looked = await _read(house, file, usual, dry_run=True, refused=Complaints(file.name))
            say(_foretold(looked))
            if dry_run or not looked.people:
                return not looked.refused
            require_yes(f"Take over {count(looked.people, 'person', 'people')}?", said=False)
        refused = Complaints(file.name) if yes else _quiet
        done = await _read(house, file, usual, dry_run=False, refused=refused)
        say(_told(done))
        return not done.refused

    in_house(work, applying=not dry_run)


async def _read(
    house: House, file: Path, usual: Sequence[str], *, dry_run: bool, refused: Callable[[Refusal], None]
) -> Arrived:
    with opened(file) as source, progress("Reading people") as report:
        return await take_in(
            house,
            source,
            file.name,
            usual=usual,
            dry_run=dry_run,
            refused=refused,
            noted=_quiet if refused is _quiet else say,
            progress=report,
        )


def _quiet(_said: object) -> None:
    """Say nothing: it was said in the dry run."""


def _foretold(found: Arrived) -> str:
    people = count(found.people, "person", "people")
    refused = count(found.refused, "row")
    return f"{people} can be taken over, {found.known} of them known already; {refused} cannot."


def _told(done: Arrived) -> str:
    return (
        f"Took over {count(done.people, 'person', 'people')}: {count(done.added, 'subscription')} added, "
        f"{done.changed} changed, {done.kept} left as they were; {count(done.refused, 'row')} refused."
    )
