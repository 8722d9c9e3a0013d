"""Transactional mail in the ledger: planned once, taken first, pruned, and forgotten with its person."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from service.app.transactional_mail import transactional_issue
from service.core import ids as identity
from service.core.model import DeliveryState as State
from service.core.model import Issue, MailKind, RenderedMail, SignUpRequest, Subscriber
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
def records(database: Database) -> SqlSignUpStore:
    return SqlSignUpStore(database)


async def ask(records: SqlSignUpStore, at: datetime = NOON, person: Subscriber = NIA) -> bool:
    return await records.request(
        SignUpRequest(person, "morning", None, at), a_mail(at=at, person=person), "file"
    )


async def subscribe(records: SqlSignUpStore, at: datetime = NOON) -> bool:
    placement = a_desired_subscription(subscriber=NIA, next_due_at=NOON + DAY)
    welcome = a_mail(MailKind.WELCOME, at)
    return await records.confirm(placement, at, starts_after=NOON - DAY, welcome=welcome, channel="file")


async def test_a_confirmation_needs_no_subscription_and_goes_before_what_waited_longer(
    stores: Stores, records: SqlSignUpStore
):
    await stores.plan_issue_for("amina", "ben")
    assert await ask(records, NOON + HOUR)
    first = await stores.take_batch("a", NOON + HOUR)
    assert [(d.address, d.transactional) for d in first.deliveries] == [(EMAIL, True)]
    assert {d.address for d in (await stores.take_batch("b", NOON + HOUR)).deliveries} == {
        "amina@example.org",
        "ben@example.org",
    }


async def test_a_look_for_transactional_mail_takes_no_other(stores: Stores, records: SqlSignUpStore):
    await stores.plan_issue_for("amina")
    until = NOON + MINUTE
    taking = ("file", "a", NOON, until, 9)
    assert not (await stores.deliver.take_batch(*taking, only_transactional=True)).deliveries
    await ask(records)
    batch = await stores.deliver.take_batch(*taking, only_transactional=True)
    assert [d.address for d in batch.deliveries] == [EMAIL]


async def test_a_deferred_confirmation_goes_first_again(stores: Stores, records: SqlSignUpStore):
    await ask(records)
    batch = (await stores.take_batch("a")).deliveries
    await stores.record_state("a", batch, State.ATTEMPTING)
    again = NOON + MINUTE
    await stores.record_state("a", batch, State.DEFERRED, reply="greylisted", next_attempt_at=again)
    await stores.plan_issue_for("amina")
    assert [d.address for d in (await stores.take_batch("b", again)).deliveries] == [EMAIL]


@pytest.mark.parametrize(("reason", "sent"), [("550 no such user", False), (UNSUBSCRIBED_REASON, True)])
async def test_only_an_own_wish_lets_a_suppressed_address_be_asked(
    stores: Stores, records: SqlSignUpStore, reason: str, sent: bool
):
    await stores.subscribers.suppress(EMAIL, reason, NOON)
    await ask(records)
    batch = (await stores.take_batch("a")).deliveries
    assert bool(batch) is sent
    if sent:
        assert await stores.record_state("a", batch, State.ATTEMPTING) == 1
        return
    (line,) = await stores.queries.deliveries_to(NIA.id)
    assert (line.state, line.occurrence) == (State.SUPPRESSED, "confirmation")


async def test_who_is_suppressed_after_the_batch_was_taken_is_not_mailed(
    stores: Stores, records: SqlSignUpStore
):
    await ask(records)
    batch = (await stores.take_batch("a")).deliveries
    await stores.subscribers.suppress(EMAIL, "complaint", NOON)
    assert await stores.record_state("a", batch, State.ATTEMPTING) == 0


async def test_asking_again_while_the_first_mail_waits_plans_no_other(
    stores: Stores, records: SqlSignUpStore
):
    assert await ask(records)
    assert not await ask(records, NOON + MINUTE)
    batch = (await stores.take_batch("a", NOON + MINUTE)).deliveries
    assert len(batch) == 1
    await stores.record_state("a", batch, State.ATTEMPTING, NOON + MINUTE)
    await stores.record_state("a", batch, State.SENT, NOON + MINUTE)
    assert await ask(records, NOON + HOUR)


async def test_whoever_subscribes_is_welcomed_once(stores: Stores, records: SqlSignUpStore):
    await ask(records)
    assert await subscribe(records)
    assert not await subscribe(records, NOON + MINUTE)
    lines = await stores.queries.deliveries_to(NIA.id)
    assert [line.occurrence for line in lines] == ["welcome", "confirmation"]


async def test_a_welcome_is_no_issue_that_told_something(stores: Stores, records: SqlSignUpStore):
    await subscribe(records)
    (group,) = await stores.compose.groups_of("morning", [NIA.id])
    assert await stores.compose.last_issue_start(group) is None
    assert await stores.queries.issues() == []


async def test_who_only_asked_is_not_counted_as_a_subscriber(stores: Stores, records: SqlSignUpStore):
    await stores.subscribe("amina")
    await ask(records)
    counts = await stores.queries.counts()
    assert (counts.subscribers, counts.issues) == (1, 0)
    await subscribe(records)
    assert (await stores.queries.counts()).subscribers == 2


async def test_who_never_confirmed_is_forgotten_when_the_link_has_expired(
    stores: Stores, records: SqlSignUpStore
):
    await ask(records)
    batch = (await stores.take_batch("a")).deliveries
    await stores.record_state("a", batch, State.ATTEMPTING)
    await stores.record_state("a", batch, State.SENT)
    assert await records.prune(NOON + LINK_LIFETIME, LINK_LIFETIME) == 0
    assert await records.find(NIA.id, "morning")

    await records.prune(NOON + LINK_LIFETIME + MINUTE, LINK_LIFETIME)
    assert await records.find(NIA.id, "morning") is None
    assert await SqlBounceStore(stores.database).record_bounce(
        batch[0].id, hard=False, reason="full", now=NOON
    )

    await records.prune(NOON + MAIL_RETENTION + MINUTE, LINK_LIFETIME)
    assert await stores.subscribers.known_subscribers([NIA.id]) == set()
    assert await stores.queries.deliveries_to(NIA.id) == []
    assert not await SqlBounceStore(stores.database).record_bounce(
        batch[0].id, hard=True, reason="gone", now=NOON
    )


async def test_who_confirmed_stays_when_their_mails_are_pruned(stores: Stores, records: SqlSignUpStore):
    await ask(records)
    await subscribe(records)
    await stores.plan_issue_for("amina")
    await records.prune(NOON + MAIL_RETENTION + MINUTE, LINK_LIFETIME)
    await records.prune(NOON + MAIL_RETENTION + MINUTE, LINK_LIFETIME)
    assert len(await stores.subscribers.memberships(email=EMAIL)) == 1
    assert await stores.queries.deliveries_to(NIA.id) == []
    assert [issue.books.waiting for issue in await stores.queries.issues()] == [1]


async def test_a_mail_whose_link_has_expired_is_not_sent_any_more(stores: Stores, records: SqlSignUpStore):
    await ask(records)
    late = NOON + LINK_LIFETIME + MINUTE
    await records.prune(late, LINK_LIFETIME)
    assert (await stores.take_batch("a", late)).deliveries == ()
    (line,) = await stores.queries.deliveries_to(NIA.id)
    assert (line.state, line.reply) == (State.REFUSED, "not sent before its link expired")


async def test_what_is_being_sent_is_not_pruned(stores: Stores, records: SqlSignUpStore):
    await ask(records)
    late = NOON + MAIL_RETENTION + MINUTE
    batch = (await stores.take_batch("a", late)).deliveries
    await records.prune(late, LINK_LIFETIME)
    assert await stores.record_state("a", batch, State.ATTEMPTING, late) == 1


async def test_an_erased_person_is_sent_nothing_that_waited(stores: Stores, records: SqlSignUpStore):
    await ask(records)
    batch = (await stores.take_batch("a")).deliveries
    assert await erase(stores.subscribers, EMAIL, NOON)
    assert await records.find(NIA.id, "morning") is None
    assert await stores.record_state("a", batch, State.ATTEMPTING) == 0
    assert (await stores.take_batch("b", NOON + HOUR)).deliveries == ()
    assert await stores.subscribers.known_subscribers([NIA.id]) == set()


async def test_a_second_sign_up_does_not_make_older_links_good(records: SqlSignUpStore, stores: Stores):
    await ask(records)
    await erase(stores.subscribers, EMAIL, NOON)
    await ask(records, NOON + HOUR)
    found = await records.find(NIA.id, "morning")
    assert found
    assert found.first_at == NOON + HOUR


async def test_the_counts_say_how_the_mails_of_a_day_fared(stores: Stores, records: SqlSignUpStore):
    await ask(records, NOON - 2 * DAY)
    await ask(records, NOON, Subscriber(identity.subscriber_id("ben@example.org"), "ben@example.org"))
    counts = await records.counts(NOON - DAY)
    assert counts == TransactionalCounts(1, NOON, 0, 0, 0, 0)
    await stores.record_state("a", (await stores.take_batch("a")).deliveries, State.REFUSED, reply="550 no")
    counts = await records.counts(NOON - 3 * DAY)
    assert (counts.waiting, counts.oldest, counts.refused) == (0, None, 2)


async def test_a_mail_that_was_sent_since_the_backup_is_not_sent_again_after_a_restore(
    database_url: str, tmp_path: Path
):
    """Nor does one of somebody who signed up since then stay behind without its person."""
    database = await Database.open(database_url)
    stores, records = Stores(database), SqlSignUpStore(database)
    await stores.subscribe("amina")
    amina = (await stores.membership()).subscriber
    await ask(records)
    back_up(database_url, tmp_path / "copy")
    await ask(records, NOON, Subscriber(identity.subscriber_id("late@example.org"), "late@example.org"))
    await records.plan_mail(a_mail(MailKind.UNSUBSCRIBE, NOON, amina), amina, "file")
    batch = [d for d in (await stores.take_batch("a")).deliveries if d.address == EMAIL]
    await stores.record_state("a", batch, State.ATTEMPTING)
    await stores.record_state("a", batch, State.SENT)
    await stores.deliver.release("a")
    await database.close()

    await restored(database_url, tmp_path / "copy")

    database = await Database.open(database_url)
    stores, records = Stores(database), SqlSignUpStore(database)
    assert [d.address for d in (await stores.take_batch("b", NOON + HOUR)).deliveries] == [amina.email]
    assert (await records.counts(NOON - DAY)).sent == 1
    async with database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(issues)) == 2
    await database.close()
