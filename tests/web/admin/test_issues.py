"""The section Issues: the list, the mail in its frame, the deliveries, and the actions of an editor."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

from service.core.model import DeliveryState as State
from service.core.read_models import IssueDetails
from service.store.audit import SqlAuditStore
from tests.store.stores import Stores
from tests.web.admin.conftest import EditorsSite

HOSTILE = '<script>alert("x")</script>'
ADDRESSES = ("amina@example.org", "ben@example.org")


async def sent_issue(site: EditorsSite, *states: State, title: str = "Harbour reopens") -> IssueDetails:
    """Make the issue of tomorrow morning, and give its two deliveries these states."""
    app, stores = site.app, Stores(site.app.database)
    same_zone = [
        replace(entry, subscriber=replace(entry.subscriber, timezone=None))
        for entry in app.roster.subscribers
    ]
    app.roster = replace(app.roster, subscribers=tuple(same_zone))
    await app.apply_roster()
    await stores.publish(title, at=site.clock())
    site.clock.at += timedelta(days=1)
    await app.compose()
    [issue] = await app.queries.issues("morning")
    if states:
        batch = await stores.take_batch("worker", site.clock())
        theirs = sorted((d for d in batch.deliveries if d.issue_id == issue.id), key=lambda d: d.address)
        await stores.record_state("worker", theirs, State.ATTEMPTING)
        for delivery, state in zip(theirs, states, strict=True):
            await stores.record_state("worker", [delivery], state)
    return issue


async def audited(site: EditorsSite) -> list[tuple[str, str]]:
    entries = await SqlAuditStore(site.app.database).page(before=None, limit=50)
    return [(entry.action, entry.subject) for _, entry in entries if entry.action.startswith("issue_")]


async def test_the_list_leads_to_an_issue_and_its_deliveries(editors: EditorsSite):
    issue = await sent_issue(editors, State.SENT, State.REFUSED)
    vera = await editors.log_in("vera")
    _, listed = await vera.get("/issues?newsletter=morning")
    assert f"/admin/issues/{issue.id}" in listed
    _, page = await vera.get(f"/issues/{issue.id}")
    assert "The Morning Caveat" in page
    assert re.search(r"<dt>Refused</dt><dd>1</dd>", page)
    _, deliveries = await vera.get(f"/issues/{issue.id}/deliveries")
    assert all(address in deliveries for address in ADDRESSES)


async def test_the_table_has_a_column_only_for_states_that_some_mail_is_in(editors: EditorsSite):
    issue = await sent_issue(editors, State.SENT, State.SUPPRESSED)
    _, page = await (await editors.log_in("vera")).get("/issues")
    columns = re.findall(r'<th scope="col"(?: class="number")?>([^<]+)</th>', page)
    assert columns == ["Issue", "State", "Mails", "Sent", "Waiting", "Suppressed"]
    assert f'/issues/{issue.id}/deliveries?state=suppressed">1</a>' in page


async def test_an_unknown_newsletter_or_issue_is_an_empty_list_or_not_found(editors: EditorsSite):
    issue = await sent_issue(editors)
    vera = await editors.log_in("vera")
    assert (await vera.get("/issues?newsletter=nothing&before=nothing"))[0] == 200
    for path in ("/issues/nothing", "/issues/nothing/mail", "/issues/nothing/deliveries"):
        assert (await vera.get(path))[0] == 404
    assert (await vera.get(f"/issues/{issue.id[:8]}"))[0] == 404


async def test_the_mail_is_shown_in_a_sandboxed_frame_and_as_text(editors: EditorsSite):
    issue = await sent_issue(editors, title=f"Harbour {HOSTILE}")
    vera = await editors.log_in("vera")
    for form in ("desktop", "phone"):
        _, page = await vera.get(f"/issues/{issue.id}?form={form}")
        assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
        assert HOSTILE not in page
    answer = await vera.http.get(f"{vera.url}/admin/issues/{issue.id}/mail")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "reader@example.org" in await answer.text()
    _, text = await vera.get(f"/issues/{issue.id}?form=text")
    assert "<pre" in text
    assert HOSTILE not in text


async def test_deliveries_are_filtered_and_found_by_address(editors: EditorsSite):
    issue = await sent_issue(editors, State.SENT, State.REFUSED)
    vera = await editors.log_in("vera")
    path = f"/issues/{issue.id}/deliveries"
    for query, shown in (
        ("?state=sent", {"amina@example.org"}),
        ("?state=refused", {"ben@example.org"}),
        ("?state=cancelled", set()),
        ("?state=nonsense", set(ADDRESSES)),
        ("?q=Ben@Example.org", {"ben@example.org"}),
        ("?q=carla@example.org", set()),
    ):
        _, page = await vera.get(path + query)
        assert {address for address in ADDRESSES if f">{address}</a>" in page} == shown, query


async def test_an_editor_pauses_and_resumes(editors: EditorsSite):
    issue = await sent_issue(editors)
    eddie = await editors.log_in("eddie")
    await eddie.get(f"/issues/{issue.id}")
    _, page = await eddie.post(f"/issues/{issue.id}/pause")
    assert "The issue is paused." in page
    assert f"/admin/issues/{issue.id}" in (await eddie.get("/"))[1]
    assert await editors.app.queries.paused_issues()
    _, page = await eddie.post(f"/issues/{issue.id}/resume")
    assert "The issue is resumed" in page
    assert not await editors.app.queries.paused_issues()
    assert sorted(await audited(editors)) == [("issue_paused", issue.id), ("issue_resumed", issue.id)]


async def test_a_cancellation_says_first_what_it_does(editors: EditorsSite):
    issue = await sent_issue(editors)
    eddie = await editors.log_in("eddie")
    _, page = await eddie.get(f"/issues/{issue.id}/cancel")
    assert "2 mails would be cancelled." in page
    assert "2 subscribers will get the stories with the next issue." in page
    [unchanged] = await editors.app.queries.issues_by_prefix(issue.id)
    assert unchanged.books.waiting == 2
    _, page = await eddie.post(f"/issues/{issue.id}/cancel")
    assert "The issue is cancelled" in page
    [cancelled] = await editors.app.queries.issues_by_prefix(issue.id)
    assert (cancelled.books.cancelled, cancelled.books.waiting) == (2, 0)
    assert await audited(editors) == [("issue_cancelled", issue.id)]
    assert (await eddie.post(f"/issues/{issue.id}/resume"))[0] == 422


async def test_those_who_missed_an_issue_are_counted_and_get_it_again(editors: EditorsSite):
    issue = await sent_issue(editors, State.SENT, State.REFUSED)
    eddie = await editors.log_in("eddie")
    _, page = await eddie.get(f"/issues/{issue.id}/resend")
    assert "ben@example.org" in page
    assert "amina@example.org" not in page
    status, page = await eddie.post(f"/issues/{issue.id}/resend", {"to": "missed", "known": "7"})
    assert (status, "The number has changed meanwhile: it is 1 now." in page) == (422, True)
    status, page = await eddie.post(f"/issues/{issue.id}/resend", {"known": "1"})
    assert (status, "Choose who gets the mail again." in page) == (422, True)
    _, page = await eddie.post(f"/issues/{issue.id}/resend", {"to": "missed", "known": "1"})
    assert "The mails wait in the outbox" in page
    [again] = await editors.app.queries.issues_by_prefix(issue.id)
    assert (again.books.refused, again.books.waiting) == (0, 1)
    assert await audited(editors) == [("issue_resent", issue.id)]


async def test_a_large_resend_asks_for_its_number(editors: EditorsSite, monkeypatch):
    monkeypatch.setattr("service.web.admin.issues.actions.TYPED_ABOVE", 1)
    issue = await sent_issue(editors, State.REFUSED, State.REFUSED)
    eddie = await editors.log_in("eddie")
    await eddie.get(f"/issues/{issue.id}/resend")
    form = {"to": "missed", "known": "2", "number": "20"}
    status, page = await eddie.post(f"/issues/{issue.id}/resend", form)
    assert (status, "Type the number of mails: 2." in page, 'value="20"' in page) == (422, True, True)
    _, page = await eddie.post(f"/issues/{issue.id}/resend", form | {"number": "2"})
    assert "The mails wait in the outbox" in page


async def test_a_paused_issue_is_not_sent_again(editors: EditorsSite):
    issue = await sent_issue(editors, State.SENT, State.REFUSED)
    eddie = await editors.log_in("eddie")
    await eddie.get("/issues")
    await eddie.post(f"/issues/{issue.id}/pause")
    status, page = await eddie.post(f"/issues/{issue.id}/resend", {"to": "missed", "known": "1"})
    assert status == 422
    assert "is paused" in page
