"""A web server on a real port with a real database: `web` is the client, `server` the server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest
from starlette.types import ASGIApp

from service.app.doctor.health import HealthCheck
from service.app.self_service import SelfService
from service.core.model import Membership, Site
from service.runtime.http.connections import ConnectionLimits
from service.runtime.http.http_server import listen, serve
from service.settings.packaged_files import templates_folder
from service.store.database import Database
from service.store.queries import Queries
from service.store.subscribers import SqlSubscriberStore
from service.subscribers.links import SubscriberLinks, subscriber_links
from service.subscribers.sync import apply_roster
from service.web.app import application
from tests.builders import NOON, a_feed
from tests.subscribers.rosters import a_roster, an_entry

TOKEN = "metrics-token"
SITE = Site(
    "The Morning Caveat",
    "https://news.example.org",
    "The Morning Caveat <digest@news.example.org>",
    "1 Example Street, Exampleton",
    "digest@news.example.org",
)
ROSTER = a_roster(
    an_entry("amina", "morning", "evening", timezone="Asia/Qatar"),
    an_entry("ben", language="ar"),
    feeds=(a_feed(topics=("world", "economy")),),
)


@dataclass(frozen=True, slots=True)
class WebServer:
    """A web server at `url`, with its health check and its subscribers."""

    url: str
    health: HealthCheck
    people: SqlSubscriberStore

    async def links(self, name: str = "amina", newsletter: str = "morning") -> SubscriberLinks:
        """Return the links in a subscriber's mail, with the address of this server."""
        (membership,) = await self.people.memberships(email=f"{name}@example.org", newsletter=newsletter)
        key = await self.people.signing_key()
        return subscriber_links(key, self.url, membership.subscriber.id, newsletter)

    async def membership(self, name: str = "amina", newsletter: str = "morning") -> Membership:
        (membership,) = await self.people.memberships(email=f"{name}@example.org", newsletter=newsletter)
        return membership

    async def statuses(self) -> dict[str, str]:
        found = await self.people.memberships()
        return {
            f"{m.subscriber.email.partition('@')[0]} {m.subscription.newsletter}": m.subscription.status.value
            for m in found
        }


async def served(app: ASGIApp, limits: ConnectionLimits | None = None) -> AsyncIterator[str]:
    """Serve the application at a free port; give its address."""
    server, stopping = listen("127.0.0.1", 0), asyncio.Event()
    running = asyncio.create_task(serve(app, server, stopping, limits=limits))
    yield f"http://127.0.0.1:{server.getsockname()[1]}"
    stopping.set()
    await running


@pytest.fixture
async def self_service(sqlite_database: Database) -> SelfService:
    people = SqlSubscriberStore(sqlite_database)
    await apply_roster(people, ROSTER, NOON)
    return SelfService(SITE, ROSTER, people, lambda: NOON)


@pytest.fixture
def health(self_service: SelfService, sqlite_database: Database) -> HealthCheck:
    return HealthCheck(self_service.subscribers, Queries(sqlite_database), lambda: NOON)


@pytest.fixture
async def server(self_service: SelfService, health: HealthCheck) -> AsyncIterator[WebServer]:
    app = application(self_service, health, templates_folder(), metrics_token=TOKEN)
    async for url in served(app):
        yield WebServer(url, health, self_service.subscribers)


@pytest.fixture
async def web() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session
