"""A private PostgreSQL for the tests: its own folder, a free port on loopback, removed when the session ends.

Every user logs in with a password (scram-sha-256), as on real servers.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

USERS = ("postgres", "nobody")
PASSWORD = "pa:ss/w@rd %2F"
"""The password of the user `caveat`; it holds every character that an address must escape."""
ATTEMPTS = 5
PR_SET_PDEATHSIG = 1  # prctl(2)

SETTINGS = {
    "max_connections": "200",
    "shared_buffers": "64MB",
    "max_wal_size": "1GB",
    "listen_addresses": "127.0.0.1",
}


# Test data need not survive a power cut.
CARELESS = {"fsync": "off", "full_page_writes": "off"}


def binaries() -> Path | None:
    """Return the folder that holds initdb and pg_ctl: on PATH, or where Debian keeps them; newest first."""
    if found := shutil.which("pg_ctl"):
        return Path(found).resolve().parent
    folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/pg_ctl")]
    return max(folders, key=lambda folder: [int(n) for n in re.findall(r"\d+", str(folder))], default=None)


@contextmanager
def running_server(*, durable: bool = False) -> Iterator[str]:
    """Start a server and yield its URL without a database; stop and remove it in the end.

    A `durable` one waits for the disk, for measuring. PostgreSQL refuses to run as root, so root starts it
    as another user.
    """
    folder_of_binaries = binaries()
    if folder_of_binaries is None:
        raise FileNotFoundError("no PostgreSQL server is installed: apt install postgresql")
    home = Path(tempfile.mkdtemp(prefix="caveat-postgres-"))
    who = may_not_be_root(home)
    try:
        _initialise(folder_of_binaries / "initdb", home, who)
        server, port = _start(folder_of_binaries, home, who, SETTINGS if durable else SETTINGS | CARELESS)
        try:
            yield f"postgresql://caveat:{quote(PASSWORD, safe='')}@127.0.0.1:{port}"
        finally:
            server.send_signal(signal.SIGQUIT)  # at once, without tidying up
            server.wait()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def may_not_be_root(home: Path) -> dict[str, Any]:
    """Return how a program is started that works in `home` and must not be root."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "HOME": str(home)}
    who: dict[str, Any] = {"cwd": home, "env": environment, "stdin": subprocess.DEVNULL}
    if os.geteuid() == 0:
        user = _other_user()
        os.chown(home, user.pw_uid, user.pw_gid)
        who |= {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    return who


def _initialise(initdb: Path, home: Path, who: dict[str, Any]) -> None:
    data = home / "data"
    password = home / "password"
    password.write_text(f"{PASSWORD}\n")
    command = [initdb, "-D", data, "-U", "caveat", "-A", "scram-sha-256", "-E", "UTF8", "-N"]
    command += [f"--pwfile={password}"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=120, **who)


def _start(
    folder: Path, home: Path, who: dict[str, Any], settings: dict[str, str]
) -> tuple[subprocess.Popen[bytes], int]:
    """Start the server and return it with its port once it answers."""
    for _ in range(ATTEMPTS):
        # Another process may take the port before the server does; then another one is tried.
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port: int = free.getsockname()[1]
        command: list[object] = [folder / "postgres", "-D", home / "data", "-p", port, "-k", home]
        command += [f"--{name}={value}" for name, value in settings.items()]
        with (home / "log").open("wb") as log:
            server = subprocess.Popen(
                list(map(str, command)),
                stdout=log,
                stderr=log,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - one call of the kernel, which takes no lock
                **who,
            )
        if _answers(folder / "pg_isready", server, port):
            return server, port
    raise RuntimeError(f"PostgreSQL does not start:\n{(home / 'log').read_text()}")


def _answers(pg_isready: Path, server: subprocess.Popen[bytes], port: int) -> bool:
    """Wait until the server answers; return False when it ends instead."""
    asked = [str(pg_isready), "-q", "-h", "127.0.0.1", "-p", str(port)]
    while server.poll() is None:
        if subprocess.run(asked, check=False).returncode == 0:
            return True
        time.sleep(0.05)
    return False


def _die_with_parent() -> None:
    """Let the kernel end the server when the tests are killed (Linux; elsewhere it would stay)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)


def _other_user() -> pwd.struct_passwd:
    for name in USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError(f"PostgreSQL refuses to run as root, and there is no user {' or '.join(USERS)}")
