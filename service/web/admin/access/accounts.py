"""The list of accounts, and the form for a new one."""

from __future__ import annotations

from starlette.responses import Response

from service.app.accounts.manage import OneTimeLink, accounts, create_account, state_of
from service.core.errors import UnknownName, UsageError
from service.core.model import AccountRole
from service.core.validators import InvalidValue
from service.web.admin.context import AdminContext

ROLES = {
    AccountRole.VIEWER: "reads everything here, and changes nothing",
    AccountRole.EDITOR: "reads, changes and sends",
    AccountRole.ADMIN: "manages accounts as well",
}
"""What each role may do, as the forms say it."""

NO_PROBLEMS = {"name": "", "email": "", "role": ""}


async def show_accounts(context: AdminContext) -> Response:
    """Show the accounts and an empty form."""
    return await _page(context, NO_PROBLEMS)


async def act_create(context: AdminContext) -> Response:
    """Create an account and show its one-time link, which no later page shows."""
    name, role, email = context.value("name"), context.value("role"), context.value("email")
    try:
        link = await create_account(context.app, name, role, email)
    except UsageError as error:
        field = _field_of(error)
        return await _page(context, {**NO_PROBLEMS, field: error.sentence})
    await context.record("account_created", link.account.id, name=link.account.name, role=role)
    return link_page(context, link, is_new=True)


def link_page(context: AdminContext, link: OneTimeLink, *, is_new: bool) -> Response:
    """Return the page with a one-time link; after a redirect, the link would have to be stored or sent."""
    return context.page("access/link.html", link=link, is_new=is_new)


def _field_of(error: UsageError) -> str:
    if isinstance(error, InvalidValue):
        return "email"
    return "role" if isinstance(error, UnknownName) else "name"


async def _page(context: AdminContext, problems: dict[str, str]) -> Response:
    return context.page(
        "access/accounts.html",
        status=422 if any(problems.values()) else 200,
        accounts=[(one, state_of(one)) for one in await accounts(context.app)],
        roles=ROLES,
        problems=problems,
        name=context.value("name"),
        email=context.value("email"),
        role=context.value("role", AccountRole.EDITOR.value),
        user_header=context.app.settings.web.admin.user_header,
    )
