"""`caveat`: runs a command, and turns every error into one sentence and an exit code.

0    done
1    some of it failed; each failure was named
2    wrong usage or configuration; the message says where
130  stopped by Ctrl-C             141  the reader of standard output has closed it
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from service.cli.ui import context
from service.cli.ui.help_page import HELP_OPTIONS
from service.cli.ui.lazy_imports import lazy_imports
from service.cli.ui.output import as_sentence, print_data, print_message
from service.cli.ui.root_help import root_help
from service.core.errors import CaveatError, ChangeHeld, ConfigError, UsageError

with lazy_imports():
    from importlib import metadata

    from service.cli.ui import commands, crash_log

EXIT_DONE, EXIT_FAILED, EXIT_MISUSED, EXIT_INTERRUPTED, EXIT_BROKEN_PIPE = 0, 1, 2, 130, 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name; return the exit code. Never raises."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = _run(words)
        sys.stdout.flush()
    except BrokenPipeError:
        # Replace stdout, so that the interpreter does not fail on it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE
    except KeyboardInterrupt:
        print_message("Stopped.")
        return EXIT_INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the one place that reports every error
        return _report_error(error)
    return code


def _run(words: list[str]) -> int:
    """Run the command and return its exit code; typer is imported only if there is a command."""
    rest = _take_global_options(words)
    if rest is None:
        return EXIT_DONE
    if not rest or rest[0] in HELP_OPTIONS:
        print_data(root_help())
        return EXIT_DONE if rest else EXIT_MISUSED
    return commands.invoke(rest)


def _report_error(error: Exception) -> int:
    """Print what went wrong in one sentence, and return the exit code for it."""
    if context.options().debug:
        crash_log.print_traceback(error)
    if isinstance(error, ConfigError):
        for fault in error.faults:
            print_message(str(fault))
        if not context.options().config.is_dir():
            print_message("caveat config init creates an example configuration; caveat demo needs none.")
        return EXIT_MISUSED
    if isinstance(error, CaveatError):
        print_message(as_sentence(str(error)))
        return EXIT_MISUSED if isinstance(error, (UsageError, ChangeHeld)) else EXIT_FAILED
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename else ""
        print_message(as_sentence(f"{place}{error.strerror}"))
        return EXIT_FAILED
    print_message(as_sentence(f"something went wrong inside Caveat ({type(error).__name__}: {error})"))
    print_message(f"The details are in {crash_log.write_crash_log(error)}; --debug shows them here.")
    return EXIT_FAILED


def _take_global_options(words: list[str]) -> list[str] | None:
    """Apply the global options, at any position; return the other words, None after --version.

    They are parsed here because typer would import pydantic for them, and so for every help page.
    Raises UsageError for --config without a folder.
    """
    config, debug, version = os.environ.get("CAVEAT_CONFIG", ""), False, False
    rest: list[str] = []
    remaining = iter(words)
    for word in remaining:
        name, equals, value = word.partition("=")
        if word == "--":
            rest += [word, *remaining]
        elif name == "--config":
            config = value if equals else next(remaining, "")
            if not config:
                raise UsageError("--config needs a folder: --config DIR")
        elif word == "--debug":
            debug = True
        elif word == "--version":
            version = True
        else:
            rest.append(word)
    context.set_options(Path(config) if config else None, debug=debug)
    if version:
        print_data(f"caveat {metadata.version('caveat')}")
        return None
    return rest
