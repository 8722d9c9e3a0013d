"""`python -m service`, and the program `caveat`."""

from __future__ import annotations

import os
import sys

from service.cli.main import main as run

PRIVATE_UMASK = 0o077
"""The umask: no rights for the group and for others, because nearly every file of ours holds addresses."""


def main() -> None:
    """Run the command line and leave with its exit code; whatever it makes belongs to its user alone."""
    os.umask(PRIVATE_UMASK)
    sys.exit(run())


if __name__ == "__main__":
    main()
