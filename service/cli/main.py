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

import typer

from service.cli import session
from service.cli.app import app
from service.cli.output import data, say
from service.core.errors import CaveatError, ConfigError, UsageError

DONE, FAILED, WRONG, INTERRUPTED, UNREAD = 0, 1, 2, 130, 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name; return the exit code. Never raises."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        rest = _begin(words)
        if rest is None:
            return DONE
        command = typer.main.get_command(app)
        with command.make_context("caveat", rest) as context:
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


def _begin(words: list[str]) -> list[str] | None:
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
    session.begin(Path(config) if config else None, debug=debug)
    if version:
        from importlib.metadata import version as installed  # noqa: PLC0415 - not for every command

        data(f"caveat {installed('caveat')}")
        return None
    return rest


def _sentence(text: str, *, capital: bool = True) -> str:
    text = text.strip()
    text = text if text.endswith((".", "?", "!", ":")) else f"{text}."
    return text[:1].upper() + text[1:] if capital else text
