"""Passwords are hashed with Argon2id, and a bad one is refused."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher

from service.app.accounts.passwords import (
    hash_password,
    is_password,
    needs_new_hash,
    require_good_password,
)
from service.core.errors import UsageError
from service.core.secret import Secret

GOOD = "four words nobody joins"


async def test_a_password_is_hashed_with_argon2id_and_its_own_salt():
    first, second = await hash_password(Secret(GOOD)), await hash_password(Secret(GOOD))
    assert first.reveal().startswith("$argon2id$v=19$m=65536,")
    assert first.reveal() != second.reveal()
    assert await is_password(first, Secret(GOOD))
    for wrong in (GOOD + " ", GOOD.upper(), "", GOOD + "x" * 300):
        assert not await is_password(first, Secret(wrong))
    assert not await is_password(None, Secret("nobody has this password")), "an account without a password"
    assert not await is_password(Secret("no hash"), Secret(GOOD))


def test_a_hash_with_older_parameters_is_to_be_replaced():
    older = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(GOOD)
    assert needs_new_hash(Secret(older))


@pytest.mark.parametrize("bad", ["", "x" * 11, "a" * 20, "ababababababab", "amina" * 3, "x1y2z" * 41])
def test_a_password_that_is_short_long_or_easy_is_refused(bad: str):
    with pytest.raises(UsageError):
        require_good_password(bad, "Amina")
    require_good_password(GOOD, "Amina")
