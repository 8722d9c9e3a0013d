"""An installation with articles for the next issue, and a judge that a test scripts."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from service.app.factories.application import Application, open_application
from service.core.model import Article, FeedState, Summary
from service.gather.ports import PollResult
from service.settings.load import load_config
from service.store.judge import SqlJudgeStore
from tests.builders import a_feed, an_article
from tests.cli.runner import FILES
from tests.condense.judge.endpoint import Call, Endpoint, Script, completion, endpoint
from tests.store.stores import Stores

DUE = datetime(2026, 3, 3, 6, 0, tzinfo=UTC)  # 07:00 in Berlin, when the newsletter is due
KEY = "sk-hush"

DAM = """The dam above Vessel will be raised by four metres, the water board said on Monday.
Work begins in May and takes three years. The board expects the cost to be 90 million crowns.
Two farms in the valley will be flooded. Their owners were offered land elsewhere.
The board has not yet received the permit of the county. Without it no work can begin, a clerk said.
Engineers measured the ground in the autumn. The old dam was built in 1931.
A fishing club protested in front of the town hall. The mayor did not comment."""

FERRY = """The ferry to Holm stops at the end of March, its owner said. The line had lost money for six years.
Some forty people use the boat each day. A bus will replace it from April. The bus takes an hour longer.
The council says it knows nothing of a bus. It will discuss the matter on Thursday.
The owner had asked the council for support in January. The boat was built in Gdansk.
Last year its engine failed twice. Nobody was hurt."""


def an_account(title: str, text: str) -> Article:
    gathered = DUE - timedelta(hours=3)
    return an_article(title, " ".join(text.split()), published_at=gathered, gathered_at=gathered)


ARTICLES = (an_account("Dam to be raised", DAM), an_account("Ferry to Holm ends", FERRY))


@dataclass
class NewsClock:
    at: datetime = DUE - timedelta(minutes=30)

    def __call__(self) -> datetime:
        return self.at


@dataclass
class Newsroom:
    """The application and the endpoint of its judge."""

    app: Application
    endpoint: Endpoint
    clock: NewsClock = field(default_factory=NewsClock)

    @property
    def stores(self) -> Stores:
        return Stores(self.app.database)

    @property
    def judge(self) -> SqlJudgeStore:
        return SqlJudgeStore(self.app.database)

    async def publish(self, *articles: Article) -> None:
        """Store and condense these articles."""
        await self.stores.store_articles(articles)
        await self.app.condense()

    async def edit(self, article: Article) -> None:
        """Store a publisher's edit of an article, and condense it."""
        state = FeedState(a_feed(), next_poll_at=self.clock.at)
        await self.stores.gather.record_polls([PollResult(state, edited=(article,))])
        await self.app.condense()

    async def summaries(self) -> dict[str, Summary]:
        """Return the present summary of each article by its title."""
        details = await self.app.queries.articles()
        return {one.article.title: one.summary for one in details if one.summary is not None}


@asynccontextmanager
async def a_newsroom(
    folder: Path, script: Script, *articles: Article, judge: bool = True, limits: str = ""
) -> AsyncIterator[Newsroom]:
    """Open an installation whose newsletter is due in half an hour, with these articles in its next issue."""
    async with endpoint(script) as running:
        block = f'{{url: "{running.url}", model: qwen, key_file: judge.secret{limits}}}'
        write_config(folder, f"condense:\n  judge: {block}\n" if judge else "")
        loaded, clock = load_config(folder, {}), NewsClock(DUE - timedelta(days=1))
        with ThreadPoolExecutor(1) as pool:
            async with open_application(loaded.settings, loaded.roster, clock=clock, pool=pool) as app:
                await app.apply_roster()
                await app.subscribers.save_feeds([a_feed()], clock.at)
                clock.at = DUE - timedelta(minutes=30)
                newsroom = Newsroom(app, running, clock)
                await newsroom.publish(*articles)
                yield newsroom


def write_config(folder: Path, condense: str) -> None:
    """Write a configuration with this block, one subscriber in Berlin, and the key of the judge."""
    folder.mkdir()
    config = FILES["caveat.yaml"].replace("condense: {processes: 1}\n", condense)
    people = "subscribers:\n  - {email: ben@example.org, name: Ben, newsletters: [morning]}\n"
    for name, text in {
        **FILES,
        "caveat.yaml": config,
        "subscribers.yaml": people,
        "judge.secret": KEY,
    }.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)


def candidates(call: Call) -> list[int]:
    """Return the numbers that a question allows."""
    text: str = call.content["messages"][1]["content"]
    return [int(number) for number in text.rpartition("Candidates: ")[2].split(", ")]


def choosing(seed: int) -> Script:
    """Return a judge that chooses any candidates and pairs, the same for the same seed, and confirms all."""
    dice = random.Random(seed)  # noqa: S311 - a test that can be repeated

    def script(call: Call) -> bytes:
        if call.is_confirmation:
            return completion('{"answer": "yes"}')
        numbers = candidates(call)
        points = dice.sample(numbers, dice.randint(1, min(5, len(numbers))))
        pairs = [
            dict(zip(("claim", "caveat"), dice.sample(numbers, 2), strict=True), kind="denied", must=True)
            for _ in range(dice.randint(0, 4))
        ]
        return completion(json.dumps({"points": points, "pairs": pairs}))

    return script


def last_candidates(call: Call) -> bytes:
    """Choose the last two candidates, which no other method would, and no pair."""
    return completion(json.dumps({"points": candidates(call)[-2:], "pairs": []}))
