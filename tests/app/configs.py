"""Configurations with many subscribers, whose mail goes to a test server."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from service.settings.load import load_config
from service.settings.values import LoadedConfig
from tests.cli.runner import FILES, write_files


def write_config(
    folder: Path,
    *,
    storage: str,
    smtp_port: int,
    readers: int,
    web: str = "",
    domains: Sequence[str] = ("example.org",),
) -> None:
    """Write a configuration with this number of subscribers, spread over the domains, of one group."""
    write_files(folder)
    smtp = f"mail: {{channel: smtp, smtp: {{host: 127.0.0.1, port: {smtp_port}, security: none}}}}"
    text = FILES["caveat.yaml"].replace("mail: {channel: file, folder: ../outbox}", smtp)
    text = text.replace("sqlite:///../caveat.db", storage)
    (folder / "caveat.yaml").write_text(f"{text}{web}\n")
    addresses = (f"reader{n}@{domains[n % len(domains)]}" for n in range(readers))
    people = (f"  - {{email: {address}, newsletters: [morning]}}\n" for address in addresses)
    (folder / "subscribers.yaml").write_text("subscribers:\n" + "".join(people))


def loaded(folder: Path) -> LoadedConfig:
    """Load the configuration without the environment."""
    return load_config(folder, {})
