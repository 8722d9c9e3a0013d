"""Passwords of accounts: hashed and verified with Argon2id (RFC 9106) in a thread (EDGE: argon2-cffi)."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING

from service.core.errors import UsageError
from service.core.secret import Secret

if TYPE_CHECKING:
    from argon2 import PasswordHasher

MIN_PASSWORD_CHARACTERS = 12  # NIST SP 800-63B-4 asks for 15 without a second factor, 8 with one
MAX_PASSWORD_CHARACTERS = 200
"""Characters of the longest password; hashing takes time that grows with the length."""

MAX_HASHES_AT_ONCE = 2
"""Concurrent hashes; each uses 64 MiB, so that a flood of logins does not exhaust the memory."""

_threads = ThreadPoolExecutor(MAX_HASHES_AT_ONCE, "password")


def require_good_password(password: str, name: str) -> None:
    """Raise UsageError for a password that is too short, too long or easy to guess from the name."""
    if len(password) < MIN_PASSWORD_CHARACTERS:
        raise UsageError(f"the password must have at least {MIN_PASSWORD_CHARACTERS} characters")
    if len(password) > MAX_PASSWORD_CHARACTERS:
        raise UsageError(f"the password must have at most {MAX_PASSWORD_CHARACTERS} characters")
    if len(set(password)) < 5 or name.casefold() * 2 in password.casefold() * 2:
        raise UsageError("the password is easy to guess; take several words that nobody would put together")


async def hash_password(password: Secret) -> Secret:
    """Return the Argon2id hash of a password, with its salt and parameters (PHC string format)."""
    hashed = asyncio.get_running_loop().run_in_executor(_threads, _hasher().hash, password.reveal())
    return Secret(await hashed)


async def is_password(stored: Secret | None, given: Secret) -> bool:
    """Return whether the password has this hash. Without a hash it takes the same time and is False."""
    same = await asyncio.get_running_loop().run_in_executor(_threads, _verify, stored, given.reveal())
    return same and stored is not None


def needs_new_hash(stored: Secret) -> bool:
    """Return whether the hash was made with older parameters than new ones get."""
    return _hasher().check_needs_rehash(stored.reveal())


def _verify(stored: Secret | None, given: str) -> bool:
    if len(given) > MAX_PASSWORD_CHARACTERS:
        return False
    from argon2.exceptions import InvalidHashError, VerificationError  # noqa: PLC0415 - see _hasher

    try:
        return _hasher().verify((stored or _nobody()).reveal(), given)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher  # noqa: PLC0415 - for logins only

    return PasswordHasher()


@cache
def _nobody() -> Secret:
    """Return a hash that no account has: an unknown name takes as long as a wrong password."""
    return Secret(_hasher().hash("nobody has this password"))
