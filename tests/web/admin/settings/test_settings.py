"""The section Settings shows what is in force and from where, faults with their place, and no secret."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from service.app.config.listing import without_secrets
from service.core.model import HeldChange
from tests.builders import NOON
from tests.settings.config_folders import SITE
from tests.web.admin.conftest import NEWSLETTERS, EditorsSite

SECRETS = ("hunter2", "sesame-sesame-sesame", "rosebud-rosebud-1")
MAIN = (
    SITE
    + """\
storage: "postgresql://caveat:hunter2@db.example.org/caveat"
mail:
  channel: smtp
  smtp: {host: mail.example.org, username: caveat, password: hunter2}
  # password: hunter2 of last year
web:
  api_token: >-
    sesame-sesame-sesame
  metrics_token: "rosebud-rosebud-1"
"""
)


def shown_lines(path: Path) -> list[str]:
    return list(without_secrets(path.read_text(encoding="utf-8").splitlines()))


def write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def main(editors: EditorsSite) -> Path:
    path = editors.folder / "caveat.yaml"
    path.write_text(MAIN, encoding="utf-8")
    return path


@pytest.mark.usefixtures("main")
async def test_each_value_has_its_origin_and_no_secret_is_shown(
    editors: EditorsSite, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("CAVEAT_FETCH__CONNECTIONS", "7")
    viewer = await editors.log_in("vera")
    _, page = await viewer.get("/settings")

    line = (
        MAIN.splitlines().index("  smtp: {host: mail.example.org, username: caveat, password: hunter2}") + 1
    )
    assert re.search(
        rf"mail\.smtp\.host</code></td><td>mail\.example\.org</td>[^/]*caveat\.yaml:{line}<", page
    )
    assert re.search(r"fetch\.connections</code></td><td>7</td>[^/]*CAVEAT_FETCH__CONNECTIONS<", page)
    assert re.search(r"mail\.smtp\.per_second</code></td><td>[^<]*</td>[^/]*default<", page)
    assert re.search(r"<dt>Caveat</dt><dd>\d", page)
    assert not [secret for secret in SECRETS if secret in page]


@pytest.mark.parametrize("name", ["caveat.yaml", "feeds.yaml", "newsletters.yaml", "subscribers.yaml"])
@pytest.mark.parametrize("broken", [False, True])
async def test_files_are_shown_with_line_numbers_and_without_secrets(
    editors: EditorsSite, main: Path, name: str, broken: bool
):
    if broken:
        write(main, MAIN + "\tthis: is: no yaml\n")
    editor = await editors.log_in("eddie")
    status, page = await editor.get(f"/settings/files/{name}")

    assert status == 200
    for number, line in enumerate(shown_lines(editors.folder / name), 1):
        assert f'id="line-{number}"' in page
        assert html.escape(line).replace("&quot;", "&#34;").replace("&#x27;", "&#39;") in page
    assert not [secret for secret in SECRETS if secret in page]


async def test_faults_have_file_line_and_column_and_what_is_expected(editors: EditorsSite, main: Path):
    viewer = await editors.log_in("vera")
    write(main, MAIN.replace("channel: smtp", "channel: pigeon"))
    _, page = await viewer.get("/settings")
    found = re.search(
        r'href="([^"]+)"><code>caveat\.yaml:(\d+):(\d+)</code></a> `channel` is [^<]*Expected: one of', page
    )
    assert found

    status, page = await viewer.get(html.unescape(found[1]).removeprefix("/admin"))
    assert status == 200
    assert re.search(rf'id="line-{found[2]}" class="bad".*?class="problem">`channel` is', page, re.DOTALL)


async def test_a_held_change_is_not_said_to_come_into_force_by_itself(editors: EditorsSite):
    await editors.app.subscribers.roster_state.hold(HeldChange(3, 4, (("morning", 3),)), NOON)
    write(editors.folder / "newsletters.yaml", NEWSLETTERS.replace("The Evening", "At Six"))
    viewer = await editors.log_in("vera")
    for path in ("/settings", "/newsletters", "/newsletters/evening"):
        _, page = await viewer.get(path)
        assert "caveat config apply --yes" in page
        assert "second or two" not in page
        assert "in a moment" not in page


async def test_addresses_of_people_are_not_shown_to_a_viewer(editors: EditorsSite):
    viewer = await editors.log_in("vera")
    assert (await viewer.get("/settings/files/feeds.yaml"))[0] == 200
    status, page = await viewer.get("/settings/files/subscribers.yaml")
    assert (status, "amina@example.org" in page) == (403, False)


@pytest.mark.parametrize(
    "name",
    ["..%2f..%2fetc%2fpasswd", "..%2fcaveat.yaml", "secrets.yaml", "%2fetc%2fpasswd"],
)
async def test_only_the_four_files_are_shown(editors: EditorsSite, name: str):
    (editors.folder / "secrets.yaml").write_text("hunter2")
    admin = await editors.log_in("ada")
    status, page = await admin.get(f"/settings/files/{name}")
    assert (status, "hunter2" in page, "root:" in page) == (404, False, False)


async def test_a_long_file_is_shown_in_windows(editors: EditorsSite):
    many = "".join(
        f"  - {{email: p{number}@example.org, newsletters: [morning]}}\n" for number in range(5_000)
    )
    (editors.folder / "subscribers.yaml").write_text("subscribers:\n" + many)
    editor = await editors.log_in("eddie")
    for line, first in (("4000", "p3998@"), ("99999", "p4999@"), ("-1", "p0@"), ("x", "p0@")):
        status, page = await editor.get(f"/settings/files/subscribers.yaml?line={line}")
        assert (status, first in page) == (200, True)
        assert len(page.encode()) < 100_000


async def test_the_checks_run_on_demand_for_an_editor(editors: EditorsSite):
    viewer = await editors.log_in("vera")
    await viewer.get("/settings")
    assert (await viewer.post("/settings/doctor"))[0] == 403
    editor = await editors.log_in("eddie")
    await editor.get("/settings")
    status, page = await editor.post("/settings/doctor")

    assert status == 200
    for check in ("program", "database", "disk", "mail"):
        assert f"<td>{check}</td>" in page


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("password: a", "password: ********"),
        ("  - {id: x, channel: {apprise: 'tgram://k'}}", "  - {id: x, channel: {apprise: ********"),
        (
            "smtp: {password_file: mail.secret, password: a}",
            "smtp: {password_file: mail.secret, password: ********",
        ),
        ('"api_token" : a', '"api_token" : ********'),
        ("key_file: dkim.secret", "key_file: dkim.secret"),
        ("proxy: http://me:a@proxy.example", "proxy: http://********@proxy.example"),
        ("password:\n  a\n\n  b\nport: 1", "password:\n  ********\n\n  ********\nport: 1"),
        ("password: |\n  a\n  b: c\nport: 1", "password: ********\n  ********\n  ********\nport: 1"),
        ("proxy: http://me:a@b@proxy.example", "proxy: http://********@proxy.example"),
        ('password: "a\nb\\" c\nd"\nport: 1', "password: ********\n********\n********\nport: 1"),
        ("password: 'a\nb'' c\nd'\nport: 1", "password: ********\n********\n********\nport: 1"),
        ("topics: [world]", "topics: [world]"),
    ],
)
def test_a_secret_value_is_hidden_wherever_it_is(text: str, shown: str):
    assert "\n".join(without_secrets(text.splitlines())) == shown
