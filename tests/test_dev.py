"""dev.py as a program, in a temporary folder, with fake uv and pip."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import dev

SCRIPT = Path(dev.__file__)

UV = """#!/bin/sh
if [ "$1" = --version ]; then echo "uv ${UV_CALLS_ITSELF:-0.13.9}"; exit 0; fi
echo "$@" >>"$LOG"
echo "downloads=$UV_PYTHON_DOWNLOADS venv=${VIRTUAL_ENV:-none} pyc=${PYTHONDONTWRITEBYTECODE:-yes}" >>"$LOG"
if [ "$1" = sync ]; then exit "${SYNC_EXIT:-0}"; fi
case "$*" in *"$FAILS"*) exit "${RUN_EXIT:-0}";; esac
"""

PIP = """
import os, pathlib, sys
open(os.environ["LOG"], "a").write(" ".join(["pip", *sys.argv[1:]]) + "\\n")
if os.environ.get("PIP_FAILS"):
    sys.exit(1)
target = pathlib.Path(sys.argv[sys.argv.index("--target") + 1])
(target / "bin").mkdir(parents=True)
(target / f"uv-{sys.argv[-1].partition('==')[2]}.dist-info").mkdir()
uv = target / "bin" / "uv"
uv.write_text(os.environ["UV"])
uv.chmod(0o755)
"""


class Machine:
    """A folder with dev.py, and an environment with the uv and pip that the test adds."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, folder / "log"
        shutil.copy(SCRIPT, folder / "dev.py")
        (folder / "bin").mkdir()
        self.environment = {"PATH": f"{folder / 'bin'}:/bin", "LOG": str(self.log), "UV": UV, "FAILS": "-"}

    def with_uv(self) -> Machine:
        program = self.folder / "bin" / "uv"
        program.write_text(UV)
        program.chmod(0o755)
        return self

    def with_pip(self) -> Machine:
        package = self.folder / "packages" / "pip"
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "__main__.py").write_text(PIP)
        self.environment["PYTHONPATH"] = str(package.parent)
        return self

    def dev(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        # -S: no site-packages, so this Python has no pip unless the test adds one.
        return subprocess.run(
            [sys.executable, "-S", str(self.folder / "dev.py"), *arguments],
            env=self.environment | environment,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def calls(self) -> list[str]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line for line in lines if not line.startswith("downloads=")]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_run_installs_the_locked_libraries_and_starts_the_demo(machine: Machine):
    done = machine.with_uv().dev("run", "--out", "here")

    assert done.returncode == 0
    assert machine.calls == [
        f"sync --frozen --python {sys.executable} --no-default-groups --inexact",
        "run --no-sync caveat demo --out here",
    ]


def test_test_passes_its_arguments_to_pytest_and_returns_its_exit_code(machine: Machine):
    done = machine.with_uv().dev("test", "tests/core", "-k", "gap", FAILS="pytest", RUN_EXIT="5")

    assert done.returncode == 5
    processes = (os.cpu_count() or 1) + 1
    options = f"-n {processes} --dist loadfile --no-loadscope-reorder"
    assert machine.calls[-1] == f"run --no-sync pytest {options} tests/core -k gap"


def test_check_runs_every_check_even_after_a_failure(machine: Machine):
    done = machine.with_uv().dev("check", FAILS="ruff check", RUN_EXIT="1")

    assert done.returncode == 1
    assert [call.removeprefix("run --no-sync ") for call in machine.calls[1:]] == [
        "ruff check .",
        "ruff format --check .",
        "mypy",
    ]


def test_bench_runs_one_benchmark_by_name_or_all_of_them(machine: Machine):
    (machine.folder / "bench").mkdir()
    for name in ("sending", "condensing", "_shared"):
        (machine.folder / "bench" / f"{name}.py").touch()
    machine.with_uv()

    assert machine.dev("bench", "--list").stdout.split() == ["condensing", "sending"]
    machine.dev("bench", "sending", "--messages", "10")
    assert machine.calls[-1] == "run --no-sync python bench/sending.py --messages 10"
    assert machine.dev("bench").stdout.split() == ["==", "condensing", "==", "sending"]
    unknown = machine.dev("bench", "cooking")
    assert unknown.returncode == 2
    assert "there are: condensing, sending" in unknown.stderr


def test_uv_downloads_no_python_and_ignores_another_environment(machine: Machine):
    machine.with_uv().dev(
        "test", VIRTUAL_ENV="/elsewhere", PYTHONDONTWRITEBYTECODE="1", UV_PYTHON_DOWNLOADS="automatic"
    )

    assert "downloads=never venv=none pyc=yes" in machine.log.read_text()


def test_without_uv_pip_installs_it_once_into_the_project(machine: Machine):
    machine.with_pip()

    assert machine.dev("test").returncode == 0
    assert machine.calls[0].startswith("pip install")
    assert f"--target {machine.folder / '.tools'} uv=={dev.UV_VERSION}" in machine.calls[0]
    assert machine.dev("test").returncode == 0
    assert sum(call.startswith("pip") for call in machine.calls) == 1


def test_a_uv_too_old_for_the_lock_file_is_not_used(machine: Machine):
    machine.with_uv().with_pip().dev("test", UV_CALLS_ITSELF="0.4.30")

    assert machine.calls[0].startswith("pip install")


def test_without_uv_and_pip_the_error_says_what_to_install(machine: Machine):
    done = machine.dev("run")

    assert done.returncode == 1
    assert "apt install python3-pip" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_network_the_error_names_the_host_to_reach(machine: Machine):
    machine.with_pip()
    no_uv = machine.dev("run", PIP_FAILS="yes")
    no_libraries = machine.dev("run", SYNC_EXIT="2")

    assert (no_uv.returncode, no_libraries.returncode) == (1, 1)
    assert "must reach pypi.org" in no_uv.stderr
    assert "must reach pypi.org" in no_libraries.stderr


def test_an_old_python_is_refused_with_the_required_version():
    with pytest.raises(dev.CannotStart, match=r"needs Python 3\.11 or newer and this is 3\.9"):
        dev.require_python((3, 9, 2))
    dev.require_python((3, 11, 0))


def test_an_unknown_command_is_refused_and_help_is_given(machine: Machine):
    unknown = machine.dev("tset")

    assert unknown.returncode == 2
    assert "there are: run, test, sweep, check, bench" in unknown.stderr
    assert "python3 dev.py run" in machine.dev("--help").stdout


def test_dev_py_imports_only_the_standard_library():
    lines = SCRIPT.read_text(encoding="utf-8").splitlines()
    imported = {line.split()[1].partition(".")[0] for line in lines if line.startswith(("import ", "from "))}

    assert imported <= sys.stdlib_module_names
