"""Names: what other rooms' registries hold, as the config may name it (a test keeps the two alike)."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from service.settings.packaged_files import templates_folder

Method = Literal["keypoints", "lexrank", "textrank", "lsa", "luhn", "lead"]
ChannelName = Literal["file", "smtp"]

DEFAULT_METHOD: Method = "keypoints"
DEFAULT_THEME = "daily"


def themes(folder: Path) -> tuple[str, ...]:
    """Return the themes there are: ours, and those of the config folder's own templates/digest."""
    places = (templates_folder() / "digest", folder / "templates" / "digest")
    return tuple(sorted({path.parent.name for place in places for path in place.glob("*/body.html")}))
