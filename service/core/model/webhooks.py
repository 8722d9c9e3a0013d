"""Webhooks: events that are sent to other programs by HTTP, and the state of each message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class WebhookEvent(StrEnum):
    """What a webhook is called for; `webhook.test` is sent on demand only."""

    ISSUE_SENT = "issue.sent"
    DELIVERY_REFUSED = "delivery.refused"
    UNSUBSCRIBED = "subscriber.unsubscribed"
    FEED_FAILING = "feed.failing"
    TEST = "webhook.test"


class WebhookMessageState(StrEnum):
    """WAITING: not accepted so far, and attempted again. FAILED: attempted for days without success."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class WebhookMessage:
    """An event for one webhook (id). `id` stays the same at each attempt, so that a receiver sees repeats."""

    id: str
    webhook: str
    event: WebhookEvent
    created_at: datetime
    data: Mapping[str, object]
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class WebhookStatus:
    """A webhook with its messages as counts.

    `failing_since` is the first failed attempt since the last success; after some days of them it is disabled
    (`disabled_at`): its messages wait until an operator enables it again.
    """

    id: str
    url: str
    events: tuple[str, ...]
    failing_since: datetime | None
    disabled_at: datetime | None
    last_success_at: datetime | None
    last_error: str
    waiting: int = 0
    sent: int = 0
    failed: int = 0
