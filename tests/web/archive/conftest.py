"""A web server with stored issues of a public, a signed and a hidden newsletter: `archive`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pytest

from service.app.factories.application import Application
from service.app.process_pool.pool import ProcessPool
from service.core import ids
from service.core.archive_links import issue_links, newsletter_links
from service.core.model import Digest, Edition, Group, Issue, Picture, RenderedMail
from service.core.placeholders import Placeholder
from service.settings.load import load_config
from service.settings.packaged_files import templates_folder
from service.store.compose import SqlComposeStore
from service.store.database import Database
from service.subscribers.preferences import own_editions
from service.web.app import application
from tests.builders import NOON
from tests.compose.digests import a_digest, the_ballot, the_treaty
from tests.settings.config_folders import SITE, a_config_folder
from tests.store.stores import DAY, Stores
from tests.web.conftest import served

ARCHIVES = {"morning": "public", "evening": "signed", "night": "none"}
NEWSLETTERS = "newsletters:\n" + "".join(
    f'  - {{id: {name}, title: The {name.title()}, topics: [world], schedule: "daily 07:00", timezone: UTC, '
    f"archive: {archive}}}\n"
    for name, archive in ARCHIVES.items()
)
MAIL = f"""Good morning {Placeholder.NAME.marker},

1. Harbour reopens
   https://courier.example/harbour?a=1&b=2

You get this mail because {Placeholder.ADDRESS.marker} is subscribed.

Unsubscribe:
{Placeholder.UNSUBSCRIBE_URL.marker}
"""


@dataclass
class ArchiveSite:
    """A server at `url`, with methods to store issues and to find their pages."""

    url: str
    app: Application

    async def publish(
        self,
        digest: Digest | None = None,
        newsletter: str = "morning",
        *,
        day: str = "2026-03-02",
        created_at: datetime = NOON,
        edition: Edition | None = None,
        mail: str = MAIL,
        picture: Picture | None = None,
    ) -> Issue:
        """Store an issue of the newsletter; of `digest` None, only its mail is stored."""
        stores = Stores(self.app.database)
        own = own_editions(self.app.roster.newsletters)
        edition = edition or own[newsletter]
        await stores.subscribe("amina", edition=edition)
        composing = SqlComposeStore(self.app.database, own)
        (group,) = [one for one in await composing.due_groups(NOON + DAY) if one.edition == edition]
        if digest is not None:
            digest = replace(digest, edition=edition)
            articles = {one.id: one for story in digest.stories for one in story.articles}
            await stores.store_articles(list(articles.values()))
            digest = await self._with_positions(digest)
        issue = replace(self._issue(group, f"{day}T07:00", digest, created_at, mail), picture=picture)
        assert await composing.record_issue(group, issue, None, "file") == 1
        return issue

    async def _with_positions(self, digest: Digest) -> Digest:
        """Return the digest with the stored articles in its corrections."""
        ids_ = [one.article.id for one in digest.corrections]
        stored = {one.article.id: one.article for one in await self.app.queries.articles_by_id(ids_)}
        corrections = [replace(one, article=stored[one.article.id]) for one in digest.corrections]
        return replace(digest, corrections=tuple(corrections))

    async def page(self, issue: Issue, ending: str = "") -> str:
        """Return the address of an issue's page on this server: "", "report", "md", "epub", "picture"."""
        newsletter = self.app.roster.newsletter(issue.newsletter)
        links = issue_links(await self.key(), self.url, issue.id, newsletter.archive)
        return {
            "": links.page,
            "report": links.report,
            "md": links.markdown,
            "epub": links.epub,
            "picture": links.picture,
        }[ending]

    async def list_pages(self, newsletter: str = "morning"):
        """Return the addresses of a newsletter's list on this server."""
        found = self.app.roster.newsletter(newsletter)
        return newsletter_links(await self.key(), self.url, newsletter, found.archive)

    async def key(self) -> bytes:
        return await self.app.subscribers.signing_key()

    def _issue(
        self, group: Group, occurrence: str, digest: Digest | None, created_at: datetime, mail: str
    ) -> Issue:
        return Issue(
            id=ids.issue_id(group.edition_key, occurrence, group.served_through),
            newsletter=group.edition.newsletter,
            edition_key=group.edition_key,
            occurrence=occurrence,
            due_at=created_at,
            served_from=group.served_through,
            served_through=group.served_through,
            rendered=RenderedMail(f"News of {occurrence[:10]}", "<p>mail</p>", mail),
            article_ids=(),
            created_at=created_at,
            corrections=digest.corrections if digest else (),
            digest=digest,
        )


def the_issue(**changes: object) -> Digest:
    return replace(a_digest(the_ballot(), the_treaty()), **changes)


@pytest.fixture
def caveat_yaml() -> str:
    return SITE


@pytest.fixture
async def archive(tmp_path: Path, sqlite_url: str, caveat_yaml: str) -> AsyncIterator[ArchiveSite]:
    files = {
        "caveat.yaml": caveat_yaml,
        "newsletters.yaml": NEWSLETTERS,
        "subscribers.yaml": "subscribers: []\n",
    }
    loaded = load_config(a_config_folder(tmp_path / "config", files), {"CAVEAT_STORAGE": sqlite_url})
    app = Application(
        loaded.settings,
        loaded.roster,
        await Database.open(sqlite_url),
        clock=lambda: NOON,
        pool=ProcessPool(1),
    )
    pages = application(
        app.self_service,
        app.health,
        templates_folder(),
        sign_up=app.sign_up if loaded.settings.web.sign_up else None,
        archive=app.archive,
    )
    async for url in served(pages):
        yield ArchiveSite(url, app)
    await app.close()
