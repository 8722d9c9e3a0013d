"""Subscribers on the editors' pages: find, change, erase, import and export people; and attacks on each."""

from __future__ import annotations

import asyncio
import csv
import io
import re
import zipfile
from datetime import timedelta

from service.core.ids import subscriber_id
from service.core.model import DeliveryState as State
from service.core.model import SubscriptionStatus
from service.subscribers.import_formats import read_rows
from tests.store.stores import Stores
from tests.web.admin.conftest import Editor, EditorsSite
from tests.web.admin.test_issues import sent_issue

AMINA, BEN, CARLA = (
    f"/subscribers/{subscriber_id(f'{who}@example.org')}" for who in ("amina", "ben", "carla")
)
NAME = '<script>alert(1)</script> & "co"'


async def state_of(site: EditorsSite, who: str) -> dict[str, str]:
    """Return the status of each of their newsletters."""
    found = await site.app.subscribers.memberships(email=f"{who}@example.org")
    return {m.subscription.newsletter: m.subscription.status.value for m in found}


async def ended(editor: Editor, text: str, path: str) -> str:
    """Return the page of an import after its work has ended."""
    while "data-events" in text:
        await asyncio.sleep(0.05)
        _, text = await editor.get(path)
    return text


def import_path(text: str) -> str:
    return re.search(r'action="/admin(/subscribers/import/[0-9a-f]{32})"', text)[1]


async def test_an_editor_finds_a_person_by_a_part_of_the_address_and_by_filters(editors: EditorsSite):
    editor = await editors.log_in("vera")
    _, everybody = await editor.get("/subscribers")
    assert all(f"{who}@example.org" in everybody for who in ("amina", "ben", "carla"))
    assert "3 people" in everybody
    _, found = await editor.get("/subscribers?q=MIN")
    assert "amina@example.org" in found
    assert "ben@example.org" not in found
    _, evening = await editor.get("/subscribers?newsletter=evening&status=active")
    assert "ben@example.org" not in evening
    assert "2 people match" in evening


async def test_hostile_filters_find_nobody_and_break_nothing(editors: EditorsSite):
    editor = await editors.log_in("vera")
    for query in [
        "q=' OR 1=1 --",
        'q=" OR "a"="a',
        "q=%",
        "q=%00%00%00",
        "q=%ff%fe",
        "q=" + "a" * 3_000,
        "newsletter=' OR 1=1 --",
        "suppressed=1 OR 1=1",
        "after=999999999999999999",
    ]:
        status, text = await editor.get(f"/subscribers?{query}")
        assert status == 200
        if query == "q=%" or query.startswith(("q=' ", 'q=" ', "newsletter")):
            assert "@example.org" not in text


async def test_an_impossible_filter_is_an_answer_and_no_fault(editors: EditorsSite):
    editor = await editors.log_in("vera")
    for query in ["status=' OR 1=1", "after=-1", "after=1;", "after=" + "9" * 40, "after=²"]:
        status, _ = await editor.get(f"/subscribers?{query}")
        assert status in (404, 422)


async def test_a_person_is_added_with_a_note_of_their_consent(editors: EditorsSite):
    editor = await editors.log_in("eddie")
    await editor.get("/subscribers/add")
    fields: dict[str, str | list[str]] = {
        "email": "dora@example.org",
        "name": NAME,
        "timezone": "Europe/Berlin",
        "newsletter": ["morning", "evening"],
        "consent": "by phone on 2 March",
    }
    status, text = await editor.post("/subscribers/add", fields)
    assert status == 200
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text
    assert await state_of(editors, "dora") == {"morning": "active", "evening": "active"}
    _, log = await (await editors.log_in("ada")).get("/access/audit")
    assert "by phone on 2 March" in log


async def test_a_person_with_an_invalid_value_is_not_added_and_the_form_keeps_what_was_typed(
    editors: EditorsSite,
):
    editor = await editors.log_in("eddie")
    for changes, sentence in [
        ({"consent": ""}, "how the person agreed"),
        ({"email": "dora@"}, "dora@"),
        ({"email": "amina@example.org"}, "known already"),
        ({"newsletter": []}, "hoose a newsletter"),
        ({"newsletter": ["nope"]}, "no newsletter"),
        ({"timezone": "Mars/Olympus"}, "Mars/Olympus"),
        ({"name": "x" * 300}, "300 characters"),
    ]:
        await editor.get("/subscribers/add")
        fields = {"email": "dora@example.org", "newsletter": ["morning"], "consent": "on paper", **changes}
        status, text = await editor.post("/subscribers/add", fields)
        assert (status, sentence in text) == (422, True)
        assert f'value="{fields["consent"]}"' in text
        assert await state_of(editors, "dora") == {}


async def test_a_suppressed_address_is_not_added(editors: EditorsSite):
    await editors.app.subscribers.suppress("dora@example.org", "complained", editors.clock())
    editor = await editors.log_in("eddie")
    await editor.get("/subscribers/add")
    fields: dict[str, str | list[str]] = {
        "email": "dora@example.org",
        "newsletter": "morning",
        "consent": "x",
    }
    status, text = await editor.post("/subscribers/add", fields)
    assert status == 422
    assert "complained" in text


EVERY = {
    "schedule": "weekdays 06:30,18:00",
    "timezone": "Europe/Berlin",
    "topics": "world, economy",
    "stories": "3",
    "points": "2",
    "minutes": "5",
    "language": "de",
    "format": "text",
    "languages": "en, fr",
    "follow": "rice; harbour",
    "mute": "chess",
}


async def test_every_preference_is_changed_and_can_follow_the_newsletter_again(editors: EditorsSite):
    editor = await editors.log_in("eddie")
    await editor.get(BEN)
    status, text = await editor.post(f"{BEN}/preferences", {"newsletter": "morning", **EVERY})
    assert status == 200
    assert "Saved" in text
    [ben] = await editors.app.subscribers.memberships(email="ben@example.org")
    edition = ben.edition
    assert (edition.schedule, edition.timezone, edition.format) == (
        "weekdays 06:30,18:00",
        "Europe/Berlin",
        "text",
    )
    assert (edition.stories, edition.points, edition.minutes, edition.language) == (3, 2, 5, "de")
    assert (edition.topics, edition.languages) == (("economy", "world"), ("en", "fr"))
    assert (edition.follow, edition.mute) == (("harbour", "rice"), ("chess",))
    assert ben.chosen
    await editor.post(f"{BEN}/preferences", {"newsletter": "morning", **dict.fromkeys(EVERY, "")})
    [ben] = await editors.app.subscribers.memberships(email="ben@example.org")
    assert ben.edition.schedule == "daily 07:00"
    assert ben.edition.follow == ()


async def test_an_invalid_preference_is_named_beside_its_field_and_nothing_is_stored(editors: EditorsSite):
    editor = await editors.log_in("eddie")
    for field, value in [
        ("schedule", "daily 25:00"),
        ("timezone", "CET/Nowhere"),
        ("stories", "0"),
        ("stories", "many"),
        ("points", "999"),
        ("minutes", "-1"),
        ("minutes", "²"),
        ("format", "pdf"),
        ("language", "no language"),
        ("languages", "en, ????"),
        ("follow", "x" * 4_000),
    ]:
        await editor.get(BEN)
        before = await editors.app.subscribers.memberships(email="ben@example.org")
        status, text = await editor.post(
            f"{BEN}/preferences", {"newsletter": "morning", **EVERY, field: value}
        )
        assert status == 422
        assert f'id="morning.{field}.problem"' in text
        assert 'value="rice; harbour"' in text or field == "follow"
        assert await editors.app.subscribers.memberships(email="ben@example.org") == before


async def test_a_subscription_is_paused_resumed_and_ended(editors: EditorsSite):
    editor = await editors.log_in("eddie")
    await editor.get(AMINA)
    for action, until, expected in (
        ("pause", "2026-03-20", "paused"),
        ("resume", "", "active"),
        ("pause", "", "paused"),
        ("unsubscribe", "", "unsubscribed"),
    ):
        fields = {"action": action, "newsletter": "morning", "until": until}
        status, _ = await editor.post(f"{AMINA}/status", fields)
        assert status == 200
        assert await state_of(editors, "amina") == {"morning": expected, "evening": "active"}
    for until in ("2020-01-01", "tomorrow", "2099-01-01"):
        status, _ = await editor.post(
            f"{AMINA}/status", {"action": "pause", "newsletter": "evening", "until": until}
        )
        assert status == 422
    status, _ = await editor.post(f"{AMINA}/status", {"action": "delete", "newsletter": "morning"})
    assert status == 400
    await editor.post(f"{AMINA}/status", {"action": "unsubscribe", "newsletter": ""})
    assert set((await state_of(editors, "amina")).values()) == {SubscriptionStatus.UNSUBSCRIBED.value}


async def test_an_address_is_suppressed_and_the_suppression_ends(editors: EditorsSite):
    editor = await editors.log_in("eddie")
    await editor.get(CARLA)
    _, text = await editor.post(f"{CARLA}/suppress", {"reason": "<b>wrote to us</b>"})
    assert "&lt;b&gt;wrote to us" in text
    _, listed = await editor.get("/subscribers?suppressed=yes")
    assert 'class="badge good">active' not in listed
    assert "carla@example.org" in listed
    assert "ben@example.org" not in listed
    await editor.post(f"{CARLA}/unsuppress")
    assert await editors.app.subscribers.suppression("carla@example.org") is None


async def test_a_person_of_the_database_is_erased_after_the_address_is_typed(editors: EditorsSite):
    editor = await editors.log_in("eddie")
    await editor.get("/subscribers/add")
    await editor.post(
        "/subscribers/add", {"email": "dora@example.org", "newsletter": "morning", "consent": "paper"}
    )
    page = f"/subscribers/{subscriber_id('dora@example.org')}"
    status, _ = await editor.post(f"{page}/erase", {"address": "ben@example.org"})
    assert status == 422
    assert await state_of(editors, "dora") == {"morning": "active"}
    status, _ = await editor.post(f"{page}/erase", {"address": "DORA@example.org"})
    assert status == 200
    assert await state_of(editors, "dora") == {}
    assert (await editor.get(page))[0] == 404
    status, text = await editor.post(f"{BEN}/erase", {"address": "ben@example.org"})
    assert status == 422
    assert "subscribers.yaml" in text


async def test_an_id_of_nobody_is_not_found(editors: EditorsSite):
    editor = await editors.log_in("eddie")
    for person in ["nobody", "erased-1", "..%2f..%2fetc", "'", "%00", "x" * 500]:
        assert (await editor.get(f"/subscribers/{person}"))[0] == 404
        await editor.get("/subscribers/add")
        for action in ("", "/preferences", "/status", "/suppress", "/unsuppress", "/erase"):
            status, _ = await editor.post(f"/subscribers/{person}{action}", {"newsletter": "morning"})
            assert status == 404


async def test_a_file_is_checked_then_imported_and_refused_rows_are_downloaded(editors: EditorsSite):
    editor = await editors.log_in("eddie")
    await editor.get("/subscribers/import")
    table = (
        "email,name,newsletters\nnew@example.org,New,morning\n"
        "ben@example.org,Ben,morning evening\nbroken,=cmd(),\n"
    )
    table += "=1+1@example,Eve,nope\n"
    _, text = await editor.upload("/subscribers/import", "../../people.csv", table.encode())
    path = import_path(text)
    text = await ended(editor, text, path)
    assert re.search(r"People to import</dt><dd>2<", text)
    assert re.search(r"Known already</dt><dd>1<", text)
    assert re.search(r"New subscriptions of known people</dt><dd>1<", text)
    assert "1 person is in subscribers.yaml" in text
    assert "people.csv</h1>" in text
    assert await state_of(editors, "new") == {}  # a dry run
    _, rows = await editor.get(f"{path}/refused.csv")
    lines = list(csv.reader(io.StringIO(rows)))
    assert [line[0] for line in lines] == ["line", "4", "5"]
    assert not any(cell[:1] in "=+-@\t\r" for line in lines for cell in line if cell)
    _, text = await editor.post(path)
    text = await ended(editor, text, path)
    assert re.search(r"New subscriptions</dt><dd>2<", text)
    assert await state_of(editors, "new") == {"morning": "active"}
    _, again = await editor.post(path)  # a repeated request
    assert "The import is done" in again


async def test_an_import_continues_after_a_restart(editors: EditorsSite):
    editor = await editors.log_in("eddie")
    await editor.get("/subscribers/import")
    table = "email\n" + "".join(f"person{n}@example.org\n" for n in range(700))
    _, text = await editor.upload("/subscribers/import", "p.csv", table.encode(), {"newsletter": "evening"})
    path = import_path(await ended(editor, text, "/subscribers"))
    editors.app.jobs._jobs.clear()  # what a new process knows
    status, text = await editor.get(path)
    assert status == 200
    assert "People to import</dt><dd>700<" in await ended(editor, text, path)
    await editor.post(path)
    text = await ended(editor, (await editor.get(path))[1], path)
    assert "New subscriptions</dt><dd>700<" in text
    assert "person699@" in (await editor.get("/subscribers?q=person699"))[1]


async def test_a_file_that_is_no_table_is_refused_with_a_sentence(editors: EditorsSite):
    editor = await editors.log_in("eddie")
    for name, data in [
        ("people.xlsx", b"PK\x03\x04" + b"\0" * 100),
        ("people.csv.gz", b"\x1f\x8b\x08" + b"\0" * 50),
        ("empty.csv", b" "),
        ("page.csv", b"<!DOCTYPE html><html>"),
        ("no-address.csv", b"name,age\nBen,7\n"),
    ]:
        await editor.get("/subscribers/import")
        status, text = await editor.upload("/subscribers/import", name, data)
        assert status in (200, 422)
        assert 'role="alert"' in text


async def test_invalid_bytes_refuse_only_their_row(editors: EditorsSite):
    editor = await editors.log_in("eddie")
    await editor.get("/subscribers/import")
    data = "email,newsletters\nzoë@example.org,morning\n".encode() + b"b\xff\xfe@example.org,morning\n"
    data += "ok@example.org,morning\nłó@example.org,morning\n".encode()
    _, text = await editor.upload("/subscribers/import", "people.csv", data)
    path = import_path(text)
    text = await ended(editor, text, path)
    assert "Rows refused</dt><dd>" in text
    status, rows = await editor.get(f"{path}/refused.csv")
    assert status == 200
    assert "3," in rows


async def test_a_zip_bomb_is_not_unpacked_and_a_huge_file_is_refused(editors: EditorsSite):
    editor = await editors.log_in("eddie")
    await editor.get("/subscribers/import")
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("people.csv", b"a" * 5_000_000)
    _, text = await editor.upload("/subscribers/import", "people.csv", bomb.getvalue())
    assert "spreadsheet" in text
    status, _ = await editor.upload("/subscribers/import", "people.csv", b"a" * (33 * 2**20))
    assert status == 413


async def test_a_key_of_no_upload_is_not_found(editors: EditorsSite):
    editor = await editors.log_in("eddie")
    await editor.get("/subscribers/import")
    for key in ("0" * 32, "..%2f..%2fcaveat", "x", "%00"):
        assert (await editor.get(f"/subscribers/import/{key}"))[0] == 404
        assert (await editor.post(f"/subscribers/import/{key}"))[0] == 404
        assert (await editor.get(f"/subscribers/import/{key}/refused.csv"))[0] == 404


async def test_only_an_admin_downloads_the_subscribers_and_the_log_names_it(editors: EditorsSite):
    assert (await (await editors.log_in("eddie")).get("/subscribers/export"))[0] == 403
    admin = await editors.log_in("ada")
    status, text = await admin.get("/subscribers/export?newsletter=morning")
    assert status == 200
    rows = list(read_rows(io.BytesIO(text.encode()), "people.csv"))
    assert {row.email for row in rows} == {"amina@example.org", "ben@example.org"}
    assert "downloaded the subscribers of morning" in (await admin.get("/access/audit"))[1]
    assert (await admin.get("/subscribers/export?form=exe"))[0] == 404
    assert (await admin.get("/subscribers/export?newsletter=nope"))[0] == 404


async def test_a_viewer_changes_nothing(editors: EditorsSite):
    viewer = await editors.log_in("vera")
    _, text = await viewer.get(BEN)
    assert "Save the preferences" not in text
    for path in ("", "/preferences", "/status", "/suppress", "/unsuppress", "/erase"):
        assert (await viewer.post(f"{BEN}{path}", {"newsletter": "morning"}))[0] == 403
    assert (await viewer.get("/subscribers/import"))[0] == 403
    assert (await viewer.upload("/subscribers/import", "people.csv", b"email\n"))[0] == 403


async def test_topics_and_languages_are_chosen_from_those_that_are_known(editors: EditorsSite):
    editor = await editors.log_in("eddie")
    _, page = await editor.get(BEN)
    assert re.search(r'name="topics.choice" value="economy"', page)
    assert '<option value="de"' in page  # a language of mails
    fields: dict[str, str | list[str]] = {
        "newsletter": "morning",
        "topics": "chosen",
        "topics.choice": ["economy", "world"],
        "languages": "all",
        "format": "text",
        "language": "",
    }
    status, page = await editor.post(f"{BEN}/preferences", fields)
    assert status == 200
    [ben] = await editors.app.subscribers.memberships(email="ben@example.org")
    assert (ben.edition.topics, ben.edition.languages, ben.edition.format) == (
        ("economy", "world"),
        (),
        "text",
    )
    assert page.count('name="topics.choice" value="economy" checked') == 1
    assert '<option value="text" selected' in page
    status, page = await editor.post(f"{BEN}/preferences", {"newsletter": "morning", "topics": "chosen"})
    assert status == 422
    assert 'id="morning.topics.problem"' in page
    assert (await editors.app.subscribers.memberships(email="ben@example.org"))[0] == ben


async def test_a_name_is_changed_emptied_and_found(editors: EditorsSite):
    editor = await editors.log_in("eddie")
    await editor.get("/subscribers/add")
    person = {"email": "dora@example.org", "name": "Dorothea", "newsletter": "morning", "consent": "paper"}
    await editor.post("/subscribers/add", person)
    page = f"/subscribers/{subscriber_id('dora@example.org')}"
    for name in ("Theodora", ""):
        status, _ = await editor.post(page, {"name": name, "timezone": ""})
        assert status == 200
        [dora] = await editors.app.subscribers.memberships(email="dora@example.org")
        assert dora.subscriber.name == name
        assert ("dora@example.org" in (await editor.get("/subscribers?q=Theodora"))[1]) is bool(name)
        assert "dora@example.org" not in (await editor.get("/subscribers?q=Dorothea"))[1]


async def test_the_history_has_pages_and_the_reasons_of_each_issue(editors: EditorsSite, monkeypatch):
    monkeypatch.setattr("service.app.people.person.HISTORY_SIZE", 1)
    issue = await sent_issue(editors, State.SENT, State.SENT, title="Harbour <b>reopens</b>")
    await Stores(editors.app.database).publish("Bridge opens", at=editors.clock())
    editors.clock.at += timedelta(days=1)
    await editors.app.compose()
    newest, _ = await editors.app.queries.issues("morning")
    vera = await editors.log_in("vera")
    _, first = await vera.get(BEN)
    assert f"/issues/{newest.id}" in first
    assert f"/issues/{issue.id}" not in first
    older = re.search(r'href="/admin([^"]+before=[^"]+)"', first)[1]
    _, second = await vera.get(older)
    assert f"/issues/{issue.id}" in second
    assert "before=" not in second
    _, stories = await vera.get(f"{BEN}/issues/{issue.id}")
    assert "Harbour &lt;b&gt;reopens" in stories
    assert "world" in stories
    assert (await vera.get(f"{CARLA}/issues/{issue.id}"))[0] == 404
    assert (await vera.get(f"{BEN}/issues/{issue.id[:8]}"))[0] == 404


async def test_the_page_explains_whether_a_person_got_an_article(editors: EditorsSite):
    issue = await sent_issue(editors, State.SENT, State.SENT)
    vera = await editors.log_in("vera")
    [article] = issue.article_ids
    status, page = await vera.get(f"{BEN}/explain?article={article[:10]}")
    assert status == 200
    assert re.search(r'badge good">yes<', page)
    _, page = await vera.get(f"{CARLA}/explain?article={article[:10]}")
    assert re.search(r'badge ">no<', page)
    status, page = await vera.get(f"{BEN}/explain?article=https://nowhere.example/%3Cscript%3E")
    assert (status, "<script>'" in page) == (422, False)
    assert "was gathered" in page
