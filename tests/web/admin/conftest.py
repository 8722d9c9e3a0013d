"""The editors' pages on a real port with a real database: `editors` is the site, its people log in."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from argon2 import PasswordHasher

from service.app.accounts import passwords
from service.app.accounts.manage import create_account
from service.app.accounts.passwords import hash_password
from service.app.factories.application import Application
from service.app.process_pool.pool import ProcessPool
from service.core.secret import Secret
from service.settings.load import load_config
from service.settings.packaged_files import templates_folder
from service.store.accounts import SqlAccountStore
from service.store.database import Database
from service.web.admin.application import admin_application
from service.web.app import application
from tests.builders import NOON
from tests.end_to_end.installation import Clock
from tests.settings.config_folders import a_config_folder
from tests.web.conftest import served

PASSWORD = "four words nobody joins"
NEWSLETTERS = """newsletters:
  - {id: morning, title: The Morning Caveat, topics: [world], schedule: "daily 07:00", timezone: UTC}
  - {id: evening, title: The Evening, topics: [economy], schedule: "daily 18:00", timezone: UTC}
"""
FEEDS = """feeds:
  - {url: "https://courier.example/world.xml", name: The Courier, topics: [world]}
  - {url: "https://ledger.example/economy.xml", name: The Ledger, topics: [economy]}
"""
SUBSCRIBERS = """subscribers:
  - {email: amina@example.org, name: Amina, timezone: Asia/Qatar, newsletters: [morning, evening]}
  - {email: ben@example.org, name: Ben, newsletters: [morning]}
  - {email: carla@example.org, newsletters: [evening]}
"""
CHEAP_HASHER = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
NOTHING: dict[str, str] = {}
_hashes: list[Secret] = []
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')


@dataclass
class Editor:
    """A browser without scripts, in which a person is or is not logged in."""

    http: aiohttp.ClientSession
    url: str
    csrf: str = ""

    async def get(self, path: str = "/") -> tuple[int, str]:
        """Return status and text of a page; `path` begins behind /admin. Redirects are followed."""
        answer = await self.http.get(f"{self.url}/admin{path}")
        return answer.status, self._remember(await answer.text())

    async def post(self, path: str, fields: dict[str, str | list[str]] | None = None) -> tuple[int, str]:
        """Send a form with the token of the page that was read last; return the page that follows."""
        pairs = [("csrf", self.csrf)]
        for name, value in (fields or {}).items():
            pairs += [(name, one) for one in ([value] if isinstance(value, str) else value)]
        answer = await self.http.post(f"{self.url}/admin{path}", data=pairs)
        return answer.status, self._remember(await answer.text())

    async def upload(
        self, path: str, name: str, data: bytes, fields: dict[str, str] | None = None
    ) -> tuple[int, str]:
        """Send a form with the file `data` in its field `file`."""
        form = aiohttp.FormData({"csrf": self.csrf, **(fields or {})})
        form.add_field("file", data, filename=name, content_type="application/octet-stream")
        answer = await self.http.post(f"{self.url}/admin{path}", data=form)
        return answer.status, self._remember(await answer.text())

    def _remember(self, text: str) -> str:
        if found := _CSRF.search(text):
            self.csrf = found[1]
        return text


@dataclass
class EditorsSite:
    """A server at `url` with accounts `vera` (viewer), `eddie` (editor) and `ada` (admin)."""

    url: str
    app: Application
    clock: Clock
    folder: Path
    people: list[aiohttp.ClientSession] = field(default_factory=list)

    def nobody(self) -> Editor:
        """Return a browser in which nobody is logged in."""
        # The cookies of a server that is named by its address are kept only by an unsafe jar.
        session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        self.people.append(session)
        return Editor(session, self.url)

    async def log_in(self, name: str = "ada", password: str = PASSWORD) -> Editor:
        """Return a browser in which the account has logged in by the form."""
        editor = self.nobody()
        await editor.get("/login")
        await editor.post("/login", {"name": name, "password": password})
        return editor


async def an_application(
    folder: Path,
    database: Database,
    clock: Clock,
    pool: ProcessPool,
    environment: Mapping[str, str] = NOTHING,
) -> Application:
    """Return the application of a folder, with its roster stored and its accounts created."""
    loaded = load_config(folder, environment)
    app = Application(loaded.settings, loaded.roster, database, clock, pool)
    await app.apply_roster()
    for name, role in (("vera", "viewer"), ("eddie", "editor"), ("ada", "admin")):
        link = await create_account(app, name, role, f"{name}@news.example.org")
        await SqlAccountStore(database).set_password(link.account.id, await the_hash())
    return app


async def the_hash() -> Secret:
    """Return the hash of PASSWORD; made once, because it takes time."""
    if not _hashes:
        _hashes.append(await hash_password(Secret(PASSWORD)))
    return _hashes[0]


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash with the same algorithm and less memory: real parameters take 64 MiB for each login."""
    monkeypatch.setattr(passwords, "_hasher", lambda: CHEAP_HASHER)


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON)


@pytest.fixture
def environment() -> dict[str, str]:
    """Give the variables that override settings of the site; a test module replaces them."""
    return {}


@pytest.fixture
async def editors(
    sqlite_database: Database, tmp_path: Path, clock: Clock, environment: dict[str, str]
) -> AsyncIterator[EditorsSite]:
    files = {"newsletters.yaml": NEWSLETTERS, "feeds.yaml": FEEDS, "subscribers.yaml": SUBSCRIBERS}
    folder = a_config_folder(tmp_path / "config", files)
    async for site in a_site(folder, sqlite_database, clock, environment):
        yield site


async def a_site(
    folder: Path, database: Database, clock: Clock, environment: Mapping[str, str] = NOTHING
) -> AsyncIterator[EditorsSite]:
    """Serve the editors' pages of a configuration, with its roster stored and the three accounts."""
    pool = ProcessPool(1)
    app = await an_application(folder, database, clock, pool, environment)
    pages = application(
        app.self_service,
        app.health,
        templates_folder(),
        archive=app.archive,
        admin=admin_application(app, templates_folder(), root=""),
    )
    async for url in served(pages):
        site = EditorsSite(url, app, clock, folder)
        yield site
        for session in site.people:
            await session.close()
    await app.close()
    pool.shutdown(wait=False, cancel_futures=True)
