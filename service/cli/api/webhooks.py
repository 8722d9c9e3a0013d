"""`caveat webhook`: programs that are told about events."""

from __future__ import annotations

from typing import Annotated

import typer

from service.cli.ui.commands import CommandTyper
from service.cli.ui.lazy_imports import lazy_imports
from service.cli.ui.open_app import run_in_app
from service.cli.ui.output import print_message, print_records, quantity
from service.core.model import WebhookStatus

with lazy_imports():
    from service.app.factories.application import Application
    from service.app.webhooks import sending

commands = CommandTyper("List and test webhooks, and send their messages again.", "webhook")


@commands.add("list", "caveat webhook list\ncaveat webhook list --json")
def list_webhooks(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """List the webhooks with the counts of their messages and their last error."""

    async def task(app: Application) -> bool:
        records = [
            {
                "url": one.url,
                "events": one.events,
                "state": _state(one),
                "waiting": one.waiting,
                "sent": one.sent,
                "failed": one.failed,
                "last success": one.last_success_at,
                "last error": one.last_error,
            }
            for one in await sending.statuses(app)
        ]
        print_records(records, as_json=as_json, empty_message="There is no webhook in caveat.yaml.")
        return True

    run_in_app(task)


@commands.add("test", "caveat webhook test https://crm.example.org/hooks/caveat")
def test(
    url: Annotated[str, typer.Argument(metavar="URL", help="Address of the webhook, as in caveat.yaml.")],
) -> None:
    """Send a test message to a webhook, and print whether the receiver accepted it."""

    async def task(app: Application) -> bool:
        problem = await sending.send_test(app, url)
        print_message(f"{url} did not accept the message: {problem}" if problem else f"{url} accepted it.")
        return not problem

    run_in_app(task)


@commands.add("resend", "caveat webhook resend\ncaveat webhook resend https://crm.example.org/hooks/caveat")
def resend(
    url: Annotated[
        str | None, typer.Argument(metavar="URL", help="Address of a webhook. Default: all webhooks.")
    ] = None,
) -> None:
    """Enable a disabled webhook, and make its waiting and failed messages due; the service sends them."""

    async def task(app: Application) -> bool:
        print_message(f"{quantity(await sending.resend(app, url), 'message')} will be sent again.")
        return True

    run_in_app(task)


def _state(one: WebhookStatus) -> str:
    if one.disabled_at is not None:
        return "disabled"
    return "failing" if one.failing_since is not None else "ok"
