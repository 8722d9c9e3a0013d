"""A private PgBouncer for the tests, in front of the private PostgreSQL, with passwords on both sides."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from tests.postgres import PASSWORD, may_not_be_root

PLACES = ("/usr/sbin/pgbouncer", "/usr/bin/pgbouncer")
ATTEMPTS = 200
MOMENT_SECONDS = 0.05

CONFIG = """
[databases]
* = host=127.0.0.1 port={server_port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users.txt
pool_mode = {mode}
default_pool_size = 40
logfile = {folder}/log
"""


def program() -> str | None:
    """Return the path of pgbouncer, or None where it is not installed."""
    return shutil.which("pgbouncer") or next((place for place in PLACES if Path(place).exists()), None)


@contextlib.contextmanager
def pooled(url: str, mode: str) -> Iterator[str]:
    """Run a pooler in that mode before the database at the URL; give the URL through it."""
    folder = Path(tempfile.mkdtemp(prefix="caveat-pgbouncer-"))
    who = may_not_be_root(folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server_port = urlsplit(url).port
    (folder / "pgbouncer.ini").write_text(
        CONFIG.format(server_port=server_port, port=port, folder=folder, mode=mode)
    )
    quoted = PASSWORD.replace('"', '""')
    (folder / "users.txt").write_text(f'"caveat" "{quoted}"\n')
    with (folder / "said").open("wb") as said:
        pooler = subprocess.Popen(
            [str(program()), str(folder / "pgbouncer.ini")], stdout=said, stderr=said, **who
        )
    try:
        _await_answer(pooler, port, folder)
        yield url.replace(f":{server_port}/", f":{port}/")
    finally:
        pooler.kill()  # SIGINT waits for clients, which a failed test leaves connected
        pooler.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _await_answer(pooler: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    for _ in range(ATTEMPTS):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        if pooler.poll() is not None:
            break
        time.sleep(MOMENT_SECONDS)
    raise RuntimeError(f"PgBouncer does not start:\n{(folder / 'said').read_text()}")
