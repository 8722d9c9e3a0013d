"""A private Postfix for the tests: its own folders, a free port on loopback, removed when the block ends.

Only its SMTP server and its helpers run, no queue manager: an accepted mail stays in the incoming
queue, where a test reads the envelope and the content of each mail as Postfix wrote them.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

DAEMONS = Path("/usr/lib/postfix/sbin")
MASTER = """\
{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
rewrite unix - - n - - trivial-rewrite
anvil unix - - n - 1 anvil
proxymap unix - - n - - proxymap
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True)
class Queued:
    """A mail that Postfix accepted."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes


@dataclass(frozen=True)
class Postfix:
    """A running server."""

    port: int
    home: Path

    def queued(self) -> list[Queued]:
        """Return what is in the incoming queue, in the order of arrival."""
        files = sorted((self.home / "queue" / "incoming").iterdir(), key=lambda file: file.stat().st_mtime_ns)
        return [self._read(file) for file in files]

    def log(self) -> str:
        """Return what it logged."""
        return (self.home / "log").read_text()

    def _read(self, file: Path) -> Queued:
        envelope = self._postcat("-e", file).decode().splitlines()
        fields = [line.partition(": ")[::2] for line in envelope]
        # The trace header that Postfix puts in front is not ours.
        content = self._postcat("-bh", file).replace(b"\n", b"\r\n")
        return Queued(
            sender=next(value for name, value in fields if name == "sender"),
            recipients=tuple(value for name, value in fields if name == "recipient"),
            content=content[content.index(b"\r\n", content.rindex(b"\tfor <", 0, 2000)) + 2 :]
            if b"\tfor <" in content[:2000]
            else content,
        )

    def _postcat(self, what: str, file: Path) -> bytes:
        command = ["postcat", "-c", str(self.home / "etc"), what, str(file)]
        return subprocess.run(command, check=True, capture_output=True, timeout=30).stdout


def why_not() -> str:
    """Return why Postfix cannot be started here; nothing when it can."""
    if not (DAEMONS / "smtpd").exists():
        return "NOT TESTED AGAINST POSTFIX: it is not installed (apt install postfix)"
    if os.geteuid() != 0:
        return "NOT TESTED AGAINST POSTFIX: only root can start it"
    return ""


@contextmanager
def running_postfix(settings: Mapping[str, str]) -> Iterator[Postfix]:
    """Start a server with these settings of main.cf, besides the few required ones."""
    home = Path(tempfile.mkdtemp(prefix="caveat-postfix-"))
    home.chmod(0o755)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    try:
        _configure(home, port, settings)
        _postfix(home, "start")
        try:
            yield Postfix(port, home)
        finally:
            _postfix(home, "abort")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _configure(home: Path, port: int, settings: Mapping[str, str]) -> None:
    for name in ("etc", "queue", "data"):
        (home / name).mkdir()
    shutil.chown(home / "data", "postfix")
    usual = {
        "compatibility_level": "3.6",
        "queue_directory": str(home / "queue"),
        "data_directory": str(home / "data"),
        "daemon_directory": str(DAEMONS),
        "maillog_file": str(home / "log"),
        "maillog_file_prefixes": str(home),
        "myhostname": "mail.example",
        "mydestination": "",
        "inet_interfaces": "127.0.0.1",
        "inet_protocols": "ipv4",
        "alias_maps": "",
        "smtpd_peername_lookup": "no",
        "mynetworks": "127.0.0.0/8",
        "smtpd_relay_restrictions": "permit_mynetworks, reject",
        "smtpd_error_sleep_time": "0",
    }
    lines = [f"{name} = {value}" for name, value in (usual | dict(settings)).items()]
    (home / "etc" / "main.cf").write_text("\n".join(lines) + "\n")
    (home / "etc" / "master.cf").write_text(MASTER.format(port=port))


def _postfix(home: Path, command: str) -> None:
    done = subprocess.run(
        ["postfix", "-c", str(home / "etc"), command],
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=(errors := (home / "errors").open("ab")),
        timeout=60,
    )
    errors.close()
    if done.returncode and command == "start":
        raise RuntimeError(f"Postfix does not start: {(home / 'errors').read_text()}")
