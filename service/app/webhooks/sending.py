"""Sending of webhook messages: each is attempted until the receiver accepts it, for about four days.

A message is leased before an attempt. After a crash its lease ends, and it is attempted again: a receiver may
get it twice, with the same id, but never misses it. The order is not promised.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from service.app.webhooks.signature import message_body, signed_headers
from service.core.errors import UnknownName
from service.core.ids import content_id
from service.core.model import WebhookMessage, WebhookStatus
from service.settings.values import WebhookSettings
from service.store.webhooks import SqlWebhookStore

if TYPE_CHECKING:
    from service.app.factories.application import Application

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
RETRIES = (
    *(timedelta(seconds=10), 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR),
    *(10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR, 24 * HOUR),
)
"""Time from each failed attempt to the next one; after the last, the message is given up."""

LEASE = 2 * MINUTE  # for an attempt, which takes at most 15 seconds
BATCH = 20  # messages of one webhook that are taken at once
MAX_BATCHES = 50  # of one webhook in one pass, so that one busy webhook does not hold up a stop
DISABLED_AFTER = timedelta(days=5)
"""Time without a success after which a webhook is disabled: its messages then wait for an operator."""

FAILING_POLLS = 3  # in a row, from which on a feed counts as failing
KEPT = timedelta(days=30)  # a message, whatever became of it
GONE = 410
"""Status by which a receiver says that it wants no further message (Standard Webhooks)."""


@dataclass(frozen=True, slots=True)
class WebhookReport:
    """What a pass did: messages that were accepted, and failed attempts."""

    accepted: int = 0
    failed: int = 0


def webhook_id(url: str) -> str:
    """Return the id of the webhook with this address."""
    return content_id("webhook", url)


async def declare_webhooks(app: Application) -> None:
    """Store the webhooks of the configuration, so that events are recorded for them from now on."""
    declared = {webhook_id(one.url): (one.url, one.events) for one in app.settings.webhooks}
    await SqlWebhookStore(app.database).declare(declared, app.clock())


async def run_webhooks(app: Application) -> WebhookReport | None:
    """Record what webhooks are called for, and attempt what is due; None if there was no attempt."""
    if not app.settings.webhooks:
        return None
    await plan_events(app)
    report = await send_messages(app)
    return report if report.accepted or report.failed else None


async def plan_events(app: Application) -> int:
    """Record finished issues and failing feeds, once each; return the number of new messages.

    Both are found in the tables, so none is lost while no process runs.
    """
    store, now = SqlWebhookStore(app.database), app.clock()
    planned = await store.plan_finished_issues(now)
    failing = {
        state.feed.id: content_id("failing", state.feed.id, str(state.last_success_at))
        for state in await app.queries.feed_states()
        if state.failures >= FAILING_POLLS
    }
    return planned + (await store.plan_failing_feeds(FAILING_POLLS, failing, now) if failing else 0)


async def send_messages(app: Application) -> WebhookReport:
    """Attempt the messages that are due, the webhooks side by side."""
    by_id = {webhook_id(one.url): one for one in app.settings.webhooks}
    known = await SqlWebhookStore(app.database).webhooks() if by_id else ()
    able = [one for one in known if one.id in by_id and one.disabled_at is None]
    reports = await asyncio.gather(*(_send_to(app, one, by_id[one.id]) for one in able))
    return WebhookReport(sum(one.accepted for one in reports), sum(one.failed for one in reports))


async def send_test(app: Application, url: str) -> str:
    """Send a test message to a webhook at once; return "" or why it was not accepted. Raises UnknownName."""
    found = _named(app, url)
    now, store = app.clock(), SqlWebhookStore(app.database)
    await declare_webhooks(app)
    await store.plan_test(webhook_id(found.url), content_id("test", secrets.token_hex(8)), now)
    for message in await store.take(webhook_id(found.url), now, now + LEASE, 1_000):
        if message.event.value == "webhook.test":
            _, problem = await _attempt(app, message, found)
            if not problem:
                await store.record_accepted(message, app.clock())
                return ""
            await store.record_failure(message, problem, app.clock(), None)
            return problem
        await store.release([message], now)
    return "another process is sending the message"


async def resend(app: Application, url: str | None) -> int:
    """Enable webhooks again and make their unsent messages due; return how many. None: all webhooks.

    Raises UnknownName for an address that is not configured.
    """
    chosen = app.settings.webhooks if url is None else (_named(app, url),)
    store, now = SqlWebhookStore(app.database), app.clock()
    return sum([await store.enable(webhook_id(one.url), now) for one in chosen])


async def statuses(app: Application) -> Sequence[WebhookStatus]:
    """Return the webhooks of the configuration with the counts of their messages."""
    await declare_webhooks(app)
    return await SqlWebhookStore(app.database).webhooks()


async def prune_messages(app: Application) -> int:
    """Delete messages whose time has passed; return how many."""
    return await SqlWebhookStore(app.database).prune(app.clock() - KEPT)


async def _send_to(app: Application, status: WebhookStatus, webhook: WebhookSettings) -> WebhookReport:
    """Attempt the due messages of one webhook; after a failure the others wait with it."""
    store, accepted = SqlWebhookStore(app.database), 0
    for _ in range(MAX_BATCHES):
        now = app.clock()
        messages = await store.take(status.id, now, now + LEASE, BATCH)
        for place, message in enumerate(messages):
            code, problem = await _attempt(app, message, webhook)
            if problem:
                next_at = _next_attempt(message, app.clock())
                await store.record_failure(message, problem, app.clock(), next_at)
                await store.release(messages[place + 1 :], next_at or app.clock() + RETRIES[0])
                await _disable_if_hopeless(app, status, code)
                return WebhookReport(accepted, 1)
            await store.record_accepted(message, app.clock())
            accepted += 1
        if len(messages) < BATCH:
            break
    return WebhookReport(accepted)


async def _attempt(app: Application, message: WebhookMessage, webhook: WebhookSettings) -> tuple[int, str]:
    """Send a message once; return the status of the response, and "" or why it was not accepted."""
    from service.app.factories.gather import proxy_of  # noqa: PLC0415 - few sites have webhooks
    from service.gather.http.post import post  # noqa: PLC0415 - as above

    body, fetch = message_body(message), app.settings.fetch
    headers = {
        **signed_headers(message, body, webhook.secret, app.clock()),
        "User-Agent": "Caveat (webhook)",
    }
    code, problem = await post(
        webhook.url,
        body,
        headers,
        allow_private=fetch.allow_private,
        proxy=proxy_of(fetch.proxy) if fetch.proxy else None,
    )
    accepted = 200 <= code < 300
    return code, problem or ("" if accepted else f"the receiver answered {code}")


def _next_attempt(message: WebhookMessage, now: datetime) -> datetime | None:
    """Return the time of the next attempt after a failed one, None if there is none."""
    return now + RETRIES[message.attempts] if message.attempts < len(RETRIES) else None


async def _disable_if_hopeless(app: Application, status: WebhookStatus, code: int) -> None:
    now, since = app.clock(), status.failing_since
    if code == GONE or (since is not None and now - since >= DISABLED_AFTER):
        await SqlWebhookStore(app.database).disable(status.id, now)


def _named(app: Application, url: str) -> WebhookSettings:
    for webhook in app.settings.webhooks:
        if webhook.url == url:
            return webhook
    raise UnknownName("webhook", url, [one.url for one in app.settings.webhooks])
