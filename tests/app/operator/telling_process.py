"""A process that tells the operator until it is killed: `python -m ...telling_process CONFIG`."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

from service.app.factories.application import open_application
from service.app.operator.mail import tell_operator
from service.settings.load import load_config
from tests.deliver.fakes import Clock


async def main(folder: Path) -> None:
    """Tell, again and again; print a line after each time."""
    loaded, clock = load_config(folder, {}), Clock()
    clock.now += timedelta(minutes=20)  # what was seen at the clock's start has lasted
    async with open_application(loaded.settings, loaded.roster, clock=clock) as app:
        while True:
            report = await tell_operator(app)
            print(report.mails, flush=True)  # noqa: T201 - what the test reads


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
