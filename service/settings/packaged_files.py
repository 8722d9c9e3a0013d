"""Packaged files: the folders of templates, configuration and sample, in a checkout and in a wheel."""

from __future__ import annotations

from pathlib import Path

from service.core.errors import CaveatError

PACKAGE = Path(__file__).resolve().parents[1]
PACKAGED_DATA_FOLDER = "_data"
DEFAULT_THEME = "daily"


def templates_folder(package: Path = PACKAGE) -> Path:
    """Return the folder of templates: `digest`, `mail` and `web`. Raises CaveatError when it is missing."""
    return _brought_along("templates", package)


def config_folder(package: Path = PACKAGE) -> Path:
    """Return the example configuration, the one to begin with. Raises CaveatError when it is missing."""
    return _brought_along("config", package)


def themes(config: Path) -> tuple[str, ...]:
    """Return the names of the packaged themes and of those in templates/digest of the config folder."""
    places = (templates_folder() / "digest", config / "templates" / "digest")
    return tuple(sorted({path.parent.name for place in places for path in place.glob("*/body.html")}))


def sample_folder(package: Path = PACKAGE) -> Path:
    """Return the demo's feeds, pages and configuration. Raises CaveatError when they are missing."""
    return _existing(package / "cli" / "demo" / "sample")


def _brought_along(name: str, package: Path) -> Path:
    """Return the folder beside pyproject.toml in a checkout, else the one that the wheel packs."""
    checkout = package.parent
    # Without that file the folder beside us is site-packages, where a `templates` would be a stranger's.
    if (checkout / "pyproject.toml").is_file():
        return _existing(checkout / name)
    return _existing(package / PACKAGED_DATA_FOLDER / name)


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        raise CaveatError(f"this installation of Caveat is not whole: {folder} is missing; install it again")
    return folder
