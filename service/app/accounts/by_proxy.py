"""Login of an account that a reverse proxy has named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.app.accounts.sessions import SignedIn, start_session
from service.core.errors import UsageError
from service.store.accounts import SqlAccountStore, folded_name

if TYPE_CHECKING:
    from service.app.factories.application import Application

MAX_SHOWN_CHARACTERS = 80


async def log_in_by_proxy(
    app: Application, name: str, found: SignedIn | None, *, client: str, agent: str
) -> SignedIn:
    """Return the session of the account `name`.

    It is that of the browser, `found`, if it is theirs, else a new one. Raises UsageError for an unknown or
    disabled account.
    """
    if found is not None and folded_name(found.account.name) == folded_name(name):
        return found
    account = await SqlAccountStore(app.database).by_name(name)
    shown = name[:MAX_SHOWN_CHARACTERS]
    if account is None:
        raise UsageError(
            f"the proxy has logged you in as {shown}, and no account has this name. An admin creates it: "
            "caveat admin create NAME --role ROLE."
        )
    if not account.is_active:
        raise UsageError(f"the proxy has logged you in as {shown}, and this account is disabled.")
    return await start_session(app, account, client=client, agent=agent, by_proxy=True)
