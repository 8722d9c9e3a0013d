"""Another process that sends by hand: `python -m tests.app.sender CONFIG KEY TIMES [crash]`.

It asks so many times at once, on one event loop, and prints what it was answered; with `crash` it ends, as
by a kill, between the plan and the answer.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from service.app.factories.application import open_application
from service.app.manual_send import send
from service.core.send_request import SendRequest
from tests.app.crowds import loaded


async def main(folder: Path, key: str, times: int, *, crash: bool) -> None:
    """Ask, and print the ids of the issues that came of it."""
    settings = loaded(folder)

    async def die(_stage: str, _items: int) -> None:
        os._exit(9)

    async with open_application(settings.settings, settings.roster) as house:
        if crash:
            house.notify_workers = die
        answers = await asyncio.gather(
            *(send(house, SendRequest("morning", None, key=key)) for _ in range(times))
        )
    for answer in answers:
        print(*answer.planned.issues)  # noqa: T201 - what the test reads


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), crash="crash" in sys.argv))
