"""Send: a newsletter is checked, confirmed and followed in the editors' pages, and sent once by real SMTP."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from email import message_from_bytes, policy
from pathlib import Path

import aiohttp
import pytest

from service.app.sending.manual_send import dry_run
from service.core.model import DeliveryState, SubscriptionStatus
from service.core.send_request import SendRequest
from service.store.audit import SqlAuditStore
from service.store.database import Database
from tests.builders import NOON
from tests.deliver.server import MailServer, Wait
from tests.end_to_end.installation import Clock
from tests.settings.config_folders import SITE, a_config_folder
from tests.store.stores import HOUR, MINUTE, Stores
from tests.web.admin.conftest import FEEDS, NEWSLETTERS, Editor, EditorsSite, a_site

PATIENCE = 20
UNFINISHED = ("Counting who would get it", "The issues are being composed", "The mail server is being asked")
READERS = ("amina", "ben", "carla")
_KEY = re.compile(r'name="key" value="([^"]+)"')
_NUMBER = re.compile(r'data-field="(\w+)">([^<]*)<')


def the_config(folder: Path, port: int, readers: int = 3) -> Path:
    names = [*READERS, *(f"reader{number}" for number in range(readers - len(READERS)))]
    people = "".join(f"  - {{email: {name}@example.org, newsletters: [morning]}}\n" for name in names)
    smtp = (
        f"mail: {{channel: smtp, smtp: {{host: 127.0.0.1, port: {port}, security: none, connections: 1}}}}\n"
    )
    return a_config_folder(
        folder,
        {
            "caveat.yaml": SITE + smtp,
            "newsletters.yaml": NEWSLETTERS,
            "feeds.yaml": FEEDS,
            "subscribers.yaml": f"subscribers:\n{people}",
        },
    )


@pytest.fixture
async def mail() -> AsyncIterator[MailServer]:
    async with MailServer() as server:
        yield server


@pytest.fixture
async def site(
    sqlite_database: Database, tmp_path: Path, mail: MailServer, clock: Clock
) -> AsyncIterator[EditorsSite]:
    """Yield a site with three subscribers of `morning` and two articles for them."""
    await Stores(sqlite_database).publish("Talks <b>resume</b>", "Silo burns", at=NOON - HOUR)
    async for one in a_site(the_config(tmp_path / "config", mail.port), sqlite_database, clock):
        yield one


async def checked(editor: Editor, **fields: str | list[str]) -> tuple[str, str]:
    """Open Send, check what was typed; return the path of the second page, and its text."""
    _, text = await editor.get("/send")
    [key] = _KEY.findall(text)
    answer = await editor.http.post(
        f"{editor.url}/admin/send/check",
        data=[
            ("csrf", editor.csrf),
            ("key", str(fields.pop("key", key))),
            *(
                (name, one)
                for name, value in ({"newsletter": "morning", "way": "all"} | fields).items()
                for one in ([value] if isinstance(value, str) else value)
            ),
        ],
    )
    return await ended(editor, answer)


async def ended(editor: Editor, answer: aiohttp.ClientResponse) -> tuple[str, str]:
    """Return the path and the text of a page, read again while what it shows is still being worked on."""
    path, text = answer.url.path.removeprefix("/admin"), await answer.text()
    async with asyncio.timeout(PATIENCE):
        while any(words in text for words in UNFINISHED):
            _, text = await editor.get(path)
    return path, text


async def confirmed(editor: Editor, path: str, **fields: str) -> tuple[str, str]:
    """Confirm a checked send; return the path of its page, and its text."""
    answer = await editor.http.post(
        f"{editor.url}/admin{path}", data={"csrf": editor.csrf, **fields}, timeout=None
    )
    return await ended(editor, answer)


def numbers(text: str) -> dict[str, str]:
    return dict(_NUMBER.findall(text))


def recipients(mail: MailServer) -> Counter[str]:
    return Counter(taken.recipient for taken in mail.taken)


EVERYBODY = Counter(f"{name}@example.org" for name in READERS)


async def test_a_send_to_three_is_checked_confirmed_and_followed(site: EditorsSite, mail: MailServer):
    eddie = await site.log_in("eddie")
    path, text = await checked(eddie)
    assert "<strong>3 subscribers</strong> would get it" in text
    assert "Send 3 mails" in text
    assert mail.taken == []
    _, frame = await eddie.get(f"{path}/sample/0")
    assert "Talks &lt;b&gt;resume&lt;/b&gt;" in frame

    send, text = await confirmed(eddie, path)
    assert "The send was started." in text
    assert numbers(text)["queued"] == "3"
    await site.app.deliver()
    _, text = await eddie.get(send)
    assert (numbers(text)["sent"], numbers(text)["queued"]) == ("3", "0")
    assert recipients(mail) == EVERYBODY
    assert send in (await eddie.get("/send"))[1]
    entries = [entry for _, entry in await SqlAuditStore(site.app.database).page(None, 10)]
    assert [
        (one.name, one.action, one.details["mails"]) for one in entries if one.action == "send_started"
    ] == [("eddie", "send_started", 3)]


async def test_each_count_of_a_send_leaves_out_who_is_suppressed(site: EditorsSite, mail: MailServer):
    await site.app.subscribers.suppress("carla@example.org", "complained", site.clock())
    eddie = await site.log_in("eddie")
    path, text = await checked(eddie)
    assert "<strong>2 subscribers</strong> would get it" in text
    assert "1 must not be mailed (suppressed)" in text
    planned = await dry_run(site.app, SendRequest("morning", None))
    assert (planned.recipients.count, [one.subscribers for one in planned.report.planned]) == (2, [2])
    _, text = await eddie.get("/newsletters")
    assert "2 subscribers" in text
    await confirmed(eddie, path)
    await site.app.deliver()
    assert recipients(mail) == Counter(["amina@example.org", "ben@example.org"])


async def test_twenty_confirmations_at_once_send_once(site: EditorsSite, mail: MailServer):
    eddie, ada = await site.log_in("eddie"), await site.log_in("ada")
    path, _ = await checked(eddie)
    other, _ = await checked(ada)  # a second person, with the same request
    answers = await asyncio.gather(
        *(confirmed(eddie, path) for _ in range(10)), *(confirmed(ada, other) for _ in range(10))
    )
    assert len({send for send, _ in answers}) == 1
    again, text = await confirmed(eddie, path)  # the back button, and the button once more
    assert again == answers[0][0]
    assert "sent already" in text
    await site.app.deliver()
    assert recipients(mail) == EVERYBODY
    entries = [entry.action for _, entry in await SqlAuditStore(site.app.database).page(None, 50)]
    assert entries.count("send_started") == 1


async def test_the_key_of_a_form_does_not_send_something_else_later(site: EditorsSite, mail: MailServer):
    eddie = await site.log_in("eddie")
    _, text = await eddie.get("/send")
    [key] = _KEY.findall(text)
    some = {"way": "some", "key": key}
    path, _ = await checked(eddie, **some, addresses="amina@example.org")
    await confirmed(eddie, path)
    other, _ = await checked(eddie, **some, addresses="ben@example.org")
    same, text = await confirmed(eddie, other)
    assert (same, "This form was used for another send already." in text) == (other, True)
    await site.app.deliver()
    assert recipients(mail) == {"amina@example.org": 1}


async def test_pause_resume_and_cancel(site: EditorsSite, mail: MailServer):
    eddie, hold = await site.log_in("eddie"), Wait(asyncio.Event())
    mail.script["DOT"] = {2: hold}
    path, _ = await checked(eddie)
    send, _ = await confirmed(eddie, path)
    delivering = asyncio.create_task(site.app.deliver())
    await asyncio.wait_for(hold.reached.wait(), PATIENCE)
    _, text = await eddie.post(f"{send}/pause")
    assert "The send is paused." in text
    hold.event.set()
    await asyncio.wait_for(delivering, PATIENCE)
    await site.app.deliver()
    _, text = await eddie.get(send)
    assert (numbers(text)["sent"], numbers(text)["queued"]) == ("2", "1")

    _, text = await eddie.post(f"{send}/resume")
    assert "The send goes on." in text
    await eddie.post(f"{send}/pause")
    _, text = await eddie.get(f"{send}/cancel")
    assert "<strong>1 mail</strong> would be cancelled" in text
    assert "1 subscriber gets the stories with the next issue" in text
    assert numbers((await eddie.get(send))[1])["queued"] == "1"  # the question changed nothing
    _, text = await eddie.post(f"{send}/cancel")
    assert numbers(text)["cancelled"] == "1"
    await site.app.deliver()
    assert len(mail.taken) == 2
    entries = [entry.action for _, entry in await SqlAuditStore(site.app.database).page(None, 50)]
    assert {"send_paused", "send_resumed", "send_cancelled"} <= set(entries)


async def test_progress_is_streamed_until_the_send_is_done(site: EditorsSite):
    eddie = await site.log_in("eddie")
    path, _ = await checked(eddie)
    send, _ = await confirmed(eddie, path)
    async with eddie.http.get(f"{eddie.url}/admin{send}/events?phase=sending") as stream:
        seen = ""
        async with asyncio.timeout(PATIENCE):
            while '"queued": 3' not in seen:
                seen += (await stream.content.readany()).decode()
            site.clock.at += MINUTE
            await site.app.deliver()
            seen += (await stream.read()).decode()
    assert '"sent": 3' in seen
    assert seen.endswith("event: done\ndata: {}\n\n")


async def test_a_test_goes_to_one_address_and_is_recorded_for_no_reader(site: EditorsSite, mail: MailServer):
    eddie = await site.log_in("eddie")
    path, text = await checked(eddie, way="test", test_address="eddie@news.example.net")
    assert "goes to <strong>eddie@news.example.net</strong> only" in text
    assert mail.taken == []
    _, text = await confirmed(eddie, path)
    assert "The test was sent" in text
    await asyncio.gather(*(confirmed(eddie, path) for _ in range(5)))
    assert recipients(mail) == {"eddie@news.example.net": 1}
    subject = message_from_bytes(mail.taken[0].content, policy=policy.default)["Subject"]
    assert subject.startswith("[Test] ")
    assert await site.app.queries.issues() == []
    _, text = await checked(eddie)
    assert "<strong>3 subscribers</strong> would get it" in text  # nobody's news was used up


async def test_unknown_unreachable_and_wrong_addresses_are_named(site: EditorsSite, mail: MailServer):
    eddie, people = await site.log_in("eddie"), site.app.subscribers
    [ben] = await people.memberships(email="ben@example.org")
    await people.set_status(ben.subscriber.id, "morning", SubscriptionStatus.UNSUBSCRIBED, NOON)
    typed = "Amina <AMINA@example.org>; ben@example.org\nnobody@example.org, amina@example.org"
    path, text = await checked(eddie, way="some", addresses=typed)
    assert "<strong>1 subscriber</strong> would get it" in text
    assert "ben@example.org unsubscribed from it" in text
    assert "nobody@example.org is not known" in text
    await confirmed(eddie, path)
    await site.app.deliver()
    assert recipients(mail) == {"amina@example.org": 1}

    _, text = await checked(eddie, way="some", addresses="amina@example.org, <script>alert(1)</script>")
    assert "&lt;script&gt;alert(1)&lt;/script&gt; is no email address" in text
    assert "<script>alert" not in text
    _, text = await checked(eddie, way="some", addresses=" ")
    assert "Type or paste the addresses" in text


async def test_a_search_keeps_what_was_typed_and_adds_what_is_ticked(site: EditorsSite):
    eddie = await site.log_in("eddie")
    await eddie.get("/send")
    fields: dict[str, str | list[str]] = {
        "newsletter": "morning",
        "way": "some",
        "addresses": "ben@example.org",
    }
    _, text = await eddie.post("/send/search", fields | {"search": "ami"})
    assert 'name="found" value="amina@example.org"' in text
    assert ">ben@example.org</textarea>" in text
    assert "carla" not in text
    _, text = await checked(eddie, way="some", addresses="ben@example.org", found=["amina@example.org"])
    assert "<strong>2 subscribers</strong> would get it" in text


async def test_above_a_hundred_mails_their_number_is_typed(
    sqlite_database: Database, tmp_path: Path, mail: MailServer, clock: Clock
):
    await Stores(sqlite_database).publish("Talks resume", at=NOON - HOUR)
    async for site in a_site(the_config(tmp_path / "config", mail.port, 101), sqlite_database, clock):
        eddie = await site.log_in("eddie")
        path, text = await checked(eddie)
        assert "Type the number of mails to confirm" in text
        for wrong in ("", "100", "101x", "1"):
            same, text = await confirmed(eddie, path, number=wrong)
            assert (same, "Type the number of mails, 101" in text) == (path, True)
        _, text = await confirmed(eddie, path, number="101")
        assert numbers(text)["queued"] == "101"
        assert set(
            await site.app.queries.delivery_counts([one.id for one in await site.app.queries.issues()])
        ) == {DeliveryState.PLANNED}


async def test_who_may_not_send_and_what_belongs_to_others(site: EditorsSite, mail: MailServer):
    eddie, ada, vera = [await site.log_in(name) for name in ("eddie", "ada", "vera")]
    path, _ = await checked(eddie)
    await ada.get("/send")
    assert (await ada.get(path))[0] == 404  # a check is its account's own
    assert (await ada.post(path))[0] == 404
    _, text = await vera.get("/send")
    assert "needs the role editor" in text
    for way in ("/send/check", "/send/search", path):
        assert (await vera.post(way, {"newsletter": "morning", "way": "all", "key": "x" * 12}))[0] == 403
    token, eddie.csrf = eddie.csrf, ada.csrf
    assert (await confirmed(eddie, path))[1].count("not from this session") == 1
    eddie.csrf = token
    send, _ = await confirmed(eddie, path)
    assert (await vera.get(send))[0] == 200
    for action in ("pause", "resume", "cancel"):
        assert (await vera.post(f"{send}/{action}"))[0] == 403
        assert (await eddie.post(f"/send/{'0' * 64}/{action}"))[0] == 404
        [issue] = await site.app.queries.issues()
        assert (await eddie.post(f"/send/{issue.id}/{action}"))[0] == 404  # an issue is no send
    for strange in ("x' OR 1=1", "A" * 500, "check"):
        assert (await eddie.get(f"/send/{strange}"))[0] in (404, 405)
    assert mail.taken == []
