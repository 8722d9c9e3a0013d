"""A private PostgreSQL for the tests: its own folder, a free port on loopback, gone when the session ends."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

USERS = ("postgres", "nobody")
ATTEMPTS = 5

SETTINGS = {
    "max_connections": "200",
    "shared_buffers": "64MB",
    "max_wal_size": "1GB",
    "listen_addresses": "127.0.0.1",
}


# In a test nothing has to survive a power cut.
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
    data = home / "data"
    run = _runner(home)
    try:
        run(folder_of_binaries / "initdb", "-D", data, "-U", "caveat", "-A", "trust", "-E", "UTF8", "-N")
        # One user needs a password, so that tests can give a wrong one.
        rules = data / "pg_hba.conf"
        rules.write_text(f"host all locked 127.0.0.1/32 scram-sha-256\n{rules.read_text()}")
        settings = SETTINGS if durable else {**SETTINGS, **CARELESS}
        port = _start(run, folder_of_binaries / "pg_ctl", data, settings)
        try:
            yield f"postgresql://caveat@127.0.0.1:{port}"
        finally:
            run(folder_of_binaries / "pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _runner(home: Path):
    user = _other_user() if os.geteuid() == 0 else None
    if user is not None:
        os.chown(home, user.pw_uid, user.pw_gid)

    def run(*command: object) -> None:
        done = subprocess.run(
            [str(part) for part in command],
            cwd=home,
            env={**os.environ, "LC_ALL": "C.UTF-8", "HOME": str(home)},
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{command[0]} failed:\n{done.stdout}")

    return run


def _other_user() -> pwd.struct_passwd:
    for name in USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError(f"PostgreSQL refuses to run as root, and there is no user {' or '.join(USERS)}")


def _start(run, pg_ctl: Path, data: Path, settings: dict[str, str]) -> int:
    for attempt in range(ATTEMPTS):
        # Somebody else may take the port before the server does; then another one is tried.
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port: int = free.getsockname()[1]
        options = " ".join(f"-c {name}={value}" for name, value in {**settings, "port": port}.items())
        try:
            # A log file, because the server would otherwise hold the pipe open that we read to its end.
            run(
                pg_ctl,
                "-D",
                data,
                "-w",
                "-t",
                "60",
                "-l",
                data / "log",
                "-o",
                f"{options} -k {data}",
                "start",
            )
        except RuntimeError:
            if attempt == ATTEMPTS - 1:
                raise
        else:
            return port
    raise AssertionError
