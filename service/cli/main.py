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

import typer

from service.cli import session
from service.cli.app import app
from service.cli.output import say
from service.core.errors import CaveatError, ConfigError, UsageError

DONE, FAILED, WRONG, INTERRUPTED, UNREAD = 0, 1, 2, 130, 141
GLOBAL_FLAGS = ("--debug",)
GLOBAL_OPTION = "--config"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name; return the exit code. Never raises."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        command = typer.main.get_command(app)
        with command.make_context("caveat", _globals_first(words)) as context:
            command.invoke(context)
        sys.stdout.flush()
    except typer.Exit as leaving:
        return leaving.exit_code
    except BrokenPipeError:
        # The reader has left: nothing more can be said, also not by the interpreter on its way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNREAD
    except (KeyboardInterrupt, typer.Abort):
        say("Stopped.")
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the one place where everything ends up
        return _told(error)
    return DONE


def _told(error: Exception) -> int:
    """Say in one sentence what went wrong, and return the exit code for it."""
    if session.current().debug and not isinstance(error, typer.TyperException):
        from service.cli.trouble import show  # noqa: PLC0415 - only when something went wrong

        show(error)
    if isinstance(error, typer.TyperException):
        return _misused(error)
    if isinstance(error, ConfigError):
        for fault in error.faults:
            say(str(fault))
        if not session.current().config.is_dir():
            say("caveat config init writes one to begin with; caveat demo needs none.")
        return WRONG
    if isinstance(error, CaveatError):
        say(_sentence(str(error)))
        return WRONG if isinstance(error, UsageError) else FAILED
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        say(_sentence(f"{where}{error.strerror}"))
        return FAILED
    from service.cli.trouble import write_down  # noqa: PLC0415 - as above

    say(_sentence(f"something went wrong inside Caveat ({type(error).__name__}: {error})"))
    say(f"The details are in {write_down(error)}; --debug shows them here.")
    return FAILED


def _misused(error: typer.TyperException) -> int:
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        print(error.format_message())  # noqa: T201 - whoever asks for nothing gets the manual
        return WRONG
    path = context.command_path if context else "caveat"
    say(f"{path}: {_sentence(error.format_message(), capital=False)} See {path} --help.")
    return error.exit_code


def _globals_first(words: list[str]) -> list[str]:
    """Return the words with the options that hold everywhere moved to the front, wherever they stood."""
    ours: list[str] = []
    rest: list[str] = []
    left = iter(words)
    for word in left:
        if word == "--":
            rest += [word, *left]
        elif word in GLOBAL_FLAGS or word.startswith(f"{GLOBAL_OPTION}="):
            ours.append(word)
        elif word == GLOBAL_OPTION:
            ours += [word, *([value] if (value := next(left, None)) is not None else [])]
        else:
            rest.append(word)
    return ours + rest


def _sentence(text: str, *, capital: bool = True) -> str:
    text = text.strip()
    text = text if text.endswith((".", "?", "!", ":")) else f"{text}."
    return text[:1].upper() + text[1:] if capital else text
