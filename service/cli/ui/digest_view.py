"""A digest on the terminal: headlines, points, and the caveats that belong to them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from service.cli.ui.output import clean, console, count
from service.core.model import Digest, Role, Story, StoryPoint

WIDEST = 88
BELOW_A_HEADLINE, BELOW_A_POINT = 3, 6


def show(digest: Digest, title: str) -> None:
    """Print the digest on standard output."""
    screen = console(sys.stdout)
    screen.width = min(screen.width, WIDEST)
    screen.print(Group(*_page(digest, title)))


def _page(digest: Digest, title: str) -> Iterator[RenderableType]:
    local = digest.at.astimezone(ZoneInfo(digest.edition.timezone))
    when = f"{local:%A, %d %B %Y, %H:%M} {digest.edition.timezone}"
    yield Rule(Text(clean(title), style="bold"), characters="━", style="dim")
    yield Text(when, style="dim", justify="center")
    yield Text()
    for number, story in enumerate(digest.stories, start=1):
        yield from _story(number, story, digest.edition.timezone)
    if digest.left_out:
        yield Text(f"{count(digest.left_out, 'more story', 'more stories')} left out.", style="dim")
    yield from _margin(digest)
    yield Rule(characters="━", style="dim")


def _margin(digest: Digest) -> Iterator[RenderableType]:
    if digest.corrections:
        yield Text("Corrections", style="bold cyan")
    for found in digest.corrections:
        headline = f"{clean(found.article.title)} · {clean(found.article.publisher)}"
        yield _hanging(Text(), Text(headline, style="bold"))
        for change in found.changes:
            yield _hanging(Text("-"), Text(clean(change.told.text), style="dim"), margin=BELOW_A_HEADLINE)
            now = clean(change.now.text) if change.now else "The sentence is no longer in the article."
            yield _hanging(Text("+"), Text(now), margin=BELOW_A_HEADLINE)
        yield Text()
    if digest.unheard:
        names = ", ".join(clean(source.name) for source in digest.unheard)
        yield Text(f"Not heard from: {names}", style="dim")


def _story(number: int, story: Story, zone: str) -> Iterator[RenderableType]:
    lead = story.articles[0]
    at = (lead.published_at or lead.gathered_at).astimezone(ZoneInfo(zone))
    yield _hanging(Text(f"{number}", style="bold cyan"), Text(clean(story.headline), style="bold cyan"))
    yield _hanging(Text(), Text(f"{clean(', '.join(story.publishers))} · {at:%H:%M}", style="dim"))
    for point in story.points:
        yield from _point(point)
    yield Text()


def _point(point: StoryPoint) -> Iterator[RenderableType]:
    if point.role is Role.CAVEAT:
        line = Text.assemble(("Caveat: ", "bold yellow"), (clean(point.text), "yellow"))
        yield _hanging(Text("!", style="bold yellow"), line, margin=BELOW_A_POINT)
    else:
        yield _hanging(Text("•", style="bold"), Text(clean(point.text)), margin=BELOW_A_HEADLINE)
    for context in point.context:
        line = Text.assemble(("Also in the article: ", "dim"), (clean(context), "dim"))
        yield _hanging(Text(), line, margin=BELOW_A_POINT)


def _hanging(mark: Text, text: Text, *, margin: int = 0) -> RenderableType:
    """Return the text with a mark before it; its further lines begin where its first does."""
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(width=2)
    grid.add_column()
    grid.add_row(mark, text)
    return Padding(grid, (0, 0, 0, margin), expand=False)
