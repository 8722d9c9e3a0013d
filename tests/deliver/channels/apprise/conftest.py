"""The command line on a configuration of its own; the HTTP target does not log."""

from __future__ import annotations

import logging

import pytest

from tests.cli.conftest import caveat  # noqa: F401 - a fixture


@pytest.fixture(autouse=True)
def _quiet_target() -> None:
    logging.getLogger("werkzeug").disabled = True
