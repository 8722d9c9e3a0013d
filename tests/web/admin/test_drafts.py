"""Drafts: an editor reviews an issue in the pages, and it is sent as they decided."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from service.app.articles.explain import explain_article
from service.app.drafts import editor
from service.core.model import Draft, DraftState, Story
from service.store.audit import SqlAuditStore
from service.store.database import Database
from tests.builders import NOON, an_article, condensed
from tests.end_to_end.installation import Clock
from tests.settings.config_folders import a_config_folder
from tests.store.stores import HOUR, Stores
from tests.web.admin.conftest import FEEDS, Editor, EditorsSite, a_site

NEWSLETTERS = """newsletters:
  - {id: morning, title: The Morning, topics: [world], schedule: "daily 13:00", timezone: UTC, review: 2h}
"""
SUBSCRIBERS = """subscribers:
  - {email: amina@example.org, newsletters: [morning]}
  - {email: ben@example.org, newsletters: [morning]}
"""
LIFT = (
    "The lift in the east wing has been out of order since Monday. "
    "The engineers expect to repair it by Friday. "
    "That date is not certain, because the spare part has not arrived. "
    "Deliveries go to the <script>alert(1)</script> west entrance."
)
HOSTILE = "Silo burns <img src=x onerror=alert(1)>"
_SEEN = re.compile(r'name="seen" value="([^"]+)"')


@pytest.fixture
async def site(sqlite_database: Database, tmp_path: Path, clock: Clock) -> AsyncIterator[EditorsSite]:
    """Yield a site with a draft of three stories for two readers, due in an hour."""
    stores = Stores(sqlite_database)
    await stores.publish("Talks resume", HOSTILE, at=NOON - HOUR)
    lift = an_article("The lift is out of order", LIFT, gathered_at=NOON - HOUR)
    await stores.store_articles([lift])
    summary = condensed(lift, LIFT[: LIFT.index(" The engineers")]).summary
    await stores.condense.record_summaries({lift.id: summary}, NOON - HOUR)
    files = {"newsletters.yaml": NEWSLETTERS, "feeds.yaml": FEEDS, "subscribers.yaml": SUBSCRIBERS}
    async for one in a_site(a_config_folder(tmp_path / "config", files), sqlite_database, clock):
        await one.app.compose()
        yield one


async def the_draft(site: EditorsSite) -> Draft:
    [draft] = await editor.drafts(site.app)
    return draft


async def headlines(site: EditorsSite) -> list[str]:
    return [story.headline for story in editor.shown(await the_draft(site)).stories]


async def pressed(person: Editor, path: str, do: str = "", **fields: str | list[str]) -> tuple[int, str]:
    """Press a button of a form on the page that was read last."""
    seen = getattr(person, "seen", "")
    return await person.post(path, {"seen": seen, "do": do, **fields})


async def opened(person: Editor, path: str) -> str:
    """Read a page, and remember what it has shown of the draft."""
    _, text = await person.get(path)
    found = _SEEN.search(text)
    person.seen = found[1] if found else ""  # type: ignore[attr-defined]
    return text


async def actions(site: EditorsSite) -> list[tuple[str, str]]:
    entries = [entry for _, entry in await SqlAuditStore(site.app.database).page(None, 100)]
    return [(one.name, one.action) for one in reversed(entries) if one.action.startswith("draft_")]


async def why_not(site: EditorsSite, story: Story) -> str:
    """Return why Amina does not get the story, without the time of her next issue."""
    [details] = await site.app.queries.articles_by_id([story.articles[0].id])
    memberships = await site.app.subscribers.memberships(email="amina@example.org")
    [(_, found)] = await explain_article(site.app, details, memberships)
    return found.reason.partition(";")[0]


async def test_a_draft_is_reviewed_changed_and_sent_as_decided(site: EditorsSite):
    eddie, draft = await site.log_in("eddie"), await the_draft(site)
    page = f"/drafts/{draft.id}"
    assert page in (await eddie.get("/drafts"))[1]
    text = await opened(eddie, page)
    assert "2 readers" in text
    assert "Without a decision it is sent when it is due." in text
    before = await headlines(site)
    last = editor.shown(draft).stories[-1]
    for do, expected in (
        ("pin", [before[2], *before[:2]]),
        ("down", [before[0], before[2], before[1]]),
        ("up", [before[2], *before[:2]]),
        ("drop", before[:2]),
        ("restore", [before[2], *before[:2]]),
    ):
        status, text = await pressed(eddie, f"{page}/stories/{last.id}", do)
        assert (status, "The draft was changed." in text) == (200, True)
        assert await headlines(site) == expected
        await opened(eddie, page)
    await pressed(eddie, f"{page}/undo")
    await opened(eddie, page)
    other = editor.shown(await the_draft(site)).stories[-1]
    await pressed(eddie, f"{page}/stories/{other.id}", "drop")
    assert await why_not(site, other) == "as things stand it is left out: an editor dropped its story"
    await opened(eddie, page)
    _, text = await pressed(eddie, f"{page}/decide", "approve")
    assert "The draft is approved." in text
    assert {name for name, _ in await actions(site)} == {"eddie"}

    site.clock.at += 2 * HOUR
    await site.app.compose()
    [issue] = await site.app.queries.issues()
    assert (issue.books.due, issue.id) == (2, draft.id)
    assert (await why_not(site, other)).endswith("left it out: an editor dropped its story")
    status, text = await pressed(eddie, f"{page}/stories/{last.id}", "drop")
    assert (status, "Too late: the issue was made" in text) == (410, True)
    assert f"/admin/issues/{issue.id}" in text


async def test_other_sentences_come_with_their_caveats_and_nothing_is_hidden_silently(site: EditorsSite):
    eddie, draft = await site.log_in("eddie"), await the_draft(site)
    [lift] = [story for story in draft.digest.stories if "lift" in story.headline]
    page = f"/drafts/{draft.id}/stories/{lift.id}/sentences"
    text = await opened(eddie, page)
    assert "1. The lift in the east wing" in text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; west entrance" in text
    status, text = await pressed(eddie, page, "choose")
    assert (status, "Tick at least one sentence." in text) == (422, True)

    status, text = await pressed(eddie, page, "try", sentence=["2", "4"], order="4")
    result = text[text.index("With this choice") : text.index("<form method")]
    assert result.index("west entrance") < result.index("expect to repair")
    assert (await the_draft(site)).edits.actions == ()  # only shown
    await pressed(eddie, page, "choose", sentence=["2", "4"], order="4")
    [story] = [one for one in editor.shown(await the_draft(site)).stories if one.id == lift.id]
    points = [point.text for point in story.points if point.role.value == "point"]
    assert points[0].startswith("Deliveries go")
    assert points[1].startswith("The engineers expect")
    status, text = await pressed(eddie, page, "choose", sentence=["99"])
    assert status == 409  # the page is from before the choice


async def test_a_change_of_another_editor_is_shown_and_nothing_is_lost(site: EditorsSite):
    eddie, ada = await site.log_in("eddie"), await site.log_in("ada")
    draft = await the_draft(site)
    page, stories = f"/drafts/{draft.id}", editor.shown(draft).stories
    await opened(eddie, page)
    await opened(ada, page)
    await pressed(ada, f"{page}/stories/{stories[0].id}", "drop")
    await opened(ada, page)
    await pressed(ada, f"{page}/decide", "hold")

    status, text = await pressed(eddie, f"{page}/stories/{stories[1].id}", "pin")
    assert status == 409
    assert "ada changed it" in text
    assert "Dropped &#34;" in text
    assert "Now it is held." in text
    assert "Your change was not made yet" in text
    eddie.seen = _SEEN.findall(text)[0]  # type: ignore[attr-defined]
    assert 'name="do" value="pin"' in text
    await pressed(eddie, f"{page}/stories/{stories[1].id}", "pin")
    assert (await headlines(site))[0] == stories[1].headline
    assert stories[0].headline not in await headlines(site)  # the other editor's change holds
    assert (await the_draft(site)).state is DraftState.HELD


async def test_a_change_of_a_story_that_another_editor_dropped_says_that_nothing_was_changed(
    site: EditorsSite,
):
    eddie, ada = await site.log_in("eddie"), await site.log_in("ada")
    draft = await the_draft(site)
    page, story = f"/drafts/{draft.id}", editor.shown(draft).stories[1]
    await opened(eddie, page)
    await opened(ada, page)
    await pressed(ada, f"{page}/stories/{story.id}", "drop")

    for do in ("pin", "short", "up"):
        status, text = await pressed(eddie, f"{page}/stories/{story.id}", do)
        assert (status, "Nothing was changed" in text) == (409, True)
        assert "made by ada" in text
        assert story.headline not in await headlines(site)

    eddie.seen = _SEEN.findall(text)[0]  # type: ignore[attr-defined]
    assert "The draft was changed." in (await pressed(eddie, f"{page}/stories/{story.id}", "restore"))[1]
    assert story.headline in await headlines(site)


async def test_stopping_and_sending_at_once_ask_first(site: EditorsSite):
    eddie, draft = await site.log_in("eddie"), await the_draft(site)
    page = f"/drafts/{draft.id}"
    await opened(eddie, page)
    _, text = await pressed(eddie, f"{page}/decide", "stop")
    assert "Stop this draft?" in text
    assert (await the_draft(site)).state is DraftState.WAITING
    await pressed(eddie, f"{page}/decide", "hold")
    site.clock.at += 2 * HOUR
    await site.app.compose()
    text = await opened(eddie, page)
    assert "The deadline has passed." in text
    _, text = await pressed(eddie, f"{page}/decide", "approve")
    assert "is sent at once to <strong>2 readers</strong>" in text
    assert (await the_draft(site)).state is DraftState.HELD
    await pressed(eddie, f"{page}/decide", "approve", sure="yes")
    await site.app.compose()
    assert [issue.id for issue in await site.app.queries.issues()] == [draft.id]


async def test_a_draft_s_texts_stay_texts_and_its_mail_is_in_a_sandbox(site: EditorsSite):
    vera, draft = await site.log_in("vera"), await the_draft(site)
    text = await opened(vera, f"/drafts/{draft.id}")
    assert "&lt;img src=x onerror=alert(1)&gt;" in text
    assert "<img src=x" not in text
    assert 'value="drop"' not in text
    for form in ("desktop", "phone"):
        _, text = await vera.get(f"/drafts/{draft.id}/preview?form={form}")
        assert f'<iframe class="mail {form}"' in text
        assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in text
    _, text = await vera.get(f"/drafts/{draft.id}/preview?form=text")
    assert "<img src=x" not in text
    answer = await vera.http.get(f"{vera.url}/admin/drafts/{draft.id}/mail")
    assert answer.headers["Content-Security-Policy"].startswith("sandbox allow-popups")
    assert "<img src=x" not in await answer.text()


async def test_who_may_not_change_a_draft_and_what_is_none(site: EditorsSite):
    eddie, vera = await site.log_in("eddie"), await site.log_in("vera")
    draft = await the_draft(site)
    page, story = f"/drafts/{draft.id}", draft.digest.stories[0].id
    for person in (eddie, vera):
        await opened(person, page)
    for path in ("undo", "decide", f"stories/{story}", f"stories/{story}/sentences"):
        assert (await pressed(vera, f"{page}/{path}", "drop"))[0] == 403
    vera_token, own = vera.csrf, eddie.csrf
    eddie.csrf = vera_token
    assert (await pressed(eddie, f"{page}/stories/{story}", "drop"))[0] == 403
    eddie.csrf = own
    assert (await pressed(eddie, f"{page}/stories/{story}", "explode"))[0] == 400
    assert (await pressed(eddie, f"{page}/decide", "explode"))[0] == 400
    assert (await pressed(eddie, f"{page}/stories/{'0' * 64}", "drop"))[0] == 404
    for strange in ("x' OR 1=1", "0" * 64, "A" * 300):
        assert (await eddie.get(f"/drafts/{strange}"))[0] == 404
    eddie.seen = "damaged"  # type: ignore[attr-defined]
    assert (await pressed(eddie, f"{page}/stories/{story}", "drop"))[0] == 409
    assert (await the_draft(site)).edits.actions == ()
