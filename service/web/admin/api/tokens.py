"""Tokens of the API: list them, create one, which is shown once, and revoke one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from starlette.exceptions import HTTPException
from starlette.responses import Response

from service.app.api import tokens
from service.core.errors import UsageError
from service.core.model import ApiScope, ApiToken
from service.web.admin.context import AdminContext

LIFETIMES = {"30": "30 days", "90": "90 days", "365": "a year", "": "no end"}
"""Days of validity that the form offers, with their names."""

SCOPES: Mapping[ApiScope, str] = {
    ApiScope.NEWSLETTERS_READ: "list newsletters",
    ApiScope.ISSUES_READ: "read issues and counts of deliveries",
    ApiScope.ISSUES_WRITE: "pause and resume issues",
    ApiScope.SENDS_READ: "preview and follow sends",
    ApiScope.SENDS_WRITE: "send a newsletter",
    ApiScope.PREVIEWS_READ: "preview the next issue",
    ApiScope.SUBSCRIBERS_READ: "read names, addresses and preferences",
    ApiScope.SUBSCRIBERS_WRITE: "add, change, unsubscribe and erase people",
    ApiScope.FEEDS_READ: "read feeds and their health",
    ApiScope.FEEDS_WRITE: "add and remove feeds",
    ApiScope.ARTICLES_READ: "read articles with key points",
    ApiScope.SUMMARIZE: "condense texts",
}
"""What a token with each scope may do, for the form."""


async def show_tokens(context: AdminContext) -> Response:
    """Show the tokens and the form for a new one."""
    return await _page(context)


async def act_create_token(context: AdminContext) -> Response:
    """Create a token and show it, once."""
    name, days = context.value("name"), context.value("days")
    scopes = context.fields.get("scope", [])
    lifetime = timedelta(days=int(days)) if days in LIFETIMES and days else None
    try:
        token, text = await tokens.create_token(context.app, name, scopes, lifetime)
    except UsageError as error:
        return await _page(context, name=name, chosen=scopes, days=days, problem=error.sentence)
    await context.record("token_created", token.id, name=token.name, scopes=sorted(token.scopes))
    return context.page("api/created.html", token=token, text=text.reveal())


async def show_revoke(context: AdminContext) -> Response:
    """Ask whether to revoke a token."""
    return context.page("api/revoke.html", token=await _token(context))


async def act_revoke_token(context: AdminContext) -> Response:
    """Revoke a token."""
    token = await _token(context)
    await tokens.revoke_token(context.app, token.id)
    await context.record("token_revoked", token.id, name=token.name)
    return context.redirect("/api", done="revoked")


async def _token(context: AdminContext) -> ApiToken:
    wanted = context.path("token")
    for token in await tokens.tokens(context.app):
        if token.id == wanted and token.revoked_at is None:
            return token
    raise HTTPException(404, "There is no such token, or it is revoked already.")


async def _page(
    context: AdminContext, *, name: str = "", chosen: Sequence[str] = (), days: str = "90", problem: str = ""
) -> Response:
    now = context.app.clock()
    return context.page(
        "api/tokens.html",
        status=422 if problem else 200,
        tokens=[(token, token.state(now)) for token in await tokens.tokens(context.app)],
        scopes=SCOPES,
        lifetimes=LIFETIMES,
        name=name,
        chosen=chosen,
        days=days,
        problem=problem,
        site_url=context.app.settings.site.url,
    )
