"""Files: what a config folder consists of."""

from __future__ import annotations

from service.settings.field_types import Block
from service.settings.main_file import MainConfig
from service.settings.roster_files import FeedsConfig, NewslettersConfig, SubscribersConfig

CONFIG_FILES: dict[str, type[Block]] = {
    "caveat.yaml": MainConfig,
    "feeds.yaml": FeedsConfig,
    "newsletters.yaml": NewslettersConfig,
    "subscribers.yaml": SubscribersConfig,
}
"""The files of a config folder, and what each may hold."""
