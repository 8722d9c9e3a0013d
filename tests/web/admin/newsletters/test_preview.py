"""The preview shows the mail of any reader, time and theme in a sandboxed frame; its links are nobody's."""

from __future__ import annotations

import re

import pytest

from service.app.newsletters.color_scheme import ALWAYS, NEVER, has_dark_style, with_color_scheme
from service.app.newsletters.preview import inbox_text
from service.core import ids as identity
from service.subscribers.links import read_preferences, read_unsubscribe
from tests.store.stores import Stores
from tests.web.admin.conftest import EditorsSite

SCRIPT = "<script>alert(1)</script> reopens"
_TOKEN = re.compile(r"/(?:unsubscribe|preferences)/([^\"'\s?]+)")


@pytest.fixture
async def news(editors: EditorsSite) -> EditorsSite:
    await Stores(editors.app.database).publish("Harbour reopens after storm", SCRIPT)
    return editors


async def test_the_page_says_what_an_inbox_shows(news: EditorsSite):
    editor = await news.log_in("eddie")
    status, page = await editor.get("/newsletters/morning/preview")

    assert status == 200
    assert re.search(r"<dt>Stories</dt><dd>2</dd>", page)
    assert re.search(r"<dt>HTML</dt><dd>[1-9][\d.]* kB</dd>", page)
    assert re.search(r"<dt>Reading time</dt><dd>\d+ min</dd>", page)
    assert re.search(r"<dt>Subject</dt><dd[^>]*>[^<]*(Harbour|reopens)", page)
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page


@pytest.mark.parametrize("form", ["phone", "desktop", "dark", "text", "headers"])
async def test_every_form_shows_news_and_no_markup_of_feeds(news: EditorsSite, form: str):
    editor = await news.log_in("eddie")
    status, page = await editor.get(f"/newsletters/morning/preview?form={form}&reader=amina@example.org")

    assert status == 200
    assert "<script>alert" not in page
    assert ("<iframe" in page) == (form in ("phone", "desktop", "dark"))
    assert form != "text" or "HARBOUR REOPENS" in page.upper()
    assert form != "headers" or re.search(r"^To: .*amina@example.org", page, re.MULTILINE)


async def test_the_frame_has_its_own_policy(news: EditorsSite):
    editor = await news.log_in("eddie")
    answer = await editor.http.get(f"{news.url}/admin/newsletters/morning/preview/mail?form=dark")
    mail = await answer.text()

    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'")
    assert "script" not in policy
    assert "<script>alert" not in mail


async def test_the_dark_frame_is_dark_and_the_others_are_light(news: EditorsSite):
    editor = await news.log_in("eddie")
    _, dark = await editor.get("/newsletters/morning/preview/mail?form=dark")
    _, light = await editor.get("/newsletters/morning/preview/mail?form=phone")

    for mail, scheme, query in ((dark, "dark", ALWAYS), (light, "light", NEVER)):
        assert f'<meta name="color-scheme" content="{scheme}">' in mail
        assert "prefers-color-scheme" not in mail
        assert f"@media {query}" in mail


@pytest.mark.parametrize(
    ("head", "has"),
    [
        ("<style>@media (prefers-color-scheme: dark) {a{b:c}}</style>", True),
        ('<meta name="color-scheme" content="light dark">', True),
        ('<meta name="color-scheme" content="light">', False),
        ("<style>a{color: black}</style><p>dark", False),
    ],
)
def test_a_theme_without_a_dark_style_is_known(head: str, *, has: bool):
    assert has_dark_style(head) == has


def test_only_styles_are_changed_for_a_scheme():
    text = "<p>@media (prefers-color-scheme: dark) and color-scheme: light dark</p>"
    css = "<style>:root{color-scheme:light dark}@media screen and (Prefers-Color-Scheme:DARK){a{b:c}}</style>"

    assert with_color_scheme(text + css, "dark") == text + (
        f"<style>:root{{color-scheme:dark}}@media screen and {ALWAYS}{{a{{b:c}}}}</style>"
    )


async def test_links_of_a_preview_belong_to_nobody(news: EditorsSite):
    editor = await news.log_in("eddie")
    key = await news.app.subscribers.signing_key()
    pages = [
        (await editor.get(f"/newsletters/morning/preview{part}reader=amina@example.org"))[1]
        for part in ("/mail?", "?form=text&", "?form=headers&")
    ]

    tokens = [token for page in pages for token in _TOKEN.findall(page)]
    claims = [
        claim for one in tokens for claim in (read_unsubscribe(key, one), read_preferences(key, one)) if claim
    ]
    assert claims, "the mail has no link whose owner could be checked"
    amina = identity.subscriber_id("amina@example.org")
    assert amina not in {claim.subscriber_id for claim in claims}


async def test_a_viewer_sees_no_mail_of_a_person(news: EditorsSite):
    viewer = await news.log_in("vera")
    assert (await viewer.get("/newsletters/morning/preview"))[0] == 200
    for path in ("preview", "preview/mail"):
        status, page = await viewer.get(f"/newsletters/morning/{path}?reader=amina@example.org")
        assert (status, "amina@example.org" in page) == (403, False)


@pytest.mark.parametrize(
    ("query", "field", "sentence"),
    [
        ("reader=amna@example.org", "reader", "Did you mean amina@example.org?"),
        ("at=tomorrow", "at", "This is not a date and time"),
        ("at=9999-12-31T23:59", "at", "This is not a date and time"),
        ("theme=../../../etc/passwd", "theme", "There is no theme"),
        ("theme=dayly", "theme", "Did you mean daily?"),
        ("reader=amina@example.org&theme=x", "theme", "There is no theme"),
        ("reader=nobody@example.org&theme=plain", "reader", "Nobody at"),
    ],
)
async def test_a_wrong_choice_is_explained_at_its_field(
    news: EditorsSite, query: str, field: str, sentence: str
):
    editor = await news.log_in("eddie")
    status, page = await editor.get(f"/newsletters/morning/preview?{query}")

    assert status == 422
    assert re.search(rf'id="{field}.problem">[^<]*{re.escape(sentence)}', page)
    assert (await editor.get(f"/newsletters/morning/preview/mail?{query}"))[0] == 422


async def test_time_is_local_to_the_pages_and_decides_what_is_new(news: EditorsSite):
    editor = await news.log_in("eddie")
    _, page = await editor.get("/newsletters/morning/preview?at=2026-03-09T08:00")
    assert "Time zone: UTC" in page
    assert re.search(r"<dt>Stories</dt><dd>0</dd>", page)
    assert "this issue would not be sent" in page


async def test_a_theme_of_the_operator_runs_in_a_sandbox(news: EditorsSite):
    theme = news.folder / "templates" / "digest" / "own"
    theme.mkdir(parents=True)
    for name in ("subject.txt", "body.txt"):
        (theme / name).write_text("{{ page.title }}")
    (theme / "body.html").write_text("{{ page.__class__.__mro__[1].__subclasses__() }}")
    editor = await news.log_in("eddie")
    status, page = await editor.get("/newsletters/morning/preview?theme=own")

    assert status == 422
    assert "digest/own/body.html" in page
    assert "object at 0x" not in page


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        (
            "<html><head><title>T</title></head><body><div hidden>First\u200c\u034f news</div>More</body>",
            "First news",
        ),
        ("<body><style>a{}</style> <p>&lt;b&gt; A &amp; B</p>", "<b> A & B"),
        ("", ""),
    ],
)
def test_the_inbox_shows_the_first_text_of_the_body(html: str, shown: str):
    assert inbox_text(html) == shown
