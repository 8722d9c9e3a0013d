"""`caveat explain`: why an article is, or is not, in somebody's issue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.ui.help import CommandTyper
from service.cli.ui.options import AsJson
from service.cli.ui.output import print_data, print_json, printable
from service.core import ids as identity
from service.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from service.app.article_edits import ArticleEdits
    from service.app.factories.application import Application
    from service.core.read_models import ArticleDetails

ANSWER_WORDS = {True: "yes", False: "no", None: "not yet"}

chapter = CommandTyper()


@chapter.add(
    "explain",
    """
    caveat explain https://example.org/2026/harbour --for amina@example.org
    caveat explain d0dd4f60 --for amina@example.org --json
    """,
)
def explain(
    article: Annotated[
        str, typer.Argument(metavar="ARTICLE", help="Its address, its id or the first characters of it.")
    ],
    email: Annotated[str, typer.Option("--for", metavar="ADDRESS", help="The reader.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Say why an article is, or is not, in somebody's issue.

    Follows it along the road: gathered, condensed, on topic, told already, settled, and heavy enough to be
    among the stories of the next issue.
    """
    from service.app.article_edits import article_edits, correction_sentence  # noqa: PLC0415 - as above
    from service.app.explain import explain_article  # noqa: PLC0415 - as above
    from service.cli.ui.open_app import run_in_app  # noqa: PLC0415 - not for `--help`

    async def work(house: Application) -> bool:
        line = _exactly_one(await _find_articles(house, article.strip()), article)
        memberships = await house.subscribers.memberships(email=email)
        if not memberships:
            raise UsageError(f"nobody at {email!r} gets any newsletter")
        editing = await article_edits(house, line)
        if not as_json:
            told = line.article
            print_data(f"{told.title}\n{told.publisher}, gathered {told.gathered_at:%Y-%m-%d %H:%M} UTC")
            print_data("\n".join((*_edit_lines(editing), "")))
        for membership, (newsletter, verdict) in zip(
            memberships, await explain_article(house, line, memberships), strict=True
        ):
            heard = await correction_sentence(house, editing, membership, line.article.id) if editing else ""
            if as_json:
                record = {"newsletter": newsletter, "told": verdict.sent, "why": verdict.reason}
                edited = {"edited_at": editing.edit.at if editing else None, "correction": heard}
                print_json({"article": line.article.id, **record, **edited})
            else:
                why = "; ".join(filter(None, (verdict.reason, heard)))
                print_data(f"{newsletter}: {ANSWER_WORDS[verdict.sent]}, {why}.")
        return True

    run_in_app(work)


def _edit_lines(editing: ArticleEdits | None) -> Iterator[str]:
    """Yield the lines that say what the article's publisher changed after it was told."""
    if editing is None:
        return
    what = f"Edited by its publisher after it was told, seen {editing.edit.at:%Y-%m-%d %H:%M} UTC"
    yield what + (":" if editing.changes else "; its key points stand.")
    for change in editing.changes:
        yield f"  - {printable(change.sent.text)}"
        yield f"  + {printable(change.current.text)}" if change.current else "  + (the sentence is gone)"


async def _find_articles(house: Application, name: str) -> Sequence[ArticleDetails]:
    if "://" in name:
        return await house.overview.articles_by_id([identity.article_id("", "", name, "")])
    return await house.overview.articles_by_prefix(name.lower())


def _exactly_one(found: Sequence[ArticleDetails], name: str) -> ArticleDetails:
    if not found:
        raise UsageError(f"no article {name!r} was gathered, or its feed gave it another address")
    if len(found) > 1:
        raise UsageError(f"{name!r} begins the ids of several articles; write more of it")
    return found[0]
