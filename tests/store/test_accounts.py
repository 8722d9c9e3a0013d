"""Accounts, one-time links, sessions and the audit record in the database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import timedelta

import pytest

from service.core.model import Account, AccountRole, AdminSession, AuditEntry
from service.core.secret import Secret
from service.store.accounts import SqlAccountStore
from service.store.audit import SqlAuditStore
from service.store.database import Database
from tests.builders import NOON

HOUR = timedelta(hours=1)
HASH, OTHER_HASH = Secret("$argon2id$first"), Secret("$argon2id$second")


def an_account(name: str = "Ada", role: AccountRole = AccountRole.ADMIN) -> Account:
    return Account(f"id-{name}", name, role, NOON, f"{name}@example.org".lower())


def a_session(number: int, account: str = "id-Ada", **times: timedelta) -> AdminSession:
    begun, seen = NOON + times.get("begun", timedelta(0)), NOON + times.get("seen", timedelta(0))
    return AdminSession(f"session-{number}", account, begun, seen, "192.0.2.1", "a browser")


@pytest.fixture
async def store(database: Database) -> SqlAccountStore:
    store = SqlAccountStore(database)
    assert await store.create(an_account())
    return store


async def test_an_account_is_found_by_name_in_any_case(store: SqlAccountStore):
    assert await store.by_name(" aDA ") == await store.by_id("id-Ada") == an_account()
    assert await store.by_name("Ad") is None


async def test_of_two_accounts_whose_names_differ_in_case_one_is_stored(store: SqlAccountStore):
    created = await asyncio.gather(*(store.create(an_account(name)) for name in ("zoë", "ZOË", "Zoë", "ADA")))
    assert sorted(created) == [False, False, False, True]
    assert [account.name.casefold() for account in await store.accounts()] == ["ada", "zoë"]


async def test_of_simultaneous_uses_of_a_link_one_sets_the_password(store: SqlAccountStore):
    await store.set_link("id-Ada", "link", NOON + HOUR)
    passwords = [Secret(f"$argon2id${number}") for number in range(5)]
    used = await asyncio.gather(*(store.use_link("link", one, NOON) for one in passwords))
    assert used.count(True) == 1
    ada = await store.by_id("id-Ada")
    assert ada
    assert ada.password == passwords[used.index(True)]
    assert not await store.use_link("link", HASH, NOON)


async def test_a_link_is_valid_until_it_expires_and_while_the_account_is_enabled(store: SqlAccountStore):
    await store.create(an_account("Ben"))
    await store.set_link("id-Ada", "link", NOON + HOUR)
    assert await store.by_link("link", NOON + HOUR - timedelta(milliseconds=1)) == an_account()
    assert await store.by_link("link", NOON + HOUR) is None
    assert not await store.use_link("link", HASH, NOON + HOUR)
    await store.set_disabled("id-Ada", NOON)
    assert not await store.use_link("link", HASH, NOON)
    await store.set_disabled("id-Ada", None)
    assert not await store.use_link("link", HASH, NOON), "a link from before is not revived"


async def test_a_used_link_ends_the_sessions_and_forgets_the_authenticator_app(store: SqlAccountStore):
    await store.start_session(a_session(1))
    await store.set_totp("id-Ada", Secret("JBSWY3DPEHPK3PXP"), 7)
    await store.set_link("id-Ada", "link", NOON + HOUR)
    assert await store.use_link("link", HASH, NOON)
    assert await store.session("session-1") is None
    ada = await store.by_id("id-Ada")
    assert ada
    assert (ada.password, ada.totp) == (HASH, None)


async def test_a_time_step_of_codes_is_used_once(store: SqlAccountStore):
    await store.set_totp("id-Ada", Secret("JBSWY3DPEHPK3PXP"), 100)
    assert not await store.use_totp_step("id-Ada", 100), "it proved the app"
    used = await asyncio.gather(*(store.use_totp_step("id-Ada", 101) for _ in range(5)))
    assert used.count(True) == 1
    assert not await store.use_totp_step("id-Ada", 99)
    assert await store.use_totp_step("id-Ada", 102)


async def test_a_new_hash_replaces_only_the_one_that_was_read(store: SqlAccountStore):
    await store.set_password("id-Ada", HASH)
    await store.start_session(a_session(1))
    await store.replace_hash("id-Ada", HASH, OTHER_HASH)
    ada = await store.by_id("id-Ada")
    assert ada
    assert ada.password == OTHER_HASH
    assert await store.session("session-1"), "the password is the same, so the sessions stay"
    await store.replace_hash("id-Ada", HASH, Secret("$argon2id$third"))
    assert await store.by_id("id-Ada") == ada


async def test_a_new_password_ends_all_sessions_but_one(store: SqlAccountStore):
    for number in range(3):
        await store.start_session(a_session(number))
    await store.set_password("id-Ada", HASH, keep_session="session-1")
    assert [session.id for session in await store.sessions_of("id-Ada")] == ["session-1"]


async def test_sessions_are_ended_by_their_own_account_alone(store: SqlAccountStore):
    await store.create(an_account("Ben"))
    await store.start_session(a_session(1))
    await store.start_session(a_session(2, "id-Ben"))
    assert not await store.end_session("id-Ben", "session-1")
    assert await store.end_other_sessions("id-Ben", "session-2") == 0
    assert await store.session("session-1") == (a_session(1), an_account())
    assert await store.end_session("id-Ada", "session-1")
    assert await store.session("session-1") is None


async def test_a_disabled_or_deleted_account_has_no_session(store: SqlAccountStore):
    await store.create(an_account("Ben"))
    await store.start_session(a_session(1))
    await store.set_disabled("id-Ada", NOON)
    assert await store.session("session-1") is None
    await store.start_session(a_session(2))
    await store.delete("id-Ada")
    assert (await store.by_id("id-Ada"), await store.session("session-2")) == (None, None)


async def test_old_sessions_are_pruned(store: SqlAccountStore):
    await store.start_session(a_session(1, begun=-HOUR, seen=timedelta(0)))
    await store.start_session(a_session(2, begun=-5 * HOUR, seen=timedelta(0)))
    await store.start_session(a_session(3, begun=-HOUR, seen=-HOUR))
    await store.note_seen("session-1", NOON + HOUR)
    assert await store.prune(NOON - HOUR / 2, NOON - 4 * HOUR) == 2
    assert [session.id for session in await store.sessions_of("id-Ada")] == ["session-1"]


async def test_the_audit_record_is_read_in_pages_and_pruned_by_time(database: Database):
    audit = SqlAuditStore(database)
    entries = [
        AuditEntry(NOON + number * HOUR, "id-Ada", "Ada", "thing_done", f"thing-{number}", {"list": ["é", 1]})
        for number in range(5)
    ]
    for entry in entries:
        await audit.append(entry)
    first = await audit.page(None, 2)
    second = await audit.page(first[-1][0], 2)
    assert [entry for _, entry in [*first, *second]] == entries[:0:-1]
    assert await audit.prune(NOON + 3 * HOUR) == 3
    assert [entry for _, entry in await audit.page(None, 9)] == entries[:2:-1]


@pytest.mark.parametrize("end", ["role", "disable", "delete"])
async def test_of_two_admins_who_end_each_other_at_once_one_stays(store: SqlAccountStore, end: str):
    await store.create(an_account("Ben"))
    await store.create(an_account("Vera", AccountRole.VIEWER))

    def ended(account_id: str) -> Awaitable[bool]:
        if end == "role":
            return store.set_role(account_id, AccountRole.VIEWER)
        return store.set_disabled(account_id, NOON) if end == "disable" else store.delete(account_id)

    assert sorted(await asyncio.gather(ended("id-Ada"), ended("id-Ben"))) == [False, True]
    active = [one for one in await store.accounts() if one.role is AccountRole.ADMIN and one.is_active]
    assert len(active) == 1
    assert await ended("id-Vera")
