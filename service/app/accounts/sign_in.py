"""Login with name, password and one-time code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.app.accounts.attempts import is_login_allowed
from service.app.accounts.audit import record
from service.app.accounts.one_time_codes import code_step
from service.app.accounts.passwords import hash_password, is_password, needs_new_hash
from service.app.accounts.sessions import SignedIn, start_session
from service.core.model import Account
from service.core.secret import Secret
from service.store.accounts import SqlAccountStore

if TYPE_CHECKING:
    from service.app.factories.application import Application


@dataclass(frozen=True, slots=True)
class LoginRefused:
    """Why a login failed.

    `limit`: too many attempts; `code`: a one-time code is needed; `wrong_code`: it was wrong or used before;
    `wrong`: the name or the password.
    """

    reason: str


async def log_in(
    app: Application, name: str, password: Secret, code: str, *, client: str, agent: str, browser: str = ""
) -> SignedIn | LoginRefused:
    """Start a session for a correct name, password and, where the account has one, one-time code.

    `client` is the client's address, `browser` the token of a browser that has logged in before, or "". Every
    attempt counts towards the limits, also a successful one.
    """
    store = SqlAccountStore(app.database)
    account = await store.by_name(name)
    if not await is_login_allowed(app, name, account, client=client, browser=browser):
        return LoginRefused("limit")
    is_right = await is_password(account.password if account else None, password)
    if account is None or not is_right or not account.is_active:
        # The typed name is not stored: people type passwords into the wrong field.
        await record(app, None, "login_failed", account.id if account else "", **_facts(account, client))
        return LoginRefused("wrong")
    if account.totp is not None:
        if not code:
            return LoginRefused("code")
        step = code_step(account.totp, code, app.clock())
        if step is None or not await store.use_totp_step(account.id, step):
            await record(app, None, "login_code_failed", account.id, **_facts(account, client))
            return LoginRefused("wrong_code")
    if account.password is not None and needs_new_hash(account.password):
        await store.replace_hash(account.id, account.password, await hash_password(password))
    return await start_session(app, account, client=client, agent=agent)


def _facts(account: Account | None, client: str) -> dict[str, object]:
    return {**({"name": account.name} if account else {}), "client": client}
