"""Attacks on one-time links: used twice, at the same time, too late, replaced or guessed."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from service.app.accounts.manage import (
    LINK_LIFETIME,
    OneTimeLink,
    create_account,
    disable,
    enable,
    find_account,
    new_link,
)
from service.core.secret import Secret
from service.store.accounts import SqlAccountStore
from tests.web.admin.conftest import PASSWORD, EditorsSite

OTHER_PASSWORD = "other words nobody joins"


def path_of(link: OneTimeLink) -> str:
    return "/welcome/" + link.url.rpartition("/")[2]


async def choose(editors: EditorsSite, path: str, password: str = OTHER_PASSWORD, again: str = "") -> int:
    """Open a link in a new browser and choose a password; return the status, 200 for a session."""
    editor = editors.nobody()
    status, _ = await editor.get(path)
    if status != 200:
        return status
    return (await editor.post(path, {"password": password, "again": again or password}))[0]


async def test_a_link_works_once(editors: EditorsSite):
    path = path_of(await create_account(editors.app, "zoe", "editor"))
    assert await choose(editors, path) == 200
    assert await choose(editors, path) == 410
    assert (await (await editors.log_in("zoe", OTHER_PASSWORD)).get("/account"))[0] == 200


async def test_of_two_people_with_a_link_one_gets_in(editors: EditorsSite):
    path = path_of(await create_account(editors.app, "zoe", "editor"))
    passwords = [f"{OTHER_PASSWORD} {number}" for number in range(4)]
    statuses = await asyncio.gather(*(choose(editors, path, one) for one in passwords))
    assert sorted(statuses) == [200, 410, 410, 410]
    (winner,) = [one for one, status in zip(passwords, statuses, strict=True) if status == 200]
    assert "Your account" in (await (await editors.log_in("zoe", winner)).get("/account"))[1]


async def test_a_password_that_is_refused_leaves_the_link_valid(editors: EditorsSite):
    path = path_of(await create_account(editors.app, "zoe", "editor"))
    for password, again in (("short", ""), ("a" * 30, ""), ("zoezoezoezoe", ""), (PASSWORD, PASSWORD + "x")):
        assert await choose(editors, path, password, again) == 422
    assert await choose(editors, path) == 200


async def test_a_link_expires(editors: EditorsSite):
    path = path_of(await create_account(editors.app, "zoe", "editor"))
    editors.clock.at += LINK_LIFETIME - timedelta(seconds=1)
    assert (await editors.nobody().get(path))[0] == 200
    editors.clock.at += timedelta(seconds=1)
    assert await choose(editors, path) == 410


async def test_a_new_link_replaces_the_earlier_one(editors: EditorsSite):
    zoe = await create_account(editors.app, "zoe", "editor")
    newer = await new_link(editors.app, zoe.account)
    assert await choose(editors, path_of(zoe)) == 410
    assert await choose(editors, path_of(newer)) == 200


async def test_a_link_of_a_disabled_account_stays_dead(editors: EditorsSite):
    zoe = await create_account(editors.app, "zoe", "editor")
    await disable(editors.app, zoe.account)
    assert await choose(editors, path_of(zoe)) == 410
    await enable(editors.app, zoe.account)
    assert await choose(editors, path_of(zoe)) == 410


async def test_no_change_of_one_character_is_a_link(editors: EditorsSite):
    path = path_of(await create_account(editors.app, "zoe", "editor"))
    editor = editors.nobody()
    forged = [path[:place] + "~" + path[place + 1 :] for place in range(len("/welcome/"), len(path))]
    for one in [*forged, path + "=", path.swapcase().replace("/WELCOME/", "/welcome/"), path[:-1]]:
        assert (await editor.get(one))[0] == 410, one


async def test_a_link_ends_the_sessions_and_the_second_factor(editors: EditorsSite):
    """It is for a person whose browser or phone somebody else has."""
    thief = await editors.log_in("eddie")
    eddie = await find_account(editors.app, "eddie")
    await SqlAccountStore(editors.app.database).set_totp(eddie.id, Secret("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"))
    assert await choose(editors, path_of(await new_link(editors.app, eddie))) == 200
    assert 'action="/admin/login"' in (await thief.get("/account"))[1]
    assert (await find_account(editors.app, "eddie")).totp is None
