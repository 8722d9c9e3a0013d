"""Config folders for tests: a small valid one, in which a test replaces files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from service.core.errors import ConfigError, Fault
from service.settings.load import load_config
from service.settings.values import LoadedConfig

FILES = {
    "caveat.yaml": """\
site:
  name: The Morning Caveat
  url: "https://news.example.org"
  from: "The Morning Caveat <digest@news.example.org>"
  postal_address: "1 Example Street, Exampleton"
""",
    "feeds.yaml": """\
feeds:
  - {url: "https://courier.example/feed.xml", name: The Courier, topics: [world]}
""",
    "newsletters.yaml": """\
newsletters:
  - {id: morning, title: The Morning, topics: [world], schedule: "daily 07:00", timezone: Europe/Berlin}
""",
    "subscribers.yaml": """\
subscribers:
  - {email: amina@example.org, name: Amina, timezone: Asia/Qatar, newsletters: [morning]}
""",
}
SITE = FILES["caveat.yaml"]


def a_config_folder(folder: Path, files: Mapping[str, str | bytes] | None = None) -> Path:
    """Write a valid config folder, with `files` in place of its own; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in {**FILES, **(files or {})}.items():
        data = content if isinstance(content, bytes) else content.encode()
        (folder / name).write_bytes(data)
        (folder / name).chmod(0o600)
    return folder


def loaded(folder: Path, *, tolerant: bool = False, **environ: str) -> LoadedConfig:
    return load_config(folder, environ, tolerant=tolerant)


def faults(folder: Path, *, tolerant: bool = False, **environ: str) -> tuple[Fault, ...]:
    """Return the faults of the folder; () when it loads."""
    try:
        load_config(folder, environ, tolerant=tolerant)
    except ConfigError as error:
        return error.faults
    return ()


def said(folder: Path, **environ: str) -> list[str]:
    return [str(fault) for fault in faults(folder, **environ)]
