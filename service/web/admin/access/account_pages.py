"""One account: its role, one-time link, state and end."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.responses import Response

from service.app.accounts import manage
from service.app.accounts.sessions import sessions_of
from service.core.errors import UsageError
from service.core.model import Account
from service.web.admin.access.accounts import ROLES, link_page
from service.web.admin.context import AdminContext


async def show_account(context: AdminContext) -> Response:
    """Show the account."""
    return await _page(context, await _account(context))


async def act_role(context: AdminContext) -> Response:
    """Change the role."""
    account, role = await _account(context), context.value("role")
    try:
        await manage.set_role(context.app, account, role)
    except UsageError as error:
        return await _page(context, account, error.sentence)
    await context.record("account_role_changed", account.id, name=account.name, role=role)
    return _back(context, account, "role")


async def act_link(context: AdminContext) -> Response:
    """Make a one-time link and show it, once."""
    account = await _account(context)
    try:
        link = await manage.new_link(context.app, account)
    except UsageError as error:
        return await _page(context, account, error.sentence)
    await context.record("account_link_made", account.id, name=account.name)
    return link_page(context, link, is_new=False)


async def act_disable(context: AdminContext) -> Response:
    """Disable the account and end its sessions."""
    account = await _account(context)
    try:
        await manage.disable(context.app, account)
    except UsageError as error:
        return await _page(context, account, error.sentence)
    await context.record("account_disabled", account.id, name=account.name)
    return _back(context, account, "disabled")


async def act_enable(context: AdminContext) -> Response:
    """Enable the account again."""
    account = await _account(context)
    await manage.enable(context.app, account)
    await context.record("account_enabled", account.id, name=account.name)
    return _back(context, account, "enabled")


async def show_delete(context: AdminContext) -> Response:
    """Ask whether the account is to be deleted."""
    return context.page("access/delete.html", target=await _account(context))


async def act_delete(context: AdminContext) -> Response:
    """Delete the account."""
    account = await _account(context)
    try:
        await manage.delete(context.app, account)
    except UsageError as error:
        return await _page(context, account, error.sentence)
    await context.record("account_deleted", account.id, name=account.name)
    return context.redirect("/access", done="deleted")


async def _account(context: AdminContext) -> Account:
    found = await manage.account_of_id(context.app, context.path("account"))
    if found is None:
        raise HTTPException(404, "There is no such account.")
    return found


def _back(context: AdminContext, account: Account, done: str) -> Response:
    return context.redirect(f"/access/accounts/{account.id}", done=done)


async def _page(context: AdminContext, account: Account, problem: str = "") -> Response:
    return context.page(
        "access/account.html",
        status=422 if problem else 200,
        target=account,
        state=manage.state_of(account),
        sessions=await sessions_of(context.app, account),
        roles=ROLES,
        problem=problem,
    )
