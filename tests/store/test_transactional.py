"""Transactional mail in the ledger: planned once, taken first, pruned, and erased with its subscriber."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from service.app.transactional_mail import transactional_issue
from service.core import ids as identity
from service.core.model import Consent, ConsentWay, Issue, MailKind, RenderedMail, SignUpRequest, Subscriber
from service.core.model import DeliveryState as State
from service.core.read_models import TransactionalCounts
from service.store.backups.backup import back_up
from service.store.bounces import SqlBounceStore
from service.store.database import Database
from service.store.schema import issues
from service.store.transactional import MAIL_RETENTION, SqlSignUpStore
from service.subscribers.actions import erase
from service.subscribers.ports import UNSUBSCRIBED_REASON
from service.subscribers.sign_up import LINK_LIFETIME
from tests.builders import NOON
from tests.store.restored import restored
from tests.store.stores import DAY, HOUR, MINUTE, Stores, a_desired_subscription

EMAIL = "nia@example.org"
NIA = Subscriber(identity.subscriber_id(EMAIL), EMAIL)


def a_mail(kind: MailKind = MailKind.CONFIRMATION, at: datetime = NOON, person: Subscriber = NIA) -> Issue:
    return transactional_issue(kind, RenderedMail("Please confirm", "", "Please"), "morning", person.id, at)


@pytest.fixture
def stores(database: Database) -> Stores:
    return Stores(database)


@pytest.fixture
def sign_ups(database: Database) -> SqlSignUpStore:
    return SqlSignUpStore(database)


async def request_sign_up(sign_ups: SqlSignUpStore, at: datetime = NOON, person: Subscriber = NIA) -> bool:
    return await sign_ups.request(
        [SignUpRequest(person, "morning", None, at)], a_mail(at=at, person=person), "file"
    )


async def subscribe(sign_ups: SqlSignUpStore, at: datetime = NOON) -> bool:
    desired = a_desired_subscription(subscriber=NIA, next_due_at=NOON + DAY)
    welcome = a_mail(MailKind.WELCOME, at)
    return await sign_ups.confirm(
        desired,
        at,
        starts_after=NOON - DAY,
        welcome=welcome,
        channel="file",
        consent=Consent(ConsentWay.FORM),
    )


async def test_a_confirmation_needs_no_subscription_and_is_taken_before_older_deliveries(
    stores: Stores, sign_ups: SqlSignUpStore
):
    await stores.plan_issue_for("amina", "ben")
    assert await request_sign_up(sign_ups, NOON + HOUR)
    first = await stores.take_batch("a", NOON + HOUR)
    assert [(d.address, d.transactional) for d in first.deliveries] == [(EMAIL, True)]
    assert {d.address for d in (await stores.take_batch("b", NOON + HOUR)).deliveries} == {
        "amina@example.org",
        "ben@example.org",
    }


async def test_a_batch_of_only_transactional_mail_has_no_other_delivery(
    stores: Stores, sign_ups: SqlSignUpStore
):
    await stores.plan_issue_for("amina")
    until = NOON + MINUTE
    arguments = ("file", "a", NOON, until, 9)
    assert not (await stores.deliver.take_batch(*arguments, only_transactional=True)).deliveries
    await request_sign_up(sign_ups)
    batch = await stores.deliver.take_batch(*arguments, only_transactional=True)
    assert [d.address for d in batch.deliveries] == [EMAIL]


async def test_a_deferred_confirmation_is_taken_first_again(stores: Stores, sign_ups: SqlSignUpStore):
    await request_sign_up(sign_ups)
    batch = (await stores.take_batch("a")).deliveries
    await stores.record_state("a", batch, State.ATTEMPTING)
    retry_at = NOON + MINUTE
    await stores.record_state("a", batch, State.DEFERRED, reply="greylisted", next_attempt_at=retry_at)
    await stores.plan_issue_for("amina")
    assert [d.address for d in (await stores.take_batch("b", retry_at)).deliveries] == [EMAIL]


@pytest.mark.parametrize(("reason", "sent"), [("550 no such user", False), (UNSUBSCRIBED_REASON, True)])
async def test_a_suppressed_address_gets_a_confirmation_only_if_its_owner_unsubscribed(
    stores: Stores, sign_ups: SqlSignUpStore, reason: str, sent: bool
):
    await stores.subscribers.suppress(EMAIL, reason, NOON)
    await request_sign_up(sign_ups)
    batch = (await stores.take_batch("a")).deliveries
    assert bool(batch) is sent
    if sent:
        assert await stores.record_state("a", batch, State.ATTEMPTING) == 1
        return
    (line,) = await stores.queries.deliveries_to(NIA.id)
    assert (line.state, line.occurrence) == (State.SUPPRESSED, "confirmation")


async def test_an_address_suppressed_after_its_batch_was_taken_is_not_mailed(
    stores: Stores, sign_ups: SqlSignUpStore
):
    await request_sign_up(sign_ups)
    batch = (await stores.take_batch("a")).deliveries
    await stores.subscribers.suppress(EMAIL, "complaint", NOON)
    assert await stores.record_state("a", batch, State.ATTEMPTING) == 0


async def test_a_second_request_plans_no_mail_while_the_first_one_waits(
    stores: Stores, sign_ups: SqlSignUpStore
):
    assert await request_sign_up(sign_ups)
    assert not await request_sign_up(sign_ups, NOON + MINUTE)
    batch = (await stores.take_batch("a", NOON + MINUTE)).deliveries
    assert len(batch) == 1
    await stores.record_state("a", batch, State.ATTEMPTING, NOON + MINUTE)
    await stores.record_state("a", batch, State.SENT, NOON + MINUTE)
    assert await request_sign_up(sign_ups, NOON + HOUR)


async def test_a_new_subscriber_gets_one_welcome(stores: Stores, sign_ups: SqlSignUpStore):
    await request_sign_up(sign_ups)
    assert await subscribe(sign_ups)
    assert not await subscribe(sign_ups, NOON + MINUTE)
    lines = await stores.queries.deliveries_to(NIA.id)
    assert [line.occurrence for line in lines] == ["welcome", "confirmation"]


async def test_a_welcome_does_not_count_as_an_issue(stores: Stores, sign_ups: SqlSignUpStore):
    await subscribe(sign_ups)
    (group,) = await stores.compose.groups_of("morning", [NIA.id])
    assert await stores.compose.last_issue_start(group) is None
    assert await stores.queries.issues() == []


async def test_an_unconfirmed_request_is_not_counted_as_a_subscriber(
    stores: Stores, sign_ups: SqlSignUpStore
):
    await stores.subscribe("amina")
    await request_sign_up(sign_ups)
    counts = await stores.queries.counts()
    assert (counts.subscribers, counts.issues) == (1, 0)
    await subscribe(sign_ups)
    assert (await stores.queries.counts()).subscribers == 2


async def test_an_unconfirmed_request_is_deleted_after_its_link_has_expired(
    stores: Stores, sign_ups: SqlSignUpStore
):
    await request_sign_up(sign_ups)
    batch = (await stores.take_batch("a")).deliveries
    await stores.record_state("a", batch, State.ATTEMPTING)
    await stores.record_state("a", batch, State.SENT)
    assert await sign_ups.prune(NOON + LINK_LIFETIME, LINK_LIFETIME) == 0
    assert await sign_ups.find(NIA.id, "morning")

    await sign_ups.prune(NOON + LINK_LIFETIME + MINUTE, LINK_LIFETIME)
    assert await sign_ups.find(NIA.id, "morning") is None
    assert await SqlBounceStore(stores.database).record_bounce(
        batch[0].id, hard=False, reason="full", now=NOON
    )

    await sign_ups.prune(NOON + MAIL_RETENTION + MINUTE, LINK_LIFETIME)
    assert await stores.subscribers.known_subscribers([NIA.id]) == set()
    assert await stores.queries.deliveries_to(NIA.id) == []
    assert not await SqlBounceStore(stores.database).record_bounce(
        batch[0].id, hard=True, reason="gone", now=NOON
    )


async def test_a_confirmed_subscriber_stays_when_their_mails_are_pruned(
    stores: Stores, sign_ups: SqlSignUpStore
):
    await request_sign_up(sign_ups)
    await subscribe(sign_ups)
    await stores.plan_issue_for("amina")
    await sign_ups.prune(NOON + MAIL_RETENTION + MINUTE, LINK_LIFETIME)
    await sign_ups.prune(NOON + MAIL_RETENTION + MINUTE, LINK_LIFETIME)
    assert len(await stores.subscribers.memberships(email=EMAIL)) == 1
    assert await stores.queries.deliveries_to(NIA.id) == []
    assert [issue.books.waiting for issue in await stores.queries.issues()] == [1]


async def test_a_mail_with_an_expired_link_is_not_sent(stores: Stores, sign_ups: SqlSignUpStore):
    await request_sign_up(sign_ups)
    after_expiry = NOON + LINK_LIFETIME + MINUTE
    await sign_ups.prune(after_expiry, LINK_LIFETIME)
    assert (await stores.take_batch("a", after_expiry)).deliveries == ()
    (line,) = await stores.queries.deliveries_to(NIA.id)
    assert (line.state, line.reply) == (State.REFUSED, "not sent before its link expired")


async def test_a_mail_in_a_leased_batch_is_not_pruned(stores: Stores, sign_ups: SqlSignUpStore):
    await request_sign_up(sign_ups)
    after_expiry = NOON + MAIL_RETENTION + MINUTE
    batch = (await stores.take_batch("a", after_expiry)).deliveries
    await sign_ups.prune(after_expiry, LINK_LIFETIME)
    assert await stores.record_state("a", batch, State.ATTEMPTING, after_expiry) == 1


async def test_an_erased_person_gets_no_waiting_mail(stores: Stores, sign_ups: SqlSignUpStore):
    await request_sign_up(sign_ups)
    batch = (await stores.take_batch("a")).deliveries
    assert await erase(stores.subscribers, EMAIL, NOON)
    assert await sign_ups.find(NIA.id, "morning") is None
    assert await stores.record_state("a", batch, State.ATTEMPTING) == 0
    assert (await stores.take_batch("b", NOON + HOUR)).deliveries == ()
    assert await stores.subscribers.known_subscribers([NIA.id]) == set()


async def test_a_second_sign_up_does_not_revalidate_older_links(sign_ups: SqlSignUpStore, stores: Stores):
    await request_sign_up(sign_ups)
    await erase(stores.subscribers, EMAIL, NOON)
    await request_sign_up(sign_ups, NOON + HOUR)
    found = await sign_ups.find(NIA.id, "morning")
    assert found
    assert found.first_at == NOON + HOUR


async def test_the_counts_cover_the_transactional_mails_of_a_period(stores: Stores, sign_ups: SqlSignUpStore):
    await request_sign_up(sign_ups, NOON - 2 * DAY)
    await request_sign_up(
        sign_ups, NOON, Subscriber(identity.subscriber_id("ben@example.org"), "ben@example.org")
    )
    counts = await sign_ups.counts(NOON - DAY)
    assert counts == TransactionalCounts(1, NOON, 0, 0, 0, 0)
    await stores.record_state("a", (await stores.take_batch("a")).deliveries, State.REFUSED, reply="550 no")
    counts = await sign_ups.counts(NOON - 3 * DAY)
    assert (counts.waiting, counts.oldest, counts.refused) == (0, None, 2)


async def test_a_mail_sent_since_the_backup_is_not_sent_again_after_a_restore(
    database_url: str, tmp_path: Path
):
    """A mail to a person who signed up since the backup is removed, because the backup lacks that person."""
    database = await Database.open(database_url)
    stores, sign_ups = Stores(database), SqlSignUpStore(database)
    await stores.subscribe("amina")
    amina = (await stores.membership()).subscriber
    await request_sign_up(sign_ups)
    back_up(database_url, tmp_path / "copy")
    await request_sign_up(
        sign_ups,
        NOON,
        Subscriber(identity.subscriber_id("late@example.org"), "late@example.org"),
    )
    await sign_ups.plan_mail(a_mail(MailKind.UNSUBSCRIBE, NOON, amina), amina, "file")
    batch = [d for d in (await stores.take_batch("a")).deliveries if d.address == EMAIL]
    await stores.record_state("a", batch, State.ATTEMPTING)
    await stores.record_state("a", batch, State.SENT)
    await stores.deliver.release("a")
    await database.close()

    await restored(database_url, tmp_path / "copy")

    database = await Database.open(database_url)
    stores, sign_ups = Stores(database), SqlSignUpStore(database)
    assert [d.address for d in (await stores.take_batch("b", NOON + HOUR)).deliveries] == [amina.email]
    assert (await sign_ups.counts(NOON - DAY)).sent == 1
    async with database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(issues)) == 2
    await database.close()
