"""Each subscription has one record of how it came about; an invitation has no more uses than it allows."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from service.core.errors import UsageError
from service.core.model import Consent, ConsentWay, Invitation, MailKind, SubscriptionStatus
from service.store.consents import SqlConsentStore
from service.store.database import Database
from service.store.invitations import SqlInvitationStore
from service.store.transactional import SqlSignUpStore
from tests.builders import NOON, a_subscriber, an_edition
from tests.store.stores import DAY, HOUR, Stores, a_desired_subscription
from tests.store.test_transactional import a_mail

AMINA = a_subscriber("amina@example.org")
SHOWN = Consent(ConsentWay.FORM, "The Morning\nEvery day at 07:00", "en")


@pytest.fixture
def stores(database: Database) -> Stores:
    return Stores(database)


async def ways(stores: Stores) -> list[str]:
    found = await SqlConsentStore(stores.database).consents_of(AMINA.id)
    return [one.consent.way.value for one in found]


async def test_every_way_to_subscribe_is_recorded_once(stores: Stores):
    morning = a_desired_subscription(subscriber=AMINA)
    await stores.subscribers.save_roster_subscriptions([morning], NOON, starts_after=NOON)
    await stores.subscribers.save_roster_subscriptions([morning], NOON + HOUR, starts_after=NOON)
    assert await ways(stores) == ["file"]
    evening = a_desired_subscription(edition=an_edition("evening"), subscriber=AMINA, newsletter="evening")
    for way in (ConsentWay.EDITOR, ConsentWay.API, ConsentWay.IMPORT):
        await stores.subscribers.add_subscriptions([evening], NOON, starts_after=NOON, consent=way)
    assert await ways(stores) == ["file", "editor"]


async def test_a_subscription_that_comes_back_is_recorded_again(stores: Stores):
    morning = a_desired_subscription(subscriber=AMINA)
    for hour, placements in enumerate(([morning], [], [morning])):
        await stores.subscribers.save_roster_subscriptions(placements, NOON + hour * HOUR, starts_after=NOON)
    assert await ways(stores) == ["file", "file"]


async def test_a_text_is_stored_once_for_all_who_saw_it(stores: Stores):
    people = [a_subscriber(f"{name}@example.org") for name in ("amina", "ben", "cleo")]
    desired = [a_desired_subscription(subscriber=person) for person in people]
    await stores.subscribers.add_subscriptions(desired, NOON, starts_after=NOON, consent=SHOWN)
    store = SqlConsentStore(stores.database)
    found = [await store.consents_of(person.id) for person in people]
    assert [[one.consent for one in consents] for consents in found] == [[SHOWN]] * 3
    async with stores.database.read() as connection:
        count = await connection.execute(text("SELECT count(*) FROM consent_texts"))
        assert count.scalar_one() == 1


async def test_a_return_by_the_person_is_recorded(stores: Stores):
    await stores.subscribers.add_subscriptions(
        [a_desired_subscription(subscriber=AMINA)], NOON, starts_after=NOON
    )
    await stores.subscribers.set_status(AMINA.id, "morning", SubscriptionStatus.UNSUBSCRIBED, NOON)
    store = SqlConsentStore(stores.database)
    await store.record(AMINA.id, "morning", Consent(ConsentWay.PREFERENCES), NOON + HOUR)
    await store.record("unknown", "morning", Consent(ConsentWay.PREFERENCES), NOON + HOUR)
    assert await ways(stores) == ["import", "preferences"]


async def test_simultaneous_confirmations_never_exceed_an_invitation(stores: Stores):
    invitation = Invitation("an-invitation", ("morning",), NOON, NOON + DAY, max_uses=3)
    store, sign_ups = SqlInvitationStore(stores.database), SqlSignUpStore(stores.database)
    await store.add(invitation)

    async def confirm(number: int) -> bool:
        person = a_subscriber(f"p{number}@example.org")
        return await sign_ups.confirm(
            a_desired_subscription(subscriber=person),
            NOON,
            starts_after=NOON - DAY,
            welcome=a_mail(MailKind.WELCOME, NOON, person),
            channel="file",
            consent=Consent(ConsentWay.INVITATION),
            invitation=invitation.id,
        )

    outcomes = await asyncio.gather(*(confirm(number) for number in range(8)), return_exceptions=True)
    assert sum(outcome is True for outcome in outcomes) == 3
    assert sum(isinstance(outcome, UsageError) for outcome in outcomes) == 5
    # Who was refused is not stored at all, and has no welcome mail.
    assert len(await stores.subscribers.memberships(newsletter="morning")) == 3
    assert (await sign_ups.counts(NOON - DAY)).waiting == 3
    found = await store.find(invitation.id)
    assert found
    assert (found.uses, found.is_open(NOON)) == (3, False)


async def test_an_invitation_ends_by_time_and_by_revocation(stores: Stores):
    store = SqlInvitationStore(stores.database)
    for name in ("one", "two"):
        await store.add(Invitation(name, ("morning", "evening"), NOON, NOON + DAY, max_uses=1, note="<b>"))
    assert await store.revoke("two", NOON + HOUR)
    assert not await store.revoke("two", NOON + HOUR)
    one, two = await store.all()
    assert (one.newsletters, one.note) == (("morning", "evening"), "<b>")
    assert one.is_open(NOON + DAY - timedelta(seconds=1))
    assert not one.is_open(NOON + DAY)
    assert not two.is_open(NOON)
