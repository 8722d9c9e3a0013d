"""`caveat label`: what editors say of the key points and caveats of an article, for learning."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

import typer

from service.cli.ui.commands import CommandTyper
from service.cli.ui.lazy_imports import lazy_imports
from service.cli.ui.options import AsJson
from service.cli.ui.output import (
    SHORT_ID_CHARACTERS,
    Record,
    print_data,
    print_json,
    print_message,
    print_records,
    printable,
    quantity,
)
from service.core.errors import UsageError
from service.core.ids import text_key
from service.core.model import Article, CaveatKind, Label, LabelKind, LabelSource

with lazy_imports():
    from service.app.articles import find, label_export, labels
    from service.app.factories import application
    from service.cli.ui import open_app

ARTICLE_HELP = "Address or id of the article, or first characters of its id."
ArticleName = Annotated[str, typer.Argument(metavar="ARTICLE", help=ARTICLE_HELP)]
Numbers = list[int]
_NUMBER = re.compile(r"[0-9]{1,9}")

commands = CommandTyper(
    """Label the key points and caveats of articles, for learning.

    Labels record which sentences of an article are its key points and caveats, and can be exported.
    bench/learn_keypoints.py --labels learns from what is exported.
    """,
    name="label",
)


@commands.add("show", "caveat label show https://example.org/2026/harbour")
def show(article: ArticleName, *, as_json: AsJson = False) -> None:
    """Show the sentences of an article by number, with their roles in its summary and their labels."""

    async def work(app: application.Application) -> bool:
        sentences = await labels.numbered_sentences(app, await find.article_named(app, article))
        for sentence in sentences:
            if as_json:
                print_json(_sentence_record(sentence))
            else:
                said = ", ".join(filter(None, _said(sentence)))
                line = f"{sentence.number:>3}  {printable(sentence.text)}"
                print_data(f"{line}  [{said}]" if said else line)
        return True

    open_app.run_in_app(work)


@commands.add(
    "add",
    "caveat label add d0dd4f60 --point 0 --point 3\n"
    "caveat label add d0dd4f60 --pair 0:5 --kind denied --needed\n"
    "caveat label add d0dd4f60 --no-caveat 7 --wrong 4",
)
def add(
    article: ArticleName,
    *,
    point: Annotated[Numbers | None, typer.Option(metavar="N", help="Sentence to show, repeatable.")] = None,
    wrong: Annotated[Numbers | None, typer.Option(metavar="N", help="Sentence not to show.")] = None,
    no_caveat: Annotated[
        Numbers | None, typer.Option(metavar="N", help="Sentence that is no caveat.")
    ] = None,
    pair: Annotated[
        list[str] | None, typer.Option(metavar="N:M", help="Sentence N, which sentence M qualifies.")
    ] = None,
    kind: Annotated[CaveatKind | None, typer.Option(help="What the caveats of the pairs say.")] = None,
    needed: Annotated[
        bool, typer.Option("--needed", help="The claims mislead without their caveats.")
    ] = False,
    reader: Annotated[bool, typer.Option("--reader", help="A reader said so, not an editor.")] = False,
) -> None:
    """Record labels of an article's sentences; the numbers are those of `caveat label show`.

    With --point, name all sentences that a good summary shows: the others then count as not worth showing.
    A label that is given again replaces the earlier one.
    """
    given = labels.GivenLabels(
        tuple(point or ()),
        tuple(wrong or ()),
        tuple(no_caveat or ()),
        tuple(map(_pair, pair or ())),
        kind,
        needed,
        LabelSource.READER if reader else LabelSource.EDITOR,
    )
    if not (given.points or given.wrong or given.no_caveat or given.pairs):
        raise UsageError("nothing to record: name a sentence with --point, --wrong, --no-caveat or --pair")

    async def work(app: application.Application) -> bool:
        count = await labels.record_labels(app, await find.article_named(app, article), given)
        print_message(f"Recorded {quantity(count, 'label')}.")
        return True

    open_app.run_in_app(work)


@commands.add("list", "caveat label list\ncaveat label list --source reader --json")
def list_labels(
    *,
    source: Annotated[
        LabelSource | None,
        typer.Option("--source", metavar="SOURCE", help="Labels of one source: editor or reader."),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, show_default=True, help="Maximum number of labels.")
    ] = 50,
    as_json: AsJson = False,
) -> None:
    """List the latest labels, newest first, such as the sentences that readers reported.

    A label whose article was changed by its publisher since is listed without its sentence.
    """

    async def work(app: application.Application) -> bool:
        found = await labels.latest_labels(app, limit, source)
        records = [_listed_record(article, label, at) for article, label, at in found]
        print_records(records, as_json=as_json, empty_message="There is no label yet.")
        return True

    open_app.run_in_app(work)


@commands.add("remove", "caveat label remove d0dd4f60")
def remove(article: ArticleName) -> None:
    """Delete all labels of an article."""

    async def work(app: application.Application) -> bool:
        count = await labels.remove_labels(app, await find.article_named(app, article))
        print_message(f"Deleted {quantity(count, 'label')}.")
        return True

    open_app.run_in_app(work)


@commands.add("export", "caveat label export > labels.jsonl")
def export() -> None:
    """Print the labelled articles, one JSON object a line, with their sentences.

    Each is {"id", "lang", "title", "text", "sentences", "points", "pairs", "no_caveat", "wrong",
    "by_readers", "wrong_ties"}; the numbers are indices of sentences, and "by_readers" are those that readers
    labelled. A wrong tie is {"claim", "caveat"}; the claim is null for the headline.
    Left out are labels of a text that its publisher changed since, and labels of readers for a sentence that
    an editor labelled.
    """

    async def work(app: application.Application) -> bool:
        count = 0
        async for one in labels.labelled_articles(app):
            print_json(label_export.export_record(one))
            count += 1
        print_message(f"{quantity(count, 'labelled article')}.")
        return True

    open_app.run_in_app(work)


def _pair(words: str) -> tuple[int, int]:
    """Return the numbers of a claim and its caveat. Raises UsageError for anything but two numbers."""
    claim, _, caveat = words.partition(":")
    if not (_NUMBER.fullmatch(claim) and _NUMBER.fullmatch(caveat)):
        raise UsageError(f"--pair {printable(words)!r}: write two numbers, as in --pair 0:5; 5 qualifies 0")
    return int(claim), int(caveat)


def _said(sentence: labels.NumberedSentence) -> Iterator[str]:
    yield sentence.role
    for label in sentence.labels:
        yield "labelled " + label.kind.value.replace("_", " ")


def _sentence_record(sentence: labels.NumberedSentence) -> Record:
    return {
        "number": sentence.number,
        "text": sentence.text,
        "start": sentence.span.start,
        "end": sentence.span.end,
        "role": sentence.role or None,
        "labels": list(map(_label_record, sentence.labels)),
    }


def _label_record(label: Label) -> Record:
    is_pair = label.kind is LabelKind.CAVEAT
    return {
        "kind": label.kind.value,
        "claim": list(label.claim) if label.claim else None,
        "caveat_kind": label.caveat_kind.value if label.caveat_kind else None,
        "needed": label.is_needed if is_pair else None,
        "source": label.source.value,
    }


def _listed_record(article: Article, label: Label, at: datetime) -> Record:
    is_current = text_key(article.text) == label.text_key
    return {
        "article": article.id[:SHORT_ID_CHARACTERS],
        "kind": label.kind.value,
        "source": label.source.value,
        "at": at,
        "title": article.title,
        "sentence": article.text[slice(*label.sentence)] if is_current else "",
    }
