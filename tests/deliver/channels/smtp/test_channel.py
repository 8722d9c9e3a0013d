"""The SMTP channel against a scripted server, compared with the messages that it accepted."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from service.core.model import Delivery, DeliveryState
from service.deliver import leases, outbox
from service.deliver.channels.smtp.channel import SmtpChannel, connect_timeout
from service.deliver.channels.smtp.settings import Timeouts
from service.deliver.leases import DeliverPolicy
from service.deliver.stage import Deliverer, DeliverReport, deliver
from tests.builders import NOON
from tests.deliver.fakes import (
    SHORT_TIMEOUTS,
    Clock,
    MemoryLedger,
    a_delivery,
    a_message_builder,
    a_relay,
    a_relay_at,
    some_deliveries,
)
from tests.deliver.server import (
    ANY,
    DOT,
    GREETING,
    Close,
    Hang,
    MailServer,
    Raw,
    Reply,
    Reset,
    Wait,
)

PLAIN = ("8BITMIME",)


async def sent_through(
    server: MailServer,
    store: MemoryLedger,
    *,
    clock: Clock | None = None,
    policy: DeliverPolicy | None = None,
    **relay: Any,
) -> DeliverReport:
    channel = SmtpChannel(a_relay(server, **relay), a_message_builder())
    try:
        deliverer = Deliverer(store, channel, policy or DeliverPolicy())
        return await deliver(deliverer, now=clock or Clock())
    finally:
        await channel.close()


def id_of(delivery: Delivery) -> str:
    return delivery.id


@pytest.mark.parametrize("extensions", [("PIPELINING", "8BITMIME", "SIZE 1000000"), PLAIN])
async def test_each_recipient_gets_one_message_over_kept_connections(extensions):
    deliveries = some_deliveries(25)
    store = MemoryLedger.holding(*deliveries)
    async with MailServer(extensions=extensions) as server:
        report = await sent_through(server, store, connections=3)
    assert report == DeliverReport(sent=25)
    assert sorted(server.ids) == sorted(d.id for d in deliveries)
    assert {t.recipient for t in server.taken} == {d.address for d in deliveries}
    assert server.connections <= 3
    assert store.states() == {DeliveryState.SENT}


async def test_the_next_envelope_is_pipelined_with_the_message():
    async with MailServer() as server:
        await sent_through(server, MemoryLedger.holding(*some_deliveries(10)))
        pipelined_flights = server.flights
    async with MailServer(extensions=PLAIN) as server:
        await sent_through(server, MemoryLedger.holding(*some_deliveries(10)))
    assert pipelined_flights < server.flights / 2


async def test_a_message_arrives_byte_for_byte():
    maker, delivery = a_message_builder(), a_delivery()
    store = MemoryLedger.holding(delivery)
    async with MailServer() as server:
        await sent_through(server, store)
    (issue,) = store.issues.values()
    assert server.taken[0].content == maker(issue, delivery).content


async def test_the_attempt_is_durable_before_the_final_dot_and_the_outcome_after():
    delivery = a_delivery()
    store = MemoryLedger.holding(delivery)
    gate = Wait(asyncio.Event())
    async with MailServer({DOT: {1: gate}}) as server:
        sending = asyncio.create_task(sent_through(server, store))
        await gate.reached.wait()
        assert store.state(delivery) is DeliveryState.ATTEMPTING
        gate.event.set()
        await sending
    assert store.state(delivery) is DeliveryState.SENT


async def test_an_unknown_user_is_refused_and_suppressed_and_the_others_get_mail():
    deliveries = some_deliveries(5)
    store = MemoryLedger.holding(*deliveries)
    async with MailServer({"RCPT": {2: Reply("550 5.1.1 no such user")}}) as server:
        report = await sent_through(server, store)
    assert (report.sent, report.refused) == (4, 1)
    assert store.state(deliveries[1]) is DeliveryState.REFUSED
    assert store.suppressed == {deliveries[1].address}


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA", DOT])
@pytest.mark.parametrize("extensions", [("PIPELINING",), PLAIN])
async def test_a_temporary_failure_defers_that_message_and_no_other(command, extensions):
    deliveries = some_deliveries(4)
    store = MemoryLedger.holding(*deliveries)
    async with MailServer({command: {2: Reply("451 4.3.0 not now")}}, extensions=extensions) as server:
        report = await sent_through(server, store)
    assert (report.sent, report.deferred) == (3, 1)
    row = store.rows[deliveries[1].id]
    assert row.state is DeliveryState.DEFERRED
    assert row.next_attempt_at is not None
    assert NOON + timedelta(seconds=60) <= row.next_attempt_at <= NOON + timedelta(seconds=75)
    assert row.reply == "451 4.3.0 not now"


async def test_a_deferred_message_is_sent_when_its_time_has_come():
    delivery = a_delivery()
    store = MemoryLedger.holding(delivery)
    clock = Clock()
    async with MailServer({"RCPT": {1: Reply("450 4.7.1 greylisted")}}) as server:
        assert (await sent_through(server, store, clock=clock)).deferred == 1
        assert await sent_through(server, store, clock=clock) == DeliverReport()
        clock.now += timedelta(seconds=80)
        assert (await sent_through(server, store, clock=clock)).sent == 1
    assert server.ids == [delivery.id]


@pytest.mark.parametrize("action", [Close(), Reset(), Raw(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Hang()])
@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
async def test_a_connection_lost_before_the_message_loses_nothing(command, action):
    deliveries = some_deliveries(4)
    store = MemoryLedger.holding(*deliveries)
    async with MailServer({command: {2: action}}) as server:
        report = await sent_through(server, store, timeouts=SHORT_TIMEOUTS)
    assert report == DeliverReport(sent=4)
    assert sorted(server.ids) == sorted(d.id for d in deliveries)


@pytest.mark.parametrize(
    "action",
    [
        Close(taking=True),
        Reset(taking=True),
        Close(),
        Reset(),
        Hang(),
        Raw(b"\xff\xfe\r\n"),
        Raw(b"354 eh?\r\n"),
    ],
)
async def test_a_connection_lost_after_the_final_dot_leaves_one_uncertain(action):
    deliveries = some_deliveries(4)
    store = MemoryLedger.holding(*deliveries)
    clock = Clock()
    async with MailServer({DOT: {2: action}}) as server:
        report = await sent_through(server, store, timeouts=SHORT_TIMEOUTS, clock=clock)
        assert (report.sent, report.uncertain) == (3, 1)
        assert store.state(deliveries[1]) is DeliveryState.UNCERTAIN
        clock.now += timedelta(minutes=2)
        await sent_through(server, store, timeouts=SHORT_TIMEOUTS, clock=clock)
    copies = [taken.content for taken in server.taken if taken.id == deliveries[1].id]
    assert len(copies) == (2 if getattr(action, "taking", False) else 1)
    assert len(set(copies)) == 1
    assert store.states() == {DeliveryState.SENT}


@pytest.mark.parametrize("extensions", [("PIPELINING",), PLAIN])
async def test_a_waiting_connection_does_not_hold_up_due_deliveries(monkeypatch, extensions):
    for place in (leases, outbox):
        monkeypatch.setattr(place, "POLL_SECONDS", 0.01)
    first, later = some_deliveries(2)
    store, slow = MemoryLedger.holding(first), Wait(asyncio.Event())
    async with MailServer({DOT: {1: slow}}, extensions=extensions) as server:
        sending = asyncio.create_task(sent_through(server, store, connections=2))
        await slow.reached.wait()
        store.rows |= MemoryLedger.holding(later).rows
        while store.state(later) is not DeliveryState.SENT:  # noqa: ASYNC110 - the store has no event to wait for
            await asyncio.sleep(0.01)
        assert store.state(first) is DeliveryState.ATTEMPTING
        slow.event.set()
        assert (await sending).sent == 2
    assert server.ids == [later.id, first.id]


async def test_an_uncertain_delivery_is_held_where_the_policy_says_so():
    delivery = a_delivery()
    store = MemoryLedger.holding(delivery)
    clock = Clock()
    async with MailServer({DOT: {1: Close(taking=True)}}) as server:
        for _ in range(2):
            await sent_through(server, store, clock=clock, policy=DeliverPolicy(resend_uncertain=False))
            clock.now += timedelta(days=1)
    assert server.ids == [delivery.id]
    assert store.state(delivery) is DeliveryState.UNCERTAIN


async def test_a_server_that_never_replies_gets_a_limited_number_of_copies():
    delivery = a_delivery()
    store = MemoryLedger.holding(delivery)
    clock = Clock()
    async with MailServer({DOT: {ANY: Close(taking=True)}}) as server:
        reports = []
        for _ in range(12):
            reports.append(await sent_through(server, store, clock=clock))
            clock.now += timedelta(hours=5)
    assert server.ids == [delivery.id] * 3
    assert store.state(delivery) is DeliveryState.UNCERTAIN
    [problem] = [one for report in reports for one in report.problems if "it is unknown whether" in one]
    assert f"delivery {delivery.id[:12]} arrived, after 3 uncertain attempts" in problem
    assert problem.endswith(f"`caveat issue resend {delivery.issue_id[:8]} --uncertain`")


async def test_a_message_that_makes_the_server_disconnect_does_not_hold_up_the_others():
    deliveries = some_deliveries(4)
    store = MemoryLedger.holding(*deliveries)
    async with MailServer({"RCPT": {1: Close(), 2: Close()}}) as server:
        report = await sent_through(server, store)
    assert (report.sent, report.deferred) == (3, 1)
    assert store.state(deliveries[0]) is DeliveryState.DEFERRED


async def test_after_421_another_connection_continues():
    deliveries = some_deliveries(6)
    store = MemoryLedger.holding(*deliveries)
    async with MailServer({"MAIL": {3: Reply("421 4.3.2 going down")}}) as server:
        report = await sent_through(server, store)
    assert report == DeliverReport(sent=6)
    assert server.connections == 2


@pytest.mark.parametrize("extensions", [("AUTH PLAIN",), ("AUTH PLAIN", "PIPELINING")])
async def test_an_expired_login_is_renewed_and_nothing_is_deferred(extensions):
    store = MemoryLedger.holding(*some_deliveries(12))
    expired = Reply("530 5.7.0 Authentication required")
    async with MailServer({"MAIL": dict.fromkeys((4, 9), expired)}, extensions=extensions) as server:
        report = await sent_through(server, store, username="caveat", password="hunter2")
    assert report == DeliverReport(sent=12)
    assert len(set(server.ids)) == len(server.ids) == 12
    assert server.turns["AUTH"] == server.connections == 3


async def test_a_server_that_always_replies_421_gets_few_connections():
    deliveries = some_deliveries(30)
    store = MemoryLedger.holding(*deliveries)
    async with MailServer({"MAIL": {ANY: Reply("421 4.3.0 not today")}}) as server:
        report = await sent_through(server, store)
    assert report.sent == 0
    assert server.connections <= 4
    assert "accepts no message: 421 4.3.0 not today" in report.problems[0]
    assert store.states() == {DeliveryState.PLANNED, DeliveryState.DEFERRED}


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ({GREETING: {ANY: Reply("421 4.3.2 busy")}}, "refuses the connection: 421 4.3.2 busy"),
        ({GREETING: {ANY: Reply("554 5.7.1 listed")}}, "refuses the connection: 554 5.7.1 listed"),
        ({GREETING: {ANY: Hang()}}, "does not answer within 0.2 seconds"),
        ({GREETING: {ANY: Close()}}, "cannot be reached"),
        ({GREETING: {ANY: Raw(b"SSH-2.0-OpenSSH_9.2\r\n")}}, "does not speak SMTP"),
    ],
)
async def test_a_server_that_does_not_speak_smtp_is_one_problem_and_all_deliveries_wait(script, problem):
    store = MemoryLedger.holding(*some_deliveries(20))
    async with MailServer(script) as server:
        report = await sent_through(server, store, connections=5, timeouts=SHORT_TIMEOUTS)
    assert len(report.problems) == 1
    assert problem in report.problems[0]
    assert store.states() == {DeliveryState.PLANNED}
    assert all(row.token is None for row in store.rows.values())
    assert server.connections == 1


async def test_a_refused_connection_is_one_problem_that_names_the_setting():
    store = MemoryLedger.holding(a_delivery())
    async with MailServer() as server:
        pass
    report = await sent_through(server, store)
    assert len(report.problems) == 1
    assert f"127.0.0.1:{server.port} cannot be reached" in report.problems[0]
    assert "mail.smtp.host" in report.problems[0]


async def test_a_wrong_password_is_tried_once_and_reported_once():
    store = MemoryLedger.holding(*some_deliveries(20))
    script = {"AUTH": {ANY: Reply("535 5.7.8 wrong password")}}
    async with MailServer(script, extensions=("AUTH PLAIN", "PIPELINING")) as server:
        report = await sent_through(server, store, connections=5, username="caveat", password="hunter2")
    assert len(report.problems) == 1
    assert "refuses the login as 'caveat': 535 5.7.8 wrong password" in report.problems[0]
    assert "hunter2" not in report.problems[0]
    assert server.turns["AUTH"] == 1
    assert store.states() == {DeliveryState.PLANNED}


async def test_a_server_without_starttls_gets_no_mail():
    store = MemoryLedger.holding(a_delivery())
    async with MailServer() as server:
        report = await sent_through(server, store, security="starttls")
    assert "STARTTLS" in report.problems[0]
    assert server.taken == []


async def test_a_server_that_knows_only_helo_gets_mail():
    store = MemoryLedger.holding(*some_deliveries(3))
    async with MailServer({"EHLO": {ANY: Reply("502 5.5.1 what is EHLO?")}}) as server:
        report = await sent_through(server, store)
    assert report.sent == 3
    assert "HELO news.example.org" in server.commands


async def test_a_message_too_large_for_the_server_is_not_offered():
    store = MemoryLedger.holding(*some_deliveries(2))
    async with MailServer(extensions=("PIPELINING", "SIZE 100")) as server:
        report = await sent_through(server, store)
    assert (report.refused, report.deferred) == (0, 2)
    assert "MAIL" not in server.turns
    assert store.suppressed == set()


async def test_a_server_that_waits_for_content_without_a_recipient_is_disconnected():
    deliveries = some_deliveries(2)
    store = MemoryLedger.holding(*deliveries)
    async with MailServer({"RCPT": {1: Reply("550 5.1.1 unknown")}}, lenient=True) as server:
        report = await sent_through(server, store)
    assert (report.sent, report.refused) == (1, 1)
    assert server.contents_without_recipient == []
    assert server.connections == 2


async def test_connections_are_closed_after_max_messages():
    store = MemoryLedger.holding(*some_deliveries(10))
    async with MailServer() as server:
        report = await sent_through(server, store, max_messages=4)
    assert report.sent == 10
    assert server.connections == 3


async def test_a_recipient_suppressed_after_the_batch_was_leased_gets_no_mail():
    deliveries = some_deliveries(3)
    store = MemoryLedger.holding(*deliveries)
    gate = Wait(asyncio.Event())
    async with MailServer({DOT: {1: gate}}) as server:
        sending = asyncio.create_task(sent_through(server, store))
        await gate.reached.wait()
        store.suppressed.add(deliveries[1].address)
        gate.event.set()
        report = await sending
    assert report.sent == 2
    assert deliveries[1].id not in server.ids
    assert store.state(deliveries[1]) is DeliveryState.SUPPRESSED


async def test_a_sender_paused_beyond_its_lease_does_not_send():
    deliveries = some_deliveries(3)
    store = MemoryLedger.holding(*deliveries)
    clock = Clock()
    gate = Wait(asyncio.Event())
    async with MailServer({"DATA": {1: gate}}) as server:
        sending = asyncio.create_task(sent_through(server, store, clock=clock))
        await gate.reached.wait()
        clock.now += timedelta(minutes=5)
        batch = await store.take_batch("smtp", "successor", clock.now, clock.now + timedelta(minutes=1), 9)
        gate.event.set()
        report = await sending
    assert len(batch.deliveries) == 3
    assert server.taken == []
    assert report.sent == 0
    assert all(row.token == "successor" for row in store.rows.values())


async def test_a_stop_finishes_messages_in_progress_and_releases_the_rest():
    deliveries = some_deliveries(10)
    store = MemoryLedger.holding(*deliveries)
    gate, stopping = Wait(asyncio.Event()), asyncio.Event()
    async with MailServer({DOT: {2: gate}}, extensions=PLAIN) as server:
        channel = SmtpChannel(a_relay(server), a_message_builder())
        deliverer = Deliverer(store, channel)
        sending = asyncio.create_task(deliver(deliverer, now=Clock(), stopping=stopping))
        await gate.reached.wait()
        stopping.set()
        gate.event.set()
        report = await sending
        await channel.close()
    assert report == DeliverReport(sent=2)
    assert server.ids == [d.id for d in deliveries[:2]]
    assert [store.state(d) for d in deliveries[2:]] == [DeliveryState.PLANNED] * 8
    assert all(row.token is None for row in store.rows.values())


async def test_a_stop_waits_for_a_limited_time_and_reports_uncertain_deliveries():
    deliveries = some_deliveries(3)
    store = MemoryLedger.holding(*deliveries)
    gate, stopping = Wait(asyncio.Event()), asyncio.Event()
    async with MailServer({DOT: {1: gate}}) as server:
        channel = SmtpChannel(a_relay(server), a_message_builder())
        deliverer = Deliverer(store, channel, grace_seconds=0)
        sending = asyncio.create_task(deliver(deliverer, now=Clock(), stopping=stopping))
        await gate.reached.wait()
        stopping.set()
        report = await sending
    assert report.uncertain == 1
    assert [store.state(d) for d in deliveries[1:]] == [DeliveryState.PLANNED] * 2


@pytest.mark.parametrize(
    ("extensions", "sentence"),
    [
        (("PIPELINING",), "offers no login on a connection without encryption"),
        (("AUTH XOAUTH2 OAUTHBEARER",), "accepts no password, only OAuth (XOAUTH2, OAUTHBEARER)"),
        (("AUTH OAUTHBEARER",), "accepts no password, only OAuth (OAUTHBEARER)"),
        (("AUTH GSSAPI NTLM",), "offers no login that we know (GSSAPI, NTLM)"),
    ],
)
async def test_a_server_without_password_login_is_reported(extensions, sentence):
    store = MemoryLedger.holding(a_delivery())
    async with MailServer(extensions=extensions) as server:
        report = await sent_through(server, store, username="caveat", password="hunter2")
    [problem] = report.problems or (report.alert,)
    assert sentence in problem
    assert "STARTTLS;" not in problem
    assert "hunter2" not in problem
    assert "AUTH" not in server.turns
    assert store.states() == {DeliveryState.PLANNED}


@pytest.mark.parametrize(
    ("port", "security", "seconds"),
    [(465, "starttls", 10), (465, "none", 10), (465, "tls", 60), (587, "tls", 60)],
)
def test_the_connect_timeout_is_short_for_plain_text_on_port_465(port, security, seconds):
    assert connect_timeout(a_relay_at(port, security=security, timeouts=Timeouts())) == seconds
