"""The documented nginx in front of a running service: client address, sign-up, unsubscribing, health."""

from __future__ import annotations

import asyncio
import getpass
import json
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from service.runtime.service import Roles, Service
from service.subscribers.links import subscriber_links
from service.subscribers.sign_up import VISITOR_LIMIT
from tests.builders import NOON
from tests.conftest import NO_NGINX
from tests.end_to_end.installation import Clock, free_port, running, write_config
from tests.runtime.test_service import edit

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
DOCUMENTED = Path(__file__).parents[2] / "docs" / "deploy" / "nginx.conf"
NO_STAGES = Roles((), schedule=True, web=True)
PATIENCE = 20

pytestmark = pytest.mark.skipif(NGINX is None, reason=NO_NGINX)

MAIN = """
daemon off;
# The workers of a master that root starts must read the files of this test.
user {user};
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    # Visitors of all the world, from one machine.
    set_real_ip_from 127.0.0.1; real_ip_header X-Visitor;
    {server}
}}
"""


@dataclass
class Proxied:
    """A service behind nginx."""

    url: str
    service: Service
    http: aiohttp.ClientSession

    async def ask(
        self, method: str, path: str, visitor: str = "203.0.113.7", **options: object
    ) -> tuple[int, str, dict[str, str]]:
        headers = {"X-Visitor": visitor, "Host": "news.example.org", **options.pop("headers", {})}  # type: ignore[dict-item]
        async with self.http.request(
            method, f"{self.url}{path}", headers=headers, allow_redirects=False, **options
        ) as answer:
            return answer.status, await answer.text(), dict(answer.headers)


def the_documented_server(port: int, service_port: int) -> str:
    """Return the documented TLS server at another port and without TLS."""
    text = DOCUMENTED.read_text().replace("127.0.0.1:8080", f"127.0.0.1:{service_port}")
    server = text[text.rindex("server {") :]
    server = re.sub(r"\n +(listen|ssl_certificate\w*) [^\n]*", "", server)
    return server.replace("server {", f"server {{\n    listen 127.0.0.1:{port};", 1)


def written(folder: Path, server: str) -> Path:
    """Write a complete configuration with this server."""
    folder.mkdir()
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder, server=server, user=getpass.getuser()))
    return folder / "nginx.conf"


@asynccontextmanager
async def nginx(folder: Path, port: int, service_port: int) -> AsyncIterator[None]:
    config = written(folder, the_documented_server(port, service_port))
    process = await asyncio.create_subprocess_exec(
        str(NGINX), "-p", str(folder), "-c", str(config), "-e", str(folder / "error.log")
    )
    try:
        async with asyncio.timeout(PATIENCE):
            while not await is_open(port):
                assert process.returncode is None, "nginx does not take the documented configuration"
                await asyncio.sleep(0.02)
        yield
    finally:
        process.terminate()
        await process.wait()


async def is_open(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


@pytest.fixture
async def site(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Proxied]:
    folder, port, service_port = tmp_path / "config", free_port(), free_port()
    write_config(
        folder, storage=sqlite_url, news_url="http://127.0.0.1:1", smtp_port=1, web_port=service_port
    )
    edit(folder / "caveat.yaml", "web: {listen", "web: {sign_up: [daily], listen")
    edit(folder / "caveat.yaml", "channel: smtp", "channel: file, folder: ../outbox")
    (folder / "feeds.yaml").write_text("feeds: []\n")
    async with (
        running(folder, Clock(NOON), NO_STAGES) as service,
        nginx(tmp_path / "nginx", port, service_port),
        aiohttp.ClientSession() as http,
    ):
        yield Proxied(f"http://127.0.0.1:{port}", service, http)


async def test_the_documented_nginx_serves_readers_and_hides_what_is_the_operators(site: Proxied):
    status, body, _ = await site.ask("GET", "/healthz")
    assert (status, json.loads(body)) == (200, {"status": "ok"})
    status, body, _ = await site.ask("GET", "/healthz", headers={"X-Forwarded-For": "127.0.0.1"})
    assert (status, json.loads(body)) == (200, {"status": "ok"})
    status, body, _ = await site.ask("GET", "/healthz", visitor="127.0.0.1")
    assert "database" in json.loads(body)
    assert (await site.ask("GET", "/metrics"))[0] == 404
    status, _, headers = await site.ask("GET", "/subscribe/")
    assert (status, headers["Location"]) == (307, "../subscribe")
    assert (await site.ask("POST", "/subscribe", data={"email": "x" * 300_000}))[0] == 413


async def test_one_click_unsubscribes_through_the_documented_nginx(site: Proxied):
    people = site.service.app.subscribers
    (before,) = await people.memberships(email="amina@example.org")
    links = subscriber_links(await people.signing_key(), site.url, before.subscriber.id, "daily")
    path = links.unsubscribe.removeprefix(site.url)
    status, *_ = await site.ask("POST", path, data={"List-Unsubscribe": "One-Click"})
    assert status == 200
    (after,) = await people.memberships(email="amina@example.org")
    assert after.subscription.status == "unsubscribed"


async def test_sign_ups_are_counted_by_visitor_and_not_by_proxy(site: Proxied):
    async def asked(number: int, visitor: str, forged: str) -> int:
        form = {"email": f"nia{number}@site{number}.example", "newsletter": "daily", "timezone": "Asia/Tokyo"}
        status, *_ = await site.ask(
            "POST", "/subscribe", visitor, data=form, headers={"X-Forwarded-For": forged}
        )
        return status

    allowed, _period = VISITOR_LIMIT
    for number in range(allowed):
        assert await asked(number, "203.0.113.7", f"198.51.100.{number}") == 200
    assert await asked(98, "203.0.113.7", "198.51.100.98") == 429
    assert await asked(99, "203.0.113.8", "203.0.113.7") == 200
