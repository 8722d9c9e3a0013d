"""`caveat admin`: the accounts that may open the editors' pages."""

from __future__ import annotations

from typing import Annotated

import typer

from service.cli.ui import context
from service.cli.ui.commands import CommandTyper
from service.cli.ui.lazy_imports import lazy_imports
from service.cli.ui.open_app import run_in_app
from service.cli.ui.output import print_data, print_message, print_records
from service.core.errors import UsageError

with lazy_imports():
    from service.app.accounts import audit, manage
    from service.app.factories.application import Application

commands = CommandTyper("Manage the accounts that may open the editors' pages.", "admin")

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of the account.")]
RoleOption = Annotated[
    str, typer.Option("--role", metavar="ROLE", help="viewer: reads. editor: changes and sends. admin: all.")
]


@commands.add(
    "create", "caveat admin create amina\ncaveat admin create ben --role editor --email ben@example.org"
)
def create(
    name: NameArgument,
    role: RoleOption = "admin",
    email: Annotated[
        str, typer.Option("--email", metavar="ADDRESS", help="Address for test mails to this person.")
    ] = "",
) -> None:
    """Create an account, and print the one-time link by which its person chooses a password."""

    async def task(app: Application) -> bool:
        _require_pages(app)
        link = await manage.create_account(app, name, role, email)
        await audit.record_command(app, "account_created", link.account.id, name=link.account.name, role=role)
        _print_link(link)
        return True

    run_in_app(task)


@commands.add("link", "caveat admin link amina")
def link(name: NameArgument) -> None:
    """Print a new one-time link for an account, for example after a lost password or phone."""

    async def task(app: Application) -> bool:
        _require_pages(app)
        account = await manage.find_account(app, name)
        made = await manage.new_link(app, account)
        await audit.record_command(app, "account_link_made", account.id, name=account.name)
        _print_link(made)
        return True

    run_in_app(task)


@commands.add("list", "caveat admin list\ncaveat admin list --json")
def list_accounts(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """List the accounts with their roles."""

    async def task(app: Application) -> bool:
        records = [
            {
                "name": account.name,
                "role": account.role.value,
                "state": manage.state_of(account),
                "two_factor": account.totp is not None,
                "email": account.email,
            }
            for account in await manage.accounts(app)
        ]
        print_records(
            records, as_json=as_json, empty_message="There is no account: caveat admin create NAME makes one."
        )
        return True

    run_in_app(task)


@commands.add("role", "caveat admin role ben viewer")
def role(
    name: NameArgument,
    new_role: Annotated[str, typer.Argument(metavar="ROLE", help="viewer, editor or admin.")],
) -> None:
    """Change the role of an account; it holds from its next request on."""

    async def task(app: Application) -> bool:
        account = await manage.find_account(app, name)
        await manage.set_role(app, account, new_role)
        await audit.record_command(app, "account_role_changed", account.id, name=account.name, role=new_role)
        print_message(f"{account.name} is {new_role} now.")
        return True

    run_in_app(task)


@commands.add("disable", "caveat admin disable ben")
def disable(name: NameArgument) -> None:
    """Disable an account and end its sessions; `caveat admin enable` undoes it."""

    async def task(app: Application) -> bool:
        account = await manage.find_account(app, name)
        await manage.disable(app, account)
        await audit.record_command(app, "account_disabled", account.id, name=account.name)
        print_message(f"{account.name} is disabled, and has no session any more.")
        return True

    run_in_app(task)


@commands.add("enable", "caveat admin enable ben")
def enable(name: NameArgument) -> None:
    """Enable a disabled account again."""

    async def task(app: Application) -> bool:
        account = await manage.find_account(app, name)
        await manage.enable(app, account)
        await audit.record_command(app, "account_enabled", account.id, name=account.name)
        print_message(f"{account.name} is enabled.")
        return True

    run_in_app(task)


@commands.add("delete", "caveat admin delete ben")
def delete(name: NameArgument) -> None:
    """Delete an account; the record of what it did stays."""

    async def task(app: Application) -> bool:
        account = await manage.find_account(app, name)
        await manage.delete(app, account)
        await audit.record_command(app, "account_deleted", account.id, name=account.name)
        print_message(f"{account.name} is deleted.")
        return True

    run_in_app(task)


def _require_pages(app: Application) -> None:
    if not app.settings.web.admin.enabled:
        raise UsageError("the editors' pages are off: set web.admin.enabled to true")


def _print_link(made: manage.OneTimeLink) -> None:
    print_data(made.url)
    hours = manage.LINK_LIFETIME.total_seconds() / 3600
    print_message(
        f"{made.account.name} chooses a password there, once, within {hours:.0f} hours. "
        f"The pages are open while `caveat run` or `caveat web` runs with {context.options().config}."
    )
