"""Hostile values in every parameter and field of every page: no fault of the server, no markup of theirs."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from itertools import cycle, islice
from pathlib import Path
from urllib.parse import quote, urlsplit

import aiohttp
import pytest

from service.store.database import Database
from tests.builders import NOON
from tests.end_to_end.installation import Clock
from tests.settings.config_folders import a_config_folder
from tests.store.stores import HOUR, Stores
from tests.web.admin.conftest import FEEDS, SUBSCRIBERS, Editor, EditorsSite, a_site
from tests.web.admin.test_sections import ALL_SECTIONS

NEWSLETTERS = """newsletters:
  - {id: morning, title: The Morning, topics: [world], schedule: "daily 13:00", timezone: UTC, review: 2h}
  - {id: evening, title: The Evening, topics: [world], schedule: "daily 12:15", timezone: UTC}
"""
PROBE = "<img src=x onerror=probe()>"
HOSTILE = (
    f"\"'></textarea></title>{PROBE}",
    "' OR 1=1; DROP TABLE subscribers; --",
    "../../../../etc/passwd",
    "{{ 7*7 }}{% import 'os' %}",
    "\ud800\0\x1b[2J\r\nSet-Cookie: a=b",
    "9" * 4_400,  # more digits than int() reads
    "-1",
    "1e999",
    "٣",  # a digit for str.isdecimal, none for most formats
    "9999-12-31T23:59:59+00:01",
    "0001-01-01T00:00:00+23:59",
    "&b [*a, *a]: !!python/object/apply:os.system [id]",
    "[" * 3_000,
    "javascript:probe()",
    "//evil.example/\\evil.example",
    "\u202eevil\u2028\ufeff\U0010ffff",
    "%00%ed%a0%80%",
    "a" * 3_000 + "@" + "b." * 500,
)
"""Values for every field: markup, SQL, paths, templates, headers, numbers, dates, YAML, addresses."""

PARTS = (*HOSTILE[:5], "9" * 4_400, "-1", "%2e%2e%2f", "\u202e")
"""Values for the parts of paths: three of them for each route, in turn."""

LINKING = ("href", "src", "action")  # attributes with an address

LOGOUT = "/logout"
"""Left out: it ends the session that the other forms need."""

NEEDED_FORMS = 25  # that the crawler must find; fewer mean that it no longer reads the pages


@dataclass
class Form:
    """A form of a page: where it goes, and the fields with the values that it shows."""

    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    has_file: bool = False


class PageReader(HTMLParser):
    """Reads the links and forms of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.forms: list[Form] = []
        self.markup: list[str] = []
        self._select = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a link, a form, a field of it, or an attribute that runs a script."""
        values = {name: value or "" for name, value in attrs}
        self.markup += [name for name in values if name.startswith("on")]
        self.markup += [
            one for name in ("href", "src", "action") if "script:" in (one := values.get(name, ""))
        ]
        for name in ("href", "src", "data-events"):
            if values.get(name, "").startswith("/admin"):
                self.links.append(values[name].removeprefix("/admin") or "/")
        if tag == "form":
            self.forms.append(Form(values.get("action", ""), values.get("method", "get").lower()))
        if tag == "select":
            self._select = values.get("name", "")
        name = self._select if tag == "option" else values.get("name", "")
        if self.forms and name and tag in {"input", "option", "textarea", "button"}:
            if values.get("type") == "file":
                self.forms[-1].has_file = True
            else:
                self.forms[-1].fields.append((name, values.get("value", "")))


@pytest.fixture
async def site(sqlite_database: Database, tmp_path: Path, clock: Clock) -> AsyncIterator[EditorsSite]:
    """Yield a site with a draft, an issue, subscribers and articles whose texts are hostile."""
    await Stores(sqlite_database).publish(f"Talks {PROBE}", "Silo burns", at=NOON - HOUR)
    files = {"newsletters.yaml": NEWSLETTERS, "feeds.yaml": FEEDS, "subscribers.yaml": SUBSCRIBERS}
    async for one in a_site(a_config_folder(tmp_path / "config", files), sqlite_database, clock):
        clock.at += HOUR / 2
        await one.app.compose()
        yield one


async def requested(editor: Editor, method: str, target: str, data: object = None) -> str:
    """Send one request and read the page; the assertions hold for every answer of the server."""
    answer = await editor.http.request(
        method,
        f"{editor.url}/admin{target}",
        data=data,
        allow_redirects=False,
        timeout=aiohttp.ClientTimeout(20),
    )
    assert answer.status < 500, (method, target[:200], data)
    assert "Set-Cookie" not in answer.headers, (method, target[:200])
    assert answer.headers.get("Location", "/admin").startswith("/admin"), (method, target[:200])
    if answer.content_type == "text/event-stream":
        answer.close()
        return ""
    text = await answer.text(errors="replace")
    if answer.content_type == "text/html":
        assert PROBE not in text, (method, target[:200], data)
        assert not PageReader(text).markup, (method, target[:200], data)
    return text


def pattern_of(path: str) -> str:
    """Return the declared path of a route, "" for an asset."""
    for section in ALL_SECTIONS:
        for route in section.routes:
            if re.fullmatch(re.sub(r"\{[^}]*\}", "[^/]+", route.path), path):
                return route.path
    return ""


async def crawled(editor: Editor) -> tuple[dict[str, str], dict[tuple[str, str], Form]]:
    """Follow all links; return a target of each page, and a form of each action, by their declared paths."""
    waiting = [route.path for one in ALL_SECTIONS for route in one.routes if "{" not in route.path]
    pages: dict[str, str] = {}
    forms: dict[tuple[str, str], Form] = {}
    while waiting:
        target = waiting.pop(0)
        declared = pattern_of(urlsplit(target).path)
        if not declared or declared in pages:
            continue
        pages[declared] = target
        found = PageReader(await requested(editor, "GET", target))
        waiting += found.links
        for form in found.forms:
            action = urlsplit(unescape(form.action) or target).path.removeprefix("/admin") or "/"
            form.action = action
            if action != LOGOUT:
                forms.setdefault((form.method, pattern_of(action)), form)
    return pages, forms


def attacks(form: Form, csrf: str) -> Iterator[list[tuple[str, str]]]:
    """Yield the fields of requests: each field hostile alone, then all of them at once.

    In a small form each field gets every value, in a large one every third.
    """
    kept = [(name, value) for name, value in form.fields if name != "csrf"]
    names = list(dict.fromkeys(name for name, _ in kept))
    values = cycle(HOSTILE)
    own = [("csrf", csrf)] if form.method == "post" else []
    for name in names:
        others = [(other, value) for other, value in kept if other != name]
        yield [*own, *others, (name, next(values))]
    for start in range(0, len(HOSTILE) if names else 0, 1 if len(names) < 4 else 3):
        shifted = islice(cycle(HOSTILE), start, start + len(names))
        yield [*own, *zip(names, shifted, strict=True)]


def encoded(fields: Iterable[tuple[str, str]]) -> str:
    """Return a form, with lone surrogates as the bytes that would encode them."""
    return "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in fields)


def _quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


FORM = "application/x-www-form-urlencoded"


@pytest.fixture
async def ada(site: EditorsSite) -> AsyncIterator[Editor]:
    """Yield an admin, whose session the attacks must not end."""
    person = await site.log_in("ada")
    yield person
    assert "log out" in (await person.get("/account"))[1].casefold()


async def test_no_value_in_a_path_breaks_a_page_or_comes_back_as_markup(ada: Editor):
    await ada.get("/account")
    parts = cycle(PARTS)
    for route in (route for section in ALL_SECTIONS for route in section.routes if "{" in route.path):
        for part in islice(parts, 3):
            path = re.sub(r"\{[^}]*\}", lambda _, part=part: _quoted(part), route.path)
            fields = {"csrf": ada.csrf} if route.method == "POST" else None
            await requested(ada, route.method, path, fields)


async def test_no_value_in_a_field_breaks_a_page_or_comes_back_as_markup(ada: Editor):
    pages, forms = await crawled(ada)
    assert {"/issues/{id}", "/drafts/{draft}", "/subscribers/{person}"} <= pages.keys()
    assert len(forms) >= NEEDED_FORMS, sorted(forms)
    for (method, _), form in forms.items():
        for fields in attacks(form, ada.csrf):
            if method == "get":
                await requested(ada, "GET", f"{form.action}?{encoded(fields)}"[:8_000])
            else:
                payload = aiohttp.BytesPayload(encoded(fields).encode(), content_type=FORM)
                await requested(ada, "POST", form.action, payload)


async def test_no_file_breaks_a_page_or_comes_back_as_markup(ada: Editor):
    _, forms = await crawled(ada)
    with_files = [form for form in forms.values() if form.has_file]
    assert with_files
    for form in with_files:
        for number, name in enumerate(HOSTILE):
            cells = [value.replace('"', '""') for value in (name, HOSTILE[number - 1])]
            table = 'email,name\n"{}","{}"\n'.format(*cells).encode("utf-8", "surrogatepass")
            data = aiohttp.FormData({"csrf": ada.csrf})
            shown = "".join(char if char.isprintable() else "_" for char in name)
            data.add_field("file", table, filename=f"{shown}.csv")
            await requested(ada, "POST", form.action, data)
