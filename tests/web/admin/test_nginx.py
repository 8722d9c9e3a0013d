"""The editors' pages behind the documented nginx: login by password, and by the header of the proxy."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from service.app.accounts.manage import create_account, use_link
from service.core.secret import Secret
from tests.builders import NOON
from tests.conftest import NO_NGINX
from tests.end_to_end.installation import Clock, free_port, running, write_config
from tests.runtime.test_service import edit
from tests.web.admin.conftest import PASSWORD
from tests.web.test_nginx import NGINX, NO_STAGES, Proxied, nginx

pytestmark = pytest.mark.skipif(NGINX is None, reason=NO_NGINX)

EDITOR, READER = "192.0.2.7", "203.0.113.7"
ADMIN = 'admin: {networks: ["192.0.2.0/24"], user_header: X-Remote-User}, trusted_proxies: ["127.0.0.1"], '


@pytest.fixture
async def site(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Proxied]:
    folder, port, service_port = tmp_path / "config", free_port(), free_port()
    write_config(
        folder, storage=sqlite_url, news_url="http://127.0.0.1:1", smtp_port=1, web_port=service_port
    )
    edit(folder / "caveat.yaml", "web: {", "web: {" + ADMIN)
    edit(folder / "caveat.yaml", "channel: smtp", "channel: file, folder: ../outbox")
    edit(folder / "caveat.yaml", f'url: "http://127.0.0.1:{service_port}"', "url: http://news.example.org")
    (folder / "feeds.yaml").write_text("feeds: []\n")
    async with (
        running(folder, Clock(NOON), NO_STAGES) as service,
        nginx(tmp_path / "nginx", port, service_port),
        aiohttp.ClientSession() as http,
    ):
        link = await create_account(service.app, "ada", "admin")
        await use_link(service.app, link.url.rpartition("/")[2], Secret(PASSWORD))
        yield Proxied(f"http://127.0.0.1:{port}", service, http)


async def test_an_editor_logs_in_and_a_reader_does_not_see_the_form(site: Proxied):
    status, text, _ = await site.ask("GET", "/admin/login", READER)
    assert (status, "closed to your address, 203.0.113.7" in text) == (403, True)
    _, text, headers = await site.ask("GET", "/admin/login", EDITOR)
    token = re.search(r'name="csrf" value="([^"]+)"', text)
    assert token
    cookie = headers["Set-Cookie"].partition(";")[0]
    form = {"csrf": token[1], "name": "ada", "password": PASSWORD}
    status, _, headers = await site.ask("POST", "/admin/login", EDITOR, data=form, headers={"Cookie": cookie})
    assert (status, headers["Location"]) == (303, "/admin/")


async def test_a_browser_cannot_name_an_account_through_the_documented_nginx(site: Proxied):
    for name in ("X-Remote-User", "x-remote-user", "X_Remote_User"):
        status, _, headers = await site.ask("GET", "/admin/", EDITOR, headers={name: "ada"})
        assert (status, headers["Location"]) == (303, "/admin/login"), name


async def test_a_file_may_be_larger_than_a_form(site: Proxied):
    """Nginx passes it on; the service, which has no such session, refuses it."""
    status, *_ = await site.ask("POST", "/admin/account/email", EDITOR, data={"file": "x" * 300_000})
    assert status == 403


async def test_nginx_names_the_person_that_it_has_authenticated(
    site: Proxied, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The example of docs/how-to/editors.md: Basic authentication, as any other that nginx does."""
    passwords = tmp_path / "passwords"
    passwords.write_text("ada:{PLAIN}secret\nmallory:{PLAIN}secret\n")
    documented = tmp_path / "nginx.conf"
    text = (Path(__file__).parents[3] / "docs" / "deploy" / "nginx.conf").read_text()
    authenticated = (
        f"location /admin/ {{ auth_basic Editors; auth_basic_user_file {passwords}; set $editor $remote_user;"
    )
    documented.write_text(text.replace("location /admin/ {", authenticated))
    monkeypatch.setattr("tests.web.test_nginx.DOCUMENTED", documented)
    port, service_port = free_port(), site.service.app.settings.web.listen_port
    async with nginx(tmp_path / "second", port, service_port):
        proxied = Proxied(f"http://127.0.0.1:{port}", site.service, site.http)
        statuses = {}
        for name in ("ada", "mallory"):
            basic = {
                "Authorization": "Basic " + b64encode(f"{name}:secret".encode()).decode(),
                "X-Remote-User": "ada",
            }
            status, text, _ = await proxied.ask("GET", "/admin/account", EDITOR, headers=basic)
            statuses[name] = status, f"<strong>{name}</strong>" in text
        assert statuses == {"ada": (200, True), "mallory": (403, False)}
        forged = {"Authorization": "Basic " + b64encode(b"ada:wrong").decode()}
        for path in ("/admin/account", "//admin/account", "/x/../admin/account", "/%61dmin/account"):
            assert (await proxied.ask("GET", path, EDITOR))[0] == 401, path
            assert (await proxied.ask("GET", path, EDITOR, headers=forged))[0] == 401, path
        status, _, headers = await proxied.ask("GET", "/admin", EDITOR, headers=forged)
        assert (status, "Set-Cookie" in headers) == (301, False)
