"""Names: what other rooms' registries hold, as the config may name it (a test keeps the two alike)."""

from __future__ import annotations

from functools import cache
from typing import Literal, get_args

from service.assets import templates_folder

Method = Literal["keypoints", "lexrank", "textrank", "lsa", "luhn", "lead"]
ChannelName = Literal["file", "smtp"]

METHODS: tuple[str, ...] = get_args(Method)
CHANNELS: tuple[str, ...] = get_args(ChannelName)
DEFAULT_METHOD: Method = "keypoints"
DEFAULT_THEME = "daily"


@cache
def themes() -> tuple[str, ...]:
    """Return the themes there are: the folders in templates/digest."""
    folder = templates_folder() / "digest"
    return tuple(sorted(path.name for path in folder.iterdir() if (path / "body.html").is_file()))
