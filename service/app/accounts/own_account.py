"""What a person changes in their own account: password, authenticator app, sessions.

A change asks for the password again, so that an open browser is not enough to take an account over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.app.accounts.attempts import count_password_question
from service.app.accounts.one_time_codes import code_step, enrolment_url, new_secret
from service.app.accounts.passwords import hash_password, is_password, require_good_password
from service.app.accounts.sessions import SignedIn
from service.core import tokens
from service.core.errors import UsageError
from service.core.secret import Secret
from service.store.accounts import SqlAccountStore

if TYPE_CHECKING:
    from service.app.factories.application import Application

ENROLMENT_PURPOSE = "totp-enrolment"

NOT_YOURS = "this is not your password"
WRONG_CODE = "this is not the code that the app shows now; check the time of the phone and type the next code"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A secret that an authenticator app does not have yet.

    `token` is the signed secret, which the form returns; it is worthless in another session.
    """

    secret: Secret
    url: str
    token: str


async def change_password(app: Application, signed_in: SignedIn, old: Secret, new: Secret) -> None:
    """Replace the password and end the account's other sessions.

    Raises UsageError for a wrong old password or a new one that is not good enough.
    """
    account = signed_in.account
    await require_password(app, signed_in, old)
    require_good_password(new.reveal(), account.name)
    hashed = await hash_password(new)
    await SqlAccountStore(app.database).set_password(account.id, hashed, keep_session=signed_in.session.id)


async def require_password(app: Application, signed_in: SignedIn, password: Secret) -> None:
    """Raise UsageError if this is not the password of the session's account, or after too many attempts."""
    await count_password_question(app, signed_in.account)
    if not await is_password(signed_in.account.password, password):
        raise UsageError(NOT_YOURS)


async def new_enrolment(app: Application, signed_in: SignedIn) -> Enrolment:
    """Return a new secret for an authenticator app."""
    secret, key = new_secret(), await app.subscribers.signing_key()
    return _enrolment(app, signed_in, key, secret)


async def enrolment_of(app: Application, signed_in: SignedIn, token: str) -> Enrolment | None:
    """Return the enrolment that has this token; None for any other string, also one of another session."""
    key = await app.subscribers.signing_key()
    claims = tokens.read(key, ENROLMENT_PURPOSE, token)
    if claims is None or len(claims) != 2 or claims[0] != signed_in.session.id:
        return None
    return _enrolment(app, signed_in, key, Secret(claims[1]))


async def turn_two_factor_on(app: Application, signed_in: SignedIn, enrolment: Enrolment, code: str) -> None:
    """Ask for one-time codes from the next login on. Raises UsageError for a code that the app does not show.

    The code that proves the app cannot be used again for a login.
    """
    await count_password_question(app, signed_in.account)
    step = code_step(enrolment.secret, code, app.clock())
    if step is None:
        raise UsageError(WRONG_CODE)
    await SqlAccountStore(app.database).set_totp(signed_in.account.id, enrolment.secret, step)


async def turn_two_factor_off(app: Application, signed_in: SignedIn, password: Secret) -> None:
    """Ask for no one-time code any more. Raises UsageError for a wrong password."""
    await require_password(app, signed_in, password)
    await SqlAccountStore(app.database).set_totp(signed_in.account.id, None)


async def end_session(app: Application, signed_in: SignedIn, session_id: str) -> bool:
    """End another session of the same account; return whether the account had it."""
    return await SqlAccountStore(app.database).end_session(signed_in.account.id, session_id)


async def end_other_sessions(app: Application, signed_in: SignedIn) -> int:
    """End all sessions of the account but this one; return how many."""
    store = SqlAccountStore(app.database)
    return await store.end_other_sessions(signed_in.account.id, signed_in.session.id)


def _enrolment(app: Application, signed_in: SignedIn, key: bytes, secret: Secret) -> Enrolment:
    url = enrolment_url(secret, signed_in.account.name, app.settings.site.name)
    token = tokens.sign(key, ENROLMENT_PURPOSE, signed_in.session.id, secret.reveal())
    return Enrolment(secret, url, token)
