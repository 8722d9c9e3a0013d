"""Composing: the compose room with its production parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from service.compose.render.theme import JinjaRenderer
from service.compose.stage import Composer
from service.compose.stories.assign import StoryAssigner
from service.compose.stories.merge import merge_key_points
from service.core.model import Roster, SourceHealth
from service.gather.health import standing_of
from service.settings.packaged_files import templates_folder
from service.settings.values import Settings
from service.store.compose import SqlComposeStore
from service.store.database import Database
from service.store.queries import Queries
from service.store.stories import SqlStoryStore
from service.text.sentences import split_sentences


def composer_of(settings: Settings, roster: Roster, database: Database) -> Composer:
    """Return compose, ready to work. Themes of the config folder's own `templates` come before ours."""
    own = settings.folder / "templates"
    return Composer(
        SqlComposeStore(database),
        JinjaRenderer(templates_folder(), settings.site, own if own.is_dir() else None),
        merge_key_points,
        {newsletter.id: newsletter for newsletter in roster.newsletters},
        settle=settings.fetch.settle,
        channel=settings.mail.channel,
        story_assigner=StoryAssigner(SqlStoryStore(database)),
        split_sentences=split_sentences,
        source_health=StoredFeedHealth(Queries(database)),
    )


@dataclass(frozen=True, slots=True)
class StoredFeedHealth:
    """The Sources of core/contracts/: gather's rule over what the record holds of each feed."""

    overview: Queries

    async def source_health(self, at: datetime) -> Sequence[SourceHealth]:
        """Return every feed of the roster as it stands at that moment."""
        return [standing_of(state, at) for state in await self.overview.feed_states()]
