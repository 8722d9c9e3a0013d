"""A fork server for tests of the pool."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from service.app.process_pool import process as pool_process
from service.app.process_pool.process import kill_fork_server


@pytest.fixture(scope="module", autouse=True)
def _a_fork_server_that_knows_the_tasks() -> Iterator[None]:
    """Preload the tests' imports in the fork server, as the service does with its own."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pool_process, "PRELOADED", ("service.app.process_pool.process", "tests.app.tasks"))
        kill_fork_server()
        yield
    kill_fork_server()
