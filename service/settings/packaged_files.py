"""Packaged files: where templates, example configuration and demo sample are, in a checkout or a wheel."""

from __future__ import annotations

from pathlib import Path

from service.core.errors import CaveatError

PACKAGE = Path(__file__).resolve().parents[1]
PACKAGED_DATA_FOLDER = "_data"
DEFAULT_THEME = "daily"


def templates_folder(package: Path = PACKAGE) -> Path:
    """Return the folder of templates: `digest`, `mail` and `web`. Raises CaveatError when it is missing."""
    return _data_folder("templates", package)


def config_folder(package: Path = PACKAGE) -> Path:
    """Return the folder that `caveat config init` copies. Raises CaveatError when it is missing."""
    return _data_folder("config", package)


def themes(config: Path) -> tuple[str, ...]:
    """Return the names of the packaged themes and of those in templates/digest of the config folder."""
    places = (templates_folder() / "digest", config / "templates" / "digest")
    return tuple(sorted({path.parent.name for place in places for path in place.glob("*/body.html")}))


def sample_folder(package: Path = PACKAGE) -> Path:
    """Return the demo's feeds, pages and configuration. Raises CaveatError when they are missing."""
    return _existing(package / "cli" / "demo" / "sample")


def _data_folder(name: str, package: Path) -> Path:
    """Return the folder next to pyproject.toml in a checkout, else the one inside the installed package."""
    checkout = package.parent
    # Without pyproject.toml the parent is site-packages, where `templates` would belong to another package.
    if (checkout / "pyproject.toml").is_file():
        return _existing(checkout / name)
    return _existing(package / PACKAGED_DATA_FOLDER / name)


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        raise CaveatError(f"this installation of Caveat is incomplete: {folder} is missing; install it again")
    return folder
