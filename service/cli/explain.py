"""`caveat explain`: why an article is, or is not, in somebody's issue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.ui.help import Chapter
from service.cli.ui.options import AsJson
from service.cli.ui.output import clean, data, json_line
from service.core import ids as identity
from service.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from service.app.article_edits import Editing
    from service.app.factories.application import House
    from service.core.read_models import ArticleLine

SIGNS = {True: "yes", False: "no", None: "not yet"}

chapter = Chapter()


@chapter.page(
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
    from service.app.article_edits import editing_of, heard_of  # noqa: PLC0415 - as above
    from service.app.forecast import verdicts  # noqa: PLC0415 - as above
    from service.cli.ui.open_app import in_house  # noqa: PLC0415 - not for `--help`

    async def work(house: House) -> bool:
        line = _only(await _found(house, article.strip()), article)
        memberships = await house.people.memberships(email=email)
        if not memberships:
            raise UsageError(f"nobody at {email!r} gets any newsletter")
        editing = await editing_of(house, line)
        if not as_json:
            told = line.article
            data(f"{told.title}\n{told.publisher}, gathered {told.gathered_at:%Y-%m-%d %H:%M} UTC")
            data("\n".join((*_edited(editing), "")))
        for membership, (newsletter, verdict) in zip(
            memberships, await verdicts(house, line, memberships), strict=True
        ):
            heard = await heard_of(house, editing, membership, line.article.id) if editing else ""
            if as_json:
                record = {"newsletter": newsletter, "told": verdict.told, "why": verdict.why}
                edited = {"edited_at": editing.edit.at if editing else None, "correction": heard}
                json_line({"article": line.article.id, **record, **edited})
            else:
                why = "; ".join(filter(None, (verdict.why, heard)))
                data(f"{newsletter}: {SIGNS[verdict.told]}, {why}.")
        return True

    in_house(work)


def _edited(editing: Editing | None) -> Iterator[str]:
    """Yield the lines that say what the article's publisher changed after it was told."""
    if editing is None:
        return
    what = f"Edited by its publisher after it was told, seen {editing.edit.at:%Y-%m-%d %H:%M} UTC"
    yield what + (":" if editing.changes else "; its key points stand.")
    for change in editing.changes:
        yield f"  - {clean(change.told.text)}"
        yield f"  + {clean(change.now.text)}" if change.now else "  + (the sentence is gone)"


async def _found(house: House, name: str) -> Sequence[ArticleLine]:
    if "://" in name:
        return await house.overview.articles_of([identity.article_id("", "", name, "")])
    return await house.overview.articles_named(name.lower())


def _only(found: Sequence[ArticleLine], name: str) -> ArticleLine:
    if not found:
        raise UsageError(f"no article {name!r} was gathered, or its feed gave it another address")
    if len(found) > 1:
        raise UsageError(f"{name!r} begins the ids of several articles; write more of it")
    return found[0]
