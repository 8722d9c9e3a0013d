"""Deliver: the CPU time of sending, compared with other senders in the same run.

sent      personalised messages of 40 KB from a durable SQLite ledger into Postfix's smtp-sink, against
          Postfix's own load generator smtp-source and a plain aiosmtplib loop
options   microseconds of CPU for a message under each option: connections, TLS, DKIM, PostgreSQL
latency   messages per second and connection with 50 ms round-trip time
memory    planning an issue for a million subscribers, and sending a part of it (all with --full)

python3 dev.py bench deliver [sent|options|latency|memory]... [--messages N] [--connections N] [--rounds N]
    [--tls] [--dkim rsa|ed25519] [--ahead] [--storage sqlite|postgresql] [--full] [--small]

--tls, --dkim, --ahead and --storage apply to the table `sent`; `options` prints a row for each of them.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from _mailing import SINK, SOURCE, sink, source
from _sending import SIZE

from tests.postgres import running_server

ROLES = Path(__file__).with_name("_sending.py")
TICKS = os.sysconf("SC_CLK_TCK")
CONNECTIONS = (1, 10, 20, 50)
"""Numbers of connections that the table of options compares."""
Measured = dict[str, float]
"""Count of messages, seconds of CPU and of time, and more, of one process."""


def in_child(role: str, **arguments: object) -> Measured:
    """Run a role of _sending.py in a new process; return its measurements."""
    words = [f"--{key}" if value is True else f"--{key}={value}" for key, value in arguments.items() if value]
    command = [sys.executable, str(ROLES), role, *words]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    found: Measured = json.loads(done.stdout or "{}")
    return found


@contextlib.contextmanager
def listening(role: str, **arguments: object) -> Iterator[int]:
    """Run a role that listens; yield its port."""
    words = [f"--{key}={value}" for key, value in arguments.items()]
    command = [sys.executable, str(ROLES), role, *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield int(server.stdout.readline()) if server.stdout else 0
        finally:
            server.terminate()


class Setting:
    """Servers and keys that the tables need, made when they are first asked for, and ended with `stack`."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack) -> None:
        self.folder, self._stack = folder, stack
        self._postgres, self._runs = "", 0

    def key(self, kind: str) -> Path:
        """Return the file of a new DKIM key."""
        path = self.folder / f"{kind}.pem"
        options = ["-pkeyopt", "rsa_keygen_bits:2048"] if kind == "rsa" else []
        self._openssl("genpkey", "-algorithm", kind, *options, "-out", str(path))
        return path

    def certificate(self) -> Path:
        """Return a file with a certificate for 127.0.0.1 and its key."""
        path = self.folder / "certificate.pem"
        new = "-x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=127.0.0.1"
        name = ("-addext", "subjectAltName=IP:127.0.0.1")
        self._openssl("req", *new.split(), *name, "-keyout", str(path), "-out", f"{path}.crt")
        path.write_bytes(path.read_bytes() + Path(f"{path}.crt").read_bytes())
        return path

    def _openssl(self, *words: str) -> None:
        subprocess.run(["openssl", *words], check=True, stderr=subprocess.DEVNULL)

    def storage(self, kind: str) -> str:
        """Return the URL of a new database."""
        self._runs += 1
        if kind == "sqlite":
            return f"sqlite:///{self.folder}/run{self._runs}/caveat.db"
        self._postgres = self._postgres or self._stack.enter_context(running_server(durable=True))
        name = f"run{self._runs}"
        create = ["psql", "-q", f"{self._postgres}/postgres", "-c", f"CREATE DATABASE {name}"]
        subprocess.run(create, check=True)
        return f"{self._postgres}/{name}"

    def send(self, storage: str, port: int, messages: int, **options: object) -> Measured:
        """Send from a new database; `server` is the CPU time of PostgreSQL."""
        url = self.storage(storage)
        in_child("prepare", storage=url, messages=messages)
        before = postgres_cpu()
        found = in_child("send", storage=url, port=port, messages=messages, **options)
        shutil.rmtree(self.folder / f"run{self._runs}", ignore_errors=True)
        return found | {"server": postgres_cpu() - before}


def postgres_cpu() -> float:
    """Return the seconds of CPU of the PostgreSQL server that this process started; 0 without one."""
    programs: dict[int, tuple[int, int]] = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            program, _, rest = file.read_text().rpartition(")")
            fields = rest.split()
            if program.endswith("(postgres"):
                # With the time of ended children: each connection has a process of its own.
                programs[int(file.parent.name)] = int(fields[1]), sum(map(int, fields[11:15]))
    servers = {pid for pid, (parent, _) in programs.items() if parent == os.getpid()}
    own = (ticks for pid, (parent, ticks) in programs.items() if pid in servers or parent in servers)
    return sum(own) / TICKS


# --- the tables ---------------------------------------------------------------------------------


def rate(found: Measured) -> float:
    """Return messages per second of CPU."""
    return found["count"] / found["cpu"]


def line(what: str, found: Measured, more: str = "") -> None:
    """Print one line of the table of sending."""
    each, wall = 1e6 / rate(found), found["count"] / found["wall"]
    print(f"{what:42} {each:7.1f} us {rate(found):8,.0f} /CPU s {wall:7,.0f} /s {more}", flush=True)


def sent(options: argparse.Namespace, setting: Setting) -> None:
    """Print the table of sending."""
    print(f"\nsent: {options.messages:,} messages of {SIZE // 1000} KB, {options.connections} connections")
    shares, kept_shares, gains, costs = [], [], [], []
    chosen: dict[str, object] = {"connections": options.connections, "ahead": options.ahead}
    chosen["key"] = setting.key(options.dkim) if options.dkim else None
    with contextlib.ExitStack() as stack:
        port = own_port = stack.enter_context(sink())
        if options.tls:
            chosen["certificate"] = setting.certificate()
            own_port = stack.enter_context(listening("tls-sink", certificate=chosen["certificate"]))
        for _ in range(options.rounds):
            peer = source(port, options.messages, 10, SIZE)
            kept = source(port, options.messages, 10, SIZE, "-d")
            ours = setting.send(options.storage, own_port, options.messages, **chosen)
            plain = in_child("plain", port=port, messages=max(options.messages // 20, 100))
            alone = in_child("bare", port=port, messages=options.messages)
            line("smtp-source -s 10, one text for all", peer)
            line("smtp-source -s 10 -d, connections kept", kept)
            line("the event loop alone, one text, no ledger", alone)
            line("aiosmtplib, EmailMessage each, no ledger", plain)
            shares.append(rate(ours) / rate(peer))
            kept_shares.append(rate(ours) / rate(kept))
            gains.append(rate(ours) / rate(plain))
            costs.append(1e6 / rate(ours))
            line("caveat, personal, durable ledger", ours, f"{shares[-1]:5.0%} of smtp-source")
    middle = statistics.median
    print(f"median: {middle(costs):.1f} us; {middle(shares):.0%} of smtp-source (aim 100 %), ", end="")
    print(f"{middle(kept_shares):.0%} of smtp-source -d, {middle(gains):.1f} x aiosmtplib (floor 20)")


def options_table(options: argparse.Namespace, setting: Setting) -> None:
    """Print the cost of a message under each option: median, least and most of the rounds, in turns."""
    messages = options.messages
    print(f"\noptions: {messages:,} messages of {SIZE // 1000} KB, in turns; us of CPU for each")
    certificate = setting.certificate()
    rsa, ed25519 = setting.key("rsa"), setting.key("ed25519")
    ten = {"connections": 10}
    rows: dict[str, tuple[str, dict[str, object]]] = {
        **{f"{n} connections": ("sqlite", {"connections": n}) for n in CONNECTIONS},
        "10 connections, TLS": ("sqlite", {**ten, "certificate": certificate}),
        "10 connections, DKIM RSA-2048": ("sqlite", {**ten, "key": rsa}),
        "10 connections, DKIM RSA-2048, ahead": ("sqlite", {**ten, "key": rsa, "ahead": True}),
        "10 connections, DKIM Ed25519": ("sqlite", {**ten, "key": ed25519}),
        "10 connections, PostgreSQL": ("postgresql", {**ten}),
    }
    costs: dict[str, list[float]] = {name: [] for name in rows}
    server: list[float] = []
    with sink() as plain, listening("tls-sink", certificate=certificate) as tls:
        for _ in range(options.rounds):
            for name, (storage, chosen) in rows.items():
                found = setting.send(storage, tls if "certificate" in chosen else plain, messages, **chosen)
                costs[name].append(1e6 / rate(found))
                if storage == "postgresql":
                    server.append(1e6 * found["server"] / found["count"])
    costs["  and its server"] = server
    for name, each in costs.items():
        print(f"{name:38} {statistics.median(each):7.1f} ({min(each):.1f} to {max(each):.1f})", flush=True)


def latency(options: argparse.Namespace, setting: Setting) -> None:
    """Print messages per second and connection with 50 ms round-trip time."""
    print("\nlatency: 50 ms round-trip time")
    with sink() as port, listening("proxy", port=port) as far:
        for connections in (1, 10, 20):
            messages = connections * min(100, options.messages)
            found = setting.send("sqlite", far, messages, connections=connections)
            each = found["count"] / found["wall"] / connections
            print(f"{connections:4} connections: {each:5.1f} messages/s each (floor 12, aim 17)", flush=True)


def memory(options: argparse.Namespace, setting: Setting) -> None:
    """Print the time of planning, and the peak memory of planning and sending."""
    readers = 10 * options.messages if options.small else 1_000_000
    messages = readers if options.full else min(30_000, readers)
    print(f"\nmemory: {readers:,} subscribers, {messages:,} of them sent to", flush=True)
    url = setting.storage("sqlite")
    in_child("prepare", storage=url, messages=readers)
    planned = in_child("plan", storage=url, messages=readers)
    with sink() as port:
        ours = in_child("send", storage=url, port=port, messages=messages, planned=True)
    print(f"planning  {planned['wall']:6.2f} s (floor 5, aim 2), peak {planned['peak']:5.0f} MB")
    speed = ours["count"] / ours["wall"]
    print(f"sending   {speed:6.0f} /s, peak {ours['peak']:5.0f} MB (floor 150, aim 100)")


TABLES = {"sent": sent, "options": options_table, "latency": latency, "memory": memory}


def main() -> None:
    """Print the tables of the arguments, all by default."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tables", nargs="*", choices=[*TABLES, []], default=[])
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--connections", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tls", action="store_true", help="over TLS, to a mail server in Python")
    parser.add_argument("--dkim", choices=["rsa", "ed25519"], help="sign each message")
    parser.add_argument("--ahead", action="store_true", help="other processes sign")
    parser.add_argument("--storage", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--full", action="store_true", help="send to all of the million")
    parser.add_argument("--small", action="store_true", help="few messages, one round: does it still run?")
    options = parser.parse_args()
    if options.small:
        options.messages, options.rounds = 100, 1
    if not (Path(SINK).exists() and Path(SOURCE).exists()):
        raise SystemExit(
            "smtp-sink and smtp-source are missing; on Debian: apt install postfix (not started)"
        )
    for name in options.tables or TABLES:
        with tempfile.TemporaryDirectory(prefix="caveat-bench-") as folder, contextlib.ExitStack() as stack:
            TABLES[name](options, Setting(Path(folder), stack))


if __name__ == "__main__":
    main()
