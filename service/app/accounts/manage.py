"""Accounts: create, list, change and delete; a one-time link lets a person choose their password."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from service.app.accounts.audit import record
from service.app.accounts.passwords import hash_password, require_good_password
from service.core.errors import UnknownName, UsageError
from service.core.ids import content_id
from service.core.model import Account, AccountRole
from service.core.secret import Secret
from service.core.validators import read_email
from service.store.accounts import SqlAccountStore

if TYPE_CHECKING:
    from service.app.factories.application import Application

LINK_LIFETIME = timedelta(hours=24)
"""Validity of a one-time link: long enough for a colleague in another time zone."""

LINK_PATH = "/admin/welcome/"
MAX_NAME_CHARACTERS = 64


@dataclass(frozen=True, slots=True)
class OneTimeLink:
    """The link by which the person of an account chooses a password, once, until `expires_at`."""

    account: Account
    url: str
    expires_at: datetime


async def create_account(app: Application, name: str, role: str, email: str = "") -> OneTimeLink:
    """Create an account and return its one-time link. Raises UsageError for a bad or taken name."""
    shown, now = _read_name(name), app.clock()
    account = Account(
        content_id("account", shown.casefold(), secrets.token_hex(8)),
        shown,
        read_role(role),
        now,
        read_account_email(email),
    )
    if not await SqlAccountStore(app.database).create(account):
        raise UsageError(f"there is an account {shown!r} already")
    return await new_link(app, account)


async def new_link(app: Application, account: Account) -> OneTimeLink:
    """Return a new one-time link for an account; an earlier one stops working.

    Raises UsageError for a disabled account.
    """
    if not account.is_active:
        raise UsageError(f"{account.name} is disabled; enable the account first")
    token, expires_at = secrets.token_urlsafe(24), app.clock() + LINK_LIFETIME
    await SqlAccountStore(app.database).set_link(account.id, _hash(token), expires_at)
    return OneTimeLink(account, f"{admin_url(app)}{LINK_PATH}{token}", expires_at)


def admin_url(app: Application) -> str:
    """Return the address at which the editors' pages can be opened, without /admin.

    It is that of `web.admin.listen` or, if the web server serves them, `site.url`; when only this machine may
    open them, the address on this machine.
    """
    web = app.settings.web
    host, port = web.admin.listen or (web.listen_host, web.listen_port)
    only_here = all(network.startswith(("127.", "::1")) for network in web.admin.networks)
    if web.admin.listen is None and not only_here:
        return app.settings.site.url.rstrip("/")
    shown = "localhost" if host in ("127.0.0.1", "0.0.0.0", "::", "::1") else host  # noqa: S104 - compared only
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{port}"


async def account_of_link(app: Application, token: str) -> Account | None:
    """Return the account of a one-time link; None for a used, expired or unknown one."""
    return await SqlAccountStore(app.database).by_link(_hash(token), app.clock())


async def use_link(app: Application, token: str, password: Secret) -> Account | None:
    """Set the password by a one-time link and end the account's sessions; None if the link is not valid.

    Raises UsageError for a password that is not good enough; the link can then be used again.
    """
    account = await account_of_link(app, token)
    if account is None:
        return None
    require_good_password(password.reveal(), account.name)
    hashed = await hash_password(password)
    used = await SqlAccountStore(app.database).use_link(_hash(token), hashed, app.clock())
    if not used:
        return None
    await record(app, account, "password_chosen", account.id, name=account.name)
    return account


async def account_of_id(app: Application, account_id: str) -> Account | None:
    """Return the account with this id."""
    return await SqlAccountStore(app.database).by_id(account_id)


async def find_account(app: Application, name: str) -> Account:
    """Return the account of this name. Raises UnknownName."""
    store = SqlAccountStore(app.database)
    found = await store.by_name(name)
    if found is None:
        raise UnknownName("account", name, [account.name for account in await store.accounts()])
    return found


async def accounts(app: Application) -> Sequence[Account]:
    """Return all accounts by name."""
    return await SqlAccountStore(app.database).accounts()


async def set_role(app: Application, account: Account, role: str) -> None:
    """Change the role of an account. Raises UsageError for the last active admin, who must stay one."""
    _require_other_admin(account, await SqlAccountStore(app.database).set_role(account.id, read_role(role)))


async def set_email(app: Application, account: Account, email: str) -> None:
    """Change the address of test mails to the account, "" for none. Raises UsageError for no address."""
    await SqlAccountStore(app.database).set_email(account.id, read_account_email(email))


async def disable(app: Application, account: Account) -> None:
    """Disable an account and end its sessions. Raises UsageError for the last active admin."""
    done = await SqlAccountStore(app.database).set_disabled(account.id, app.clock())
    _require_other_admin(account, done)


async def enable(app: Application, account: Account) -> None:
    """Enable a disabled account again."""
    await SqlAccountStore(app.database).set_disabled(account.id, None)


async def delete(app: Application, account: Account) -> None:
    """Delete an account. Raises UsageError for the last active admin."""
    _require_other_admin(account, await SqlAccountStore(app.database).delete(account.id))


def state_of(account: Account) -> str:
    """Return `active`, `invited` (has chosen no password so far) or `disabled`."""
    if not account.is_active:
        return "disabled"
    return "active" if account.password else "invited"


def read_role(text: str) -> AccountRole:
    """Return the role of this name. Raises UnknownName."""
    try:
        return AccountRole(text)
    except ValueError:
        raise UnknownName("role", text, list(AccountRole)) from None


def read_account_email(text: str) -> str:
    """Return the address of an account, "" for none. Raises UsageError for text that is no address."""
    return read_email(text) if text.strip() else ""


def _require_other_admin(account: Account, done: bool) -> None:
    if not done:
        raise UsageError(f"the only admin is {account.name}; create another admin first")


def _read_name(text: str) -> str:
    name = text.strip()
    if not name or len(name) > MAX_NAME_CHARACTERS or not name.isprintable():
        raise UsageError(f"the name of an account must have 1 to {MAX_NAME_CHARACTERS} visible characters")
    return name


def _hash(token: str) -> str:
    return sha256(token.encode("utf-8", "replace")).hexdigest()
