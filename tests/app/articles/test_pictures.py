"""Pictures are fetched as web pages are, and a failure is only logged."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest

from service.app.articles.pictures import FetchedPictures
from service.app.factories.application import Application, open_application
from service.app.factories.gather import PooledExecutor
from service.app.preview import PreviewReader, next_issue, personalized, rendered_mail
from service.app.process_pool.pool import ProcessPool
from service.core.content_ids import picture_url
from service.core.model import Picture
from service.gather.http.executor import ThreadWorkers
from service.gather.http.fetcher import FetchLimits, HttpFetcher
from service.gather.ports import WorkLimitExceeded
from service.settings.load import load_config
from service.subscribers.preferences import own_editions
from tests.builders import NOON, an_article, condensed
from tests.gather.server import Server, reply, serving, silent
from tests.pictures import a_bomb, a_file
from tests.settings.config_folders import SITE as CONFIG
from tests.settings.config_folders import a_config_folder
from tests.store.stores import Stores


def noon() -> datetime:
    return NOON


class FullWorkers(ThreadWorkers):
    """Workers whose limit of memory or time every task exceeds."""

    async def run(self, _function: Callable[..., object], *_values: object) -> object:
        raise WorkLimitExceeded("reading it took more memory than it may")


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as running:
        yield running


async def picture_at(url: str, *, private: tuple[str, ...] = ("127.0.0.1",), **parts) -> Picture | None:
    limits = FetchLimits(allow_private=private, compressed_bytes=1_000_000, host_spacing=0)
    async with HttpFetcher(limits) as fetcher:
        workers = parts.pop("workers", ThreadWorkers())
        return await FetchedPictures(fetcher, workers, noon, **parts).picture(url)


async def test_a_picture_is_fetched_and_made_small(server: Server):
    server.routes["/fire.png"] = reply(a_file("PNG", (2_240, 1_120)), content_type="image/png")
    found = await picture_at(server.url("/fire.png"))

    assert found is not None
    assert (found.width, found.height) == (1_120, 560)
    assert found.data.startswith(b"\xff\xd8")
    assert server.paths() == ["/robots.txt", "/fire.png"]


async def test_the_content_counts_and_not_what_the_server_calls_it(server: Server):
    server.routes["/a.html"] = reply(a_file("WEBP"), content_type="text/html")
    server.routes["/b.jpg"] = reply("<html>please log in</html>", content_type="image/jpeg")

    assert await picture_at(server.url("/a.html")) is not None
    assert await picture_at(server.url("/b.jpg")) is None


async def test_robots_txt_is_obeyed(server: Server):
    server.routes["/robots.txt"] = reply("User-agent: *\nDisallow: /private\n")
    server.routes["/private/fire.jpg"] = reply(a_file())

    assert await picture_at(server.url("/private/fire.jpg")) is None
    assert server.paths() == ["/robots.txt"]


async def test_a_private_address_is_not_asked(server: Server):
    server.routes["/fire.jpg"] = reply(a_file())

    assert await picture_at(server.url("/fire.jpg"), private=()) is None
    assert server.paths() == []


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(reply("gone", 410), id="removed"),
        pytest.param(reply("no", 404), id="not there"),
        pytest.param(reply(bytes(1_500_000)), id="too large"),
        pytest.param(reply(a_bomb(50_000, 50_000)), id="a decompression bomb"),
        pytest.param(reply(a_file()[:1_500]), id="truncated"),
    ],
)
async def test_without_a_usable_picture_there_is_none(server: Server, answer):
    server.routes["/fire.jpg"] = answer
    assert await picture_at(server.url("/fire.jpg")) is None


async def test_a_server_that_does_not_answer_is_not_waited_for(server: Server):
    server.routes["/fire.jpg"] = silent()
    assert await picture_at(server.url("/fire.jpg"), fetch_seconds=0.2) is None


async def test_a_picture_that_exceeds_the_limits_of_a_worker_is_left_out(server: Server):
    server.routes["/fire.jpg"] = reply(a_file())
    assert await picture_at(server.url("/fire.jpg"), workers=FullWorkers()) is None


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://example.org/a.jpg", "http://", "nonsense", "http://[::1"]
)
async def test_what_is_no_web_address_raises_nothing(url: str):
    assert await picture_at(url) is None


async def test_a_process_of_the_pool_reads_a_picture(server: Server):
    server.routes["/fire.jpg"] = reply(a_file())
    pool = ProcessPool(1)
    try:
        workers = PooledExecutor(pool)
        assert await picture_at(server.url("/fire.jpg"), workers=workers, shrink_seconds=60.0) is not None
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


# --- in an issue ---------------------------------------------------------------------------------

MORNING = (
    'newsletters:\n  - {id: morning, title: The Morning, topics: [world], schedule: "daily 07:00", '
    "timezone: UTC, lead_picture: true}\n"
)


@pytest.fixture
async def app(tmp_path: Path, database_url: str, server: Server) -> AsyncIterator[Application]:
    """Return an application whose newsletter shows pictures, with one article that has one."""
    files = {
        "caveat.yaml": f"{CONFIG}fetch:\n  allow_private: [127.0.0.1]\n",
        "newsletters.yaml": MORNING,
        "subscribers.yaml": "subscribers: []\n",
    }
    loaded = load_config(a_config_folder(tmp_path / "config", files), {"CAVEAT_STORAGE": database_url})
    with ThreadPoolExecutor(1) as pool:  # the start of a process may take longer than an issue waits
        opened = open_application(loaded.settings, loaded.roster, clock=noon, pool=pool)
        async with opened as running:
            stores = Stores(running.database)
            await stores.subscribe("amina", "ben", edition=own_editions(loaded.roster.newsletters)["morning"])
            article = an_article("Fire in the harbour", picture=server.url("/fire.jpg"), topics=("world",))
            await stores.store_articles([article])
            await stores.condense.record_summaries({article.id: condensed(article).summary}, NOON)
            yield running


async def test_an_issue_has_the_picture_of_its_lead_for_all_its_recipients(app: Application, server: Server):
    server.routes["/fire.jpg"] = reply(a_file())
    report = await app.compose()
    assert (report.issues, report.deliveries) == (1, 2)

    [listed] = await app.queries.issues()
    issue = await Stores(app.database).deliver.issue(listed.id)
    assert issue is not None
    assert issue.picture is not None
    assert issue.picture.publisher == an_article("Fire in the harbour").publisher
    assert f'src="{picture_url(issue.picture)}"' in issue.rendered.html
    assert server.paths() == ["/robots.txt", "/fire.jpg"]


async def test_an_issue_is_sent_without_a_picture_that_cannot_be_had(app: Application, server: Server):
    server.routes["/fire.jpg"] = reply(a_bomb(60_000, 60_000))
    report = await app.compose()

    assert (report.issues, report.deliveries, report.problems) == (1, 2, ())
    [listed] = await app.queries.issues()
    issue = await Stores(app.database).deliver.issue(listed.id)
    assert issue is not None
    assert issue.picture is None
    assert "<img" not in issue.rendered.html


async def test_a_preview_has_the_picture_inside_its_html_and_a_message_as_a_part(
    app: Application, server: Server
):
    server.routes["/fire.jpg"] = reply(a_file())
    reader = PreviewReader(own_editions(app.roster.newsletters)["morning"], 0)
    found = await next_issue(app, reader)
    page = (await personalized(app, found.issue, None)).html
    message = await rendered_mail(app, found.issue, None)

    assert "<img" in page
    assert 'src="data:image/jpeg;base64,' in page
    assert "cid:" not in page
    assert message.count(b"Content-Type: image/jpeg") == 1
