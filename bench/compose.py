"""Compose: many editions in one pass over three days of news, on SQLite and one core.

pass     CPU seconds of one pass by step: read, group, updates and merging, rank, layout, render, size, store
script   as many mails by a script as one would write it: a query, a Jinja template and css-inline for each

"""

from __future__ import annotations

import argparse
import asyncio
import resource
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import css_inline
from _newsdays import FEEDS, NOON, News, editions, news, newsletters
from jinja2 import Environment
from sqlalchemy import insert, select, update

from service.compose import composition, released_stories
from service.compose.render.theme import JinjaRenderer
from service.compose.stage import Composer, compose
from service.compose.stories.merging.merge import merge_key_points
from service.core import ids
from service.core.model import DesiredSubscription, Edition, FeedState, Preferences, Site, Subscriber
from service.gather.ports import PollResult
from service.settings.packaged_files import templates_folder
from service.store.compose import SqlComposeStore
from service.store.database import Database
from service.store.gather import SqlGatherStore
from service.store.mappers import SUMMARY_COLUMNS, article_of, summary_of, summary_values
from service.store.schema import article_topics, articles, story_articles, summaries
from service.store.subscribers import SqlSubscriberStore

SITE = Site("The Bench", "https://news.example.org", "The Bench <digest@example.org>", "1 Example Street", "")
BATCH = 500
MEMORY_DAYS = 3
CONTINUED_SHARE = 0.15  # of a day's stories continue one of the day before
EARLIER_PASSES = (24, 18)  # hours before the measured pass: all times of the schedules since then
SCRIPT = """<!DOCTYPE html><html><head><style>
body { font-family: Georgia, serif; color: #222; } h1 { font-size: 30px; } h2 { font-size: 20px; margin: 0; }
p { font-size: 16px; line-height: 24px; } a { color: #222; } .by { color: #666; font-size: 13px; }
</style></head><body><h1>{{ title }}</h1>{% for story in stories %}
<h2><a href="{{ story.article.url }}">{{ story.article.title }}</a></h2>
<p class="by">{{ story.article.publisher }}</p>
<ul>{% for point in story.points %}<li><p>{{ point.text }}</p></li>{% endfor %}</ul>{% endfor %}
<p class="by"><a href="https://news.example.org/u/x">Unsubscribe</a></p></body></html>"""


class Meter:
    """CPU seconds by step; the time of a step within another one counts for the inner one only."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.calls: defaultdict[str, int] = defaultdict(int)
        self._open: list[float] = []

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure the block as a step."""
        start, self._open = time.process_time(), [*self._open, 0.0]
        try:
            yield
        finally:
            spent = time.process_time() - start
            self.seconds[name] += spent - self._open.pop()
            self.calls[name] += 1
            if self._open:
                self._open[-1] += spent

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function with its time measured."""

        def measured(*args: Any, **values: Any) -> Any:  # noqa: ANN401 - any function
            with self.step(name):
                return function(*args, **values)

        async def measured_async(*args: Any, **values: Any) -> Any:  # noqa: ANN401 - as above
            with self.step(name):
                return await function(*args, **values)

        return measured_async if asyncio.iscoroutinefunction(function) else measured

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Measure the steps of compose within the block."""
        places: Sequence[tuple[str, object, str]] = (
            ("read", SqlComposeStore, "due_groups"),
            ("read", SqlComposeStore, "released_positions"),
            ("read", SqlComposeStore, "articles_at"),
            ("read", SqlComposeStore, "recently_sent"),
            ("store", SqlComposeStore, "record_issue"),
            ("group", released_stories, "group_stories"),
            ("updates", released_stories, "growing_stories"),
            ("updates", composition, "story_updates"),
            ("merge", composition.Composition, "_merge_anew"),
            ("corrections", SqlComposeStore, "edited_articles"),
            ("layout", composition, "make_digest"),
            ("size", composition, "fit_to_size"),
            ("rank", composition.Composition, "rank"),
            ("render", JinjaRenderer, "render"),
        )
        with ExitStack() as stack:
            for step, owner, name in places:
                stack.enter_context(mock.patch.object(owner, name, self.timed(step, getattr(owner, name))))
            yield


async def fill(database: Database, days: Sequence[News]) -> None:
    """Store the articles with their summaries and stories."""
    await SqlSubscriberStore(database).save_feeds(FEEDS, NOON)
    store = SqlGatherStore(database)
    everything = [condensed for day in days for condensed in day.articles]
    for start in range(0, len(everything), BATCH):
        batch = everything[start : start + BATCH]
        found = tuple(condensed.article for condensed in batch)
        await store.record_polls([PollResult(FeedState(FEEDS[0], next_poll_at=NOON), found)])
    async with database.write() as connection:
        rows = await connection.execute(select(articles.c.id, articles.c.position))
        places = {row.id: row.position for row in rows}
        await connection.execute(update(articles).values(state="condensed"))
        for start in range(0, len(everything), BATCH):
            batch = everything[start : start + BATCH]
            await connection.execute(
                insert(summaries),
                [
                    {
                        "position": places[c.article.id],
                        "made_at": c.article.gathered_at,
                        **summary_values(c.summary),
                    }
                    for c in batch
                ],
            )
            await connection.execute(
                insert(story_articles), [{"position": places[c.article.id], "story": c.story} for c in batch]
            )


async def subscribe(database: Database, chosen: Sequence[Edition], at: datetime) -> None:
    """Store one subscriber of each edition, who gets what arrives from that time on."""
    placements = [
        DesiredSubscription(
            Subscriber(ids.subscriber_id(f"reader{n}@example.org"), f"reader{n}@example.org", f"Reader {n}"),
            edition.newsletter,
            Preferences(),
            edition,
            ids.edition_key(edition),
            NOON,
        )
        for n, edition in enumerate(chosen)
    ]
    await SqlSubscriberStore(database).add_subscriptions(placements, at, starts_after=at)


async def script(database: Database, chosen: Sequence[Edition]) -> float:
    """Return the CPU seconds of a script that makes the same number of mails, without stories and caveats."""
    template, inliner = Environment(autoescape=True).from_string(SCRIPT), css_inline.CSSInliner()
    start, since = time.process_time(), NOON - timedelta(days=1)
    for edition in chosen:
        newest = (
            select(articles, *SUMMARY_COLUMNS)
            .join(summaries, summaries.c.position == articles.c.position)
            .where(articles.c.gathered_at > since)
            .order_by(articles.c.position.desc())
            .limit(edition.stories)
        )
        if edition.topics:
            these = select(article_topics.c.position).where(article_topics.c.topic.in_(edition.topics))
            newest = newest.where(articles.c.position.in_(these))
        async with database.read() as connection:
            rows = (await connection.execute(newest)).mappings().all()
        stories = [
            {"article": article_of(row), "points": summary_of(row).key_points[: edition.points]}
            for row in rows
        ]
        inliner.inline(template.render(title=edition.newsletter, stories=stories))
    return time.process_time() - start


async def measure(options: argparse.Namespace) -> None:
    """Print the table of one pass, and the script's time."""
    chosen = editions(options.editions)
    sentences = options.sentences.read_text(encoding="utf-8").splitlines() if options.sentences else ()
    days = [
        news(
            options.stories,
            after=NOON - timedelta(days=day),
            hours=23,
            seed=day,
            sentences=sentences,
            continued=CONTINUED_SHARE if options.earlier else 0.0,
        )
        for day in range(MEMORY_DAYS, 0, -1)
    ]
    with tempfile.TemporaryDirectory() as folder:
        database = await Database.open(f"sqlite:///{folder}/bench.db")
        try:
            await fill(database, days)
            await subscribe(database, chosen, NOON - timedelta(days=2 if options.earlier else 1))
            for hours in EARLIER_PASSES if options.earlier else ():
                await compose(composer_of(database), now=NOON - timedelta(hours=hours))
            total, fresh = sum(len(day.articles) for day in days), len(days[-1].articles)
            topics = len({edition.topics for edition in chosen})
            print(f"{len(chosen)} editions, {topics} sets of topics; {days[-1].stories} new stories")
            print(f"of {fresh} articles; {total} articles in three days")
            await one_pass(database, len(chosen))
            scripted = await script(database, chosen)
            print(f"  script                {scripted:7.2f} s")
        finally:
            await database.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak of the process: {peak:.0f} MB")


def composer_of(database: Database) -> Composer:
    """Return the composer of the newsletters."""
    return Composer(
        SqlComposeStore(database),
        JinjaRenderer(templates_folder(), SITE),
        merge_key_points,
        {newsletter.id: newsletter for newsletter in newsletters()},
        timedelta(minutes=10),
        "smtp",
    )


async def one_pass(database: Database, count: int) -> None:
    """Print the CPU seconds of one pass, by step."""
    meter = Meter()
    start = time.process_time()
    with meter.installed():
        report = await compose(composer_of(database), now=NOON)
    spent = time.process_time() - start
    if report.issues != count or report.problems:
        sys.exit(f"{report.issues} issues of {count}; {'; '.join(report.problems[:3])}")
    for step, seconds in sorted(meter.seconds.items(), key=lambda item: -item[1]):
        print(f"  {step:20}  {seconds:7.2f} s  {meter.calls[step]:6} calls")
    print(f"  {'other':20}  {spent - sum(meter.seconds.values()):7.2f} s")
    print(f"  {'pass':20}  {spent:7.2f} s, {1000 * spent / count:.1f} ms an edition")


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--editions", type=int, default=500)
    parser.add_argument("--stories", type=int, default=2000, help="new stories of a day")
    parser.add_argument("--earlier", action="store_true", help="compose the issues of the day before first")
    parser.add_argument(
        "--sentences", type=Path, help="texts with a sentence a line, in place of invented ones"
    )
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
