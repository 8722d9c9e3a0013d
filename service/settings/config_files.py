"""Files: what a config folder consists of."""

from __future__ import annotations

from service.settings.block import Block
from service.settings.main_file import CaveatFile
from service.settings.roster_files import FeedsFile, NewslettersFile, SubscribersFile

FILES: dict[str, type[Block]] = {
    "caveat.yaml": CaveatFile,
    "feeds.yaml": FeedsFile,
    "newsletters.yaml": NewslettersFile,
    "subscribers.yaml": SubscribersFile,
}
"""The files of a config folder, and what each may hold."""
