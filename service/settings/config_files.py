"""Config files: the four YAML files of a config folder and their models."""

from __future__ import annotations

from service.settings.field_types import ConfigBlock
from service.settings.main_file import MainConfig
from service.settings.roster_files import FeedsConfig, NewslettersConfig, SubscribersConfig

CONFIG_FILES: dict[str, type[ConfigBlock]] = {
    "caveat.yaml": MainConfig,
    "feeds.yaml": FeedsConfig,
    "newsletters.yaml": NewslettersConfig,
    "subscribers.yaml": SubscribersConfig,
}
"""File name -> model, in the order in which faults are listed."""
