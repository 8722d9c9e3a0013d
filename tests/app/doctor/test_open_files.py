"""Files with addresses are private from their creation."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.app.doctor.checks import CheckStatus, run_checks
from service.app.factories.application import open_application
from service.app.subscribers import erase
from service.deliver.channels.file.outbox_files import make_folder, remove_messages_to, write_whole
from service.settings.load import load_config
from tests.cli.runner import write_files


@pytest.fixture
def careless() -> Iterator[None]:
    """Set a umask that makes new files readable by all users."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    write_files(tmp_path / "config")
    return tmp_path / "config"


def modes(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_mode & 0o777 for path in folder.rglob("*")}


async def findings(config: Path) -> dict[str, object]:
    return {one.what: one async for one in run_checks(load_config(config, {}))}


@pytest.mark.usefixtures("careless")
def test_a_message_file_is_private_from_the_first_byte(tmp_path: Path):
    seen: list[int] = []

    def parts() -> Iterator[bytes]:
        seen.extend(path.stat().st_mode & 0o777 for path in (tmp_path / "outbox").iterdir())
        yield b"To: amina@example.org"

    make_folder(tmp_path / "outbox")
    write_whole(tmp_path / "outbox", "d1", parts())
    assert seen == [0o600]
    assert modes(tmp_path) == {"outbox": 0o700, "outbox/d1.eml": 0o600}


def test_a_symbolic_link_at_the_path_of_a_message_is_not_followed(tmp_path: Path):
    (tmp_path / "precious").write_text("kept")
    (tmp_path / ".d1.part").symlink_to(tmp_path / "precious")
    write_whole(tmp_path, "d1", [b"mail"])
    assert (tmp_path / "precious").read_text() == "kept"
    assert (tmp_path / "d1.eml").read_bytes() == b"mail"


@pytest.mark.usefixtures("careless")
def test_every_file_that_a_command_creates_is_private(config: Path, tmp_path: Path):
    command = [sys.executable, "-m", "service", "--config", str(config), "migrate"]
    subprocess.run(command, check=True, capture_output=True)
    init = [*command[:3], "config", "init", str(tmp_path / "fresh" / "config")]
    subprocess.run(init, check=True, capture_output=True)
    made = {name: mode for name, mode in modes(tmp_path).items() if not name.startswith("config")}
    assert "fresh/config/caveat.yaml" in made
    assert not [name for name, mode in made.items() if mode & 0o077]


async def test_doctor_reports_open_files(config: Path, tmp_path: Path):
    assert "privacy" not in await findings(config)
    (tmp_path / "caveat.db").chmod(0o644)
    make_folder(tmp_path / "outbox")
    (tmp_path / "outbox").chmod(0o755)
    found = (await findings(config))["privacy"]
    assert found.verdict is CheckStatus.WARNING
    assert "caveat.db," in found.said
    assert "outbox" in found.said


async def test_erasing_a_subscriber_removes_their_mail_files(config: Path, tmp_path: Path):
    loaded = load_config(config, {})
    async with open_application(loaded.settings, loaded.roster) as app:
        await app.apply_roster()
        people = {m.subscriber.email: m.subscriber.id for m in await app.subscribers.memberships()}
        outbox = tmp_path / "outbox"
        make_folder(outbox)
        for person in people.values():
            write_whole(outbox, f"0123456789abcdef{person}", [b"mail"])
        assert await erase(app, "amina@example.org")
        # While the database is open: the log keeps nothing either.
        for name in ("caveat.db", "caveat.db-wal"):
            assert b"amina@example.org" not in (tmp_path / name).read_bytes()
    assert [path.name for path in outbox.iterdir()] == [f"0123456789abcdef{people['ben@example.org']}.eml"]


def test_a_folder_without_messages_has_none_to_remove(tmp_path: Path):
    assert remove_messages_to(tmp_path / "nowhere", "someone") == 0
