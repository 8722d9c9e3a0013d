"""The door itself: runs a command, and turns whatever goes wrong into one sentence and an exit code.

0    done
1    some of it failed; each failure was named
2    used or configured wrongly; the text says where
130  stopped by Ctrl-C             141  whoever read our output stopped reading
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from service.cli.ui import context as session
from service.cli.ui.command_list import root_help
from service.cli.ui.help_page import HELP_OPTIONS
from service.cli.ui.output import as_sentence, print_data, print_message
from service.core.errors import CaveatError, ConfigError, UsageError

EXIT_DONE, EXIT_FAILED, EXIT_MISUSED, EXIT_INTERRUPTED, EXIT_BROKEN_PIPE = 0, 1, 2, 130, 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name; return the exit code. Never raises."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = _run(words)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has left: nothing more can be said, also not by the interpreter on its way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE
    except KeyboardInterrupt:
        print_message("Stopped.")
        return EXIT_INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the one place where everything ends up
        return _report_error(error)
    return code


def _run(words: list[str]) -> int:
    """Do what the words ask for, and return the exit code; typer is loaded for commands only."""
    rest = _take_global_options(words)
    if rest is None:
        return EXIT_DONE
    if not rest or rest[0] in HELP_OPTIONS:
        print_data(root_help())
        return EXIT_DONE if rest else EXIT_MISUSED
    from service.cli.ui.commands import invoke  # noqa: PLC0415 - see the docstring

    return invoke(rest)


def _report_error(error: Exception) -> int:
    """Say in one sentence what went wrong, and return the exit code for it."""
    if session.options().debug:
        from service.cli.ui.crash_log import print_traceback  # noqa: PLC0415 - only when something went wrong

        print_traceback(error)
    if isinstance(error, ConfigError):
        for fault in error.faults:
            print_message(str(fault))
        if not session.options().config.is_dir():
            print_message("caveat config init writes one to begin with; caveat demo needs none.")
        return EXIT_MISUSED
    if isinstance(error, CaveatError):
        print_message(as_sentence(str(error)))
        return EXIT_MISUSED if isinstance(error, UsageError) else EXIT_FAILED
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        print_message(as_sentence(f"{where}{error.strerror}"))
        return EXIT_FAILED
    from service.cli.ui.crash_log import write_crash_log  # noqa: PLC0415 - as above

    print_message(as_sentence(f"something went wrong inside Caveat ({type(error).__name__}: {error})"))
    print_message(f"The details are in {write_crash_log(error)}; --debug shows them here.")
    return EXIT_FAILED


def _take_global_options(words: list[str]) -> list[str] | None:
    """Take the options that hold everywhere, wherever they stand; return the other words, None for no more.

    They are read here rather than by typer, which would load pydantic for them, and so for every help page.
    Raises UsageError for --config without a folder.
    """
    config, debug, version = os.environ.get("CAVEAT_CONFIG", ""), False, False
    rest: list[str] = []
    left = iter(words)
    for word in left:
        name, equals, value = word.partition("=")
        if word == "--":
            rest += [word, *left]
        elif name == "--config":
            config = value if equals else next(left, "")
            if not config:
                raise UsageError("--config needs the folder of configuration behind it")
        elif word == "--debug":
            debug = True
        elif word == "--version":
            version = True
        else:
            rest.append(word)
    session.set_options(Path(config) if config else None, debug=debug)
    if version:
        from importlib.metadata import version as installed  # noqa: PLC0415 - not for every command

        print_data(f"caveat {installed('caveat')}")
        return None
    return rest
