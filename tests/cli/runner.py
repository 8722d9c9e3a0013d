"""A small configuration, and a runner that captures the output and exit code of commands on it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from service.cli.main import main

FILES = {
    "caveat.yaml": """
site:
  name: The Test
  url: "https://news.example.org"
  from: "The Test <digest@news.example.org>"
  postal_address: "1 Example Street"
storage: sqlite:///../caveat.db
mail: {channel: file, folder: ../outbox}
fetch: {allow_private: ["127.0.0.1"], settle: 0m, timeout: 2s}
condense: {processes: 1}
""",
    "feeds.yaml": """
feeds:
  - {url: "file:notices.xml", name: House notices, topics: [house]}
""",
    "newsletters.yaml": """
newsletters:
  - {id: morning, title: The Morning Test, schedule: "daily 07:00", timezone: Europe/Berlin}
""",
    "subscribers.yaml": """
subscribers:
  - {email: amina@example.org, name: Amina, timezone: Asia/Qatar, newsletters: [morning]}
  - {email: ben@example.org, name: Ben, newsletters: [morning]}
""",
    "notices.xml": """<rss version="2.0"><channel><title>House notices</title><item>
<title>The lift is out of order</title><guid>n1</guid>
<description>The lift in the east wing has been out of order since Monday morning. The engineers expect to
repair it by Friday, the house office said. They had not received the spare part when this was written, so
that date is not certain. Deliveries go to the west entrance until then, where the porter takes them in.
</description></item></channel></rss>""",
}


@dataclass(frozen=True)
class CliResult:
    """The exit code of a command, its standard output and its standard error."""

    code: int
    out: str
    err: str

    @property
    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class CliRunner:
    """Runs commands in this process, with the configuration in `folder`."""

    folder: Path
    capture: pytest.CaptureFixture[str]

    def __call__(self, *words: str | Path) -> CliResult:
        code = main(["--config", str(self.folder), *map(str, words)])
        said = self.capture.readouterr()
        return CliResult(code, said.out, said.err)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def replace(self, name: str, old: str, new: str) -> None:
        """Replace text in a configuration file; the text must occur in it."""
        before = (self.folder / name).read_text()
        assert old in before
        self.write(name, before.replace(old, new))


def write_files(folder: Path) -> None:
    """Write a configuration with one local feed and two subscribers."""
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)


def write_config_and_runner(folder: Path, capture: pytest.CaptureFixture[str]) -> CliRunner:
    """Write a configuration and return a runner on it."""
    write_files(folder)
    return CliRunner(folder, capture)
