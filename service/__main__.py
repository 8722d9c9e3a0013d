"""Entry point of `python -m service` and of the program `caveat`."""

from __future__ import annotations

import gc
import os
import sys

from service.cli.main import main as run

PRIVATE_UMASK = 0o077  # no rights for group and others: most of our files contain email addresses
OBJECTS_PER_COLLECTION = 10_000
"""Number of new objects after which Python looks for unreachable cycles.

Its own number, 700, is reached hundreds of times by imports, whose objects all stay."""


def main() -> None:
    """Run the command line and exit with its code; every file that it creates is private to its user."""
    os.umask(PRIVATE_UMASK)
    gc.set_threshold(OBJECTS_PER_COLLECTION)
    code = run()
    gc.freeze()  # else Python visits every object at exit, which takes a fifth of a plain command's time
    sys.exit(code)


if __name__ == "__main__":
    main()
