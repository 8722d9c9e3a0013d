"""Development commands. `python3 dev.py run` needs only Python 3.11 or newer with pip.

    run [ARGS]          Install Caveat and run its demo, from feed to mail, with packaged sample data.
    test [ARGS]         Run all tests; ARGS go to pytest.
    sweep [ARGS]        Run the long crash tests: a failure at every byte, step, system call and disk write.
    check               Run linter, formatter and type checker.
    bench [NAME [ARGS]] Run all benchmarks or one of them; --list prints their names.

Everything is installed into .tools and .venv next to this file; delete both to remove it.
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

# Only the standard library and syntax of Python 3.7: an old Python must reach the error message about itself.

ROOT = Path(__file__).resolve().parent
TOOLS = ROOT / ".tools"
UV_VERSION = "0.13.9"
OLDEST_UV = (0, 5)
OLDEST_PYTHON = (3, 11)
INTERRUPTED = 130
UNWANTED_VARIABLES = frozenset({"VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE"})
"""Variables that commands must not inherit: another environment's folder, and the ban on compiled files.

Container images often set the second one. Without compiled files, each command compiles all libraries again,
which takes a second of CPU time, and the tests start hundreds of commands.
"""


class CannotStart(Exception):
    """Something is missing on the machine; the text says what, and what to do."""

    code = 1


class WrongUsage(CannotStart):
    """dev.py was called with unknown arguments."""

    code = 2


def run(arguments: list[str]) -> int:
    """Install the program without development tools, and run the demo."""
    install("--no-default-groups", "--inexact")  # inexact: do not remove tools that `test` needed
    return start("caveat", "demo", *arguments)


def test(arguments: list[str]) -> int:
    """Run the tests on all cores; `-n 0` runs them in one process."""
    install()
    # One process more than cores, because tests often wait. Without the reorder, which puts files with few
    # tests last: these are the slow ones.
    processes = str((os.cpu_count() or 1) + 1)
    return start("pytest", "-n", processes, "--dist", "loadfile", "--no-loadscope-reorder", *arguments)


def sweep(arguments: list[str]) -> int:
    """Run the crash tests: connection loss after every byte, process kill and power failure at every step."""
    install()
    return start("pytest", "-n", "auto", "--dist", "load", "-m", "long", "tests/deliver", *arguments)


def check(arguments: list[str]) -> int:
    """Run every check even after a failure, so that one run shows all errors."""
    if arguments:
        raise WrongUsage(f"check takes no arguments, got {' '.join(arguments)}")
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
        raise WrongUsage(f"there is no benchmark {arguments[0]!r}; there are: {listed}")
    install("--group", "bench")
    exit_code = 0
    for name in arguments[:1] or names:
        print(f"== {name}", flush=True)
        exit_code = max(exit_code, start("python", f"bench/{name}.py", *arguments[1:]))
    return exit_code


COMMANDS = {"run": run, "test": test, "sweep": sweep, "check": check, "bench": bench}


def install(*options: str) -> None:
    """Install the libraries of uv.lock into .venv, for the Python that runs dev.py; uv downloads no other."""
    if call([uv(), "sync", "--frozen", "--python", sys.executable, *options]):
        raise CannotStart(
            "the libraries could not be installed (see above); "
            "the first run, and the first after a change of uv.lock, must reach pypi.org"
        )


def start(*command: str) -> int:
    """Run a program of the installed environment and return its exit code."""
    return call([uv(), "run", "--no-sync", *command])


def uv() -> str:
    """Return the path of uv: from PATH if it is new enough, else from .tools, installed on first use."""
    found = shutil.which("uv")
    if found and version_of(found) >= OLDEST_UV:
        return found
    own = TOOLS / "bin" / ("uv.exe" if os.name == "nt" else "uv")
    os.environ.setdefault("UV_CACHE_DIR", str(TOOLS / "cache"))
    if not (own.exists() and (TOOLS / f"uv-{UV_VERSION}.dist-info").exists()):
        install_uv()
    return str(own)


def version_of(program: str) -> tuple[int, ...]:
    """Return the version of uv, such as (0, 13, 9); empty if it prints none."""
    output = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    return tuple(int(number) for number in re.findall(r"\d+", output)[:3])


def install_uv() -> None:
    """Install uv into .tools: `--target` needs neither root nor the venv package, and PEP 668 allows it."""
    if importlib.util.find_spec("pip") is None:
        raise CannotStart(
            f"{sys.executable} has no pip; install it (on Debian and Ubuntu: apt install python3-pip), "
            "or install uv, and try again"
        )
    print(f"Installing uv {UV_VERSION} into {TOOLS}", file=sys.stderr, flush=True)
    # --upgrade replaces the files of an interrupted run; PIP_USER conflicts with --target.
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    options = ["--upgrade", "--target", str(TOOLS), f"uv=={UV_VERSION}"]
    if call([*pip, *options], PIP_USER="0"):
        raise CannotStart(
            f"pip could not install uv {UV_VERSION} (see above); the first run must reach pypi.org"
        )


def call(command: list[str], **settings: str) -> int:
    """Run a command in the project's folder; return its exit code (128 + N after signal N, as in a shell)."""
    environment = {key: value for key, value in os.environ.items() if key not in UNWANTED_VARIABLES}
    environment.update(settings, UV_PYTHON_DOWNLOADS="never")
    if has_certificates():
        environment.setdefault("UV_SYSTEM_CERTS", "1")
    sys.stdout.flush()
    code = subprocess.call(command, cwd=ROOT, env=environment)
    return code if code >= 0 else 128 - code


def has_certificates() -> bool:
    """Return whether the system has a list of trusted certificate authorities.

    If so, uv uses it, as pip does: behind a company's proxy only that list contains the proxy's authority.
    Otherwise uv uses its own list.
    """
    paths = ssl.get_default_verify_paths()
    return bool(paths.cafile or (paths.capath and any(Path(paths.capath).iterdir())))


def require_python(version: tuple[int, ...]) -> None:
    """Raise CannotStart for an unsupported version of Python."""
    if version < OLDEST_PYTHON:
        have, need = (".".join(str(part) for part in parts[:2]) for parts in (version, OLDEST_PYTHON))
        raise CannotStart(
            f"Caveat needs Python {need} or newer and this is {have}; "
            "start dev.py with a newer one, for example python3.12 dev.py run"
        )


def find_command(name: str) -> Callable[[list[str]], int]:
    """Return the command of that name. Raises WrongUsage for an unknown one."""
    if name not in COMMANDS:
        raise WrongUsage(f"there is no command {name!r}; there are: {', '.join(COMMANDS)}")
    return COMMANDS[name]


def main(arguments: list[str]) -> int:
    """Run the command that the first argument names; return the exit code."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(__doc__)
        return 0 if arguments else WrongUsage.code
    try:
        command = find_command(arguments[0])
        require_python(sys.version_info[:3])
        return command(arguments[1:])
    except CannotStart as error:
        print(f"dev.py: {error}.", file=sys.stderr)
        return error.code
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
