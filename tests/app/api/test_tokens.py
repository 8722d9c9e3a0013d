"""API tokens: valid until they expire or are revoked, forged by no change of one character."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from service.app.api.tokens import create_token, revoke_token, token_of, tokens
from service.app.factories.application import Application
from service.app.process_pool.pool import ProcessPool
from service.core.errors import UnknownName, UsageError
from service.core.model import ApiScope
from service.settings.load import load_config
from service.store.database import Database
from tests.builders import NOON
from tests.end_to_end.installation import Clock
from tests.settings.config_folders import a_config_folder

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON)


@pytest.fixture
async def app(database: Database, tmp_path: Path, clock: Clock) -> AsyncIterator[Application]:
    loaded = load_config(a_config_folder(tmp_path / "config"), {})
    pool = ProcessPool(1)
    yield Application(loaded.settings, loaded.roster, database, clock, pool)
    pool.shutdown(wait=False)


async def test_a_token_is_found_by_its_text_until_it_expires(app: Application, clock: Clock):
    token, text = await create_token(app, "crm", ["subscribers:write"], DAY)

    found = await token_of(app, text.reveal())
    assert found is not None
    assert (found.id, found.allows(ApiScope.SUBSCRIBERS_READ), found.allows(ApiScope.SENDS_WRITE)) == (
        token.id, True, False,
    )  # fmt: skip
    assert [one.used_at for one in await tokens(app)] == [NOON]
    clock.at += DAY - SECOND
    assert await token_of(app, text.reveal())
    clock.at += SECOND
    assert await token_of(app, text.reveal()) is None


async def test_neither_the_token_nor_its_secret_is_stored(app: Application):
    token, text = await create_token(app, "crm", ["issues:read"])
    [stored] = await tokens(app)
    assert text.reveal().removeprefix(f"caveat_{token.id}_") not in repr(stored)
    assert text.reveal() not in repr((stored, text))


async def test_a_change_of_any_one_character_makes_the_token_invalid(app: Application):
    _, secret = await create_token(app, "crm", ["issues:read"])
    text = secret.reveal()
    for place, old in enumerate(text):
        new = "a" if old != "a" else "b"
        assert await token_of(app, text[:place] + new + text[place + 1 :]) is None, place
        assert await token_of(app, text[:place] + text[place + 1 :]) is None, place
    for wrong in ("", text + "a", text.upper(), f" {text}", f"{text}\n", "caveat_", "\udcff"):
        assert await token_of(app, wrong) is None


async def test_the_id_of_one_token_with_the_secret_of_another_is_no_token(app: Application):
    (first, one), (second, other) = [await create_token(app, name, ["issues:read"]) for name in "ab"]
    mixed = f"caveat_{first.id}_{other.reveal().removeprefix(f'caveat_{second.id}_')}"
    assert await token_of(app, one.reveal())
    assert await token_of(app, mixed) is None


async def test_a_revoked_token_stops_working_and_keeps_its_row(app: Application):
    token, text = await create_token(app, "crm", ["issues:read"])
    assert (await revoke_token(app, "crm")).id == token.id
    assert await token_of(app, text.reveal()) is None
    assert [one.state(NOON) for one in await tokens(app)] == ["revoked"]
    with pytest.raises(UnknownName, match="no token 'crm'"):
        await revoke_token(app, "crm")


async def test_of_two_tokens_with_one_name_the_id_says_which(app: Application):
    (first, _), (second, kept) = [await create_token(app, "crm", ["issues:read"]) for _ in range(2)]
    with pytest.raises(UsageError, match="name one by its id") as raised:
        await revoke_token(app, "crm")
    assert {first.id, second.id} <= set(str(raised.value).replace(",", "").split())
    await revoke_token(app, first.id)
    assert await token_of(app, kept.reveal())


@pytest.mark.parametrize(
    ("name", "scopes", "days", "sentence"),
    [
        ("", ["issues:read"], None, "1 to 64 visible characters"),
        ("a\x1b[2J", ["issues:read"], None, "1 to 64 visible characters"),
        ("crm", [], None, "a token needs a scope"),
        ("crm", ["issue:read"], None, "Did you mean issues:read"),
        ("crm", ["issues:read"], 0, "not for less than 1"),
        ("crm", ["issues:read"], 10_000, "at most 3,660 days"),
    ],
)
async def test_a_bad_request_for_a_token_is_refused_with_a_sentence(
    app: Application, name: str, scopes: list[str], days: int | None, sentence: str
):
    with pytest.raises(UsageError, match=sentence):
        await create_token(app, name, scopes, None if days is None else timedelta(days=days))
    assert await tokens(app) == []
