"""Template folders: the packaged one, and the operator's beside the configuration."""

from __future__ import annotations

from pathlib import Path

from service.settings.packaged_files import templates_folder
from service.settings.values import Settings


def template_folders(settings: Settings) -> tuple[Path, Path | None]:
    """Return the packaged folder, and the operator's, whose templates override it; None if there is none."""
    custom = settings.folder / "templates"
    return templates_folder(), custom if custom.is_dir() else None
