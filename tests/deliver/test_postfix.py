"""A real Postfix that refuses recipients: what it accepted, read from its queue."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.core.model import DeliveryState
from service.deliver.smtp import SmtpChannel
from service.deliver.stage import Deliverer, deliver
from tests.deliver.fakes import Clock, MemoryLedger, a_delivery, a_relay_at
from tests.deliver.test_transaction import AGAIN, make
from tests.postfix import running_postfix, why_not

REFUSING = (
    "check_recipient_access inline:{ {gone.example = 550 5.1.1 no such user}"
    " {later.example = 450 4.2.0 not now} }, permit_mynetworks, reject"
)
WAYS = {"pipelining": "", "in steps": "pipelining"}


@pytest.mark.skipif(bool(why_not()), reason=why_not())
@pytest.mark.parametrize("discarded", WAYS.values(), ids=WAYS)
async def test_postfix_gets_each_mail_whole_and_for_its_reader_alone(discarded):
    """Each message comes due alone, so that each refusal is the last of a pass on a kept connection."""
    domains = ["good", "gone", "good", "later", "good", "gone", "later", "gone", "good", "good"]
    crowd = [a_delivery(f"reader{n}@{domain}.example") for n, domain in enumerate(domains)]
    store, clock = MemoryLedger.holding(*crowd), Clock()
    settings = {"smtpd_recipient_restrictions": REFUSING, "smtpd_discard_ehlo_keywords": discarded}
    with running_postfix(settings) as server:
        channel = SmtpChannel(a_relay_at(server.port))
        deliverer = Deliverer(store, channel, make)
        rows, store.rows = store.rows, {}
        for id_, row in rows.items():
            store.rows = {id_: row}
            await deliver(deliverer, now=clock)
        store.rows, clock.now = rows, clock.now + AGAIN
        await deliver(replace(deliverer), now=clock)
        await channel.close()
        queued, log = server.queued(), server.log()
    (issue,) = store.issues.values()
    wanted = [make(issue, delivery) for delivery in crowd if delivery.address.endswith("@good.example")]
    assert [(mail.sender, mail.recipients) for mail in queued] == [(m.sender, (m.recipient,)) for m in wanted]
    assert [mail.content for mail in queued] == [message.content for message in wanted]
    assert "nested MAIL" not in log
    assert log.count(": connect from") == 1
    states = {"good": DeliveryState.SENT, "gone": DeliveryState.REFUSED, "later": DeliveryState.DEFERRED}
    assert [store.state(delivery) for delivery in crowd] == [states[domain] for domain in domains]
