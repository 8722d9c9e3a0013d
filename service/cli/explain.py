"""`caveat explain`: why an article is, or is not, in a subscriber's issue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from service.cli.ui.commands import CommandTyper
from service.cli.ui.lazy_imports import lazy_imports
from service.cli.ui.options import AsJson
from service.cli.ui.output import print_data, print_json, printable
from service.core.errors import UsageError
from service.core.model import Score
from service.core.read_models import IssuePlace

with lazy_imports():
    from service.app.articles import edits as article_edits
    from service.app.articles import explain as explanations
    from service.app.articles import find
    from service.app.factories import application
    from service.cli.ui import open_app

SCORE_DIGITS = 2  # behind the point; smaller differences move no story
ANSWERS = {True: "yes", False: "no", None: "not yet"}

commands = CommandTyper()


@commands.add(
    "explain",
    """
    caveat explain https://example.org/2026/harbour --for amina@example.org
    caveat explain d0dd4f60 --for amina@example.org --json
    """,
)
def explain(
    article: Annotated[
        str,
        typer.Argument(
            metavar="ARTICLE", help="Address or id of the article, or first characters of its id."
        ),
    ],
    email: Annotated[str, typer.Option("--for", metavar="ADDRESS", help="Address of the subscriber.")],
    *,
    scores: Annotated[
        bool, typer.Option("--verbose", "-v", help="The parts of the score that gave the story its place.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Explain why an article is, or is not, in a subscriber's issue.

    It checks in this order: gathered, condensed, matching topic, muted words, sent already, past the settle
    time, and ranked among the stories of the next issue. What an issue showed is read from the issue.
    """

    async def work(app: application.Application) -> bool:
        details = await find.article_named(app, article)
        memberships = await app.subscribers.memberships(email=email)
        if not memberships:
            raise UsageError(f"{email!r} is not subscribed to any newsletter")
        edits = await article_edits.article_edits(app, details)
        if not as_json:
            found = details.article
            print_data(f"{found.title}\n{found.publisher}, gathered {found.gathered_at:%Y-%m-%d %H:%M} UTC")
            print_data("\n".join((*_text_lines(found.text_note), *_edit_lines(edits), "")))
        explained = await explanations.explain_article(app, details, memberships)
        for membership, (newsletter, explanation) in zip(memberships, explained, strict=True):
            correction = (
                await article_edits.correction_sentence(app, edits, membership, details.article.id)
                if edits
                else ""
            )
            if as_json:
                record = {"newsletter": newsletter, "told": explanation.sent, "why": explanation.reason}
                edited = {"edited_at": edits.edit.at if edits else None, "correction": correction}
                shown = {"joined_to": explanation.joined_to, "shown": explanation.shown_parts}
                note = {"text_note": details.article.text_note, **_place_record(explanation.place)}
                print_json({"article": details.article.id, **record, **edited, **shown, **note})
            else:
                reasons = "; ".join(filter(None, (explanation.reason, correction)))
                print_data(f"{newsletter}: {ANSWERS[explanation.sent]}, {reasons}.")
                if scores and explanation.place is not None:
                    print_data("\n".join(_score_lines(explanation.place.score)))
        return True

    open_app.run_in_app(work)


def _place_record(place: IssuePlace | None) -> dict[str, object]:
    """Return the fields of the story's place in the issue, None each without one."""
    if place is None:
        return dict.fromkeys(("placement", "rank", "ranked", "in_mail", "score", "score_parts"))
    return {
        "placement": place.placement,
        "rank": place.number,
        "ranked": place.total,
        "in_mail": place.in_mail,
        "score": round(place.score.total, SCORE_DIGITS),
        "score_parts": {name: round(value, SCORE_DIGITS) for name, value in place.score.parts},
    }


def _score_lines(score: Score) -> Iterator[str]:
    """Yield the total of a score and its parts, the largest first."""
    yield f"  score {score.total:.{SCORE_DIGITS}f}" + ("" if score.parts else " (it has no parts)")
    for name, value in sorted(score.parts, key=lambda part: -abs(part[1])):
        yield f"  {value:+9.{SCORE_DIGITS}f}  {name}"


def _text_lines(note: str) -> Iterator[str]:
    """Yield the line that says why the text is not all of the article."""
    if note:
        yield f"{note[0].upper()}{printable(note[1:])}."


def _edit_lines(edits: article_edits.ArticleEdits | None) -> Iterator[str]:
    """Yield the lines that show the publisher's changes after the article was sent."""
    if edits is None:
        return
    edited = f"Edited by its publisher after it was sent, seen {edits.edit.at:%Y-%m-%d %H:%M} UTC"
    yield edited + (":" if edits.changes else "; its headline and key points are unchanged.")
    for change in edits.changes:
        yield f"  - {printable(change.sent.text)}"
        yield f"  + {printable(change.current.text)}" if change.current else "  + (the sentence was deleted)"
