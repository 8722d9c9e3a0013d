"""An issue is paused when a server refuses every message of it; a single refusal concerns one message."""

from __future__ import annotations

from datetime import timedelta

from service.core.model import DeliveryState, RefusalCause, Refused
from service.deliver.channels.smtp.channel import SmtpChannel
from service.deliver.limits.issue_refusals import IssueRefusals, RefusalAction
from service.deliver.stage import Deliverer, DeliverReport, deliver
from tests.deliver.fakes import (
    Clock,
    MemoryLedger,
    a_delivery,
    a_message_builder,
    a_relay,
    an_issue,
    some_deliveries,
)
from tests.deliver.server import ANY, DOT, MailServer, Reply

LARGE, SMALL = an_issue(id="1" * 32, html="<p>" + "long " * 4000 + "</p>"), an_issue(id="2" * 32)
UNREADABLE = Refused("554 5.6.0 invalid content", RefusalCause.MESSAGE)


def two_issues(readers: int) -> MemoryLedger:
    large = MemoryLedger.holding(*some_deliveries(readers, issue_id=LARGE.id), issue=LARGE)
    small = MemoryLedger.holding(*some_deliveries(readers, issue_id=SMALL.id), issue=SMALL)
    return MemoryLedger(large.issues | small.issues, large.rows | small.rows)


async def one_pass(store: MemoryLedger, server: MailServer, clock: Clock | None = None) -> DeliverReport:
    channel = SmtpChannel(a_relay(server), a_message_builder())
    report = await deliver(Deliverer(store, channel), now=clock or Clock())
    await channel.close()
    return report


def states_of(store: MemoryLedger, issue_id: str) -> set[DeliveryState]:
    return {row.state for row in store.rows.values() if row.delivery.issue_id == issue_id}


async def test_an_issue_larger_than_the_server_accepts_is_paused_and_none_of_it_is_refused():
    store = two_issues(40)
    async with MailServer(extensions=("PIPELINING", "SIZE 10000")) as server:
        report = await one_pass(store, server)
        assert states_of(store, LARGE.id) == {DeliveryState.DEFERRED, DeliveryState.PLANNED}
        assert store.paused == {LARGE.id}
        # The other issue is sent.
        assert states_of(store, SMALL.id) == {DeliveryState.SENT}
        assert len(server.taken) == 40
    [problem] = [problem for problem in report.problems if "is paused" in problem]
    assert "the mail server takes 10000 at most (SIZE)" in problem
    assert "the message has 2" in problem
    assert "caveat issue resume 11111111" in problem


async def test_once_the_server_accepts_larger_messages_the_issue_is_sent():
    store, clock = two_issues(12), Clock()
    async with MailServer(extensions=("PIPELINING", "SIZE 10000")) as server:
        await one_pass(store, server, clock)
    store.paused.clear()  # caveat issue resume
    clock.now += timedelta(minutes=5)
    async with MailServer(extensions=("PIPELINING", "SIZE 50000")) as server:
        report = await one_pass(store, server, clock)
    assert report.problems == ()
    assert store.states() == {DeliveryState.SENT}


async def test_a_server_that_refuses_the_content_of_every_message_pauses_the_issue():
    store = MemoryLedger.holding(*some_deliveries(40, domains=4))
    async with MailServer({DOT: {ANY: Reply("552 5.6.0 headers are not as we like them")}}) as server:
        report = await one_pass(store, server)
        assert server.turns[DOT] <= 4
    assert store.states() == {DeliveryState.DEFERRED, DeliveryState.PLANNED}
    assert "552 5.6.0 headers are not as we like them" in report.problems[0]


async def test_a_few_messages_refused_at_first_are_refused_and_the_others_are_sent():
    store, clock = MemoryLedger.holding(*some_deliveries(20, domains=4)), Clock()
    actions = dict.fromkeys((1, 2), Reply("554 5.6.0 not this one"))
    async with MailServer({DOT: actions}) as server:
        channel = SmtpChannel(a_relay(server), a_message_builder())
        deliverer = Deliverer(store, channel)
        first = await deliver(deliverer, now=clock)
        assert (first.sent, first.deferred, first.refused) == (18, 2, 0)
        server.script[DOT] = {ANY: Reply("554 5.6.0 not this one")}
        clock.now += timedelta(minutes=5)
        assert (await deliver(deliverer, now=clock)).refused == 2
        await channel.close()
    assert store.paused == set()


async def test_a_single_mail_that_is_too_large_waits_and_is_reported():
    store = MemoryLedger.holding(a_delivery(issue_id=LARGE.id), issue=LARGE)
    async with MailServer(extensions=("SIZE 10000",)) as server:
        report = await one_pass(store, server)
        assert server.turns["MAIL"] == 0
    assert store.states() == {DeliveryState.DEFERRED}
    assert "(SIZE)" in report.problems[0]


def test_refusals_for_different_causes_are_not_counted_together():
    refusals = IssueRefusals()
    for n, status in enumerate(("5.6.0", "5.6.1", "5.6.2", "5.6.3")):
        refused = Refused(f"554 {status} no", RefusalCause.MESSAGE)
        assert refusals.record_refused("issue", f"reader{n}@example{n}.org", refused) is RefusalAction.RETRY


def test_one_domain_that_refuses_the_content_pauses_nothing():
    refusals = IssueRefusals()
    said = {refusals.record_refused("issue", f"reader{n}@example.org", UNREADABLE) for n in range(9)}
    assert said == {RefusalAction.RETRY}
    assert refusals.record_refused("issue", "reader0@example.org", UNREADABLE) is RefusalAction.FINAL


def test_a_refusal_after_others_got_the_issue_concerns_one_message():
    refusals = IssueRefusals()
    refusals.record_accepted("issue")
    assert refusals.record_refused("issue", "amina@example.org", UNREADABLE) is RefusalAction.FINAL
