"""`caveat bounce`: what a bounced mail says about an address."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from service.cli.ui.commands import CommandTyper
from service.cli.ui.lazy_imports import lazy_imports
from service.cli.ui.options import AsJson
from service.cli.ui.output import print_data, print_json, print_message

with lazy_imports():
    from service.app import bounces

commands = CommandTyper(
    """Read bounced mails.

    A hard bounce means that the address does not exist or takes no mail, a soft bounce that one delivery
    failed. A vacation reply says nothing about the address.
    """,
    name="bounce",
)


@commands.add(
    "inspect",
    """
    caveat bounce inspect returned.eml
    caveat bounce inspect --json *.eml
    ls *.eml | caveat bounce inspect --json -
    """,
)
def inspect(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE", help="Mails (.eml); - reads file names from standard input."),
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Classify bounced mails without recording anything.

    With --json there is one line per file, in order: {"source", "action": "hard" | "soft" | "none", "status",
    "recipients", "reason", "complaint", "kind", "rule"}. `kind` is the cause in one word (unknown, disabled,
    moved, full, blocked, policy, rate, network, size, delayed, ...), `rule` the evidence (a status, a code,
    words). A file or mail that cannot be read is reported, and the next one is read; the exit code is then 1.
    """
    all_read = True
    for name in _file_names(files):
        try:
            bounce = bounces.classify_bytes(Path(name).read_bytes())
        except OSError as error:
            all_read = False
            reason = (error.strerror or str(error)).lower()
            bounce = bounces.no_bounce(f"the file cannot be read: {reason}")
        else:
            all_read = all_read and not bounce.reason.startswith(bounces.UNREADABLE_REASON)
        _print_bounce(name, bounce, as_json=as_json)
    if not all_read:
        raise typer.Exit(1)


def _print_bounce(source: str, bounce: bounces.Bounce, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "source": source,
                "action": bounce.action.value,
                "status": bounce.status,
                "recipients": list(bounce.recipients),
                "reason": bounce.reason,
                "complaint": bounce.complaint,
                "kind": str(bounce.kind),
                "rule": bounce.rule,
            }
        )
    elif bounce.reason.startswith(("the file cannot be read", "the mail cannot be read")):
        print_message(f"{source}: {bounce.reason}")
    else:
        recipients = ", ".join(bounce.recipients)
        print_data(f"{source}: {bounce.action.value}  {bounce.status}  {recipients}  {bounce.reason}")


def _file_names(files: Iterable[str]) -> Iterator[str]:
    for name in files:
        if name == "-":
            yield from (line.rstrip("\n") for line in sys.stdin if line.strip())
        else:
            yield name
