"""`caveat judge`: a language model, or whoever answers offline, helps to choose key points and caveats."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from service.cli.ui import context
from service.cli.ui.commands import CommandTyper
from service.cli.ui.input import open_input
from service.cli.ui.lazy_imports import lazy_imports
from service.cli.ui.options import AsJson
from service.cli.ui.output import print_json, print_message, print_records, progress, quantity
from service.core.errors import UsageError

with lazy_imports():
    from service.app.factories import application
    from service.app.judge import offline
    from service.cli.ui import open_app

MAX_LINE_BYTES = 64 * 1024  # of a file of answers; an answer takes less than one kB
NO_JUDGE = "no judge is configured; see condense.judge in caveat config schema"

Hours = Annotated[
    int, typer.Option("--hours", min=1, max=24 * 31, metavar="N", help="Hours until the issues are due.")
]

commands = CommandTyper(
    """Let a language model help to choose key points and caveats.

    A judge gets the numbered sentences of an article and answers with their numbers alone. The running
    service asks it by itself if condense.judge is set; these commands do it by hand or offline.
    """,
    name="judge",
)


@commands.add("ask", "caveat judge ask\ncaveat judge ask --hours 24")
def ask(*, hours: Hours = 1) -> None:
    """Ask about the articles of the issues that are due soon, and condense them with the answers.

    A question is asked once. If any question has no answer, the exit code is 1; its article keeps the key
    points that it has.
    """

    async def work(app: application.Application) -> bool:
        if app.settings.condense.judge is None:
            raise UsageError(NO_JUDGE)
        with progress("Asking") as report:
            done = await app.ask_judge(ahead=timedelta(hours=hours), progress=report)
        for problem in done.problems:
            print_message(problem)
        print_message(
            f"Asked about {quantity(done.answered + done.unanswered, 'article')}, {done.unanswered} without "
            f"an answer; {done.known} had one before. Condensed {quantity(done.improved, 'article')} again."
        )
        return not done.problems

    open_app.run_in_app(work, apply_roster=True, needs_files=True)


@commands.add(
    "export", "caveat judge export > questions.jsonl\ncaveat judge export --hours 48 > questions.jsonl"
)
def export(*, hours: Hours = 24) -> None:
    """Print the questions about the articles of the next issues, one JSON object a line.

    Any model or person can answer them. A line of answers has the key of its question and numbers of its
    candidates: {"key": "...", "points": [0, 3], "pairs": [[0, 5, "denied", true]]}.
    """

    async def work(app: application.Application) -> bool:
        count = 0
        async for question in offline.export_questions(app, timedelta(hours=hours)):
            print_json(question)
            count += 1
        print_message(
            f"{quantity(count, 'question')} about articles of the issues that are due within "
            f"{quantity(hours, 'hour')} and that no issue contains yet."
        )
        return True

    open_app.run_in_app(work, apply_roster=True, needs_files=True)


@commands.add(
    "import", "caveat judge import answers.jsonl --name qwen2.5-72b\ncaveat judge import - --name Amina"
)
def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="File of answers, - for standard input.")],
    *,
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="Model or person who answered; mails name it.")
    ],
) -> None:
    """Read answers to exported questions, and condense their articles with them.

    A line that cannot be used is named by its number and changes nothing; the exit code is then 1.
    """
    judge = " ".join(name.split())
    if not judge or len(judge) > offline.MAX_NAME_CHARACTERS or not judge.isprintable():
        raise UsageError(f"--name takes at most {offline.MAX_NAME_CHARACTERS} characters on one line")

    async def work(app: application.Application) -> bool:
        lines = bad = improved = 0
        with open_input(file) as stream:
            async for line in offline.import_answers(app, numbered_lines(stream), judge):
                lines, improved = lines + 1, improved + line.improved
                if line.problem:
                    bad += 1
                    print_message(f"Line {line.number}: {line.problem}.")
        print_message(
            f"Read {quantity(lines, 'answer')}, {bad} of them with a problem; condensed "
            f"{quantity(improved, 'article')} again."
        )
        return not bad

    open_app.run_in_app(work)


@commands.add("status", "caveat judge status\ncaveat judge status --json")
def status(*, as_json: AsJson = False) -> None:
    """List the results of the questions of the last 24 hours.

    `asked` ones have no result: the program ended while it waited for the answer.
    """
    judge = context.load_for_database().settings.condense.judge

    async def work(app: application.Application) -> bool:
        results = await offline.judge_results(app)
        records = [{"result": result, "questions": number} for result, number in sorted(results.items())]
        print_records(records, as_json=as_json, empty_message="No questions in the last 24 hours.")
        if not as_json:
            asked = sum(number for result, number in results.items() if result != "imported")
            left = f"{max(judge.per_day - asked, 0):,} more may be asked today" if judge else NO_JUDGE
            print_message(f"{left[:1].upper()}{left[1:]}.")
        return True

    open_app.run_in_app(work)


def numbered_lines(stream: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Yield the lines that are not blank with their numbers from 1; None for one over MAX_LINE_BYTES."""
    number = 0
    while line := stream.readline(MAX_LINE_BYTES):
        number += 1
        whole = line.endswith(b"\n") or len(line) < MAX_LINE_BYTES
        while not whole:
            rest = stream.readline(MAX_LINE_BYTES)
            whole = rest.endswith(b"\n") or len(rest) < MAX_LINE_BYTES
            line = b""
        if not line:
            yield number, None
        elif line.strip():
            yield number, line
