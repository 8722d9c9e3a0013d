"""The door for a fresh machine: `python3 dev.py run` needs Python 3.11 or newer with pip, and nothing else.

    run [ARGS]          install what Caveat needs, then run its demo: the whole road on a bundled sample
    test [ARGS]         all tests (arguments go to pytest)
    sweep [ARGS]        the long crash sweeps: every byte, every step, every system call, every power cut
    check               lint, format and types
    bench [NAME [ARGS]] all benchmarks, or one of them; --list names them

Everything it brings lies in .tools and .venv beside this file, so removing both undoes it.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

# Only the standard library, and no syntax newer than Python 3.7: an older Python must get as far as the
# sentence that says what is wrong.

ROOT = Path(__file__).resolve().parent
TOOLS = ROOT / ".tools"
UV_VERSION = "0.13.9"
OLDEST_UV = (0, 5)
OLDEST_PYTHON = (3, 11)
INTERRUPTED = 130
UNWANTED_VARIABLES = frozenset({"VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE"})
"""Variables that commands must not inherit: another environment's folder, and a ban on compiled files.

Container images often set the second. Without compiled files each command compiles all libraries again, a
second of CPU time, and the tests start hundreds of commands.
"""


class CannotStart(Exception):
    """The machine lacks something; the text says what, and what to do."""

    code = 1


class UsedWrongly(CannotStart):
    """dev.py was called with something that it does not know."""

    code = 2


def run(arguments: list[str]) -> int:
    """Install the program, without the developers' tools, and run the demo."""
    install("--no-default-groups", "--inexact")  # inexact: do not remove tools that `test` needed
    return start("caveat", "demo", *arguments)


def test(arguments: list[str]) -> int:
    """Run the tests, on every core; `-n 0` for one after the other."""
    install()
    return start("pytest", "-n", "auto", "--dist", "loadfile", *arguments)


def sweep(arguments: list[str]) -> int:
    """Break the line after every byte, kill the worker and cut the power at every step."""
    install()
    return start("pytest", "-n", "auto", "--dist", "load", "-m", "long", "tests/deliver", *arguments)


def check(arguments: list[str]) -> int:
    """Run every check, also after one has failed, so that one run shows all there is to mend."""
    if arguments:
        raise UsedWrongly(f"check takes no arguments, got {' '.join(arguments)}")
    install()
    return max([start("ruff", "check", "."), start("ruff", "format", "--check", "."), start("mypy")])


def bench(arguments: list[str]) -> int:
    """Run the benchmark that the first argument names, or all of them."""
    names = sorted(path.stem for path in (ROOT / "bench").glob("[!_]*.py"))
    if arguments == ["--list"]:
        print(*names, sep="\n")
        return 0
    if arguments and arguments[0] not in names:
        listed = ", ".join(names) if names else "none so far"
        raise UsedWrongly(f"there is no benchmark {arguments[0]!r}; there are: {listed}")
    install("--group", "bench")
    worst = 0
    for name in arguments[:1] or names:
        print(f"== {name}", flush=True)
        worst = max(worst, start("python", f"bench/{name}.py", *arguments[1:]))
    return worst


COMMANDS = {"run": run, "test": test, "sweep": sweep, "check": check, "bench": bench}


def install(*options: str) -> None:
    """Bring .venv to what uv.lock says, with this very Python; uv must not fetch another."""
    if call([uv(), "sync", "--frozen", "--python", sys.executable, *options]):
        raise CannotStart(
            "the libraries could not be installed (see above); "
            "the first run, and the first after a change of uv.lock, must reach pypi.org"
        )


def start(*command: str) -> int:
    """Run a program of the installed environment and return its exit code."""
    return call([uv(), "run", "--no-sync", *command])


def uv() -> str:
    """Return the path of uv: the one on PATH, or our own, which is installed when it is missing."""
    found = shutil.which("uv")
    if found and version_of(found) >= OLDEST_UV:
        return found
    own = TOOLS / "bin" / ("uv.exe" if os.name == "nt" else "uv")
    os.environ.setdefault("UV_CACHE_DIR", str(TOOLS / "cache"))
    if not (own.exists() and (TOOLS / f"uv-{UV_VERSION}.dist-info").exists()):
        install_uv()
    return str(own)


def version_of(program: str) -> tuple[int, ...]:
    """Return the version that uv names, such as (0, 13, 9); empty when it names none."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    return tuple(int(number) for number in re.findall(r"\d+", said)[:3])


def install_uv() -> None:
    """Install uv beside this file: `--target` needs no root, no venv package, and is allowed by PEP 668."""
    if importlib.util.find_spec("pip") is None:
        raise CannotStart(
            f"{sys.executable} has no pip; install it (on Debian and Ubuntu: apt install python3-pip), "
            "or install uv, and try again"
        )
    print(f"Installing uv {UV_VERSION} into {TOOLS}", file=sys.stderr, flush=True)
    # --upgrade replaces what an interrupted run left; PIP_USER, where it is set, contradicts --target.
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    where = ["--upgrade", "--target", str(TOOLS), f"uv=={UV_VERSION}"]
    if call([*pip, *where], PIP_USER="0"):
        raise CannotStart(
            f"pip could not install uv {UV_VERSION} (see above); the first run must reach pypi.org"
        )


def call(command: list[str], **settings: str) -> int:
    """Run a command from the project's folder and return its exit code, as a shell would give it."""
    environment = {key: value for key, value in os.environ.items() if key not in UNWANTED_VARIABLES}
    environment.update(settings, UV_PYTHON_DOWNLOADS="never")
    if has_certificates():
        environment.setdefault("UV_SYSTEM_CERTS", "1")
    sys.stdout.flush()
    code = subprocess.call(command, cwd=ROOT, env=environment)
    return code if code >= 0 else 128 - code


def has_certificates() -> bool:
    """Tell whether the machine keeps a list of trusted authorities.

    Where it does, uv is to use that one, as pip does: behind a company's proxy only the machine's list knows
    who signed what arrives. A machine without any is better served by the list that uv brings along.
    """
    paths = ssl.get_default_verify_paths()
    return bool(paths.cafile or (paths.capath and any(Path(paths.capath).iterdir())))


def require_python(version: tuple[int, ...]) -> None:
    """Refuse a Python that is too old, before anything is installed with it."""
    if version < OLDEST_PYTHON:
        have, need = (".".join(str(part) for part in parts[:2]) for parts in (version, OLDEST_PYTHON))
        raise CannotStart(
            f"Caveat needs Python {need} or newer and this is {have}; "
            "start dev.py with a newer one, for example python3.12 dev.py run"
        )


def chosen(name: str) -> Callable[[list[str]], int]:
    """Return the command of that name."""
    if name not in COMMANDS:
        raise UsedWrongly(f"there is no command {name!r}; there are: {', '.join(COMMANDS)}")
    return COMMANDS[name]


def main(arguments: list[str]) -> int:
    """Do what the first argument names; return the exit code."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(__doc__)
        return 0 if arguments else UsedWrongly.code
    try:
        command = chosen(arguments[0])
        require_python(sys.version_info[:3])
        return command(arguments[1:])
    except CannotStart as trouble:
        print(f"dev.py: {trouble}.", file=sys.stderr)
        return trouble.code
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
