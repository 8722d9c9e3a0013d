"""Entry point of `python -m service` and of the program `caveat`."""

from __future__ import annotations

import os
import sys

from service.cli.main import main as run

PRIVATE_UMASK = 0o077  # no rights for group and others: most of our files contain email addresses


def main() -> None:
    """Run the command line and exit with its code; every file that it creates is private to its user."""
    os.umask(PRIVATE_UMASK)
    sys.exit(run())


if __name__ == "__main__":
    main()
