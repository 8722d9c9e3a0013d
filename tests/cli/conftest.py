"""The command line on a house of its own, with nothing of the user's in reach."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.house import Caller, a_house


@pytest.fixture
def caveat(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Caller:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("CAVEAT_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    return a_house(tmp_path / "config", capsys)
