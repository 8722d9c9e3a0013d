"""`caveat token`: the tokens of the HTTP API."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from service.cli.ui.commands import CommandTyper
from service.cli.ui.lazy_imports import lazy_imports
from service.cli.ui.open_app import run_in_app
from service.cli.ui.output import print_data, print_message, print_records
from service.core.model import ApiScope

with lazy_imports():
    from service.app.accounts import audit
    from service.app.api import tokens
    from service.app.factories.application import Application

SCOPE_HELP = f"Permission; may be repeated: {', '.join(ApiScope)}."

commands = CommandTyper("Manage the tokens of the HTTP API.", "token")


@commands.add(
    "create",
    "caveat token create crm --scope subscribers:write --expires-days 365\n"
    "caveat token create newsroom --scope sends:write --scope issues:read",
)
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the program that uses the token.")],
    scope: Annotated[list[str], typer.Option("--scope", metavar="SCOPE", help=SCOPE_HELP)],
    expires_days: Annotated[
        int | None,
        typer.Option("--expires-days", metavar="DAYS", min=1, help="Days that it is valid. Default: no end."),
    ] = None,
) -> None:
    """Create a token and print it. It is shown once: only its hash is stored."""

    async def task(app: Application) -> bool:
        lifetime = None if expires_days is None else timedelta(days=expires_days)
        token, text = await tokens.create_token(app, name, scope, lifetime)
        await audit.record_command(
            app, "token_created", token.id, name=token.name, scopes=sorted(token.scopes)
        )
        print_data(text.reveal())
        print_message(f"Token {token.id} ({token.name}) {tokens.expiry_words(token)}. It is not shown again.")
        return True

    run_in_app(task)


@commands.add("list", "caveat token list\ncaveat token list --json")
def list_tokens(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """List the tokens with their scopes, without the tokens themselves."""

    async def task(app: Application) -> bool:
        records = [
            {
                "id": token.id,
                "name": token.name,
                "state": token.state(app.clock()),
                "scopes": sorted(token.scopes),
                "created": token.created_at,
                "used": token.used_at,
                "expires": token.expires_at,
            }
            for token in await tokens.tokens(app)
        ]
        print_records(
            records, as_json=as_json, empty_message="There is no token: caveat token create NAME makes one."
        )
        return True

    run_in_app(task)


@commands.add("revoke", "caveat token revoke crm")
def revoke(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name or id of the token.")],
) -> None:
    """Revoke a token; it stops working at once, for good."""

    async def task(app: Application) -> bool:
        token = await tokens.revoke_token(app, name)
        await audit.record_command(app, "token_revoked", token.id, name=token.name)
        print_message(f"The token {token.name} ({token.id}) is revoked.")
        return True

    run_in_app(task)
