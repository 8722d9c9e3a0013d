"""Pages of the editors with a million subscribers: time and bytes, beside a program without an index.

page     a request to the application in this process: Starlette, SQL and the template, without a socket
like     a SELECT with LIKE '%term%' on addresses and names, a COUNT and an OFFSET: what the admin page of a
         framework sends, without its own time

python3 dev.py bench web [--folder PATH] [--people N] [--rounds N]
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import sqlite3
import statistics
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from _million import NOON, Million, build
from starlette.types import ASGIApp, Message

from service.app.accounts.manage import create_account, use_link
from service.app.accounts.sessions import start_session
from service.app.factories.application import Application, bootstrap
from service.app.process_pool.pool import ProcessPool
from service.core.ids import subscriber_id
from service.core.secret import Secret
from service.settings.packaged_files import templates_folder
from service.web.admin.application import admin_application, separate_application
from service.web.admin.cookies import SESSION

PASSWORD = "four words nobody joins"  # noqa: S105 - of an account in a temporary database
LIMIT_MILLISECONDS, LIMIT_BYTES = 50.0, 100_000


def an_address(made: Million) -> str:
    """Return the address of a person who was stored early."""
    with closing(sqlite3.connect(made.database)) as connection:
        return str(connection.execute("SELECT email FROM subscribers WHERE number = 77").fetchone()[0])


def pages(made: Million) -> dict[str, str]:
    """Return the measured pages by name."""
    old = an_address(made)
    rare = old.partition("@")[0]
    person = subscriber_id(old)
    return {
        "list": "/subscribers",
        "list, page in the middle": f"/subscribers?after={made.people // 2}",
        "search: every address": "/subscribers?q=example",
        "search: a third": "/subscribers?q=post.example.com",
        "search: first name": "/subscribers?q=khalid",
        "search: one address": f"/subscribers?q={old}",
        "search: its middle": f"/subscribers?q={rare[3:]}",
        "search: nobody": "/subscribers?q=zzyzx",
        "search: nobody, common parts": "/subscribers?q=khalid.post.example",
        "search: two letters": "/subscribers?q=zq",
        "unsubscribed": "/subscribers?status=unsubscribed",
        "unsubscribed, search": "/subscribers?status=unsubscribed&q=khalid",
        "suppressed": "/subscribers?suppressed=yes",
        "suppressed, search": "/subscribers?suppressed=yes&q=amina",
        "an empty newsletter": "/subscribers?newsletter=weekly",
        "a person": f"/subscribers/{person}",
        "today": "/",
        "issues": "/issues",
    }


async def measure(made: Million, rounds: int) -> int:
    """Print the table; return 1 if a page is above a limit."""
    loaded, pool = made.load(), ProcessPool(1)
    app = await bootstrap(loaded.settings, loaded.roster, pool=pool, clock=lambda: NOON)
    exit_code = 0
    try:
        admin = separate_application(admin_application(app, templates_folder(), root=""))
        browser = Browser(admin, await log_in(app))
        print(f"{'page':32} {'p50 ms':>8} {'p95 ms':>8} {'CPU ms':>8} {'bytes':>8} {'gzip':>8}")
        for name, path in pages(made).items():
            exit_code |= await measure_page(browser, name, f"/admin{path}", rounds)
    finally:
        await app.close()
        pool.shutdown(wait=False, cancel_futures=True)
    return exit_code


async def measure_page(browser: Browser, name: str, path: str, rounds: int) -> int:
    """Print the row of a page; return 1 if it is above a limit."""
    times: list[float] = []
    cpu = time.process_time()
    for _ in range(rounds):
        began = time.perf_counter()
        body = await browser.get(path)
        times.append(1_000 * (time.perf_counter() - began))
    cpu = 1_000 * (time.process_time() - cpu) / rounds
    size, p95 = len(body), statistics.quantiles(times, n=20)[-1]
    is_above = p95 > LIMIT_MILLISECONDS or size > LIMIT_BYTES
    print(
        f"{name:32} {statistics.median(times):8.1f} {p95:8.1f} {cpu:8.1f} {size:8,} "
        f"{len(gzip.compress(body)):8,}{'  ABOVE THE LIMIT' if is_above else ''}"
    )
    return int(is_above)


@dataclass(frozen=True, slots=True)
class Browser:
    """Calls the application as a server does, with the cookie of a session."""

    app: ASGIApp
    cookie: str

    async def get(self, path: str) -> bytes:
        """Return the body of a page. Raises SystemExit unless the status is 200."""
        path, _, query = path.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": quote(query, safe="=&%").encode(),
            "headers": [(b"host", b"localhost"), (b"cookie", self.cookie.encode())],
            "client": ("127.0.0.1", 1),
            "server": ("localhost", 80),
            "state": {},
        }
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": b""}

        async def send(message: Message) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        if sent[0]["status"] != 200:
            raise SystemExit(f"{path} answered {sent[0]['status']}")
        return b"".join(message.get("body", b"") for message in sent[1:])


async def log_in(app: Application) -> str:
    """Return the cookie of a session of a new admin."""
    name = f"ada{time.time_ns()}"
    link = await create_account(app, name, "admin", f"{name}@example.org")
    account = await use_link(app, link.url.rpartition("/")[2], Secret(PASSWORD))
    if account is None:
        raise SystemExit("the one-time link of the new account did not work")
    signed_in = await start_session(app, account, client="127.0.0.1", agent="bench")
    return f"{SESSION}={signed_in.token}"


def measure_like(made: Million, rounds: int) -> None:
    """Print what the same searches cost with LIKE, a count and an offset."""
    page = """SELECT number, email, name FROM subscribers WHERE email LIKE ? OR name LIKE ?
              ORDER BY number DESC LIMIT 50 OFFSET ?"""
    count = "SELECT count(*) FROM subscribers WHERE email LIKE ? OR name LIKE ?"
    print(f"\n{'LIKE (SQL alone)':32} {'p50 ms':>8} {'p95 ms':>8}")
    with closing(sqlite3.connect(f"file:{made.database}?mode=ro", uri=True)) as connection:
        for name, term, offset in (
            ("search: every address", "example", 0),
            ("search: one address", an_address(made), 0),
            ("search: nobody", "zzyzx", 0),
            ("list, page in the middle", "", made.people // 2),
        ):
            times = []
            for _ in range(max(rounds // 10, 3)):
                began = time.perf_counter()
                pattern = f"%{term}%"
                connection.execute(page, (pattern, pattern, offset)).fetchall()
                connection.execute(count, (pattern, pattern)).fetchone()
                times.append(1_000 * (time.perf_counter() - began))
            p95 = statistics.quantiles(times, n=20)[-1]
            print(f"{name:32} {statistics.median(times):8.1f} {p95:8.1f}")


def main() -> int:
    """Build the installation if it is not there, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="folder of the installation; kept for the next run")
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        made = build(options.folder or Path(temporary) / "million", options.people)
        exit_code = asyncio.run(measure(made, options.rounds))
        measure_like(made, options.rounds)
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
