"""`caveat story`: the articles of a story, and the split of one that does not belong to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from service.cli.ui.commands import CommandTyper
from service.cli.ui.lazy_imports import lazy_imports
from service.cli.ui.options import AsJson, DryRun
from service.cli.ui.output import (
    SHORT_ID_CHARACTERS,
    Record,
    print_data,
    print_json,
    print_message,
    printable,
    quantity,
)
from service.core.read_models import ArticleDetails

with lazy_imports():
    from service.app.articles import find, stories
    from service.app.factories import application
    from service.cli.ui import open_app

ARTICLE_HELP = "Address or id of the article, or first characters of its id."
ArticleName = Annotated[str, typer.Argument(metavar="ARTICLE", help=ARTICLE_HELP)]

commands = CommandTyper(
    """Show the articles of a story, and split a wrong one from it.

    A story is what several articles report about one event; an issue shows it once.
    """,
    name="story",
)


@commands.add("show", "caveat story show https://example.org/2026/harbour\ncaveat story show d0dd4f60 --json")
def show(article: ArticleName, *, as_json: AsJson = False) -> None:
    """Show all articles of an article's story, in the order in which they arrived."""

    async def work(app: application.Application) -> bool:
        story = await stories.story_of(app, await find.article_named(app, article))
        if as_json:
            for record in _records(story):
                print_json(record)
            return True
        publishers = len({one.article.publisher for one in story.articles})
        counts = f"{quantity(len(story.articles), 'article')} of {quantity(publishers, 'publisher')}"
        print_data(f"Story {story.id[:SHORT_ID_CHARACTERS]}, {counts}\n")
        for details in story.articles:
            print_data("\n".join((*_article_lines(details), "")))
        return True

    open_app.run_in_app(work)


@commands.add("split", "caveat story split d0dd4f60 --dry-run\ncaveat story split d0dd4f60")
def split(article: ArticleName, *, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Give an article a story of its own, permanently, because it is about another event.

    Issues that are composed from now on use the new story, in every worker. Issues that were composed before
    stay as they are, also if they still wait to be sent.
    """

    async def work(app: application.Application) -> bool:
        details = await find.article_named(app, article)
        report = await stories.split(app, details, dry_run=dry_run)
        if as_json:
            print_json(_report_record(details, report, dry_run=dry_run))
        else:
            print_message("\n".join(_report_lines(details, report, dry_run=dry_run)))
        return True

    open_app.run_in_app(work)


def _records(story: stories.StoryDetails) -> Iterator[Record]:
    """Yield one record for each article of the story."""
    splits = {one.article_id: one.at for one in story.splits}
    for details in story.articles:
        one = details.article
        yield {
            "story": story.id,
            "article": one.id,
            "publisher": one.publisher,
            "title": one.title,
            "url": one.url,
            "published_at": one.published_at,
            "gathered_at": one.gathered_at,
            "split_at": splits.get(one.id),
        }


def _heading(details: ArticleDetails) -> str:
    """Return the short id and the title."""
    return f"{details.article.id[:SHORT_ID_CHARACTERS]}  {_title(details)}"


def _title(details: ArticleDetails) -> str:
    return printable(details.article.title) or "Untitled"


def _article_lines(details: ArticleDetails) -> Iterator[str]:
    """Yield the lines that show an article: id and title, publisher and time, address."""
    one = details.article
    yield _heading(details)
    when = f"{one.effective_published_at:%Y-%m-%d %H:%M} UTC"
    yield f"{' ' * SHORT_ID_CHARACTERS}  {printable(one.publisher)}, {when}"
    if one.url:
        yield f"{' ' * SHORT_ID_CHARACTERS}  {printable(one.url)}"


def _report_record(details: ArticleDetails, report: stories.SplitReport, *, dry_run: bool) -> Record:
    is_split = report.outcome is stories.SplitOutcome.SPLIT
    return {
        "article": details.article.id,
        "outcome": report.outcome.value,
        "story": report.story,
        "split_from": report.split_from.id if is_split else None,
        "remaining": [one.article.id for one in report.split_from.articles] if is_split else [],
        "sent_issues": report.sent_issues,
        "waiting_issues": report.waiting_issues,
        "dry_run": dry_run,
    }


def _report_lines(details: ArticleDetails, report: stories.SplitReport, *, dry_run: bool) -> Iterator[str]:
    """Yield the sentences that tell what a split did, or would do."""
    title = f"“{_title(details)}”"
    if report.outcome is stories.SplitOutcome.ALREADY_SPLIT:
        yield f"{title} was split before and has a story of its own. Nothing was changed."
        return
    if report.outcome is stories.SplitOutcome.ALONE:
        yield f"{title} is the only article of its story. Nothing was changed."
        return
    left = quantity(len(report.split_from.articles), "article")
    would = "would get" if dry_run else "has"
    yield f"{title} {would} a story of its own. The story that it leaves keeps {left}:"
    yield from (f"  {_heading(one)}" for one in report.split_from.articles)
    if report.sent_issues:
        yield f"Sent before and not changed: {quantity(report.sent_issues, 'issue')} with this article."
    if report.waiting_issues:
        waiting = quantity(report.waiting_issues, "issue")
        yield f"Composed before, waiting to be sent and not changed: {waiting} with this article."
