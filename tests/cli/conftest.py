"""The command line on a configuration of its own, isolated from the user's files and environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.runner import CliRunner, write_config_and_runner


@pytest.fixture
def caveat(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("CAVEAT_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    return write_config_and_runner(tmp_path / "config", capsys)
