"""A process that sends manually: `python -m tests.app.send_process CONFIG KEY TIMES [crash]`.

It sends TIMES times concurrently on one event loop and prints each result. With `crash` it exits, as if it
were killed, between the plan and the result.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from service.app.factories.application import open_application
from service.app.sending.manual_send import send
from service.core.send_request import SendRequest
from tests.app.configs import loaded


async def main(folder: Path, key: str, times: int, *, crash: bool) -> None:
    """Send concurrently and print the issue ids of each result."""
    settings = loaded(folder)

    async def die(_stage: str, _items: int) -> None:
        os._exit(9)

    async with open_application(settings.settings, settings.roster) as app:
        if crash:
            app.notify_workers = die
        answers = await asyncio.gather(
            *(send(app, SendRequest("morning", None, key=key)) for _ in range(times))
        )
    for answer in answers:
        print(*answer.planned.issues)  # noqa: T201 - what the test reads


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), crash="crash" in sys.argv))
