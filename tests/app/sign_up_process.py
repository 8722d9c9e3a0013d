"""A process that signs up addresses until it is killed: `python -m tests.app.sign_up_process CONFIG`.

It prints each address once its request is answered.
"""

from __future__ import annotations

import asyncio
import sys
from itertools import count
from pathlib import Path

from service.app.factories.application import open_application
from service.app.sign_up import SignUpWish
from service.settings.load import load_config
from tests.deliver.fakes import Clock


async def main(folder: Path) -> None:
    """Sign up one address after another."""
    loaded = load_config(folder, {})
    async with open_application(loaded.settings, loaded.roster, clock=Clock()) as app:
        for number in count():
            email = f"p{number}@example.org"
            await app.sign_up.request(SignUpWish(email, ("morning",)))
            print(email, flush=True)  # noqa: T201 - what the test reads


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
