"""The compose stage with its production parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from typing_extensions import override

from service.app.factories.templates import template_folders
from service.compose.ports import PictureSource, SourceHealthReader
from service.compose.render.theme import JinjaRenderer
from service.compose.stage import Composer
from service.compose.stories.assign import StoryAssigner
from service.compose.stories.merging.merge import merge_key_points
from service.core.archive_links import sign_up_url
from service.core.model import Roster, SourceHealth
from service.gather.health import source_health
from service.settings.values import Settings
from service.store.compose import SqlComposeStore
from service.store.database import Database
from service.store.drafts import SqlDraftStore
from service.store.queries import Queries
from service.store.stories import SqlStoryStore
from service.subscribers.preferences import own_editions
from service.subscribers.sign_up import open_newsletters


def composer_of(
    settings: Settings, roster: Roster, database: Database, pictures: PictureSource | None = None
) -> Composer:
    """Return the compose stage; without `pictures`, issues show none."""
    templates, custom = template_folders(settings)
    open_ids = [one.id for one in open_newsletters(roster, settings.web.sign_up)]
    return Composer(
        SqlComposeStore(database, own_editions(roster.newsletters)),
        JinjaRenderer(templates, settings.site, custom),
        merge_key_points,
        {newsletter.id: newsletter for newsletter in roster.newsletters},
        settle=settings.fetch.settle,
        channel=settings.mail.channel,
        story_assigner=StoryAssigner(SqlStoryStore(database)),
        source_health=StoredFeedHealth(Queries(database)),
        drafts=SqlDraftStore(database),
        feed_weights={feed.id: feed.weight for feed in roster.feeds},
        subscribe_urls={name: sign_up_url(settings.site.url, name) for name in open_ids},
        pictures=pictures,
    )


@dataclass(frozen=True, slots=True)
class StoredFeedHealth(SourceHealthReader):
    """Applies gather's rule of feed health to the stored state of each feed."""

    queries: Queries

    @override
    async def source_health(self, at: datetime) -> Sequence[SourceHealth]:
        return [source_health(state, at) for state in await self.queries.feed_states()]
