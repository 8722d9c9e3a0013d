"""Composing: the compose room with its production parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from service.compose.render.theme import JinjaRenderer
from service.compose.stage import Composer
from service.compose.stories.assign import Joiner
from service.compose.stories.merge import tell
from service.core.model import Roster, Standing
from service.gather.health import standing_of
from service.settings.packaged_files import templates_folder
from service.settings.values import Settings
from service.store.compose import ComposeRecords
from service.store.database import Database
from service.store.queries import Overview
from service.store.stories import StoryRecords
from service.text.sentences import split_sentences


def composer_of(settings: Settings, roster: Roster, database: Database) -> Composer:
    """Return compose, ready to work. Themes of the config folder's own `templates` come before ours."""
    own = settings.folder / "templates"
    return Composer(
        ComposeRecords(database),
        JinjaRenderer(templates_folder(), settings.site, own if own.is_dir() else None),
        tell,
        {newsletter.id: newsletter for newsletter in roster.newsletters},
        settle=settings.fetch.settle,
        channel=settings.mail.channel,
        joiner=Joiner(StoryRecords(database)),
        splitter=split_sentences,
        sources=FeedStandings(Overview(database)),
    )


@dataclass(frozen=True, slots=True)
class FeedStandings:
    """The Sources of core/contracts/: gather's rule over what the record holds of each feed."""

    overview: Overview

    async def standing(self, at: datetime) -> Sequence[Standing]:
        """Return every feed of the roster as it stands at that moment."""
        return [standing_of(state, at) for state in await self.overview.feed_states()]
