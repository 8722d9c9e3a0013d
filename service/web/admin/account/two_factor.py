"""Second factor: the QR code for an authenticator app (EDGE segno), its proof, and the end of it."""

from __future__ import annotations

import segno
from starlette.responses import Response

from service.app.accounts.own_account import (
    Enrolment,
    enrolment_of,
    new_enrolment,
    turn_two_factor_off,
    turn_two_factor_on,
)
from service.core.errors import UsageError
from service.core.secret import Secret
from service.web.admin.account.pages import account_page
from service.web.admin.context import AdminContext

PIXELS_PER_MODULE = 5
QUIET_ZONE_MODULES = 4  # white around the code (ISO/IEC 18004)
GROUP_CHARACTERS = 4  # of the secret as it is shown, for people who type it

EXPIRED = "The form was too old. Here is a new code."


async def show_enrolment(context: AdminContext) -> Response:
    """Show a new secret as a QR code and as text; an app in use is turned off first, with the password."""
    if context.account.totp is not None:
        return context.redirect("/account")
    return _page(context, await new_enrolment(context.app, context.signed_in))


async def act_on(context: AdminContext) -> Response:
    """Turn the second factor on if the app shows the right code; else show the same secret again."""
    if context.account.totp is not None:
        return context.redirect("/account")
    enrolment = await enrolment_of(context.app, context.signed_in, context.value("enrolment"))
    if enrolment is None:
        return _page(context, await new_enrolment(context.app, context.signed_in), EXPIRED)
    try:
        await turn_two_factor_on(context.app, context.signed_in, enrolment, context.value("code"))
    except UsageError as error:
        return _page(context, enrolment, error.sentence)
    await context.record("two_factor_on", context.account.id, name=context.account.name)
    return context.redirect("/account", done="on")


async def act_off(context: AdminContext) -> Response:
    """Turn the second factor off."""
    try:
        await turn_two_factor_off(context.app, context.signed_in, Secret(context.value("password")))
    except UsageError as error:
        return await account_page(context, off_problem=error.sentence)
    await context.record("two_factor_off", context.account.id, name=context.account.name)
    return context.redirect("/account", done="off")


def qr_code(text: str) -> tuple[str, int]:
    """Return a QR code as the address of an SVG image, and its width in pixels."""
    code = segno.make_qr(text, error="m")
    picture = code.svg_data_uri(
        scale=PIXELS_PER_MODULE, border=QUIET_ZONE_MODULES, dark="#000", light="#fff", omitsize=False
    )
    return picture, int(code.symbol_size(PIXELS_PER_MODULE, QUIET_ZONE_MODULES)[0])


def _page(context: AdminContext, enrolment: Enrolment, problem: str = "") -> Response:
    secret = enrolment.secret.reveal()
    groups = [secret[at : at + GROUP_CHARACTERS] for at in range(0, len(secret), GROUP_CHARACTERS)]
    picture, size = qr_code(enrolment.url)
    return context.page(
        "account/two_factor.html",
        status=422 if problem else 200,
        picture=picture,
        size=size,
        secret=" ".join(groups),
        enrolment=enrolment.token,
        problem=problem,
    )
