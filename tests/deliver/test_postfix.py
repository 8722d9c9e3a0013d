"""A real Postfix that refuses recipients; its queue holds the accepted mails."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import pytest

from service.app.clock import utc_now
from service.core.model import DeliveryState
from service.deliver.channels.smtp.channel import SmtpChannel
from service.deliver.channels.smtp.settings import Relay
from service.deliver.leases import DeliverPolicy
from service.deliver.limits.circuit_breaker import CircuitBreaker
from service.deliver.limits.rate_limit import RateLimiter
from service.deliver.stage import Deliverer, DeliverReport, deliver
from service.store.coordination import SqlCoordination
from service.store.database import Database
from service.store.deliver import SqlDeliverStore
from tests.deliver.channels.smtp.test_transaction import AGAIN, make
from tests.deliver.fakes import (
    Clock,
    MemoryLedger,
    a_delivery,
    a_message_builder,
    a_relay_at,
    some_deliveries,
)
from tests.deliver.planning import plan_issue
from tests.postfix import running_postfix, why_not

REFUSING = (
    "check_recipient_access inline:{ {gone.example = 550 5.1.1 no such user}"
    " {later.example = 450 4.2.0 not now} }, permit_mynetworks, reject"
)
WAYS = {"pipelining": "", "in steps": "pipelining"}


ANVIL = {
    "smtpd_client_event_limit_exceptions": "",
    "smtpd_recipient_restrictions": "permit_mynetworks, reject",
    "in_flow_delay": "0",  # no queue manager takes mail out
}


@pytest.mark.skipif(bool(why_not()), reason=why_not())
async def test_a_postfix_that_limits_our_rate_gets_every_mail_once():
    store = MemoryLedger.holding(*some_deliveries(25))
    limits = {"smtpd_client_message_rate_limit": "20", "anvil_rate_time_unit": "1s"}
    with running_postfix(ANVIL | limits) as server:
        channel = SmtpChannel(a_relay_at(server.port), a_message_builder())
        report = await deliver(Deliverer(store, channel), now=utc_now)
        await channel.close()
        queued, log = server.queued(), server.log()
    assert (report.sent, report.problems) == (25, ())
    assert len({mail.recipients for mail in queued}) == len(queued) == 25
    assert "rate limit exceeded" in log


@pytest.mark.long
@pytest.mark.skipif(bool(why_not()), reason=why_not())
@pytest.mark.parametrize(
    ("readers", "unit", "limit"),
    [(100, "1s", "smtpd_client_recipient_rate_limit"), (187, "60s", "smtpd_client_message_rate_limit")],
)
async def test_three_workers_share_what_a_postfix_permits(database, database_url, readers, unit, limit):
    """Each worker has five connections, and the clock is real."""
    await plan_issue(database, readers)
    settings = ANVIL | {limit: "20", "anvil_rate_time_unit": unit}
    with running_postfix(settings) as server:
        reports, seconds = await sent_by(3, database_url, a_relay_at(server.port, connections=5))
        queued, log = server.queued(), server.log()
    assert sum(report.sent for report in reports) == readers
    recipients = [mail.recipients for mail in queued]
    assert len(recipients) == len(set(recipients)) == readers
    refused = log.count("rate limit exceeded")
    assert 0 < refused < readers
    logging.getLogger("deliver").warning("%d mails in %.0f s, %d refused", readers, seconds, refused)


async def sent_by(workers: int, url: str, relay: Relay) -> tuple[list[DeliverReport], float]:
    """Let workers, each with its own database connection, send together; return reports and seconds."""
    databases = [await Database.open(url) for _ in range(workers)]
    channels = [SmtpChannel(relay, a_message_builder()) for _ in databases]
    deliverers = [
        Deliverer(
            SqlDeliverStore(database),
            channel,
            DeliverPolicy(batch_size=10),
            RateLimiter(shared=True),
            CircuitBreaker(shared=True),
            coordination_store=SqlCoordination(database),
            relay=relay.name,
        )
        for database, channel in zip(databases, channels, strict=True)
    ]
    began = asyncio.get_running_loop().time()
    reports = await asyncio.gather(*(deliver(one, now=utc_now) for one in deliverers))
    seconds = asyncio.get_running_loop().time() - began
    for channel, database in zip(channels, databases, strict=True):
        await channel.close()
        await database.close()
    return list(reports), seconds


@pytest.mark.skipif(bool(why_not()), reason=why_not())
@pytest.mark.parametrize("discarded", WAYS.values(), ids=WAYS)
async def test_postfix_gets_each_mail_complete_and_for_one_recipient(discarded):
    """Each message is due in its own pass, so that each refusal ends a pass on a kept connection."""
    domains = ["good", "gone", "good", "later", "good", "gone", "later", "gone", "good", "good"]
    deliveries = [a_delivery(f"reader{n}@{domain}.example") for n, domain in enumerate(domains)]
    store, clock = MemoryLedger.holding(*deliveries), Clock()
    settings = {"smtpd_recipient_restrictions": REFUSING, "smtpd_discard_ehlo_keywords": discarded}
    with running_postfix(settings) as server:
        channel = SmtpChannel(a_relay_at(server.port), make)
        deliverer = Deliverer(store, channel)
        rows, store.rows = store.rows, {}
        for id_, row in rows.items():
            store.rows = {id_: row}
            await deliver(deliverer, now=clock)
        store.rows, clock.now = rows, clock.now + AGAIN
        await deliver(replace(deliverer), now=clock)
        await channel.close()
        queued, log = server.queued(), server.log()
    (issue,) = store.issues.values()
    wanted = [make(issue, delivery) for delivery in deliveries if delivery.address.endswith("@good.example")]
    assert [(mail.sender, mail.recipients) for mail in queued] == [(m.sender, (m.recipient,)) for m in wanted]
    assert [mail.content for mail in queued] == [message.content for message in wanted]
    assert "nested MAIL" not in log
    assert log.count(": connect from") == 1
    states = {"good": DeliveryState.SENT, "gone": DeliveryState.REFUSED, "later": DeliveryState.DEFERRED}
    assert [store.state(delivery) for delivery in deliveries] == [states[domain] for domain in domains]
