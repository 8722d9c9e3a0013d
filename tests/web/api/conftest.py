"""The API on a real port with a real database: `api` is an installation with articles and two subscribers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from service.app.api.tokens import create_token
from service.app.factories.application import Application
from service.app.process_pool.pool import ProcessPool
from service.core.model import ApiScope
from service.settings.load import load_config
from service.settings.packaged_files import templates_folder
from service.store.database import Database
from service.web.api.application import versioned_api
from service.web.app import application
from tests.builders import NOON
from tests.end_to_end.installation import Clock
from tests.settings.config_folders import SITE, a_config_folder
from tests.web.conftest import served

NEWS = """<rss version="2.0"><channel><title>The Courier</title>{items}</channel></rss>"""
ITEM = """<item><guid>{n}</guid><title>Bridge {n} reopens after repairs</title>
<link>https://courier.example/{n}</link><pubDate>Mon, 02 Mar 2026 0{n}:00:00 GMT</pubDate>
<description>The bridge number {n} over the river reopened on Monday after eight months of repairs that cost
12 million euros, the city said. Lorries above 20 tonnes may not cross it until an inspection in June. The
mayor of the town said that the repairs of the {n} pillars were finished two weeks early. However, the
engineers have not confirmed that the foundation will hold for longer than ten years.</description></item>"""
FILES = {
    "caveat.yaml": SITE
    + "mail: {channel: file, folder: ../outbox}\nfetch: {settle: 0s}\nweb: {sign_up: [evening]}\n",
    "feeds.yaml": """feeds:
  - {url: "file:courier.xml", name: The Courier, topics: [world], full_text: never}
""",
    "courier.xml": NEWS.format(items="".join(ITEM.format(n=n) for n in range(1, 6))),
    "newsletters.yaml": """newsletters:
  - {id: morning, title: The Morning, topics: [world], schedule: "daily 07:00", timezone: Europe/Berlin}
  - {id: evening, title: The Evening, schedule: "daily 18:00", timezone: Europe/Berlin}
""",
    "subscribers.yaml": """subscribers:
  - {email: amina@example.org, name: Amina, timezone: Asia/Qatar, newsletters: [morning, evening]}
  - {email: ben@example.org, newsletters: [morning]}
""",
}


@dataclass
class ApiAnswer:
    """A response: status, headers, and the body as JSON (None without one) and as text."""

    status: int
    headers: Any
    body: Any
    text: str


@dataclass
class ApiSite:
    """A server at `url` with the API, and a program with a token for every scope."""

    url: str
    app: Application
    clock: Clock
    http: aiohttp.ClientSession
    token: str = field(default="", repr=False)

    async def token_for(self, *scopes: str) -> str:
        """Return a new token with these scopes."""
        _, secret = await create_token(self.app, "program", scopes or list(ApiScope))
        return secret.reveal()

    async def __call__(
        self, method: str, path: str, body: object = None, *, token: str | None = None, **headers: str
    ) -> ApiAnswer:
        """Send a request; `path` begins behind /api/v1."""
        named = {"Authorization": f"Bearer {self.token if token is None else token}"}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"json": body} if body is not None and not isinstance(body, bytes) else {"data": body}
        async with self.http.request(method, f"{self.url}/api/v1{path}", headers=named, **sent) as answer:
            text = await answer.text()
            has_json = "json" in answer.headers.get("Content-Type", "")
            return ApiAnswer(
                answer.status,
                answer.headers,
                await answer.json(content_type=None) if has_json else None,
                text,
            )


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON)


async def api_sites(
    database: Database, folder: Path, clock: Clock, *, has_articles: bool = True
) -> AsyncIterator[ApiSite]:
    """Serve an installation, by default with condensed articles; give it to a test."""
    loaded = load_config(a_config_folder(folder, FILES), {})
    pool = ProcessPool(1)
    app = Application(loaded.settings, loaded.roster, database, clock, pool)
    await app.apply_roster()
    if has_articles:
        await app.gather()
        await app.condense()
    pages = application(
        app.self_service,
        app.health,
        templates_folder(),
        versioned_api=versioned_api(app),
        archive=app.archive,
    )
    async for url in served(pages):
        async with aiohttp.ClientSession() as http:
            site = ApiSite(url, app, clock, http)
            site.token = await site.token_for()
            yield site
    await app.close()
    pool.shutdown(wait=False, cancel_futures=True)


@pytest.fixture
async def api(sqlite_database: Database, tmp_path: Path, clock: Clock) -> AsyncIterator[ApiSite]:
    async for site in api_sites(sqlite_database, tmp_path / "config", clock):
        yield site


@pytest.fixture
async def empty_api(sqlite_database: Database, tmp_path: Path, clock: Clock) -> AsyncIterator[ApiSite]:
    """Give an installation without articles, which starts sooner."""
    async for site in api_sites(sqlite_database, tmp_path / "config", clock, has_articles=False):
        yield site
