"""A digest on the terminal: stories with their key points and caveats, then the notices."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from service.cli.ui.output import caveat_label, printable, quantity
from service.cli.ui.rich_output import console
from service.core.model import Article, Digest, Placement, Role, Story, StoryPoint

MAX_COLUMNS = 88  # longer lines are hard to read
HEADLINE_INDENT, POINT_INDENT = 3, 6  # columns before a key point, and before its caveats


def print_digest(digest: Digest, title: str) -> None:
    """Print the digest on standard output."""
    screen = console(sys.stdout)
    screen.width = min(screen.width, MAX_COLUMNS)
    screen.print(Group(*_page(digest, title)))


def _page(digest: Digest, title: str) -> Iterator[RenderableType]:
    local = digest.at.astimezone(ZoneInfo(digest.edition.timezone))
    when = f"{local:%A, %d %B %Y, %H:%M} {digest.edition.timezone}"
    yield Rule(Text(printable(title), style="bold"), characters="━", style="dim")
    yield Text(when, style="dim", justify="center")
    yield Text()
    section = ""
    detailed, shorts = digest.placed(Placement.LEAD, Placement.STORY), digest.placed(Placement.SHORT)
    for number, story in enumerate(detailed, start=1):
        if story.section != section:
            section = story.section
            yield Rule(Text(printable(section), style="bold"), align="left", style="dim")
        yield from _story(number, story, digest.edition.timezone)
    yield from _lines(shorts, len(detailed) + 1)
    if on_web := len(digest.placed(Placement.WEB)):
        yield Text(f"{quantity(on_web, 'more story', 'more stories')} on the web page.", style="dim")
    if digest.left_out:
        yield Text(f"{quantity(digest.left_out, 'more story', 'more stories')} left out.", style="dim")
    yield from _notices(digest)
    yield Rule(characters="━", style="dim")


def _lines(stories: Sequence[Story], first: int) -> Iterator[RenderableType]:
    """Yield the stories of one line each, with the caveats of their headlines."""
    if stories:
        yield Text("In short", style="bold cyan")
    for number, story in enumerate(stories, start=first):
        line = Text.assemble(
            printable(story.headline), (f" · {printable(story.articles[0].publisher)}", "dim")
        )
        yield _hanging(Text(str(number), style="cyan"), line)
        for point in story.points:
            yield from _point(point)
    if stories:
        yield Text()


def _notices(digest: Digest) -> Iterator[RenderableType]:
    if digest.corrections:
        yield Text("Corrections", style="bold cyan")
    for found in digest.corrections:
        headline = f"{printable(found.article.title)} · {printable(found.article.publisher)}"
        yield _hanging(Text(), Text(headline, style="bold"))
        for change in found.changes:
            yield _hanging(Text("-"), Text(printable(change.sent.text), style="dim"), margin=HEADLINE_INDENT)
            current = change.current.text if change.current else "The sentence is no longer in the article."
            yield _hanging(Text("+"), Text(printable(current)), margin=HEADLINE_INDENT)
        yield Text()
    if digest.unhealthy_sources:
        names = ", ".join(printable(source.name) for source in digest.unhealthy_sources)
        yield Text(f"Not heard from: {names}", style="dim")


def _story(number: int, story: Story, zone: str) -> Iterator[RenderableType]:
    lead = story.articles[0]
    yield _hanging(Text(f"{number}", style="bold cyan"), Text(printable(story.headline), style="bold cyan"))
    by = [printable(", ".join(story.publishers)), *_published(lead, zone)]
    yield _hanging(Text(), Text(" · ".join(by), style="dim"))
    introduced = {""}
    for point in story.points:
        if point.introduction not in introduced:
            introduced.add(point.introduction)
            yield _hanging(Text(), Text(printable(point.introduction), style="dim"), margin=HEADLINE_INDENT)
        yield from _point(point)
    for other in story.articles[1:]:
        named = f"Also: {printable(other.title) or 'Untitled'} ({printable(other.publisher)})"
        yield _hanging(Text(), Text(named, style="dim"))
    yield Text()


def _published(article: Article, zone: str) -> Iterator[str]:
    """Yield the time of publication, or its day if only that is known; nothing for an undated article."""
    if article.published_at and article.published_day_only:
        yield f"{article.published_at:%Y-%m-%d}"
    elif article.published_at:
        yield f"{article.published_at.astimezone(ZoneInfo(zone)):%H:%M}"


def _point(point: StoryPoint) -> Iterator[RenderableType]:
    hint = (f"[{printable(point.hint)}] " if point.hint else "", "dim")
    quoted = printable(f"“{point.text}”" if point.quoted else f"{'… ' if point.is_cut else ''}{point.text}")
    label = f"{caveat_label(point.grade, point.kind).capitalize()}: " if point.role is Role.CAVEAT else ""
    if point.stands_alone:
        line = Text.assemble((label, "dim"), hint, quoted)
        yield _hanging(Text("•", style="bold"), line, margin=HEADLINE_INDENT)
    else:
        line = Text.assemble((label, "bold yellow"), hint, (quoted, "yellow"))
        margin = HEADLINE_INDENT if point.is_story_caveat else POINT_INDENT
        yield _hanging(Text("!", style="bold yellow"), line, margin=margin)
    for figure in point.earlier:
        named = f"earlier: {printable(figure.text)} ({printable(figure.article.publisher)})"
        yield _hanging(Text(), Text(named, style="dim"), margin=POINT_INDENT)


def _hanging(mark: Text, text: Text, *, margin: int = 0) -> RenderableType:
    """Return the text with a mark before it, and its lines aligned behind the mark."""
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(width=2)
    grid.add_column()
    grid.add_row(mark, text)
    return Padding(grid, (0, 0, 0, margin), expand=False)
