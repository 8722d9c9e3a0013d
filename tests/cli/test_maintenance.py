"""doctor, migrate, backup and restore, run as a program."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from service.settings.packaged_files import config_folder


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return Path(shutil.copytree(config_folder(), tmp_path / "config"))


def caveat(config: Path, *arguments: str, said: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "service", "--config", str(config), *arguments]
    return subprocess.run(command, input=said, capture_output=True, text=True, check=False)


def test_doctor_passes_on_the_example_configuration(config: Path):
    done = caveat(config, "doctor", "--json")
    findings = {one["what"]: one for one in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 0, done.stderr
    assert findings["database"]["verdict"] == "ok"
    assert findings["mail"]["verdict"] == "look"  # mail is written to files


def test_doctor_names_the_warnings_about_the_configuration(config: Path):
    feeds = config / "feeds.yaml"
    feeds.write_text(feeds.read_text() + "\n  - {url: 'https://lonely.example/feed.xml', name: Lonely}\n")
    done = caveat(config, "doctor")
    assert "1 warnings, see config check" in done.stdout
    assert "no newsletter takes the feed" in " ".join(done.stdout.split())


def test_an_unreachable_mail_server_is_a_fault(config: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CAVEAT_MAIL__CHANNEL", "smtp")
    monkeypatch.setenv("CAVEAT_MAIL__SMTP__HOST", "127.0.0.1")
    monkeypatch.setenv("CAVEAT_MAIL__SMTP__PORT", "1")
    done = caveat(config, "doctor")
    assert done.returncode == 1
    assert "FAULT  mail" in done.stdout
    assert "127.0.0.1:1" in done.stdout


def test_a_backup_overwrites_no_file_and_a_restore_needs_confirmation(config: Path, tmp_path: Path):
    copy = str(tmp_path / "copy.db")
    assert caveat(config, "migrate").returncode == 0
    assert caveat(config, "backup", copy).returncode == 0
    again = caveat(config, "backup", copy)
    assert again.returncode == 2
    assert "exists already" in again.stderr
    unasked = caveat(config, "restore", copy)
    assert unasked.returncode == 2
    assert "--yes" in unasked.stderr
    assert caveat(config, "restore", copy, "--yes").returncode == 0


def test_restoring_another_file_changes_nothing(config: Path, tmp_path: Path):
    (tmp_path / "letter").write_text("dear aunt")
    caveat(config, "migrate")
    before = (tmp_path / "data" / "caveat.db").read_bytes()
    done = caveat(config, "restore", str(tmp_path / "letter"), "--yes")
    assert done.returncode == 1
    assert "no backup" in done.stderr
    assert (tmp_path / "data" / "caveat.db").read_bytes() == before


def test_restore_needs_a_file_or_resume(config: Path):
    caveat(config, "migrate")
    unnamed = caveat(config, "restore")
    assert unnamed.returncode == 2
    assert "caveat restore FILE" in unnamed.stderr
    resumed = caveat(config, "restore", "--resume")
    assert resumed.returncode == 0
    assert "Sending was not held." in resumed.stderr


def test_a_restore_over_a_lost_database_holds_sending_until_resume(config: Path, tmp_path: Path):
    copy = str(tmp_path / "copy.db")
    caveat(config, "migrate")
    caveat(config, "backup", copy)
    (tmp_path / "data" / "caveat.db").write_bytes(b"")
    lost = caveat(config, "doctor")
    assert lost.returncode == 1
    assert "is empty: its content is lost" in lost.stdout
    done = caveat(config, "restore", copy, "--yes")
    assert done.returncode == 0
    assert "caveat restore --resume" in done.stderr
    held = caveat(config, "doctor")
    assert held.returncode == 1
    assert "nothing is sent" in held.stdout
    assert "Sending continues." in caveat(config, "restore", "--resume").stderr
    assert caveat(config, "doctor").returncode == 0
