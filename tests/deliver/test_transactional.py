"""A transactional mail is sent before the bulk mail of a running pass, within the rate limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from service.app.transactional_mail import transactional_issue
from service.core import ids as identity
from service.core.model import MailKind, RenderedMail, Subscriber
from service.deliver.channels.smtp.channel import SmtpChannel
from service.deliver.leases import DeliverPolicy
from service.deliver.limits.rate_limit import RateLimiter, RateLimits
from service.deliver.stage import Deliverer, deliver
from service.store.database import Database
from service.store.deliver import SqlDeliverStore
from service.store.transactional import SqlSignUpStore
from tests.deliver.fakes import Clock, a_message_builder, a_relay
from tests.deliver.planning import plan_issue
from tests.deliver.server import MailServer

NIA = "nia@example.org"
BULK, SIGNED_UP_AFTER = 40, 5


@dataclass
class Waiting:
    """Waits by advancing the clock; plans a confirmation once `SIGNED_UP_AFTER` mails were accepted."""

    clock: Clock
    database: Database
    server: MailServer
    planned: bool = field(default=False)

    async def __call__(self, seconds: float) -> None:
        self.clock.now += timedelta(seconds=seconds)
        if not self.planned and len(self.server.taken) >= SIGNED_UP_AFTER:
            self.planned = True
            nia = Subscriber(identity.subscriber_id(NIA), NIA)
            rendered = RenderedMail("Please confirm", "", "Please confirm")
            mail = transactional_issue(MailKind.CONFIRMATION, rendered, "morning", nia.id, self.clock.now)
            await SqlSignUpStore(self.database).plan_mail(mail, nia, "smtp")


@pytest.mark.parametrize("limits", [RateLimits(per_second=10), RateLimits(per_domain_minute=60)])
async def test_a_transactional_mail_goes_before_bulk_mail_already_leased(
    database: Database, limits: RateLimits, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("service.deliver.leases.POLL_SECONDS", 0.0)
    await plan_issue(database, BULK)
    async with MailServer() as server:
        clock = Clock()
        pausing = Waiting(clock, database, server)
        channel = SmtpChannel(a_relay(server), a_message_builder())
        began = clock.now
        deliverer = Deliverer(
            *(
                SqlDeliverStore(database),
                channel,
                DeliverPolicy(lease=timedelta(hours=2)),
                RateLimiter(limits),
            ),
            sleep=pausing,
        )
        await deliver(deliverer, now=clock)
        await channel.close()
        place = [taken.recipient for taken in server.taken].index(NIA)
        assert len(server.taken) == BULK + 1
        assert SIGNED_UP_AFTER <= place <= SIGNED_UP_AFTER + 3
        # The rate limit counts it like any other mail.
        rate = limits.per_second or limits.per_domain_minute / 60
        assert (clock.now - began).total_seconds() >= (BULK - 10) / rate
