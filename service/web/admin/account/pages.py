"""The own account: address, password and sessions."""

from __future__ import annotations

from starlette.responses import Response

from service.app.accounts.manage import set_email
from service.app.accounts.own_account import change_password, end_other_sessions, end_session
from service.app.accounts.sessions import sessions_of
from service.core.errors import UsageError
from service.core.secret import Secret
from service.web.admin.context import AdminContext

NOT_THE_SAME = "The two new passwords are not the same."


async def show(context: AdminContext) -> Response:
    """Show the account."""
    return await account_page(context)


async def save_email(context: AdminContext) -> Response:
    """Store the address to which test mails go."""
    try:
        await set_email(context.app, context.account, context.value("email"))
    except UsageError as error:
        return await account_page(context, email_problem=error.sentence, email=context.value("email"))
    await context.record("account_email_changed", context.account.id, name=context.account.name)
    return context.redirect("/account", done="email")


async def act_password(context: AdminContext) -> Response:
    """Change the password."""
    old, new = Secret(context.value("old")), Secret(context.value("password"))
    if new != Secret(context.value("again")):
        return await account_page(context, password_problem=NOT_THE_SAME)
    try:
        await change_password(context.app, context.signed_in, old, new)
    except UsageError as error:
        return await account_page(context, password_problem=error.sentence)
    await context.record("password_changed", context.account.id, name=context.account.name)
    return context.redirect("/account", done="password")


async def end_one(context: AdminContext) -> Response:
    """End one session of the account."""
    if await end_session(context.app, context.signed_in, context.value("session")):
        await context.record("session_ended", context.account.id, name=context.account.name)
    return context.redirect("/account", done="ended")


async def end_all_others(context: AdminContext) -> Response:
    """End all sessions of the account but this one."""
    count = await end_other_sessions(context.app, context.signed_in)
    await context.record("other_sessions_ended", context.account.id, name=context.account.name, count=count)
    return context.redirect("/account", done="others")


async def account_page(
    context: AdminContext,
    *,
    email: str | None = None,
    email_problem: str = "",
    password_problem: str = "",
    off_problem: str = "",
) -> Response:
    """Return the page, with status 422 if a form has a problem. A typed password is never shown again."""
    is_refused = email_problem or password_problem or off_problem
    return context.page(
        "account/account.html",
        status=422 if is_refused else 200,
        sessions=await sessions_of(context.app, context.account),
        this_session=context.signed_in.session.id,
        email=context.account.email if email is None else email,
        email_problem=email_problem,
        password_problem=password_problem,
        off_problem=off_problem,
    )
