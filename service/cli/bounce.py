"""`caveat bounce`: mails that came back, and what they say about an address."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.ui.help import CommandTyper
from service.cli.ui.options import AsJson
from service.cli.ui.output import print_data, print_json, print_message

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from service.app.bounces import Bounce

chapter = CommandTyper(
    """Read mails that came back.

    A hard bounce says that an address is no good, a soft one that it failed this time; a holiday note says
    nothing about it.
    """,
    name="bounce",
)


@chapter.add(
    "inspect",
    """
    caveat bounce inspect returned.eml
    caveat bounce inspect --json *.eml
    ls *.eml | caveat bounce inspect --json -
    """,
)
def inspect(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE", help="Mails (.eml); - for names on standard input.")
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Say what a mail that came back means; nothing is recorded.

    With --json each file gets one line, in order: {"source", "action": "hard" | "soft" | "none", "status",
    "recipients", "reason", "complaint", "kind", "rule"}. `kind` says why in a word (unknown, disabled, moved,
    full, blocked, policy, rate, network, size, delayed, ...), `rule` what decided (a status, a code, words).
    A file or mail that cannot be read never stops the others; the exit code is 1 then.
    """
    from service.app.bounces import UNREADABLE_REASON, classify_bytes, no_bounce  # noqa: PLC0415 - not for `--help`

    whole = True
    for name in _file_names(files):
        try:
            bounce = classify_bytes(Path(name).read_bytes())
        except OSError as error:
            whole = False
            bounce = no_bounce(f"the file cannot be read: {(error.strerror or str(error)).lower()}")
        else:
            whole = whole and not bounce.reason.startswith(UNREADABLE_REASON)
        _print_bounce(_bounce_record(name, bounce), as_json=as_json)
    if not whole:
        raise typer.Exit(1)


def _bounce_record(name: str, bounce: Bounce) -> dict[str, object]:
    return {
        "source": name,
        "action": bounce.action.value,
        "status": bounce.status,
        "recipients": list(bounce.recipients),
        "reason": bounce.reason,
        "complaint": bounce.complaint,
        "kind": str(bounce.kind),
        "rule": bounce.rule,
    }


def _print_bounce(record: Mapping[str, object], *, as_json: bool) -> None:
    if as_json:
        print_json(record)
    elif str(record["reason"]).startswith(("the file cannot be read", "the mail cannot be read")):
        print_message(f"{record['source']}: {record['reason']}")
    else:
        recipients = record["recipients"]
        whom = ", ".join(map(str, recipients)) if isinstance(recipients, list) else ""
        print_data(f"{record['source']}: {record['action']}  {record['status']}  {whom}  {record['reason']}")


def _file_names(files: Iterable[str]) -> Iterator[str]:
    for name in files:
        if name == "-":
            yield from (line.rstrip("\n") for line in sys.stdin if line.strip())
        else:
            yield name
